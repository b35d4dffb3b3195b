namespace Portvakt.WebAuthn;

/// <summary>
/// Why a ceremony was refused. Each member is a step of Web Authentication Level 3, section 7.1 (registration)
/// or 7.2 (assertion), or the part of a step that can go wrong by itself.
/// </summary>
public enum Refusal
{
    /// <summary>Nothing was refused.</summary>
    None = 0,

    /// <summary>The client data is not UTF-8, not JSON, has a member twice, or lacks one (7.1 steps 5–6, 7.2 steps 8–9).</summary>
    ClientData,

    /// <summary>The client data belongs to the other kind of ceremony (7.1 step 7, 7.2 step 10).</summary>
    Type,

    /// <summary>The challenge is not the one that was given out (7.1 step 8, 7.2 step 11).</summary>
    Challenge,

    /// <summary>The ceremony ran on a page that does not speak for the relying party (7.1 step 9, 7.2 step 12).</summary>
    Origin,

    /// <summary>The ceremony ran in a frame of another origin, which was not expected (7.1 step 10, 7.2 step 13).</summary>
    CrossOrigin,

    /// <summary>The page that holds the frame is not expected, or is named without there being a frame
    /// (7.1 step 11, 7.2 step 14).</summary>
    TopOrigin,

    /// <summary>The attestation object is not the CBOR map of section 6.5.4 (7.1 step 13).</summary>
    AttestationObject,

    /// <summary>The authenticator data does not have the form of section 6.1, has bytes left over, or its CBOR is not
    /// in the CTAP2 canonical form (7.1 step 13, 7.2 step 7).</summary>
    AuthenticatorData,

    /// <summary>The authenticator signed for another relying party (7.1 step 14, 7.2 step 15).</summary>
    RelyingPartyId,

    /// <summary>Nobody touched the authenticator (7.1 step 15, 7.2 step 16).</summary>
    UserPresence,

    /// <summary>Nobody unlocked the authenticator, though that was required (7.1 step 16, 7.2 step 17).</summary>
    UserVerification,

    /// <summary>A credential that cannot be backed up claims to be backed up (7.1 step 17, 7.2 step 18).</summary>
    BackupState,

    /// <summary>The credential can be backed up and could not when it was registered, or the reverse (7.2 step 19).</summary>
    BackupEligibility,

    /// <summary>The algorithm was not offered, or is not one this library can verify (7.1 step 20, 7.2 step 21).</summary>
    UnsupportedAlgorithm,

    /// <summary>The credential public key is not the key its algorithm asks for: wrong form, wrong curve,
    /// a point off the curve, or an RSA key out of bounds (7.1 step 20, 7.2 step 21; section 5.8.5).</summary>
    PublicKey,

    /// <summary>The attestation is of a format that is not verified here, and the caller does not take it unverified
    /// (7.1 step 21).</summary>
    AttestationFormat,

    /// <summary>The attestation statement is malformed or its signature is wrong (7.1 step 22).</summary>
    AttestationStatement,

    /// <summary>The credential id is longer than 1023 bytes, or empty (7.1 step 25).</summary>
    CredentialIdLength,

    /// <summary>The assertion is by another credential than the stored one (7.2 steps 5–6).</summary>
    CredentialId,

    /// <summary>The signature over authenticator data and client data is wrong (7.2 step 21).</summary>
    Signature,

    /// <summary>The signature counter did not grow: the authenticator may have been cloned (7.2 step 22).</summary>
    SignatureCounter,
}
