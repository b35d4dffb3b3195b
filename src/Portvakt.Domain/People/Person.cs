namespace Portvakt.Domain.People;

public enum PersonState
{
    Active,

    /// <summary>Closed by an administrator. Looks like a wrong password to whoever tries.</summary>
    Locked,
}

/// <summary>The human with an account; <c>sub</c> in tokens.</summary>
public sealed class Person
{
    private Person() { }

    public Person(UserName userName, string displayName, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(displayName);
        Id = Guid.CreateVersion7(now);
        UserName = userName.Value;
        DisplayName = displayName;
        CreatedAt = now;
    }

    public Guid Id { get; private set; }

    /// <summary>Normalised; see <see cref="People.UserName"/>.</summary>
    public string UserName { get; private set; } = "";

    public string DisplayName { get; private set; } = "";
    public string? Email { get; init; }

    /// <summary>nb, nn or en; null until the person or an import has chosen one.</summary>
    public string? Language { get; set; }

    /// <summary>PHC string of the password hash; null when the person has no local password.</summary>
    public string? PasswordHash { get; private set; }

    public PersonState State { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastSignInAt { get; private set; }

    /// <summary>From when the person is asked to enrol; null while no rollout concerns the person.</summary>
    public DateTimeOffset? EnrolmentStartsAt { get; private set; }

    /// <summary>The deadline: from this instant nobody gets in without a second factor.</summary>
    public DateTimeOffset? EnrolmentDeadlineAt { get; private set; }

    public int Version { get; private set; }

    /// <summary>When a second factor was last bound. Written in the same save as the binding, so that of two attempts at once one wins.</summary>
    public DateTimeOffset? EnrolledAt { get; private set; }

    public void RecordEnrolment(DateTimeOffset now) => EnrolledAt = now;
    public void SetPassword(string hash) => PasswordHash = hash;
    public void RecordSignIn(DateTimeOffset now) => LastSignInAt = now;
    public void Lock() => State = PersonState.Locked;
    public void Unlock() => State = PersonState.Active;

    public void Require(DateTimeOffset startsAt, DateTimeOffset deadlineAt)
    {
        if (deadlineAt < startsAt) throw new ArgumentException("A deadline cannot lie before its start.", nameof(deadlineAt));
        (EnrolmentStartsAt, EnrolmentDeadlineAt) = (startsAt, deadlineAt);
    }
}
