using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>
/// Where people stand in the rollout. The first five are a partition: everybody is in exactly one of them. <see cref="Overdue"/> and <see cref="Extended"/> say
/// more about those who are not enrolled.
/// </summary>
public enum BoardState
{
    Enrolled,

    /// <summary>Not enrolled, and somebody answers for an exemption at this moment.</summary>
    Exempt,

    /// <summary>Began an enrolment and has not taken a step for half an hour.</summary>
    Stuck,

    /// <summary>In the middle of it.</summary>
    Begun,
    NotBegun,

    /// <summary>Not enrolled, not exempt, and the own deadline has passed.</summary>
    Overdue,

    /// <summary>Not enrolled, with a later deadline of one's own.</summary>
    Extended,
}

/// <summary>The people behind a number of the board.</summary>
public static class BoardStates
{
    /// <summary>Without a step for so long an enrolment is stuck.</summary>
    public static readonly TimeSpan StuckAfter = TimeSpan.FromMinutes(30);

    public static IQueryable<Person> In(this IQueryable<Person> people, BoardState state, PortvaktDb db, DateTimeOffset now)
    {
        if (state is BoardState.Enrolled) return people.Where(person => person.EnrolledAt != null);
        var cutoff = now - StuckAfter;
        var waiting = people.Where(person => person.EnrolledAt == null);
        var terms = db.PersonalTerms.Where(term => term.EndedAt == null && term.Until > now);
        var exemptions = terms.Where(term => term.Kind == PersonalTermKind.Exemption);
        var extensions = terms.Where(term => term.Kind == PersonalTermKind.Extension);
        var bound = waiting.Where(person => !exemptions.Any(term => term.PersonId == person.Id));
        return state switch
        {
            BoardState.Exempt => waiting.Where(person => exemptions.Any(term => term.PersonId == person.Id)),
            BoardState.Stuck => bound.Where(person => person.EnrolmentStep != null && person.EnrolmentStepAt <= cutoff),
            BoardState.Begun => bound.Where(person => person.EnrolmentStep != null && person.EnrolmentStepAt > cutoff),
            BoardState.NotBegun => bound.Where(person => person.EnrolmentStep == null),
            BoardState.Extended => waiting.Where(person => extensions.Any(term => term.PersonId == person.Id)),
            _ => bound.Where(person => db.Waves.Any(wave => wave.Id == person.WaveId && wave.DeadlineAt <= now) && !extensions.Any(term => term.PersonId == person.Id)),
        };
    }
}
