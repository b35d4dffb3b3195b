namespace Portvakt.Domain.Authenticators;

/// <summary>A passkey or security key of a person (WebAuthn Level 3). Bound to our address by the browser, so no copy of our pages can use it.</summary>
public sealed class Passkey
{
    public const int LongestName = 60;

    private Passkey() { }

    public Passkey(Guid personId, byte[] credentialId, byte[] publicKey, Guid aaguid, uint counter, bool backupEligible, bool backedUp, string name, DateTimeOffset now)
    {
        Id = Guid.CreateVersion7(now);
        (PersonId, CredentialId, PublicKey, Aaguid, BackupEligible, Name, CreatedAt) = (personId, credentialId, publicKey, aaguid, backupEligible, name, now);
        (SignatureCounter, BackedUp) = (counter, backedUp);
    }

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }

    /// <summary>Unique among all people (R40).</summary>
    public byte[] CredentialId { get; private set; } = [];

    /// <summary>COSE key.</summary>
    public byte[] PublicKey { get; private set; } = [];

    /// <summary>The authenticator's model, when it says; all zero otherwise.</summary>
    public Guid Aaguid { get; private set; }

    public long SignatureCounter { get; private set; }

    /// <summary>May be copied to other devices of its owner; never changes (section 6.1.3).</summary>
    public bool BackupEligible { get; private set; }

    public bool BackedUp { get; private set; }
    public string Name { get; set; } = "";
    public DateTimeOffset CreatedAt { get; private set; }
    public DateTimeOffset? LastUsedAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>Counter, backup flag and time of an assertion that was verified (section 7.2). The caller saves, under the version.</summary>
    public void RecordAssertion(uint counter, bool backedUp, DateTimeOffset now) => (SignatureCounter, BackedUp, LastUsedAt) = (counter, backedUp, now);

    /// <summary>What WebAuthn calls the user handle: names the account to its owner's authenticators, and says nothing to anybody else.</summary>
    public static byte[] UserHandleOf(Guid personId) => personId.ToByteArray(bigEndian: true);
}
