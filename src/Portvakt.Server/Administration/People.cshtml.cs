using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>Everybody in the actor's units, searched and filtered; the same list as a file. Three questions to the database a page, whatever the number of people.</summary>
public sealed class PeopleModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.SeePeople)
{
    public PeopleFilter Filter { get; private set; } = new();
    public PeoplePage Found { get; private set; } = PeoplePage.Empty;
    public IReadOnlyList<Wave> Waves { get; private set; } = [];
    public DateTimeOffset Present => Now;

    public async Task OnGetAsync([FromQuery] PeopleFilter filter, [FromQuery(Name = "page")] int number = 1)
    {
        Filter = filter;
        Waves = await Db.Waves.AsNoTracking().OrderBy(wave => wave.Position).ToListAsync(Aborted);
        Found = await PeoplePage.LoadAsync(Db, PeopleInScope(Act.SeePeople), filter, number, Now, Aborted);
    }

    /// <summary>The list as a file, written as it is read: no list is too long for it.</summary>
    public async Task<IActionResult> OnPostExportAsync([FromQuery] PeopleFilter filter)
    {
        Record(SecurityEvent.PeopleExported, null);
        await Db.SaveChangesAsync(Aborted);
        Response.ContentType = Csv.ContentType;
        Response.Headers.ContentDisposition = "attachment; filename=\"people.csv\"";
        await using var file = new StreamWriter(Response.Body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 64 * 1024);
        await file.WriteAsync(Csv.Mark);
        await file.WriteAsync(Csv.Line("user name", "name", "mail", "unit", "wave", "state", "deadline", "exempt until", "enrolled", "step", "trouble", "last sign-in"));
        var now = Now;
        await foreach (var line in PersonLine.Of(filter.Of(PeopleInScope(Act.SeePeople), Db, now), Db).OrderBy(line => line.UserName).AsAsyncEnumerable().WithCancellation(Aborted))
        {
            await file.WriteAsync(Csv.Line(
                line.UserName, line.Name, line.Email, line.Unit, line.Wave, admin["State" + line.StateAt(now)], Iso(line.OwnDeadlineAt), Iso(line.ExemptUntil), Iso(line.EnrolledAt),
                line.Step is { } step ? admin["Step" + step].Value : null, line.Trouble is { } trouble ? admin["Trouble" + trouble].Value : null, Iso(line.LastSignInAt)));
        }

        await file.FlushAsync(Aborted);
        return new EmptyResult();
    }

    /// <summary>This list, with another page or as a file.</summary>
    public string Address(params (string Name, string? Value)[] also)
    {
        var query = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["q"] = Filter.Text,
            ["state"] = Filter.State,
            ["wave"] = Filter.Wave,
            ["unit"] = Filter.Unit,
            ["step"] = Filter.Step,
            ["trouble"] = Filter.Trouble,
        };
        foreach (var (name, value) in also) query[name] = value;
        return QueryHelpers.AddQueryString("/administration/people", query.Where(pair => !string.IsNullOrEmpty(pair.Value)));
    }

    private string? Iso(DateTimeOffset? at) => at is { } instant ? TimeZoneInfo.ConvertTime(instant, Rules.Zone).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) : null;
}
