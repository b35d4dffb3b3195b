using System.Security.Cryptography;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.SignIn;

/// <summary>What a relying party asks for when it sends somebody here. All null: the person came by themselves.</summary>
/// <param name="RelyingPartyId">Its <c>client_id</c>.</param>
/// <param name="RelyingPartyName">Its name, as people know it.</param>
/// <param name="ReturnPath">Local path and query of the request, to be repeated when the person is signed in.</param>
/// <param name="ReturnOrigin">Origin of the registered address that the answer goes to, or the scheme of an app.</param>
/// <param name="Assurance">The least that will do.</param>
/// <param name="Adds">A method is to be added: at the end of the attempt, with a second factor that was proven a moment ago.</param>
public sealed record SignInRequest(
    string? RelyingPartyId = null, string? RelyingPartyName = null, string? ReturnPath = null, string? ReturnOrigin = null, AssuranceLevel Assurance = AssuranceLevel.None, bool Adds = false);

/// <summary>
/// One browser's way to one relying party, from the first page to the session. Pages record facts here;
/// <see cref="SignInSteps"/> decides. The id travels in the address, so that two tabs are two attempts; only the
/// browser that began it can use it.
/// </summary>
public sealed class SignInAttempt
{
    /// <summary>How long an attempt lives without progress.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>While enrolling there is a phone to find and an app to install.</summary>
    public static readonly TimeSpan EnrolmentLifetime = TimeSpan.FromMinutes(30);

    /// <summary>However busy: after this long the password has to be typed again.</summary>
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(1);

    /// <summary>Nobody adds or removes a method longer than this after a second factor was proven (R35, R36).</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    private SignInAttempt() { }

    public SignInAttempt(byte[] browserHash, SignInRequest request, DateTimeOffset now)
    {
        Id = RandomId.New();
        BrowserHash = browserHash;
        RelyingPartyId = request.RelyingPartyId;
        RelyingPartyName = request.RelyingPartyName;
        ReturnPath = request.ReturnPath;
        ReturnOrigin = request.ReturnOrigin;
        Requested = request.Assurance;
        Adds = request.Adds;
        EnrolmentBegunAt = Adds ? now : null;
        CreatedAt = now;
        ExpiresAt = now + Lifetime;
    }

    /// <summary>Goes on from what this browser's session has proven; nothing is proven anew by it.</summary>
    public void ContinueFrom(Sessions.Session session)
    {
        Demand(PersonId is null);
        (PersonId, PasswordVerifiedAt, WithoutPassword) = (session.PersonId, session.AuthenticatedAt, session.WithoutPassword);
        (SecondFactorMethod, SecondFactorVerifiedAt) = (session.Method, session.SecondFactorAt);
    }

    public string Id { get; private set; } = "";

    /// <summary>SHA-256 of the cookie of the browser that began.</summary>
    public byte[] BrowserHash { get; private set; } = [];

    /// <summary>The application that asked; null when the person came by themselves.</summary>
    public string? RelyingPartyId { get; private set; }

    /// <summary>Its name, as people know it.</summary>
    public string? RelyingPartyName { get; private set; }

    /// <summary>Local path and query that the finished browser is sent to; null means the account page.</summary>
    public string? ReturnPath { get; private set; }

    /// <summary>Origin of the registered address that the answer goes to: the last form of the journey may end there, no other may.</summary>
    public string? ReturnOrigin { get; private set; }

