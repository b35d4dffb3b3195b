namespace Portvakt.Domain.Authenticators;

/// <summary>What proves the unlock on a phone.</summary>
public enum PhoneUnlock
{
    /// <summary>WebAuthn user verification.</summary>
    Passkey,

    /// <summary>A PIN that the server checks; only where policy allows it.</summary>
    Pin,
}

/// <summary>Our app on one phone: an out-of-band authenticator with a key of its own (NIST SP 800-63B section 3.1.3).</summary>
public sealed class PhoneAuthenticator
{
    /// <summary>Wrong PINs in all, ever, before the phone is dead.</summary>
    public const int PinTries = 5;

    /// <summary>"Last seen" is written no more often than this, so that asking is not writing.</summary>
    public static readonly TimeSpan SeenInterval = TimeSpan.FromMinutes(5);

    private byte[]? _credentialId;

    private PhoneAuthenticator() { }

    public PhoneAuthenticator(Guid personId, string keyId, byte[] publicKey, PhoneUnlock unlock, string name, string consentVersion, string appVersion, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        PersonId = personId;
        KeyId = keyId;
        PublicKey = publicKey;
        Unlock = unlock;
        Name = name;
        (ConsentVersion, ConsentAt, AppVersion) = (consentVersion, now, appVersion);
        CreatedAt = now;
        LastSeenAt = now;
    }

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }

    /// <summary>RFC 7638 thumbprint of the device key.</summary>
    public string KeyId { get; private set; } = "";

    /// <summary>SubjectPublicKeyInfo of the device key, P-256.</summary>
    public byte[] PublicKey { get; private set; } = [];

    public PhoneUnlock Unlock { get; private set; }
    public string Name { get; set; } = "";
    public AuthenticatorState State { get; private set; }

    /// <summary>Of the passkey. It names one phone: a phone that was bound anew has passed it on.</summary>
    public byte[]? CredentialId { get => _credentialId; init => _credentialId = value; }

    /// <summary>COSE key of the passkey.</summary>
    public byte[]? CredentialKey { get; init; }

    public bool BackupEligible { get; init; }
    public bool BackedUp { get; private set; }
    public long SignatureCounter { get; private set; }

    /// <summary>Slow hash of the PIN's HMAC.</summary>
    public string? PinHash { get; init; }

    /// <summary>Raised before the PIN is looked at, by one conditional UPDATE.</summary>
    public int PinFailures { get; private set; }

    /// <summary>The push subscription, sealed; null when the phone fetches its requests itself.</summary>
    public byte[]? SealedPush { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset LastSeenAt { get; private set; }
    public string ConsentVersion { get; private set; } = "";
    public DateTimeOffset ConsentAt { get; private set; }
    public string AppVersion { get; private set; } = "";
    public bool StoragePersisted { get; private set; }

    /// <summary>The person removed the account on the phone: it is asked no more, but nobody gets in without a second factor for that.</summary>
    public DateTimeOffset? RemovedOnPhoneAt { get; private set; }

    public int Version { get; private set; }

    public bool CanBeAsked => State is not AuthenticatorState.Revoked && RemovedOnPhoneAt is null && PinFailures < PinTries;

    public void Activate() => State = AuthenticatorState.Active;
    public void Revoke() => (State, SealedPush) = (AuthenticatorState.Revoked, null);
    public void RemoveOnPhone(DateTimeOffset now) => (RemovedOnPhoneAt, SealedPush) = (now, null);

    /// <summary>
    /// The phone has lost its device key and kept its passkey: another authenticator with a new key takes its place, and counts from the save in which this one
    /// stops. This one keeps both public keys: what was signed with it can still be verified.
    /// </summary>
    /// <param name="keyId">Thumbprint of the new key.</param>
    /// <param name="publicKey">The new key.</param>
    /// <param name="name">What its owner knows it by.</param>
    /// <param name="consentVersion">What the owner has agreed to.</param>
    /// <param name="appVersion">Of the app that asks.</param>
    /// <param name="now">The instant.</param>
    /// <exception cref="InvalidOperationException">It does not count, or has no passkey: the caller has not asked.</exception>
    public PhoneAuthenticator BindAnew(string keyId, byte[] publicKey, string name, string consentVersion, string appVersion, DateTimeOffset now)
    {
        if (this is not { State: AuthenticatorState.Active, CanBeAsked: true, CredentialId: not null }) throw new InvalidOperationException("Only a phone that counts, and has a passkey, can be bound anew.");
        var anew = new PhoneAuthenticator(PersonId, keyId, publicKey, Unlock, name, consentVersion, appVersion, now)
        {
            CredentialId = CredentialId,
            CredentialKey = CredentialKey,
            BackupEligible = BackupEligible,
        };
        anew.RecordAssertion((uint)SignatureCounter, BackedUp);
        anew.Activate();
        _credentialId = null;
        Revoke();
        return anew;
    }

    public void SetPush(byte[]? sealedSubscription) => SealedPush = sealedSubscription;

    /// <summary>Counter and backup flag of the last assertion (WebAuthn Level 3 section 7.2, step 23).</summary>
    public void RecordAssertion(uint counter, bool backedUp) => (SignatureCounter, BackedUp) = (counter, backedUp);
}
