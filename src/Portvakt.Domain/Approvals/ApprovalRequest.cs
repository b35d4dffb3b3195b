using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Portvakt.Domain.Approvals;

public enum ApprovalState
{
    Pending,
    Approved,

    /// <summary>Cancelled by the person on the phone.</summary>
    Denied,

    /// <summary>"It wasn't me."</summary>
    Reported,
    WrongNumber,

    /// <summary>A newer request, or another method, took its place.</summary>
    Superseded,
}

public enum ApprovalPurpose
{
    SignIn,
    EnrolmentTest,

    /// <summary>The helpdesk asks whether the caller on the telephone is the person. Signs nobody in.</summary>
    Caller,
}

public enum Decision
{
    Approve,
    Cancelled,
    NotMe,
}

public enum AnswerOutcome
{
    Recorded,
    AlreadyAnswered,
    Expired,
}

/// <summary>One question to one person's phone; one answer. The number is shown in the browser and typed on the phone.</summary>
public sealed class ApprovalRequest
{
    public static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);

    private ApprovalRequest() { }

    public ApprovalRequest(Guid personId, string attemptId, ApprovalPurpose purpose, Guid? onlyPhoneId, int digits, DateTimeOffset now, TimeSpan lifetime)
    {
        if (digits is not (2 or 6)) throw new ArgumentOutOfRangeException(nameof(digits), "Two digits, or six in strict mode.");
        Id = RandomId.New();
        (PersonId, AttemptId, Purpose, OnlyPhoneId, Digits) = (personId, attemptId, purpose, onlyPhoneId, digits);
        Nonce = RandomNumberGenerator.GetBytes(16);
        MatchingNumber = RandomNumberGenerator.GetInt32(digits is 2 ? 10 : 100_000, digits is 2 ? 100 : 1_000_000);
        CreatedAt = now;
        ExpiresAt = now + lifetime;
    }

    public string Id { get; private set; } = "";
    public Guid PersonId { get; private set; }
    public string AttemptId { get; private set; } = "";
    public ApprovalPurpose Purpose { get; private set; }

    /// <summary>A test concerns the phone that was just bound; a sign-in concerns any of the person's phones.</summary>
    public Guid? OnlyPhoneId { get; private set; }

    public byte[] Nonce { get; private set; } = [];
    public int Digits { get; private set; }

    /// <summary>Shown in the browser, typed on the phone. Never sent to the phone: the person carries it across.</summary>
    public int MatchingNumber { get; private set; }

    /// <summary>What the phone shows and what its answer is bound to: the exact bytes.</summary>
    public byte[] Context { get; set; } = [];

    public ApprovalState State { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public DateTimeOffset? AnsweredAt { get; private set; }
    public Guid? AnsweredByPhoneId { get; private set; }

    /// <summary>The signed answer as it came (JWS, authenticator data, client data, signature), so that anybody can verify it later.</summary>
    public byte[]? Evidence { get; private set; }

    public int Version { get; private set; }

    public bool IsLive(DateTimeOffset now) => State is ApprovalState.Pending && now < ExpiresAt;

    /// <summary>Who may even see it. What is not somebody's does not exist for them.</summary>
    public bool Concerns(Guid personId, Guid phoneId) => PersonId == personId && (OnlyPhoneId is null || OnlyPhoneId == phoneId);

    public AnswerOutcome CanAnswer(DateTimeOffset now) =>
        State is not ApprovalState.Pending ? AnswerOutcome.AlreadyAnswered : now >= ExpiresAt ? AnswerOutcome.Expired : AnswerOutcome.Recorded;

    /// <summary>One try: a wrong number ends the request as surely as a right one.</summary>
    public AnswerOutcome Answer(Guid phoneId, Decision decision, string? typedNumber, byte[] evidence, DateTimeOffset now)
    {
        if (CanAnswer(now) is not AnswerOutcome.Recorded and var refusal) return refusal;
        State = decision switch
        {
            Decision.Cancelled => ApprovalState.Denied,
            Decision.NotMe => ApprovalState.Reported,
            _ => Matches(typedNumber) ? ApprovalState.Approved : ApprovalState.WrongNumber,
        };
        (AnsweredAt, AnsweredByPhoneId, Evidence) = (now, phoneId, evidence);
        return AnswerOutcome.Recorded;
    }

    public string DisplayedNumber => MatchingNumber.ToString(CultureInfo.InvariantCulture);

    private bool Matches(string? typed) =>
        typed is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(typed), Encoding.UTF8.GetBytes(DisplayedNumber));
}