    public AssuranceLevel Requested { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public Guid? PersonId { get; private set; }

    /// <summary>When the first factor was proven: the password, or what stood in for it (<see cref="WithoutPassword"/>).</summary>
    public DateTimeOffset? PasswordVerifiedAt { get; private set; }

    /// <summary>No password was typed: a passkey was the whole sign-in, or a pass stood in for it where policy says so.</summary>
    public bool WithoutPassword { get; private set; }

    /// <summary>A method is to be added to an account that has one.</summary>
    public bool Adds { get; private set; }

    /// <summary>WebAuthn challenge of the page that is open; the first answer takes it (R33).</summary>
    public byte[]? Challenge { get; private set; }

    public DateTimeOffset? ChallengeExpiresAt { get; private set; }
    public DateTimeOffset? SecondFactorVerifiedAt { get; private set; }
    public SecondFactorMethod? SecondFactorMethod { get; private set; }
    public DateTimeOffset? EnrolmentPostponedAt { get; private set; }
    public DateTimeOffset? EnrolmentBegunAt { get; private set; }

    /// <summary>When a Temporary Access Pass was used here; it holds the door open for <see cref="AccessPass.Window"/>.</summary>
    public DateTimeOffset? PassUsedAt { get; private set; }
    public EnrolmentMethod? Chosen { get; private set; }
    public DateTimeOffset? TestBegunAt { get; private set; }
    public DateTimeOffset? EnrolledAt { get; private set; }
    public DateTimeOffset? BackupFinishedAt { get; private set; }
    public bool? StaySignedIn { get; private set; }
    public DateTimeOffset? DoneAt { get; private set; }

    /// <summary>When the session was issued. A finished attempt takes no more steps.</summary>
    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>The session that this attempt led to (<c>sid</c>).</summary>
    public string? SessionId { get; private set; }

    /// <summary>When the relying party's request was answered on the strength of this attempt; at most once.</summary>
    public DateTimeOffset? RedeemedAt { get; private set; }

    /// <summary>Recovery codes made in this attempt, sealed, so that a reload shows the same ones; wiped when the step is finished.</summary>
    public byte[]? SealedRecoveryCodes { get; set; }

    public int Version { get; private set; }

    public bool IsLive(DateTimeOffset now) => FinishedAt is null && now < ExpiresAt && now < CreatedAt + LongestLifetime;

    public bool BelongsTo(ReadOnlySpan<byte> browserHash) => CryptographicOperations.FixedTimeEquals(BrowserHash, browserHash);

    public void RecordPassword(Guid personId, DateTimeOffset now)
    {
        // A second password in the same attempt starts the person's facts over: nothing proven by one person ever serves another.
        if (PersonId is not null && PersonId != personId) throw new InvalidOperationException("An attempt belongs to one person.");
        (PersonId, PasswordVerifiedAt) = (personId, now);
        Prolong(now);
    }

    /// <summary>The first factor was something else than a password.</summary>
    public void RecordWithoutPassword(Guid personId, DateTimeOffset now)
    {
        RecordPassword(personId, now);
        WithoutPassword = true;
    }

    /// <summary>A new challenge for the page; an older one is void.</summary>
    public byte[] NewChallenge(DateTimeOffset now)
    {
        (Challenge, ChallengeExpiresAt) = (RandomNumberGenerator.GetBytes(32), now + Lifetime);
        return Challenge;
    }

    /// <summary>The challenge, for one answer, right or wrong. Null when there is none to take.</summary>
    public byte[]? TakeChallenge(DateTimeOffset now)
    {
        var challenge = now < ChallengeExpiresAt ? Challenge : null;
        (Challenge, ChallengeExpiresAt) = (null, null);
        return challenge;
    }

    public void RecordSecondFactor(SecondFactorMethod method, DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        (SecondFactorMethod, SecondFactorVerifiedAt) = (method, now);
        Prolong(now);
    }

    public void Postpone(DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        EnrolmentPostponedAt = now;
        Prolong(now);
    }

    public void RecordPass(DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        PassUsedAt = now;
        Prolong(now);
    }

    public void BeginEnrolment(DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        EnrolmentBegunAt = now;
        Prolong(now);
    }

    public void Choose(EnrolmentMethod method, DateTimeOffset now)
    {
        // Whoever has proven a second factor and needs a stronger one has not been asked "more information required".
        Demand(PasswordVerifiedAt is not null && EnrolledAt is null && (EnrolmentBegunAt ?? SecondFactorVerifiedAt) is not null);
        EnrolmentBegunAt ??= now;
        (Chosen, TestBegunAt) = (method, null);
        Prolong(now);
    }

    /// <summary>Back to the choice of method; what was half set up counts for nothing.</summary>
    public void ChooseAgain(DateTimeOffset now)
    {
        Demand(EnrolmentBegunAt is not null && EnrolledAt is null);
        (Chosen, TestBegunAt) = (null, null);
        Prolong(now);
    }

    public void BeginTest(DateTimeOffset now)
    {
        Demand(Chosen is EnrolmentMethod.Notifications);
        TestBegunAt = now;
        Prolong(now);
    }

    /// <summary>The test failed for good (two phones, a lost key): show a new picture.</summary>
    public void ReturnToSetUp(DateTimeOffset now)
    {
        TestBegunAt = null;
        Prolong(now);
    }

    public void RecordEnrolment(SecondFactorMethod method, DateTimeOffset now)
    {
        Demand(EnrolmentBegunAt is not null);
        EnrolledAt = now;
        if (Adds && SecondFactorVerifiedAt is not null) Prolong(now); // what this sign-in has proven stays what it was
        else RecordSecondFactor(method, now);
    }

    public void FinishBackup(DateTimeOffset now)
    {
        Demand(EnrolledAt is not null);
        BackupFinishedAt = now;
        SealedRecoveryCodes = null;
        Prolong(now);
    }

    public void AnswerStaySignedIn(bool yes, DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        StaySignedIn = yes;
        Prolong(now);
    }

    public void AcknowledgeDone(DateTimeOffset now) => DoneAt = now;

    public void Finish(string sessionId, DateTimeOffset now)
    {
        Demand(FinishedAt is null && PasswordVerifiedAt is not null);
        (FinishedAt, SessionId) = (now, sessionId);
    }

    /// <summary>Ends the attempt without a session: the limit of tries was reached, or the person said "it wasn't me".</summary>
    public void Abandon(DateTimeOffset now) => ExpiresAt = now;

    public bool Redeem(DateTimeOffset now)
    {
        if (FinishedAt is null || RedeemedAt is not null || now >= FinishedAt + TimeSpan.FromMinutes(5)) return false;
        RedeemedAt = now;
        return true;
    }

    /// <param name="usable">What the person holds and policy accepts.</param>
    /// <param name="offersStaySignedIn">See <see cref="SignInProgress.StaySignedInOffered"/>.</param>
    /// <param name="door">What the rule says of a password alone; a pass used here opens it.</param>
    /// <param name="mustChangePassword">See <see cref="SignInProgress.MustChangePassword"/>.</param>
    /// <param name="now">The instant.</param>
    public SignInProgress Progress(Methods usable, bool offersStaySignedIn, EnrolmentDoor door, bool mustChangePassword, DateTimeOffset now) => new()
    {
        PasswordVerified = PasswordVerifiedAt is not null,
        HasAuthenticator = (usable & MethodOrder.Primary) is not Methods.None,
        SecondFactorVerified = Adds ? now < SecondFactorVerifiedAt + Freshness : SecondFactorVerifiedAt is not null,
        EnrolmentPostponed = EnrolmentPostponedAt is not null,
        EnrolmentBegun = EnrolmentBegunAt is not null,
        Adds = Adds,
        Chosen = Chosen,
        TestBegun = TestBegunAt is not null,
        Enrolled = EnrolledAt is not null,
        BackupFinished = Adds || BackupFinishedAt is not null,
        StaySignedInOffered = offersStaySignedIn && !Adds,
        StaySignedInAnswered = StaySignedIn is not null,
        DoneAcknowledged = Adds || DoneAt is not null,
        Requested = WithoutPassword && Requested < AssuranceLevel.Aal2 ? AssuranceLevel.Aal2 : Requested, // what stood in for the password opens nothing by itself
        Gap = SecondFactorMethod is null || AuthenticationMethods.AssuranceOf(SecondFactorMethod) >= Requested ? StrengthGap.None
            : usable.HasFlag(Methods.Passkey) ? StrengthGap.HasStronger
            : StrengthGap.NeedsStronger,
        Door = now < PassUsedAt + AccessPass.Window ? EnrolmentDoor.OpenedByPass : door,
        MustChangePassword = mustChangePassword,
    };

    /// <summary>The person said that they need it; how often is bounded by <see cref="LongestLifetime"/>.</summary>
    public void GiveMoreTime(DateTimeOffset now)
    {
        Demand(PasswordVerifiedAt is not null);
        Prolong(now);
    }

    /// <summary>Until <see cref="IsLive"/> is over, as it stands.</summary>
    public int SecondsLeft(DateTimeOffset now)
    {
        var longest = CreatedAt + LongestLifetime;
        return (int)Math.Ceiling(Math.Max(0, ((ExpiresAt < longest ? ExpiresAt : longest) - now).TotalSeconds));
    }

    /// <summary>Progress renews the time limit; looking at a page does not.</summary>
    private void Prolong(DateTimeOffset now) => ExpiresAt = now + (EnrolmentBegunAt is not null && EnrolledAt is null ? EnrolmentLifetime : Lifetime);

    private static void Demand(bool holds)
    {
        if (!holds) throw new InvalidOperationException("The attempt does not stand at this step.");
    }
}
