using System.Buffers.Binary;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;

namespace Portvakt.WebAuthn;

/// <summary>The authenticator data of section 6.1, with the attested credential data of section 6.5.1 if it has any.</summary>
internal readonly struct AuthenticatorData
{
    private const int FixedLength = 32 + 1 + 4;
    private const int AaguidLength = 16;

    private const byte UserPresentBit = 0x01;
    private const byte UserVerifiedBit = 0x04;
    private const byte BackupEligibleBit = 0x08;
    private const byte BackupStateBit = 0x10;
    private const byte AttestedCredentialDataBit = 0x40;
    private const byte ExtensionDataBit = 0x80;

    private readonly ReadOnlyMemory<byte> relyingPartyIdHash;
    private readonly byte flags;

    private AuthenticatorData(ReadOnlyMemory<byte> bytes)
    {
        relyingPartyIdHash = bytes[..32];
        flags = bytes.Span[32];
        SignatureCounter = BinaryPrimitives.ReadUInt32BigEndian(bytes.Span[33..]);
    }

    public uint SignatureCounter { get; }
    public Guid Aaguid { get; private init; }
    public ReadOnlyMemory<byte> CredentialId { get; private init; }
    public ReadOnlyMemory<byte> PublicKey { get; private init; }
    public bool UserVerified => Has(UserVerifiedBit);
    public bool BackupEligible => Has(BackupEligibleBit);
    public bool BackupState => Has(BackupStateBit);

    /// <summary>Reads all of <paramref name="bytes"/> or nothing.</summary>
    /// <param name="bytes">The authenticator data.</param>
    /// <param name="attested">Whether attested credential data must be there (registration) or must not (assertion).</param>
    /// <param name="data">What was read.</param>
    public static bool TryRead(ReadOnlyMemory<byte> bytes, bool attested, out AuthenticatorData data)
    {
        data = default;
        if (bytes.Length < FixedLength)
            return false;
        var read = new AuthenticatorData(bytes);
        var rest = bytes[FixedLength..];
        if (read.Has(AttestedCredentialDataBit) != attested)
            return false;
        if (attested)
        {
            if (rest.Length < AaguidLength + 2)
                return false;
            var aaguid = new Guid(rest.Span[..AaguidLength], bigEndian: true);
            var idLength = BinaryPrimitives.ReadUInt16BigEndian(rest.Span[AaguidLength..]);
            rest = rest[(AaguidLength + 2)..];
            if (rest.Length < idLength)
                return false;
            var id = rest[..idLength];
            rest = rest[idLength..];
            if (!TryTakeMap(ref rest, out var publicKey))
                return false;
            read = read with { Aaguid = aaguid, CredentialId = id, PublicKey = publicKey };
        }
        // Extension outputs are not used, but they must have their form, or what follows them could be anything.
        if (read.Has(ExtensionDataBit) && !TryTakeMap(ref rest, out _))
            return false;
        if (!rest.IsEmpty)
            return false;
        data = read;
        return true;
    }

    /// <summary>Steps 14 to 17 of section 7.1, which are steps 15 to 18 of section 7.2.</summary>
    public Refusal Verify(RelyingPartyExpectation expected)
    {
        // 7.1 step 14, 7.2 step 15: the RP ID.
        if (!CryptographicOperations.FixedTimeEquals(
                relyingPartyIdHash.Span, SHA256.HashData(Encoding.UTF8.GetBytes(expected.RelyingPartyId))))
            return Refusal.RelyingPartyId;

        // 7.1 step 15, 7.2 step 16: user presence.
        if (!Has(UserPresentBit))
            return Refusal.UserPresence;

        // 7.1 step 16, 7.2 step 17: user verification, where required.
        if (expected.RequireUserVerification && !UserVerified)
            return Refusal.UserVerification;

        // 7.1 step 17, 7.2 step 18: what cannot be backed up is not backed up.
        if (BackupState && !BackupEligible)
            return Refusal.BackupState;

        return Refusal.None;
    }

    private bool Has(byte bit) => (flags & bit) is not 0;

    /// <summary>Takes one CBOR map in the CTAP2 canonical form off the front.</summary>
    private static bool TryTakeMap(ref ReadOnlyMemory<byte> bytes, out ReadOnlyMemory<byte> map)
    {
        map = default;
        try
        {
            var reader = new CborReader(bytes, CborConformanceMode.Ctap2Canonical, allowMultipleRootLevelValues: true);
            if (reader.PeekState() is not CborReaderState.StartMap)
                return false;
            map = reader.ReadEncodedValue();
            bytes = bytes[map.Length..];
            return true;
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException)
        {
            return false; // how the reader says that the bytes are not what was asked for
        }
    }
}
