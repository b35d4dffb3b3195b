using System.Text;

namespace Portvakt.Domain.Authenticators;

public enum AuthenticatorState
{
    /// <summary>Bound but not proven: counts for nothing.</summary>
    Unconfirmed,
    Active,

    /// <summary>Given up, lost, replaced or never finished.</summary>
    Revoked,
}

/// <summary>
/// A code generator: our app, any other app that reads <c>otpauth://</c> addresses, or one of plastic (OATH), which the organisation owns and hands out.
/// One of plastic has one row for as long as the organisation has it, whoever holds it, so that a step that was accepted is never accepted again.
/// </summary>
public sealed class TotpAuthenticator
{
    /// <summary>Whoever a generator of plastic belongs to that belongs to nobody.</summary>
    public static readonly Guid Nobody = Guid.Empty;

    /// <summary>Generators of plastic of one person at the same time, waiting ones too.</summary>
    public const int MostTokens = 5;

    /// <summary>A clock of plastic that lay in a drawer may be off by this many steps when it is first used; later it is followed (RFC 6238 section 6).</summary>
    public const int ActivationWindow = 10;

    public const int LongestSerialNumber = 40;
    public const int LongestModel = 80;

    private TotpAuthenticator() { }

    public TotpAuthenticator(Guid personId, Guid? phoneId, string? attemptId, DateTimeOffset now)
    {
        (Id, PersonId, PhoneId, AttemptId, CreatedAt) = (Guid.CreateVersion7(now), personId, phoneId, attemptId, now);
    }

    /// <summary>One of plastic, as its maker's file has it: it belongs to nobody yet.</summary>
    public static TotpAuthenticator OfPlastic(string serialNumber, string? model, int period, DateTimeOffset now) =>
        new(Nobody, null, null, now) { Id = IdOf(serialNumber), SerialNumber = serialNumber, Model = model, Period = period };

    /// <summary>The id that a serial number has, so that the database itself lets none in twice.</summary>
    public static Guid IdOf(string serialNumber) => new(LabelledHash.Of("portvakt/token/v1", Encoding.UTF8.GetBytes(serialNumber)).AsSpan(0, 16));

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }

    /// <summary>The phone whose scan brought this generator along; it lives and dies with the phone.</summary>
    public Guid? PhoneId { get; private set; }

    /// <summary>What is printed on a generator of plastic; null for an app.</summary>
    public string? SerialNumber { get; init; }

    /// <summary>Maker and model of a generator of plastic.</summary>
    public string? Model { get; init; }

    /// <summary>Seconds for which a code holds: 30 or 60.</summary>
    public int Period { get; init; } = Totp.PeriodSeconds;

    /// <summary>The owner's name for it.</summary>
    public string? Name { get; set; }

    /// <summary>By how many steps its clock was off when it was last used: for the helpdesk, and for one of plastic where its next code is looked for.</summary>
    public int Drift { get; private set; }

    /// <summary>The attempt that sets up a generator of another app, until it is proven.</summary>
    public string? AttemptId { get; private set; }

    /// <summary>Sealed; see the server's Vault.</summary>
    public byte[] SealedSeed { get; set; } = [];

    public AuthenticatorState State { get; private set; }

    /// <summary>The last step that was accepted. Only grows, so a code counts once.</summary>
    public long LastAcceptedStep { get; private set; }

    /// <summary>When it was set up; of one of plastic that waits, when it was imported.</summary>
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastUsedAt { get; private set; }
    public int Version { get; private set; }

    public bool IsPlastic => SerialNumber is not null;

    /// <summary>Of plastic, and it opens nothing yet: its owner, if it has one, has not typed a code of it.</summary>
    public bool IsWaiting => IsPlastic && State is AuthenticatorState.Unconfirmed;

    /// <summary>Its secret was erased: it can be handed to nobody.</summary>
    public bool IsScrapped => IsPlastic && SealedSeed.Length is 0;

    /// <summary>True when the code holds; the step is then spent. The caller saves, and only one save of a step can win.</summary>
    public bool Verify(ReadOnlySpan<byte> seed, string code, DateTimeOffset now)
    {
        if (State is AuthenticatorState.Revoked || Totp.Match(seed, code, LastAcceptedStep, now, Period, drift: IsPlastic ? Drift : 0) is not { } step) return false;
        (LastAcceptedStep, LastUsedAt, Drift) = (step, now, (int)(step - Totp.StepAt(now, Period)));
        return true;
    }

    /// <summary>
    /// One of plastic proves itself by its first code and is then its owner's. Its clock may be off by more than later, and by how much is remembered.
    /// False: not a code of it, or one that was used before, also by whoever had it before. The caller saves.
    /// </summary>
    public bool ActivateBy(ReadOnlySpan<byte> seed, string code, DateTimeOffset now)
    {
        if (!IsWaiting || PersonId == Nobody || Totp.Match(seed, code, LastAcceptedStep, now, Period, ActivationWindow, Drift) is not { } step) return false;
        (LastAcceptedStep, LastUsedAt, Drift) = (step, now, (int)(step - Totp.StepAt(now, Period)));
        (State, CreatedAt) = (AuthenticatorState.Active, now);
        return true;
    }

    /// <summary>Hands one of plastic to somebody. It opens nothing until they have typed a code of it; steps that were accepted before stay spent.</summary>
    public void Assign(Guid personId)
    {
        if (!IsPlastic || IsScrapped || State is AuthenticatorState.Active) throw new InvalidOperationException("Only a generator of plastic that nobody uses is handed out.");
        (PersonId, State, Name, LastUsedAt) = (personId, AuthenticatorState.Unconfirmed, null, null);
    }

    /// <summary>One that waits goes back to the drawer.</summary>
    public void TakeBack()
    {
        if (!IsWaiting) throw new InvalidOperationException("What is in use is removed, not taken back.");
        (PersonId, Name) = (Nobody, null);
    }

    /// <summary>Lost, broken or sold: the secret is erased. The row stays, and with it the steps that are spent.</summary>
    public void Scrap()
    {
        if (!IsPlastic || State is AuthenticatorState.Active) throw new InvalidOperationException("What is in use is removed first.");
        (PersonId, State, SealedSeed, Name) = (Nobody, AuthenticatorState.Revoked, [], null);
    }

    /// <summary>The maker's file brings a scrapped one back.</summary>
    public void Restock(byte[] sealedSeed)
    {
        if (!IsScrapped) throw new InvalidOperationException("It is there already.");
        (SealedSeed, State) = (sealedSeed, AuthenticatorState.Unconfirmed);
    }

    public void Activate() => (State, AttemptId) = (AuthenticatorState.Active, null);
    public void Revoke() => State = AuthenticatorState.Revoked;
}
