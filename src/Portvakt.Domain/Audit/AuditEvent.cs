namespace Portvakt.Domain.Audit;

/// <summary>The closed list of things worth remembering.</summary>
public enum SecurityEvent
{
    PasswordVerified = 1,
    PasswordRejected = 2,
    PasswordChanged = 3,
    SignInThrottled = 4,
    SecondFactorVerified = 5,
    SecondFactorRejected = 6,
    SignInFinished = 7,
    SignInBlocked = 8,

    EnrolmentPostponed = 20,
    EnrolmentBegun = 21,
    BindingCodeIssued = 22,
    BindingCodeUsedTwice = 23,
    PhoneBound = 24,
    PhoneActivated = 25,
    PhoneRemoved = 26,
    PhoneReplaced = 27,
    TotpActivated = 28,
    RecoveryCodesIssued = 29,
    RecoveryCodeUsed = 30,
    PinRejected = 31,
    PinLocked = 32,

    ApprovalRequested = 40,
    ApprovalApproved = 41,
    ApprovalDenied = 42,
    ApprovalWrongNumber = 43,
    ApprovalReported = 44,
    ApprovalRefused = 45,

    SessionIssued = 60,
    SessionEnded = 61,
    CodeReused = 62,
    RefreshTokenReused = 63,

    PersonCreated = 80,
}

/// <summary>One row per <see cref="SecurityEvent"/>, written in the same transaction as what it tells of.</summary>
public sealed class AuditEvent
{
    private AuditEvent() { }

    public AuditEvent(SecurityEvent what, Guid? personId, string? subject, string? address, DateTimeOffset now)
    {
        (What, PersonId, Subject, Address, At) = (what, personId, subject, address, now);
    }

    public long Id { get; private set; }
    public SecurityEvent What { get; private set; }
    public DateTimeOffset At { get; private set; }
    public Guid? PersonId { get; private set; }

    /// <summary>Id of the thing concerned (approval, authenticator, session, relying party). Never a secret, never free text of a person.</summary>
    public string? Subject { get; private set; }

    /// <summary>Where the request came from; null when unknown.</summary>
    public string? Address { get; private set; }
}
