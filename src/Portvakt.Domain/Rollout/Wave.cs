namespace Portvakt.Domain.Rollout;

/// <summary>A group of people who get 2-factor at the same time. A rollout is its waves, in order; a person belongs to the first one whose members include them.</summary>
public sealed class Wave
{
    public const int LongestName = 80;

    private Wave() { }

    public Wave(string name, DateTimeOffset startsAt, DateTimeOffset deadlineAt, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        CreatedAt = now;
        Change(name, startsAt, deadlineAt);
    }

    public Guid Id { get; private set; }
    public string Name { get; private set; } = "";

    /// <summary>The lowest is asked first.</summary>
    public int Position { get; set; }

    /// <summary>From when its people are asked.</summary>
    public DateTimeOffset StartsAt { get; private set; }

    /// <summary>From this instant none of its people gets in without a second factor.</summary>
    public DateTimeOffset DeadlineAt { get; private set; }

    public AfterDeadline AfterDeadline { get; set; }
    public EnrolmentAccess Access { get; set; }

    /// <summary>Who belongs to it; see <see cref="WaveRule"/>. Empty: only those who are named one by one.</summary>
    public string Rule { get; set; } = "";

    /// <summary>Whether announcement and reminders are mailed.</summary>
    public bool SendsMail { get; set; }

    public DateTimeOffset CreatedAt { get; private set; }
    public int Version { get; private set; }

    /// <exception cref="ArgumentException">No name, or a deadline that does not lie after the start.</exception>
    public void Change(string name, DateTimeOffset startsAt, DateTimeOffset deadlineAt)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > LongestName) throw new ArgumentException("The name is too long.", nameof(name));
        if (deadlineAt < startsAt) throw new ArgumentException("A deadline cannot lie before its start.", nameof(deadlineAt));
        (Name, StartsAt, DeadlineAt) = (name.Trim(), startsAt, deadlineAt);
    }
}

/// <summary>What applies to one person in place of the wave's term.</summary>
public enum PersonalTermKind
{
    /// <summary>Nothing is demanded until the end.</summary>
    Exemption,

    /// <summary>The deadline is the end of this term.</summary>
    Extension,
}

/// <summary>An exemption or an extension: for one person, with a reason, an author and an end.</summary>
public sealed class PersonalTerm
{
    public const int LongestReason = 500;

    private PersonalTerm() { }

    public PersonalTerm(PersonalTermKind kind, Guid personId, DateTimeOffset until, string reason, Guid authorId, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        if (until <= now) throw new ArgumentException("The end must lie ahead.", nameof(until));
        if (reason.Length > LongestReason) throw new ArgumentException("The reason is too long.", nameof(reason));
        (Id, Kind, PersonId, Until, Reason, AuthorId, CreatedAt) = (Guid.CreateVersion7(now), kind, personId, until, reason.Trim(), authorId, now);
    }

    public Guid Id { get; private set; }
    public PersonalTermKind Kind { get; private set; }
    public Guid PersonId { get; private set; }
    public DateTimeOffset Until { get; private set; }
    public string Reason { get; private set; } = "";
    public Guid AuthorId { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>Taken back before its end.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    public int Version { get; private set; }

    public bool IsLive(DateTimeOffset now) => EndedAt is null && now < Until;

    public void End(DateTimeOffset now) => EndedAt ??= now;
}
