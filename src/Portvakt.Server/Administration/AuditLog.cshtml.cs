using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Administration;

/// <summary>What happened: searched, filtered, and taken out as a file. Who has a role in one unit sees what happened to its people.</summary>
public sealed class AuditLogModel(Reception reception, AuditChain chain) : AdministrationPage(reception, Act.SeeAudit)
{
    /// <summary>Rows on a page.</summary>
    public const int PageSize = 100;

    public sealed record Party(string UserName, string Name);

    public sealed record Row(long Id, long? Number, DateTimeOffset At, SecurityEvent What, Guid? PersonId, Party? Person, Guid? ActorId, Party? Actor, string? Subject, string? Address, string? Reason, byte[]? Hash);

    public IReadOnlyList<Row> Rows { get; private set; } = [];

    /// <summary>Where the chain stands; null before anything was chained.</summary>
    public AuditCheckpoint? Checkpoint { get; private set; }

    public AuditVerdict? Verdict => chain.LastVerdict;

    /// <summary>Query of the next, older page; null on the last one.</summary>
    public string? Older { get; private set; }

    /// <summary>A user name that nobody has was asked for.</summary>
    public bool IsUnknown { get; private set; }

    [FromQuery(Name = "event")]
    public SecurityEvent? What { get; set; }

    /// <summary>User name of the one concerned.</summary>
    [FromQuery(Name = "person")]
    public string? Person { get; set; }

    /// <summary>User name of the one who did it.</summary>
    [FromQuery(Name = "actor")]
    public string? Actor { get; set; }

    /// <summary>How the address begins.</summary>
    [FromQuery(Name = "address")]
    public string? Address { get; set; }

    /// <summary>First day of the period, by the organisation's clocks.</summary>
    [FromQuery(Name = "from")]
    public DateOnly? From { get; set; }

    /// <summary>Last day of the period.</summary>
    [FromQuery(Name = "to")]
    public DateOnly? To { get; set; }

    /// <summary>Where the page before ended: instant in ticks and id of its last row.</summary>
    [FromQuery(Name = "before")]
    public string? Before { get; set; }

    public async Task OnGetAsync()
    {
        Checkpoint = await Db.AuditCheckpoints.AsNoTracking().SingleOrDefaultAsync(row => row.Id == 1, Aborted);
        var rows = (await FilterAsync()).Rows;
        if (Before?.Split('.') is [var ticks, var number] && long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var instant) && instant <= DateTime.MaxValue.Ticks
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            var at = new DateTimeOffset(instant, TimeSpan.Zero);
            rows = rows.Where(row => row.At < at || (row.At == at && row.Id < id));
        }

