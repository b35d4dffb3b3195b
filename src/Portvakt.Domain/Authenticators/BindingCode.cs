using System.Globalization;
using System.Security.Cryptography;
using System.Text;

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

    /// <summary>The person asked for a new picture or another method, or gave a move up.</summary>
    Replaced,

    /// <summary>A move: the old phone was told another number than the new one shows.</summary>
    WrongNumber,
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
/// minutes. It carries no long-term secret. It belongs to a sign-in attempt; or to a phone that shows it itself, and that the new phone takes the place of.
/// </summary>
public sealed class BindingCode
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>26 characters are 130 bits.</summary>
    public const int Length = 26;

    /// <summary>12 characters are 60 bits: short enough to type, with its own throttle.</summary>
    public const int TypedLength = 12;

    private BindingCode() { }

    /// <summary>Of a sign-in attempt: shown on its page.</summary>
    public BindingCode(string attemptId, Guid personId, string code, string typedCode, DateTimeOffset now) : this(personId, code, typedCode, now) => AttemptId = attemptId;

    /// <summary>Of a phone that works: the phone which binds itself with it takes its place.</summary>
    public BindingCode(PhoneAuthenticator replaces, string code, string typedCode, DateTimeOffset now) : this(replaces.PersonId, code, typedCode, now) => ReplacesPhoneId = replaces.Id;

    private BindingCode(Guid personId, string code, string typedCode, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        PersonId = personId;
        CodeHash = HashOf(code);
        TypedCodeHash = HashOf(typedCode);
        UserHandle = RandomNumberGenerator.GetBytes(32);
        CreatedAt = now;
        ExpiresAt = now + Lifetime;
    }

    public Guid Id { get; private set; }

    /// <summary>The sign-in that shows it; null for a move.</summary>
    public string? AttemptId { get; private set; }

    /// <summary>The phone that shows it and that the new one takes the place of; null for a sign-in.</summary>
    public Guid? ReplacesPhoneId { get; private set; }

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

    /// <summary>A move: shown by the new phone, typed on the old one.</summary>
    public int? MatchingNumber { get; private set; }

    /// <summary>A move: accounts of other services, sealed by the old phone under a key that this server never sees. For the new phone once it counts.</summary>
    public byte[]? Luggage { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset ExpiresAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>What is stored of a code, and what a phone names it by when it finishes.</summary>
    public static byte[] HashOf(string code) => LabelledHash.Of("portvakt/code/v1", Encoding.ASCII.GetBytes(code));

    /// <summary>Whether a phone may still do something with it.</summary>
    public bool IsOpen(DateTimeOffset now) => State is BindingState.Waiting or BindingState.Claimed && now < ExpiresAt;

    public ClaimOutcome Claim(string keyId, DateTimeOffset now)
    {
        switch (State)
        {
            case BindingState.UsedTwice: return ClaimOutcome.UsedTwice;
            case BindingState.Confirmed: return ClaimOutcome.AlreadyUsed;
            case BindingState.Replaced or BindingState.WrongNumber: return ClaimOutcome.Expired; // the one try was made
        }

        // Somebody else's phone, before the test approval: neither may have it. The deadline of the picture does not protect a thief.
        if (KeyId is not null && !string.Equals(KeyId, keyId, StringComparison.Ordinal))
        {
            (State, Challenge, Luggage) = (BindingState.UsedTwice, null, null);
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

    /// <summary>The new phone of a move has proven its keys: from now on there is time anew to carry its number across.</summary>
    public void BindMoved(Guid phoneId, int digits, DateTimeOffset now)
    {
        Bind(phoneId);
        MatchingNumber = RandomNumberGenerator.GetInt32(digits is 2 ? 10 : 100_000, digits is 2 ? 100 : 1_000_000);
        ExpiresAt = now + Lifetime;
    }

    /// <summary>How many digits the number of a move has.</summary>
    public int Digits => MatchingNumber is >= 100_000 ? 6 : 2;

    /// <summary>One try: a wrong number ends the move as surely as a right one. The luggage waits a little longer for the right phone, and not at all for another.</summary>
    public bool Move(string? typedNumber, DateTimeOffset now)
    {
        if (State is not BindingState.Bound || now >= ExpiresAt || MatchingNumber is not { } number) throw new InvalidOperationException("There is nothing to move.");
        var shown = Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));
        if (typedNumber is null || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(typedNumber), shown))
        {
            (State, Luggage) = (BindingState.WrongNumber, null);
            return false;
        }

        (State, ExpiresAt) = (BindingState.Confirmed, now + Lifetime);
        return true;
    }

    public void Replace()
    {
        if (State is BindingState.Waiting or BindingState.Claimed or BindingState.Bound) (State, Challenge, SealedCodes, Luggage) = (BindingState.Replaced, null, [], null);
    }
}
