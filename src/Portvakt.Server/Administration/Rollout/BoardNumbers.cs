using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>How many people stand where; see <see cref="BoardState"/>.</summary>
public sealed class BoardCount
{
    private readonly int[] _counts = new int[Enum.GetValues<BoardState>().Length];

    public int this[BoardState state] => _counts[(int)state];

    public int Total { get; private set; }

    /// <summary>Of those of whom it is asked: who is exempt neither helps nor spoils the figure. From 0 to 1.</summary>
    public double Share => Total - this[BoardState.Exempt] is > 0 and var asked ? (double)this[BoardState.Enrolled] / asked : 0;

    internal void Add(BoardState state, int people, bool isNew)
    {
        _counts[(int)state] += people;
        if (isNew) Total += people;
    }

    internal void Add(BoardCount other)
    {
        for (var state = 0; state < _counts.Length; state++) _counts[state] += other._counts[state];
        Total += other.Total;
    }
}

/// <summary>The people of one wave in one unit.</summary>
public sealed record BoardPlace(Guid? WaveId, string? Unit, BoardCount Count);

/// <summary>People who are stuck at the same step for the same reason.</summary>
public sealed record BoardTrouble(SignInStep Step, EnrolmentTrouble? Trouble, int People);

/// <summary>How many were enrolled when a day ended, and how many of them on that day.</summary>
public sealed record BoardDay(DateOnly Day, int New, int Enrolled);

/// <summary>
/// The numbers of the board as they are at the moment of the question: of everybody as the database keeps them (<see cref="KeptCounts"/>), of the people of one unit counted from an index;
/// those who are in the middle of it, the few with a term of their own, and the enrolments by hour for the curve.
/// </summary>
public sealed class BoardNumbers
{
    private readonly Dictionary<(Guid? Wave, string? Unit), BoardPlace> _places = [];
    private readonly Dictionary<(SignInStep Step, EnrolmentTrouble? Trouble), int> _troubles = [];
    private readonly Dictionary<Guid, SortedDictionary<DateOnly, int>> _days = [];

    private BoardNumbers(IReadOnlyList<Wave> waves) => Waves = waves;

    public IReadOnlyList<Wave> Waves { get; }

    /// <summary>Everybody in one figure.</summary>
    public BoardCount All { get; } = new();

    public IEnumerable<BoardPlace> Places => _places.Values.OrderBy(place => place.Unit, StringComparer.CurrentCulture);

    /// <summary>What most people are stuck at comes first.</summary>
    public IEnumerable<BoardTrouble> Troubles => _troubles.Select(pair => new BoardTrouble(pair.Key.Step, pair.Key.Trouble, pair.Value)).Where(row => row.People > 0).OrderByDescending(row => row.People).ThenBy(row => row.Step);

    /// <param name="db">The database.</param>
    /// <param name="people">Who counts: those whom the actor may see; null: everybody.</param>
    /// <param name="zone">By its clocks days begin.</param>
    /// <param name="now">The moment.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<BoardNumbers> LoadAsync(PortvaktDb db, IQueryable<Person>? people, TimeZoneInfo zone, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var cutoff = now - BoardStates.StuckAfter;
        var board = new BoardNumbers(await db.Waves.AsNoTracking().OrderBy(wave => wave.Position).ThenBy(wave => wave.StartsAt).ToListAsync(cancellationToken));

        if (people is null) await board.AddEverybodyAsync(db, cutoff, now, cancellationToken);
        else await board.AddAsync(people, cutoff, now, cancellationToken);
        var isEverybody = people is null;
        people ??= db.People;

        // The few who have a term of their own are taken out of their group and put where they belong.
        var terms = await (
            from term in db.PersonalTerms
            where term.EndedAt == null && term.Until > now
            join person in people on term.PersonId equals person.Id
            where person.EnrolledAt == null
            select new { term.PersonId, term.Kind, person.WaveId, person.Unit, person.EnrolmentStep, person.EnrolmentTrouble, IsStuck = person.EnrolmentStepAt <= cutoff }).ToListAsync(cancellationToken);
        foreach (var person in terms.GroupBy(term => term.PersonId))
        {
            var first = person.First();
            var facts = new Facts(first.WaveId, first.Unit, false, first.EnrolmentStep, first.EnrolmentTrouble, first.IsStuck);
            board.Add(facts, null, now, -1);
            board.Add(facts, [.. person.Select(term => term.Kind)], now, 1);
        }

        // The day is the organisation's. A database knows no time zones that we could rely on, but hours; in a zone that is off by minutes, minutes.
        var length = zone.BaseUtcOffset.Minutes is 0 && zone.GetUtcOffset(now).Minutes is 0 ? 13 : 16;
        if (isEverybody && length is 13)
        {
            foreach (var hour in await KeptCounts.HoursAsync(db, cancellationToken)) board.Add(hour.WaveId, hour.Hour, zone, hour.People);
            return board;
        }

