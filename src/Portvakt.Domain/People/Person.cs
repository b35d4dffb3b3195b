using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;

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

    public string DisplayName { get; set; } = "";
    public string? Email { get; set; }

    /// <summary>nb, nn or en; null until the person or an import has chosen one.</summary>
    public string? Language { get; set; }

    /// <summary>PHC string of the password hash; null when the person has no local password.</summary>
    public string? PasswordHash { get; private set; }

    public PersonState State { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastSignInAt { get; private set; }

    /// <summary>Where the person works: a path with slashes, for instance <c>Oppvekst/Skole</c>.</summary>
    public string? Unit { get; set; }

    /// <summary>User name of the manager, as imported.</summary>
    public string? Manager { get; set; }

    public string? Phone { get; set; }
    public string? OfficePhone { get; set; }

    /// <summary>The wave of the rollout; null while none concerns the person.</summary>
    public Guid? WaveId { get; private set; }

    /// <summary>Named for the wave one by one; rules leave it alone.</summary>
    public bool WaveIsFixed { get; private set; }

    /// <summary>The person switched 2-factor on before the deadline: from then on it is demanded.</summary>
    public DateTimeOffset? ActivatedAt { get; private set; }

    /// <summary>"Not now" holds until then, in every browser and every application.</summary>
    public DateTimeOffset? EnrolmentPostponedUntil { get; private set; }

    /// <summary>A factor was taken away, or the account lay unused: only a pass from the helpdesk opens enrolment (R29). Ends when a factor is bound.</summary>
    public bool NeedsPass { get; private set; }

    /// <summary>The last step of an unfinished enrolment, for the board; null when none was begun or it was finished.</summary>
    public SignInStep? EnrolmentStep { get; private set; }

    public DateTimeOffset? EnrolmentStepAt { get; private set; }

    /// <summary>What last stood in the way.</summary>
    public EnrolmentTrouble? EnrolmentTrouble { get; private set; }

    /// <summary>After "it wasn't me" the password is known to a stranger: the next sign-in with two factors asks for a new one (R18).</summary>
    public bool MustChangePassword { get; set; }

    /// <summary>What a search looks through: name, user name, mail and unit in lower case, so that no database has to know how Å is written small.</summary>
    public string SearchText { get; private set; } = "";

    public void RefreshSearchText() => SearchText = $"{DisplayName} {UserName} {Email} {Unit}".ToLowerInvariant();

    public int Version { get; private set; }

    /// <summary>When a second factor was last bound. Written in the same save as the binding, so that of two attempts at once one wins.</summary>
    public DateTimeOffset? EnrolledAt { get; private set; }

    public bool IsEnrolled => EnrolledAt is not null;

    public void RecordEnrolment(DateTimeOffset now)
    {
        (EnrolledAt, NeedsPass) = (now, false);
        ActivatedAt ??= now; // who has had two factors never gets in with one again
        (EnrolmentStep, EnrolmentStepAt, EnrolmentTrouble) = (null, null, null);
    }

    /// <summary>The method that is asked for first; null: the strongest one.</summary>
    public Methods? PreferredMethod { get; set; }

    /// <summary>No factor is left: the person enrols again, and a password alone does not open that (R29).</summary>
    public void RecordRemoval() => (EnrolledAt, NeedsPass) = (null, true);

    public void SetPassword(string hash) => (PasswordHash, MustChangePassword) = (hash, false);

    /// <param name="now">The instant.</param>
    /// <param name="lastUsedAt">When the account was used before: the last sign-in, or the last use of a session.</param>
    /// <param name="twoFactors">Whether a second factor was proven.</param>
    public void RecordSignIn(DateTimeOffset now, DateTimeOffset? lastUsedAt, bool twoFactors)
    {
        // Signing in with the password of a sleeping account does not wake it up for enrolment: a thief would just do it twice.
        if (!twoFactors && EnrolmentRule.IsUnused(now, lastUsedAt)) NeedsPass = true;
        LastSignInAt = now;
    }

    /// <summary>What another directory knows: the account was in use there.</summary>
    public void RecordUseElsewhere(DateTimeOffset at)
    {
        if (LastSignInAt is null || at > LastSignInAt) LastSignInAt = at;
    }

    public void Lock() => State = PersonState.Locked;
    public void Unlock() => State = PersonState.Active;
    public void Activate(DateTimeOffset now) => ActivatedAt ??= now;
    public void Postpone(DateTimeOffset until) => EnrolmentPostponedUntil = until;

    public void JoinWave(Guid? waveId, bool byName) => (WaveId, WaveIsFixed) = (waveId, byName);

    public PersonAttributes Attributes => new(UserName, Email, Unit, Manager, Language);
}

/// <summary>What stood in the way of an enrolment, for the helpdesk.</summary>
public enum EnrolmentTrouble
{
    /// <summary>The QR code or typed code was too old.</summary>
    CodeExpired,

    /// <summary>Two phones presented the same code.</summary>
    TwoPhones,

    /// <summary>Another number than the computer's was typed.</summary>
    WrongNumber,

    /// <summary>The phone did not answer in time.</summary>
    NoAnswer,

    /// <summary>The person pressed cancel on the phone, or said "it wasn't me".</summary>
    Denied,

    /// <summary>The phone has no unlock of its own, or it failed.</summary>
    Unlock,

    /// <summary>The code of the authenticator app was wrong.</summary>
    WrongCode,
}
