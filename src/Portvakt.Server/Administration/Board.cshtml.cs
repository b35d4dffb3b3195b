using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The rollout at this moment: who has enrolled, who is stuck and where, who is late. Each number leads to its people.</summary>
public sealed class BoardModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.SeeBoard)
{
    public BoardNumbers Board { get; private set; } = null!;

    /// <summary>Only this unit and what lies below it.</summary>
    [FromQuery(Name = "unit")]
    public string? Unit { get; set; }

    public DateTimeOffset Moment => Now;

    /// <summary>Waves that run now and in which a password alone is enough to enrol (R26).</summary>
    public IEnumerable<Wave> OpenWaves => Waves.Where(wave => wave.Access is EnrolmentAccess.Open && wave.StartsAt <= Now && Now < wave.DeadlineAt);

    /// <summary>Whose role counts in one unit sees the waves of its people, not the plan of the others.</summary>
    public IEnumerable<Wave> Waves => Board.Waves.Where(wave => (Unit is null && Desk.AllowsEverywhere(Act.SeeBoard)) || Board.OfWave(wave.Id).Total > 0);

    public Task OnGetAsync() => LoadAsync();

    /// <summary>The same figures as a file: one line for each wave in each unit.</summary>
    public async Task<IActionResult> OnGetCsvAsync()
    {
        await LoadAsync();
        var states = Enum.GetValues<BoardState>();
        var names = Board.Waves.ToDictionary(wave => wave.Id, wave => wave.Name);
        Record(SecurityEvent.ListExported, null, "board");
        await Db.SaveChangesAsync(Aborted);
        return Csv.File($"{admin["BoardFile"]}.csv", Board.Places.Select(place => (IEnumerable<string?>)
            [place.WaveId is { } wave ? names.GetValueOrDefault(wave) : null, place.Unit, Text(place.Count.Total), .. states.Select(state => Text(place.Count[state]))])
            .Prepend([admin["BoardWave"], admin["Unit"], admin["BoardTotal"], .. states.Select(state => admin["BoardIs" + state].Value)]));
    }

    /// <summary>The address of the people behind a number.</summary>
    public string People(BoardState? state = null, string? wave = null, string? unit = null, string? step = null, string? trouble = null) =>
        "/administration/people" + QueryString.Create(new (string Name, string? Value)[] { ("state", state?.ToString()), ("wave", wave), ("unit", unit ?? Unit), ("step", step), ("trouble", trouble) }
            .Where(pair => !string.IsNullOrEmpty(pair.Value)).Select(pair => KeyValuePair.Create(pair.Name, pair.Value)));

    private async Task LoadAsync()
    {
        if (string.IsNullOrWhiteSpace(Unit)) Unit = null;
        var people = Desk.AllowsEverywhere(Act.SeeBoard) ? null : PeopleInScope(Act.SeeBoard);
        if (Unit is { } unit)
        {
            var below = unit + "/";
            people = (people ?? Db.People).Where(person => person.Unit == unit || person.Unit!.StartsWith(below));
        }

        Board = await BoardNumbers.LoadAsync(Db, people, Rules.Zone, Now, Aborted);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
