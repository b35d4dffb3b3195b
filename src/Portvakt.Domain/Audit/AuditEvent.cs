using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

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
    TotpActivated = 28,
    RecoveryCodesIssued = 29,
    RecoveryCodeUsed = 30,
    PinRejected = 31,
    PinLocked = 32,

    /// <summary>Five wrong codes in a row.</summary>
    CodesPaused = 33,

    /// <summary>A hundred wrong codes in a row: none is accepted until codes are set up anew.</summary>
    CodesSwitchedOff = 34,

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
    PersonLocked = 82,
    PersonUnlocked = 83,
    PersonErased = 84,
    FactorsRemoved = 85,
    PassIssued = 86,
    PassUsed = 87,
    PassRejected = 88,
    PassRevoked = 89,
    TwoFactorActivated = 90,
    SignedOutEverywhere = 91,
    CallerAsked = 92,
    PasswordChangeDemanded = 93,
    PassAskedFor = 94,

    WaveCreated = 100,
    WaveChanged = 101,
    WaveRemoved = 102,
    DeadlineShortened = 103,
    DeadlineLengthened = 104,
    TermGranted = 105,
    TermEnded = 106,

    RoleGranted = 120,
    RoleRevoked = 121,
    FirstAdministratorMade = 122,
    AccessDenied = 123,
    PeopleImported = 124,
    CaseOpened = 125,
    CaseClosed = 126,
    MailTemplateChanged = 127,
    MailSentAgain = 128,
    AuditExported = 129,
    PeopleExported = 130,
    PersonalDataExported = 131,
    ListExported = 132,
    ImportCancelled = 133,

    /// <summary>A passkey or security key was registered.</summary>
    PasskeyAdded = 140,

    /// <summary>A passkey's signature counter did not grow: there may be a copy of it (WebAuthn Level 3, section 7.2 step 22). It opened nothing.</summary>
    PasskeyCloneSuspected = 141,

    // What people do to their own methods, and what decides about them.
    TotpRemoved = 150,
    PasskeyRemoved = 151,
    TelephoneRemoved = 152,
    TokenRemoved = 153,
    MethodRenamed = 154,
    PreferredMethodChanged = 155,

    /// <summary>"This wasn't me", said of a sign-in in security info.</summary>
    SignInDisowned = 156,

    /// <summary>No more than <see cref="Authenticators.RecoveryCode.Few"/> are left.</summary>
    RecoveryCodesLow = 157,
    MethodPolicyChanged = 158,

    /// <summary>A telephone was proven, and took the place of the one before.</summary>
    TelephoneAdded = 160,

    /// <summary>A code was sent on its way: what text messages and calls cost can be followed up.</summary>
    TelephoneCodeSent = 161,

    /// <summary>A phone that works showed a code for the one that is to take its place.</summary>
    MoveBegun = 162,

    /// <summary>The new phone took the place of the old one.</summary>
    PhoneMoved = 163,

    /// <summary>The old phone was told a wrong number: the move is over, and nothing has changed.</summary>
    MoveRefused = 164,

    /// <summary>Given up on one of the two phones.</summary>
    MoveCancelled = 165,

    /// <summary>A phone that had lost its device key was bound anew by its passkey; the subject is the phone with the new key.</summary>
    PhoneBoundAnew = 182,

    /// <summary>The key that such a phone had before counts no more; the subject is the phone with the old key.</summary>
    PhoneKeyReplaced = 183,

    /// <summary>Somebody wanted to bind a phone anew and was refused.</summary>
    PhoneBindingAnewRefused = 184,

    /// <summary>A maker's file of code generators was brought in.</summary>
    TokensImported = 192,

    /// <summary>A code generator was handed to somebody, who has yet to activate it.</summary>
    TokenAssigned = 193,

    /// <summary>A code generator was taken back before it was activated.</summary>
    TokenTakenBack = 194,

    /// <summary>Its owner typed a code of it: from now on it opens a sign-in.</summary>
    TokenActivated = 195,

    /// <summary>The secret of a code generator was erased.</summary>
    TokenScrapped = 196,

    /// <summary>Somebody signed in with an account for the worst day (R45).</summary>
    BreakGlassUsed = 202,

    /// <summary>The operator made a new key that signs tokens.</summary>
    SigningKeyMade = 210,

    /// <summary>The colours, the logo or the background that everybody sees.</summary>
    LookChanged = 220,

    /// <summary>A text of the guides.</summary>
    OwnTextChanged = 221,
}

/// <summary>
/// One row per <see cref="SecurityEvent"/>, written in the same transaction as what it tells of. Rows are chained a moment later: see the server's audit folder.
/// What is personal (address, reason) enters the chain as a blinded commitment, so that erasing it breaks nothing.
/// </summary>
public sealed class AuditEvent
{
    private AuditEvent() { }

    public AuditEvent(SecurityEvent what, Guid? personId, Guid? actorId, string? subject, string? address, string? reason, DateTimeOffset now)
    {
        (What, PersonId, ActorId, Subject, Address, Reason, At) = (what, personId, actorId, subject, address, reason, now);
        Blind = RandomNumberGenerator.GetBytes(16);
        Commitment = CommitmentOf(Blind, address, reason);
    }

    public long Id { get; private set; }
    public SecurityEvent What { get; private set; }
    public DateTimeOffset At { get; private set; }

    /// <summary>On whom.</summary>
    public Guid? PersonId { get; private set; }

    /// <summary>Who; null when nobody is signed in (a stranger at the password page, the program itself).</summary>
    public Guid? ActorId { get; private set; }

    /// <summary>Id of the thing concerned (approval, authenticator, session, relying party). Never a secret, never free text of a person.</summary>
    public string? Subject { get; private set; }

    /// <summary>Where the request came from; null when unknown or erased.</summary>
    public string? Address { get; private set; }

    /// <summary>Why, in the actor's words; null when none was asked for, or erased.</summary>
    public string? Reason { get; private set; }

    /// <summary>Hides what <see cref="Commitment"/> commits to; null once that is erased.</summary>
    public byte[]? Blind { get; private set; }

    public byte[] Commitment { get; private set; } = [];

    /// <summary>Place in the chain, from 1 without gaps; null for the moment until it is chained.</summary>
    public long? ChainNumber { get; set; }

    /// <summary>Keyed hash of the row before and of this row.</summary>
    public byte[]? ChainHash { get; set; }

    /// <summary>Whether what is personal was erased: the commitment stays, what it commits to is gone.</summary>
    public bool IsErased => Blind is null;

    /// <summary>Gives a row from before there were commitments its own. Without this it could not enter the chain.</summary>
    public void Commit()
    {
        if (Commitment.Length > 0) return;
        Blind = RandomNumberGenerator.GetBytes(16);
        Commitment = CommitmentOf(Blind, Address, Reason);
    }

    /// <summary>Nothing and an empty text are different; so is what stands in which of the two.</summary>
    public static byte[] CommitmentOf(ReadOnlySpan<byte> blind, string? address, string? reason) =>
        LabelledHash.Of("portvakt/audit/personal/v1", blind.ToArray(), Part(address), Part(reason));

    private static byte[] Part(string? text)
    {
        if (text is null) return [0];
        var part = new byte[5 + Encoding.UTF8.GetByteCount(text)];
        part[0] = 1;
        BinaryPrimitives.WriteInt32BigEndian(part.AsSpan(1), part.Length - 5);
        Encoding.UTF8.GetBytes(text, part.AsSpan(5));
        return part;
    }
}
