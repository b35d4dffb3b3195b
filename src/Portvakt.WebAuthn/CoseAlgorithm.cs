namespace Portvakt.WebAuthn;

/// <summary>
/// The signature algorithms that can be verified here, under their numbers in the IANA register of COSE algorithms.
/// EdDSA (-8) is not among them: the base class library has no Ed25519.
/// </summary>
public enum CoseAlgorithm
{
    /// <summary>No algorithm; never the algorithm of a verified credential.</summary>
    None = 0,

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256 = -7,

    /// <summary>ECDSA on P-384 with SHA-384.</summary>
    ES384 = -35,

    /// <summary>ECDSA on P-521 with SHA-512.</summary>
    ES512 = -36,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RS256 = -257,
}
