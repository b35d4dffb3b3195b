using System.Diagnostics.CodeAnalysis;
using System.Formats.Cbor;
using System.Security.Cryptography;

namespace Portvakt.WebAuthn;

/// <summary>How far the attestation of a new credential was verified.</summary>
public enum AttestationKind
{
    /// <summary>Format <c>none</c>: the authenticator says nothing about itself.</summary>
    None,

    /// <summary>Format <c>packed</c> with a signature by the credential key itself: proof of possession,
    /// not of the authenticator's make.</summary>
    SelfAttestation,

    /// <summary>Another format, taken unverified because the caller said so: the same worth as <see cref="None"/>.</summary>
    Unverified,
}

/// <summary>A credential as a verified registration made it: the start of a credential record (section 4).</summary>
/// <param name="Id">The credential id, 1 to 1023 bytes.</param>
/// <param name="PublicKey">The public key as the COSE_Key bytes that the authenticator sent.</param>
/// <param name="Algorithm">The algorithm of that key.</param>
/// <param name="SignatureCounter">The first signature counter; 0 on authenticators that do not count.</param>
/// <param name="BackupEligible">Whether the credential can be copied to other devices (BE); never changes.</param>
/// <param name="BackupState">Whether it is copied now (BS).</param>
/// <param name="UserVerified">Whether the person unlocked the authenticator (UV).</param>
/// <param name="Aaguid">The make of the authenticator as it claims; all zeros when it does not say.</param>
/// <param name="Attestation">How far that claim was verified.</param>
/// <param name="AttestationFormat">The attestation statement format, as sent.</param>
public sealed record RegisteredCredential(
    byte[] Id,
    byte[] PublicKey,
    CoseAlgorithm Algorithm,
    uint SignatureCounter,
    bool BackupEligible,
    bool BackupState,
    bool UserVerified,
    Guid Aaguid,
    AttestationKind Attestation,
    string AttestationFormat);

/// <summary>What came of a registration: a credential, or the step that refused it.</summary>
/// <param name="Credential">The credential; absent when refused.</param>
/// <param name="Refusal">The step that refused; <see cref="Refusal.None"/> when verified.</param>
public sealed record RegistrationOutcome(RegisteredCredential? Credential, Refusal Refusal)
{
    /// <summary>Whether every step held.</summary>
    [MemberNotNullWhen(true, nameof(Credential))]
    public bool Verified => Credential is not null;
}

/// <summary>Registering a new credential: Web Authentication Level 3, section 7.1.</summary>
public static class Registration
{
    private const int MaximumCredentialIdLength = 1023;

    /// <summary>
    /// Runs steps 5 to 25 of section 7.1. The rest is the caller's: steps 1 to 4 happen in the browser, step 26 (is the id
    /// new?) and 27 (store) need the database. Extension outputs (step 28) are ignored, as none are asked for.
    /// Conditional creation, which alone may lack user presence (step 15), is not offered.
    /// </summary>
    /// <param name="expected">What was asked for.</param>
    /// <param name="clientDataJson">The client data, byte for byte as the browser sent it.</param>
    /// <param name="attestationObject">The attestation object, byte for byte.</param>
    /// <param name="acceptUnverifiedAttestation">Whether to take a credential whose attestation is of a format that is not
    /// verified here. Sound where the attestation is not relied upon.</param>
    /// <param name="algorithms">The algorithms that were offered; all of <see cref="CoseAlgorithm"/> when absent.</param>
    /// <exception cref="ArgumentException">The expected challenge is shorter than 16 bytes.</exception>
    public static RegistrationOutcome Verify(
        RelyingPartyExpectation expected,
        ReadOnlySpan<byte> clientDataJson,
        ReadOnlySpan<byte> attestationObject,
        bool acceptUnverifiedAttestation = false,
        IReadOnlyCollection<CoseAlgorithm>? algorithms = null)
    {
        // Steps 5 to 11: the client data.
        if (ClientData.Verify(clientDataJson, "webauthn.create", expected) is var clientDataRefusal and not Refusal.None)
            return Refused(clientDataRefusal);

        // Step 12: the hash that an attestation signs.
        var clientDataHash = SHA256.HashData(clientDataJson);

        // Step 13: decode the attestation object into fmt, authData and attStmt.
        if (!AttestationObject.TryRead(attestationObject.ToArray(), out var attestation))
            return Refused(Refusal.AttestationObject);
        if (!AuthenticatorData.TryRead(attestation.AuthenticatorData, attested: true, out var data))
            return Refused(Refusal.AuthenticatorData);

        // Steps 14 to 17: RP ID, user presence, user verification, backup state.
        // Steps 18 and 19, policy on BE and BS, are the caller's: both are in the outcome.
        if (data.Verify(expected) is var dataRefusal and not Refusal.None)
            return Refused(dataRefusal);

        // Step 20: an algorithm that was offered, and a key that is one.
        if (CosePublicKey.TryRead(data.PublicKey, out var key) is var keyRefusal and not Refusal.None)
            return Refused(keyRefusal);
        using (key)
        {
            if (algorithms is not null && !algorithms.Contains(key.Algorithm))
                return Refused(Refusal.UnsupportedAlgorithm);

            // Steps 21 and 22: the format and its verification procedure (sections 8.2 and 8.7).
            // Steps 23 and 24, trust anchors, do not arise: none and self attestation have none, and others stay unverified.
            var kind = AttestationKind.Unverified;
            switch (attestation.Format)
            {
                case "none":
                    if (!attestation.StatementIsEmpty)
                        return Refused(Refusal.AttestationStatement);
                    kind = AttestationKind.None;
                    break;
                case "packed":
                    if (!PackedStatement.TryRead(attestation.Statement, out var statement))
                        return Refused(Refusal.AttestationStatement);
                    if (statement.HasCertificates)
                        break;
                    if (statement.Algorithm != (int)key.Algorithm
                        || !key.Verify(attestation.AuthenticatorData.Span, clientDataHash, statement.Signature))
                        return Refused(Refusal.AttestationStatement);
                    kind = AttestationKind.SelfAttestation;
                    break;
            }
            if (kind is AttestationKind.Unverified && !acceptUnverifiedAttestation)
                return Refused(Refusal.AttestationFormat);

            // Step 25: a credential id that can be stored and sent back.
            if (data.CredentialId.Length is 0 or > MaximumCredentialIdLength)
                return Refused(Refusal.CredentialIdLength);

            return new(
                new(data.CredentialId.ToArray(), data.PublicKey.ToArray(), key.Algorithm, data.SignatureCounter,
                    data.BackupEligible, data.BackupState, data.UserVerified, data.Aaguid, kind, attestation.Format),
                Refusal.None);
        }
    }