        var moments = await people.Where(person => person.EnrolledAt != null && person.WaveId != null)
            .GroupBy(person => new { person.WaveId, Moment = PortvaktDb.MomentOf(person.EnrolledAt, length) })
            .Select(group => new { group.Key.WaveId, group.Key.Moment, People = group.Count() }).ToListAsync(cancellationToken);
        foreach (var moment in moments) board.Add(moment.WaveId!.Value, moment.Moment!, zone, moment.People);
        return board;
    }

    public BoardCount OfWave(Guid? wave) => Sum(_places.Values.Where(place => place.WaveId == wave));

    /// <summary>The units one level below another (null: the topmost), each with all that lies below it.</summary>
    public IReadOnlyList<(string Unit, BoardCount Count)> UnitsBelow(string? unit)
    {
        var start = unit is null ? 0 : unit.Length + 1;
        return [.. _places.Values.Where(place => place.Unit is { } own && own.Length > start && (unit is null || own.StartsWith(unit + "/", StringComparison.Ordinal)))
            .GroupBy(place => place.Unit!.IndexOf('/', start) is > 0 and var end ? place.Unit[..end] : place.Unit, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.CurrentCulture).Select(group => (group.Key, Sum(group)))];
    }

    public BoardCount WithoutUnit => Sum(_places.Values.Where(place => place.Unit is null));

    /// <summary>The days on which somebody of the wave enrolled, with the sum so far.</summary>
    public IReadOnlyList<BoardDay> DaysOf(Guid wave)
    {
        var sum = 0;
        return !_days.TryGetValue(wave, out var days) ? [] : [.. days.Select(day => new BoardDay(day.Key, day.Value, sum += day.Value))];
    }

    private static BoardCount Sum(IEnumerable<BoardPlace> places)
    {
        var sum = new BoardCount();
        foreach (var place in places) sum.Add(place.Count);
        return sum;
    }

    private async Task AddAsync(IQueryable<Person> people, DateTimeOffset cutoff, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var groups = await people
            .GroupBy(person => new { person.WaveId, person.Unit, IsEnrolled = person.EnrolledAt != null, person.EnrolmentStep, person.EnrolmentTrouble, IsStuck = person.EnrolmentStepAt <= cutoff })
            .Select(group => new { group.Key, People = group.Count() }).ToListAsync(cancellationToken);
        foreach (var group in groups)
            Add(new Facts(group.Key.WaveId, group.Key.Unit, group.Key.IsEnrolled, group.Key.EnrolmentStep, group.Key.EnrolmentTrouble, group.Key.IsStuck), null, now, group.People);
    }

    /// <summary>From what is kept; those who are in the middle of it are taken out and put where they stand.</summary>
    private async Task AddEverybodyAsync(PortvaktDb db, DateTimeOffset cutoff, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var place in await KeptCounts.PlacesAsync(db, cancellationToken)) Add(new Facts(place.WaveId, place.Unit, place.IsEnrolled, null, null, false), null, now, place.People);
        var begun = await db.People.Where(person => person.EnrolledAt == null && person.EnrolmentStep != null)
            .GroupBy(person => new { person.WaveId, person.Unit, person.EnrolmentStep, person.EnrolmentTrouble, IsStuck = person.EnrolmentStepAt <= cutoff })
            .Select(group => new { group.Key, People = group.Count() }).ToListAsync(cancellationToken);
        foreach (var group in begun)
        {
            Add(new Facts(group.Key.WaveId, group.Key.Unit, false, null, null, false), null, now, -group.People);
            Add(new Facts(group.Key.WaveId, group.Key.Unit, false, group.Key.EnrolmentStep, group.Key.EnrolmentTrouble, group.Key.IsStuck), null, now, group.People);
        }
    }

    private void Add(Guid wave, string moment, TimeZoneInfo zone, int people)
    {
        var at = DateTime.ParseExact(moment, moment.Length is 13 ? "yyyy-MM-dd HH" : "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
        var day = DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(at, zone));
        if (!_days.TryGetValue(wave, out var days)) _days[wave] = days = [];
        days[day] = days.GetValueOrDefault(day) + people;
    }

    private sealed record Facts(Guid? WaveId, string? Unit, bool IsEnrolled, SignInStep? Step, EnrolmentTrouble? Trouble, bool IsStuck);

    private void Add(Facts facts, PersonalTermKind[]? terms, DateTimeOffset now, int people)
    {
        var isExempt = terms?.Contains(PersonalTermKind.Exemption) is true;
        var isExtended = terms?.Contains(PersonalTermKind.Extension) is true;
        var state = facts switch
        {
            { IsEnrolled: true } => BoardState.Enrolled,
            _ when isExempt => BoardState.Exempt,
            { Step: not null, IsStuck: true } => BoardState.Stuck,
            { Step: not null } => BoardState.Begun,
            _ => BoardState.NotBegun,
        };
        Count(state, true);
        if (state is BoardState.Stuck) _troubles[(facts.Step!.Value, facts.Trouble)] = _troubles.GetValueOrDefault((facts.Step.Value, facts.Trouble)) + people;
        if (state is BoardState.Enrolled) return;
        if (isExtended) Count(BoardState.Extended, false);
        if (!isExempt && !isExtended && Waves.FirstOrDefault(wave => wave.Id == facts.WaveId)?.DeadlineAt <= now) Count(BoardState.Overdue, false);

        void Count(BoardState of, bool isNew)
        {
            if (!_places.TryGetValue((facts.WaveId, facts.Unit), out var place)) _places[(facts.WaveId, facts.Unit)] = place = new BoardPlace(facts.WaveId, facts.Unit, new BoardCount());
            place.Count.Add(of, people, isNew);
            All.Add(of, people, isNew);
        }
    }
}
