using System.Buffers.Binary;
using System.Buffers.Text;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portvakt.Testing;

/// <summary>What a browser hands over after <c>navigator.credentials.create()</c>.</summary>
public sealed record MadeCredential(byte[] CredentialId, byte[] ClientDataJson, byte[] AttestationObject)
{
    /// <summary>The RegistrationResponseJSON of Web Authentication Level 3, section 5.1.</summary>
    public string ToJson() => SoftAuthenticator.ResponseJson(CredentialId, new JsonObject
    {
        ["clientDataJSON"] = Base64Url.EncodeToString(ClientDataJson),
        ["attestationObject"] = Base64Url.EncodeToString(AttestationObject),
        ["transports"] = new JsonArray("internal"),
    });
}

/// <summary>What a browser hands over after <c>navigator.credentials.get()</c>.</summary>
public sealed record MadeAssertion(byte[] CredentialId, byte[] ClientDataJson, byte[] AuthenticatorData, byte[] Signature)
{
    /// <summary>Whom the credential was made for; null when the authenticator does not say.</summary>
    public byte[]? UserHandle { get; init; }

    /// <summary>The AuthenticationResponseJSON of Web Authentication Level 3, section 5.1.</summary>
    public string ToJson() => SoftAuthenticator.ResponseJson(CredentialId, new JsonObject
    {
        ["clientDataJSON"] = Base64Url.EncodeToString(ClientDataJson),
        ["authenticatorData"] = Base64Url.EncodeToString(AuthenticatorData),
        ["signature"] = Base64Url.EncodeToString(Signature),
        ["userHandle"] = UserHandle is null ? null : Base64Url.EncodeToString(UserHandle),
    });
}

/// <summary>
/// A browser and the authenticator behind it in one, with one ES256 credential: what a phone does when its owner unlocks
/// it, in memory. Everything it says about itself can be changed, so that it can also lie.
/// </summary>
/// <param name="relyingPartyId">The RP ID it signs for.</param>
/// <param name="origin">The origin of the page, as the browser serialises it.</param>
/// <param name="known">The key of a credential that was made before, on P-256; otherwise a new one. Disposed with the authenticator.</param>
public sealed class SoftAuthenticator(string relyingPartyId, string origin, ECDsa? known = null) : IDisposable
{
    private readonly ECDsa key = known ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The RP ID it signs for.</summary>
    public string RelyingPartyId { get; set; } = relyingPartyId;

    /// <summary>The origin of the page, as the browser serialises it.</summary>
    public string Origin { get; set; } = origin;

    /// <summary>The <c>crossOrigin</c> member of the client data; left out when null.</summary>
    public bool? CrossOrigin { get; set; } = false;

    /// <summary>The <c>topOrigin</c> member of the client data; left out when null.</summary>
    public string? TopOrigin { get; set; }

    /// <summary>UP: somebody touched it.</summary>
    public bool UserPresent { get; set; } = true;

    /// <summary>UV: the owner unlocked it.</summary>
    public bool UserVerified { get; set; } = true;

    /// <summary>BE: the credential can be copied to other devices.</summary>
    public bool BackupEligible { get; set; }

    /// <summary>BS: the credential is copied to other devices.</summary>
    public bool BackupState { get; set; }

    /// <summary>The counter of the next signature. Phones leave it at 0; security keys count.</summary>
    public uint SignatureCounter { get; set; }

    /// <summary>Whether every assertion raises the counter first.</summary>
    public bool Counts { get; set; }

    /// <summary>What it says it is.</summary>
    public Guid Aaguid { get; set; }

    /// <summary>Whom the credential was made for, as it tells when nobody said who is asked (discoverable); null: it does not.</summary>
    public byte[]? UserHandle { get; set; }

    /// <summary>The id of its credential.</summary>
    public byte[] CredentialId { get; set; } = RandomNumberGenerator.GetBytes(32);

    /// <summary>The public key of its credential as a COSE_Key.</summary>
    public byte[] PublicKey
    {
        get
        {
            var point = key.ExportParameters(includePrivateParameters: false).Q;
            var cose = new CborWriter(CborConformanceMode.Ctap2Canonical);
            cose.WriteStartMap(5);
            cose.WriteInt32(1); cose.WriteInt32(2); // kty: EC2
            cose.WriteInt32(3); cose.WriteInt32(-7); // alg: ES256
            cose.WriteInt32(-1); cose.WriteInt32(1); // crv: P-256
            cose.WriteInt32(-2); cose.WriteByteString(point.X!);
            cose.WriteInt32(-3); cose.WriteByteString(point.Y!);
            cose.WriteEndMap();
            return cose.Encode();
        }
    }

