using System.Security.Cryptography;

namespace Portvakt.Domain.Authenticators;

public enum BindingState
{
    /// <summary>The picture is shown; no phone yet.</summary>
    Waiting,

    /// <summary>One phone has presented the code.</summary>
    Claimed,

    /// <summary>That phone has proven its keys; it is unconfirmed.</summary>
    Bound,

    /// <summary>The test was approved: the phone counts, the code is used up.</summary>
    Confirmed,

    /// <summary>Two phones presented it: void for both.</summary>
    UsedTwice,

    /// <summary>The person asked for a new picture or another method.</summary>
    Replaced,
}

public enum ClaimOutcome
{
    Claimed,
    Expired,
    AlreadyUsed,
    UsedTwice,
}

/// <summary>
/// The secret in the QR code: NIST's binding code (SP 800-63B, external authenticator binding). Random, one phone, ten
/// minutes. It carries no long-term secret.
/// </summary>
public sealed class BindingCode
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>26 characters are 130 bits.</summary>
    public const int Length = 26;

    /// <summary>12 characters are 60 bits: short enough to type, with its own throttle.</summary>
    public const int TypedLength = 12;

    private BindingCode() { }

    public BindingCode(string attemptId, Guid personId, string code, string typedCode, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        AttemptId = attemptId;
        PersonId = personId;
        CodeHash = HashOf(code);
        TypedCodeHash = HashOf(typedCode);
        UserHandle = RandomNumberGenerator.GetBytes(32);
        CreatedAt = now;
        ExpiresAt = now + Lifetime;
    }

    public Guid Id { get; private set; }
    public string AttemptId { get; private set; } = "";
    public Guid PersonId { get; private set; }
    public byte[] CodeHash { get; private set; } = [];
    public byte[] TypedCodeHash { get; private set; } = [];

    /// <summary>Both codes, sealed, so that a reload shows the same picture; wiped when a phone has bound.</summary>
    public byte[] SealedCodes { get; set; } = [];

    /// <summary>WebAuthn user handle: opaque, new for each binding.</summary>
    public byte[] UserHandle { get; private set; } = [];

    public BindingState State { get; private set; }

    /// <summary>Thumbprint of the phone that presented the code.</summary>
    public string? KeyId { get; private set; }

    /// <summary>Deleted by the first attempt to finish, successful or not.</summary>
    public byte[]? Challenge { get; private set; }

    public Guid? PhoneId { get; private set; }
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>What is stored of a code, and what a phone names it by when it finishes.</summary>
    public static byte[] HashOf(string code) => LabelledHash.Of("portvakt/code/v1", System.Text.Encoding.ASCII.GetBytes(code));

    /// <summary>Whether a phone may still do something with it.</summary>
    public bool IsOpen(DateTimeOffset now) => State is BindingState.Waiting or BindingState.Claimed && now < ExpiresAt;

    public ClaimOutcome Claim(string keyId, DateTimeOffset now)
    {
        switch (State)
        {
            case BindingState.UsedTwice: return ClaimOutcome.UsedTwice;
            case BindingState.Confirmed: return ClaimOutcome.AlreadyUsed;
            case BindingState.Replaced: return ClaimOutcome.Expired;
        }

        // Somebody else's phone, before the test approval: neither may have it. The deadline of the picture does not protect a thief.
        if (KeyId is not null && !string.Equals(KeyId, keyId, StringComparison.Ordinal))
        {
            (State, Challenge) = (BindingState.UsedTwice, null);
            return ClaimOutcome.UsedTwice;
        }

        if (State is BindingState.Bound) return ClaimOutcome.AlreadyUsed;
        if (now >= ExpiresAt) return ClaimOutcome.Expired;
        (State, KeyId, Challenge) = (BindingState.Claimed, keyId, RandomNumberGenerator.GetBytes(32));
        return ClaimOutcome.Claimed;
    }

    /// <summary>The challenge for one try to finish. Null when there is none to take.</summary>
    public byte[]? TakeChallenge(DateTimeOffset now)
    {
        if (State is not BindingState.Claimed || now >= ExpiresAt) return null;
        var challenge = Challenge;
        Challenge = null;
        return challenge;
    }

    public void Bind(Guid phoneId) => (State, PhoneId, SealedCodes) = (BindingState.Bound, phoneId, []);
    public void Confirm() => State = BindingState.Confirmed;

    public void Replace()
    {
        if (State is BindingState.Waiting or BindingState.Claimed or BindingState.Bound) (State, Challenge, SealedCodes) = (BindingState.Replaced, null, []);
    }
}
