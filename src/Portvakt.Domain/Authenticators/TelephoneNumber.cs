using System.Security.Cryptography;

namespace Portvakt.Domain.Authenticators;

public enum TelephoneKind
{
    /// <summary>Authentication phone: text message or call.</summary>
    Mobile,

    /// <summary>A desk: calls only.</summary>
    Office,
}

/// <summary>A telephone that codes may be sent to.</summary>
public sealed class TelephoneNumber
{
    private TelephoneNumber() { }

    public TelephoneNumber(Guid personId, TelephoneKind kind, string number, string? attemptId, DateTimeOffset now) =>
        (Id, PersonId, Kind, Number, AttemptId, CreatedAt) = (Guid.CreateVersion7(now), personId, kind, number, attemptId, now);

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }
    public TelephoneKind Kind { get; private set; }

    /// <summary>E.164: +4712345678.</summary>
    public string Number { get; private set; } = "";

    public AuthenticatorState State { get; private set; }

    /// <summary>The attempt that sets it up, until it is proven.</summary>
    public string? AttemptId { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastUsedAt { get; private set; }
    public int Version { get; private set; }

    public void Activate(DateTimeOffset now) => (State, AttemptId, LastUsedAt) = (AuthenticatorState.Active, null, now);
    public void RecordUse(DateTimeOffset now) => LastUsedAt = now;
    public void Revoke() => State = AuthenticatorState.Revoked;

    /// <summary>What may be shown before the second factor: the last two digits.</summary>
    public static string Masked(string number) => new string('•', Math.Max(0, number.Length - 3)) + number[^2..];
}

public enum MessageState
{
    Waiting,

    /// <summary>In the hands of the gateway at this moment.</summary>
    Sending,

    /// <summary>The gateway has taken it.</summary>
    Accepted,
    Delivered,
    Failed,
}

/// <summary>One code on its way to a telephone: good once, for ten minutes, in the attempt that asked for it.</summary>
public sealed class TelephoneMessage
{
    public const int Digits = 6;

    /// <summary>NIST SP 800-63B section 3.1.3: at most ten minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private TelephoneMessage() { }

    public TelephoneMessage(Guid personId, Guid numberId, string number, Methods method, string attemptId, byte[] codeHash, string language, DateTimeOffset now)
    {
        if (method is not (Methods.Text or Methods.Call)) throw new ArgumentOutOfRangeException(nameof(method));
        (Id, PersonId, NumberId, Number, Method, AttemptId, CodeHash, Language) = (Guid.CreateVersion7(now), personId, numberId, number, method, attemptId, codeHash, language);
        (CreatedAt, NextTryAt, ExpiresAt) = (now, now, now + Lifetime);
    }

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }
    public Guid NumberId { get; private set; }
    public string Number { get; private set; } = "";

    /// <summary><see cref="Methods.Text"/> or <see cref="Methods.Call"/>.</summary>
    public Methods Method { get; private set; }

    public string AttemptId { get; private set; } = "";

    /// <summary>Keyed hash; the key is not in the database.</summary>
    public byte[] CodeHash { get; private set; } = [];

    /// <summary>The code, sealed, until the gateway has taken it.</summary>
    public byte[]? SealedCode { get; set; }

    public string Language { get; private set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public DateTimeOffset NextTryAt { get; set; }
    public int Tries { get; set; }
    public MessageState State { get; set; }

    /// <summary>What the gateway calls it, for its delivery report.</summary>
    public string? GatewayId { get; set; }

    /// <summary>What the gateway said last, when it was not what was hoped for.</summary>
    public string? Problem { get; set; }

    public DateTimeOffset? UsedAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>True when the code holds; it is then spent. The caller saves, and only one save can win.</summary>
    public bool Use(byte[] codeHash, DateTimeOffset now)
    {
        if (UsedAt is not null || now >= ExpiresAt || !CryptographicOperations.FixedTimeEquals(CodeHash, codeHash)) return false;
        (UsedAt, SealedCode) = (now, null);
        return true;
    }
}
