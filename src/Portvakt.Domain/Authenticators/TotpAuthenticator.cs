namespace Portvakt.Domain.Authenticators;

public enum AuthenticatorState
{
    /// <summary>Bound but not proven: counts for nothing.</summary>
    Unconfirmed,
    Active,

    /// <summary>Given up, lost, replaced or never finished.</summary>
    Revoked,
}

/// <summary>A code generator: our app, or any other app that reads <c>otpauth://</c> addresses.</summary>
public sealed class TotpAuthenticator
{
    private TotpAuthenticator() { }

    public TotpAuthenticator(Guid personId, Guid? phoneId, string? attemptId, DateTimeOffset now)
    {
        (Id, PersonId, PhoneId, AttemptId, CreatedAt) = (Guid.CreateVersion7(now), personId, phoneId, attemptId, now);
    }

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

    /// <summary>By how many steps its clock was off when it was last used; for the helpdesk.</summary>
    public int Drift { get; private set; }

    /// <summary>The attempt that sets up a generator of another app, until it is proven.</summary>
    public string? AttemptId { get; private set; }

    /// <summary>Sealed; see the server's Vault.</summary>
    public byte[] SealedSeed { get; set; } = [];

    public AuthenticatorState State { get; private set; }

    /// <summary>The last step that was accepted. Only grows, so a code counts once.</summary>
    public long LastAcceptedStep { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastUsedAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>True when the code holds; the step is then spent. The caller saves, and only one save of a step can win.</summary>
    public bool Verify(ReadOnlySpan<byte> seed, string code, DateTimeOffset now)
    {
        if (State is AuthenticatorState.Revoked || Totp.Match(seed, code, LastAcceptedStep, now, Period) is not { } step) return false;
        (LastAcceptedStep, LastUsedAt, Drift) = (step, now, (int)(step - Totp.StepAt(now, Period)));
        return true;
    }

    public void Activate() => (State, AttemptId) = (AuthenticatorState.Active, null);
    public void Revoke() => State = AuthenticatorState.Revoked;
}