        var found = await Named(rows, newestFirst: true).Take(PageSize + 1).ToListAsync(Aborted);
        Rows = [.. found.Take(PageSize)];
        if (found.Count > PageSize) Older = Query(("before", string.Create(CultureInfo.InvariantCulture, $"{Rows[^1].At.UtcTicks}.{Rows[^1].Id}")));
    }

    /// <summary>The rows of the filter as a file, oldest first, written as they are read.</summary>
    public async Task<IActionResult> OnGetExportAsync(string? format)
    {
        if (format is not ("csv" or "jsonl")) return NotFound();
        var (rows, personId) = await FilterAsync();
        Record(SecurityEvent.AuditExported, personId, format, Query().TrimStart('?'));
        await Db.SaveChangesAsync(Aborted);
        await chain.ChainAsync(Aborted);

        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Now, Rules.Zone).DateTime);
        Response.ContentType = format is "csv" ? Csv.ContentType : "application/jsonl; charset=utf-8";
        Response.Headers.ContentDisposition = string.Create(CultureInfo.InvariantCulture, $"attachment; filename=\"portvakt-audit-{day:yyyy-MM-dd}.{format}\"");
        await using var file = new StreamWriter(Response.Body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 32 * 1024, leaveOpen: true);
        if (format is "csv") await file.WriteAsync(Csv.Mark + Csv.Line("number", "id", "at", "event", "person_id", "person", "actor_id", "actor", "subject", "address", "reason", "hash"));
        await foreach (var row in Named(rows, newestFirst: false).AsAsyncEnumerable().WithCancellation(Aborted))
        {
            var at = row.At.ToString("O", CultureInfo.InvariantCulture);
            var hash = row.Hash is null ? null : Convert.ToHexStringLower(row.Hash);
            await file.WriteAsync(format is "csv"
                ? Csv.Line(row.Number?.ToString(CultureInfo.InvariantCulture), row.Id.ToString(CultureInfo.InvariantCulture), at, row.What.ToString(), row.PersonId?.ToString(), row.Person?.UserName,
                    row.ActorId?.ToString(), row.Actor?.UserName, row.Subject, row.Address, row.Reason, hash)
                : JsonSerializer.Serialize(new { row.Number, row.Id, At = at, Event = row.What.ToString(), row.PersonId, Person = row.Person?.UserName, row.ActorId, Actor = row.Actor?.UserName, row.Subject, row.Address, row.Reason, Hash = hash }, JsonSerializerOptions.Web) + "\n");
        }

        return new EmptyResult();
    }

    /// <summary>This page with the present filter.</summary>
    public string Query(params ReadOnlySpan<(string Name, string Value)> more)
    {
        var query = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (name, value) in more) query[name] = value;
        if (What is { } what) query["event"] = what.ToString();
        if (!string.IsNullOrWhiteSpace(Person)) query["person"] = Person;
        if (!string.IsNullOrWhiteSpace(Actor)) query["actor"] = Actor;
        if (!string.IsNullOrWhiteSpace(Address)) query["address"] = Address;
        if (From is { } from) query["from"] = from.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (To is { } to) query["to"] = to.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return QueryHelpers.AddQueryString("", query);
    }

    /// <summary>An instant as the organisation's clocks show it.</summary>
    public DateTime Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Rules.Zone).DateTime;

    private async Task<(IQueryable<AuditEvent> Rows, Guid? PersonId)> FilterAsync()
    {
        var rows = Db.AuditEvents.AsNoTracking();
        if (!Desk.AllowsEverywhere(Act.SeeAudit))
        {
            var seen = PeopleInScope(Act.SeeAudit).Select(person => (Guid?)person.Id);
            rows = rows.Where(row => seen.Contains(row.PersonId));
        }

        if (What is { } what) rows = rows.Where(row => row.What == what);
        Guid? personId = null;
        if (!string.IsNullOrWhiteSpace(Person))
        {
            personId = await FindAsync(Person) ?? Guid.Empty; // nobody: no rows, and the page says why
            rows = rows.Where(row => row.PersonId == personId);
        }

        if (!string.IsNullOrWhiteSpace(Actor))
        {
            var actorId = await FindAsync(Actor) ?? Guid.Empty;
            rows = rows.Where(row => row.ActorId == actorId);
        }

        if (!string.IsNullOrWhiteSpace(Address))
        {
            var address = Visible.Of(Address.Trim())!; // not every database takes every character
            rows = rows.Where(row => row.Address!.StartsWith(address));
        }

        if (From is { } from)
        {
            var start = Midnight(from);
            rows = rows.Where(row => row.At >= start);
        }

        if (To is { } to && to < DateOnly.MaxValue)
        {
            var end = Midnight(to.AddDays(1));
            rows = rows.Where(row => row.At < end);
        }

        return (rows, personId == Guid.Empty ? null : personId);
    }

    private async Task<Guid?> FindAsync(string typed)
    {
        var id = UserName.TryParse(typed, out var name) ? await Db.People.Where(person => person.UserName == name.Value.Value).Select(person => (Guid?)person.Id).SingleOrDefaultAsync(Aborted) : null;
        IsUnknown |= id is null;
        return id;
    }

    /// <summary>When a day begins. Where clocks jump over midnight, an hour later.</summary>
    private DateTimeOffset Midnight(DateOnly day)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        if (Rules.Zone.IsInvalidTime(local)) local = local.AddHours(1);
        var offset = Rules.Zone.GetUtcOffset(local);
        return local.Ticks - offset.Ticks > 0 ? new DateTimeOffset(local, offset) : DateTimeOffset.MinValue;
    }

    private IQueryable<Row> Named(IQueryable<AuditEvent> rows, bool newestFirst)
    {
        var named = from row in rows
                    join person in Db.People on row.PersonId equals (Guid?)person.Id into people
                    from person in people.DefaultIfEmpty()
                    join actor in Db.People on row.ActorId equals (Guid?)actor.Id into actors
                    from actor in actors.DefaultIfEmpty()
                    select new { row, person, actor };
        named = newestFirst ? named.OrderByDescending(found => found.row.At).ThenByDescending(found => found.row.Id) : named.OrderBy(found => found.row.At).ThenBy(found => found.row.Id);
        return named.Select(found => new Row(
            found.row.Id, found.row.ChainNumber, found.row.At, found.row.What, found.row.PersonId, found.person == null ? null : new Party(found.person.UserName, found.person.DisplayName),
            found.row.ActorId, found.actor == null ? null : new Party(found.actor.UserName, found.actor.DisplayName), found.row.Subject, found.row.Address, found.row.Reason, found.row.ChainHash));
    }
}