    /// <summary>Makes the credential known: <c>navigator.credentials.create()</c>.</summary>
    /// <param name="challenge">The challenge of the relying party.</param>
    /// <param name="selfAttestation">Whether to sign the statement (format packed) or say nothing (format none).</param>
    public MadeCredential Create(byte[] challenge, bool selfAttestation = false)
    {
        var clientData = ClientData("webauthn.create", challenge);
        var authenticatorData = AuthenticatorData(attested: true);
        return new(CredentialId, clientData, selfAttestation
            ? AttestationObject("packed", authenticatorData, Sign(authenticatorData, clientData))
            : AttestationObject("none", authenticatorData, null));
    }

    /// <summary>Signs an assertion: <c>navigator.credentials.get()</c>.</summary>
    /// <param name="challenge">The challenge of the relying party.</param>
    public MadeAssertion Get(byte[] challenge)
    {
        if (Counts)
            SignatureCounter++;
        var clientData = ClientData("webauthn.get", challenge);
        var authenticatorData = AuthenticatorData(attested: false);
        return new(CredentialId, clientData, authenticatorData, Sign(authenticatorData, clientData)) { UserHandle = UserHandle };
    }

    /// <summary>The client data a browser would write (section 5.8.1), in its order.</summary>
    public byte[] ClientData(string type, byte[] challenge)
    {
        var members = new JsonObject
        {
            ["type"] = type,
            ["challenge"] = Base64Url.EncodeToString(challenge),
            ["origin"] = Origin,
        };
        if (CrossOrigin is { } crossOrigin)
            members["crossOrigin"] = crossOrigin;
        if (TopOrigin is not null)
            members["topOrigin"] = TopOrigin;
        return JsonSerializer.SerializeToUtf8Bytes(members);
    }

    /// <summary>The authenticator data (section 6.1) of the present state.</summary>
    public byte[] AuthenticatorData(bool attested)
    {
        var flags = (UserPresent ? 0x01 : 0) | (UserVerified ? 0x04 : 0) | (BackupEligible ? 0x08 : 0)
            | (BackupState ? 0x10 : 0) | (attested ? 0x40 : 0);
        byte[] data = [.. SHA256.HashData(Encoding.UTF8.GetBytes(RelyingPartyId)), (byte)flags, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(33), SignatureCounter);
        if (!attested)
            return data;
        return
        [
            .. data, .. Aaguid.ToByteArray(bigEndian: true),
            (byte)(CredentialId.Length >> 8), (byte)CredentialId.Length, .. CredentialId, .. PublicKey,
        ];
    }

    /// <summary>An attestation object (section 6.5.4); the statement has a signature or nothing.</summary>
    public static byte[] AttestationObject(string format, byte[] authenticatorData, byte[]? signature)
    {
        var cbor = new CborWriter(CborConformanceMode.Ctap2Canonical);
        cbor.WriteStartMap(3);
        cbor.WriteTextString("fmt");
        cbor.WriteTextString(format);
        cbor.WriteTextString("attStmt");
        cbor.WriteStartMap(signature is null ? 0 : 2);
        if (signature is not null)
        {
            cbor.WriteTextString("alg");
            cbor.WriteInt32(-7);
            cbor.WriteTextString("sig");
            cbor.WriteByteString(signature);
        }
        cbor.WriteEndMap();
        cbor.WriteTextString("authData");
        cbor.WriteByteString(authenticatorData);
        cbor.WriteEndMap();
        return cbor.Encode();
    }

    /// <summary>Signs any authenticator data and client data as if they were its own.</summary>
    public byte[] Sign(byte[] authenticatorData, byte[] clientDataJson) => key.SignData(
        [.. authenticatorData, .. SHA256.HashData(clientDataJson)],
        HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <inheritdoc />
    public void Dispose() => key.Dispose();

    internal static string ResponseJson(byte[] credentialId, JsonObject response) => new JsonObject
    {
        ["id"] = Base64Url.EncodeToString(credentialId),
        ["rawId"] = Base64Url.EncodeToString(credentialId),
        ["type"] = "public-key",
        ["authenticatorAttachment"] = "platform",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    }.ToJsonString();
}
