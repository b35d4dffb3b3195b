using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>What a list of people may be narrowed to. A person can be in several: who is locked may be overdue as well.</summary>
public enum PeopleState
{
    Enrolled,
    Begun,

    /// <summary>Begun, and no step taken for <see cref="BoardStates.StuckAfter"/>.</summary>
    Stuck,
    NotBegun,
    Exempt,
    Extended,
    Overdue,
    Locked,
    NeedsPass,
    NeverUsed,
}

/// <summary>The search and the filters of the list of people, as they stand in its address, so that a list can be sent to somebody and linked to.</summary>
public sealed record PeopleFilter
{
    /// <summary>Words that must all occur in name, user name, mail or unit.</summary>
    [FromQuery(Name = "q")]
    public string? Text { get; init; }

    [FromQuery(Name = "state")]
    public string? State { get; init; }

    /// <summary>Id of the wave; <c>none</c> for people of no wave.</summary>
    [FromQuery(Name = "wave")]
    public string? Wave { get; init; }

    /// <summary>A unit with everything below it; <c>none</c> for people of no unit.</summary>
    [FromQuery(Name = "unit")]
    public string? Unit { get; init; }

    /// <summary>The step of the enrolment where somebody stands.</summary>
    [FromQuery(Name = "step")]
    public string? Step { get; init; }

    /// <summary>What stood in the way; <c>none</c> where nothing is known.</summary>
    [FromQuery(Name = "trouble")]
    public string? Trouble { get; init; }

    /// <summary>In an address it may be written <c>not-begun</c> as well as <c>NotBegun</c>.</summary>
    public PeopleState? WantedState => Named<PeopleState>(State);

    public SignInStep? WantedStep => Named<SignInStep>(Step);

    public EnrolmentTrouble? WantedTrouble => Named<EnrolmentTrouble>(Trouble);

    public IQueryable<Person> Of(IQueryable<Person> people, PortvaktDb db, DateTimeOffset now)
    {
        foreach (var word in (Text ?? "").ToLowerInvariant().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Take(8))
            people = people.Where(person => person.SearchText.Contains(word));
        if (Wave is "none") people = people.Where(person => person.WaveId == null);
        else if (Guid.TryParse(Wave, out var wave)) people = people.Where(person => person.WaveId == wave);
        if (Unit is "none") people = people.Where(person => person.Unit == null);
        else if (Unit?.Trim().Trim('/') is { Length: > 0 } unit)
        {
            var below = unit + "/";
            people = people.Where(person => person.Unit == unit || person.Unit!.StartsWith(below));
        }

        if (WantedStep is { } step) people = people.Where(person => person.EnrolledAt == null && person.EnrolmentStep == step);
        if (Trouble is "none") people = people.Where(person => person.EnrolledAt == null && person.EnrolmentTrouble == null);
        else if (WantedTrouble is { } trouble) people = people.Where(person => person.EnrolledAt == null && person.EnrolmentTrouble == trouble);

        return WantedState switch
        {
            PeopleState.Locked => people.Where(person => person.State == PersonState.Locked),
            PeopleState.NeedsPass => people.Where(person => person.EnrolledAt == null && person.NeedsPass),
            PeopleState.NeverUsed => people.Where(person => person.LastSignInAt == null),
            null => people,
            var shared => people.In(Enum.Parse<BoardState>(shared.Value.ToString()), db, now), // the very people behind a number of the board
        };
    }

    private static T? Named<T>(string? text) where T : struct, Enum =>
        text is { Length: > 0 and < 40 } && !char.IsAsciiDigit(text[0]) && Enum.TryParse<T>(text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var value) && Enum.IsDefined(value) ? value : null;
}

/// <summary>One line of a list of people.</summary>
public sealed record PersonLine
{
    public required string UserName { get; init; }
    public required string Name { get; init; }
    public string? Email { get; init; }
    public string? Unit { get; init; }
    public string? Wave { get; init; }
    public DateTimeOffset? DeadlineAt { get; init; }
    public DateTimeOffset? ExemptUntil { get; init; }
    public DateTimeOffset? ExtendedUntil { get; init; }
    public DateTimeOffset? EnrolledAt { get; init; }
    public SignInStep? Step { get; init; }
    public DateTimeOffset? StepAt { get; init; }
    public EnrolmentTrouble? Trouble { get; init; }
    public bool NeedsPass { get; init; }
    public PersonState State { get; init; }
    public DateTimeOffset? LastSignInAt { get; init; }

    /// <summary>The wave's deadline, or the person's own when that is later.</summary>
    public DateTimeOffset? OwnDeadlineAt => EnrolmentRule.DeadlineOf(new EnrolmentFacts { DeadlineAt = DeadlineAt, ExtendedUntil = ExtendedUntil });

    /// <summary>The one state that says most.</summary>
    public PeopleState StateAt(DateTimeOffset now) => this switch
    {
        { State: PersonState.Locked } => PeopleState.Locked,
        { EnrolledAt: not null } => PeopleState.Enrolled,
        _ when now < ExemptUntil => PeopleState.Exempt,
        _ when now >= OwnDeadlineAt => PeopleState.Overdue,
        { Step: not null } => StepAt <= now - BoardStates.StuckAfter ? PeopleState.Stuck : PeopleState.Begun,
        { NeedsPass: true } => PeopleState.NeedsPass,
        _ when now < ExtendedUntil => PeopleState.Extended,
        { LastSignInAt: null } => PeopleState.NeverUsed,
        _ => PeopleState.NotBegun,
    };

    public static IQueryable<PersonLine> Of(IQueryable<Person> people, PortvaktDb db) =>
        from person in people
        join wave in db.Waves on person.WaveId equals wave.Id into waves
        from wave in waves.DefaultIfEmpty()
        select new PersonLine
        {
            UserName = person.UserName,
            Name = person.DisplayName,
            Email = person.Email,
            Unit = person.Unit,
            Wave = wave!.Name,
            DeadlineAt = wave == null ? null : wave.DeadlineAt,
            ExemptUntil = db.PersonalTerms.Where(term => term.PersonId == person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Exemption).Max(term => (DateTimeOffset?)term.Until),
            ExtendedUntil = db.PersonalTerms.Where(term => term.PersonId == person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until),
            EnrolledAt = person.EnrolledAt,
            Step = person.EnrolmentStep,
            StepAt = person.EnrolmentStepAt,
            Trouble = person.EnrolmentTrouble,
            NeedsPass = person.NeedsPass,
            State = person.State,
            LastSignInAt = person.LastSignInAt,
        };
}