    private static RegistrationOutcome Refused(Refusal refusal) => new(null, refusal);
}

/// <summary>The attestation object of section 6.5.4.</summary>
/// <remarks>Its outer map may come in any order: clients build it, and not all of them sort. What the authenticator
/// signed, the authenticator data, is held to the canonical form.</remarks>
internal readonly record struct AttestationObject(
    string Format, ReadOnlyMemory<byte> Statement, ReadOnlyMemory<byte> AuthenticatorData)
{
    private const byte EmptyMap = 0xA0;

    public bool StatementIsEmpty => Statement.Span is [EmptyMap];

    public static bool TryRead(ReadOnlyMemory<byte> bytes, out AttestationObject attestation)
    {
        attestation = default;
        try
        {
            var reader = new CborReader(bytes, CborConformanceMode.Strict);
            string? format = null;
            ReadOnlyMemory<byte>? statement = null, data = null;
            if (reader.ReadStartMap() is not 3)
                return false;
            while (reader.PeekState() is not CborReaderState.EndMap)
            {
                switch (reader.ReadTextString())
                {
                    case "fmt": format = reader.ReadTextString(); break;
                    case "attStmt" when reader.PeekState() is CborReaderState.StartMap: statement = reader.ReadEncodedValue(); break;
                    case "authData": data = reader.ReadDefiniteLengthByteString(); break;
                    default: return false;
                }
            }
            reader.ReadEndMap();
            if (format is null || statement is null || data is null || reader.BytesRemaining is not 0)
                return false;
            attestation = new(format, statement.Value, data.Value);
            return true;
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException)
        {
            return false; // how the reader says that the bytes are not what was asked for
        }
    }
}

/// <summary>The packed attestation statement of section 8.2.</summary>
internal readonly record struct PackedStatement(int Algorithm, byte[] Signature, bool HasCertificates)
{
    public static bool TryRead(ReadOnlyMemory<byte> bytes, out PackedStatement statement)
    {
        statement = default;
        try
        {
            var reader = new CborReader(bytes, CborConformanceMode.Strict);
            int? algorithm = null;
            byte[]? signature = null;
            var certificates = false;
            reader.ReadStartMap();
            while (reader.PeekState() is not CborReaderState.EndMap)
            {
                switch (reader.ReadTextString())
                {
                    case "alg": algorithm = reader.ReadInt32(); break;
                    case "sig": signature = reader.ReadByteString(); break;
                    case "x5c" when reader.PeekState() is CborReaderState.StartArray: certificates = true; reader.SkipValue(); break;
                    default: return false;
                }
            }
            reader.ReadEndMap();
            if (algorithm is null || signature is null)
                return false;
            statement = new(algorithm.Value, signature, certificates);
            return true;
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException)
        {
            return false; // how the reader says that the bytes are not what was asked for
        }
    }
}
