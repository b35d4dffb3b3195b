namespace Portvakt.WebAuthn;

/// <summary>
/// What the relying party asked for and where: everything a ceremony is held against
/// (Web Authentication Level 3, sections 7.1 and 7.2).
/// </summary>
/// <param name="RelyingPartyId">The RP ID: a host name, without scheme and port.</param>
/// <param name="Origins">The origins that may speak for the RP ID, as browsers serialise them
/// (<c>https://vakt.example.org</c>); compared ordinally, so a subdomain counts only when it is listed.</param>
/// <param name="Challenge">The challenge of this one ceremony, at least 16 bytes (section 13.4.3).</param>
/// <param name="RequireUserVerification">Whether the person must have unlocked the authenticator (the UV bit).</param>
/// <param name="AllowCrossOrigin">Whether the ceremony may run in a frame of another origin.</param>
/// <param name="TopOrigins">The pages that may hold that frame. A client that names its top origin is refused
/// unless that origin is listed here and <paramref name="AllowCrossOrigin"/> is set.</param>
public sealed record RelyingPartyExpectation(
    string RelyingPartyId,
    IReadOnlyCollection<string> Origins,
    byte[] Challenge,
    bool RequireUserVerification,
    bool AllowCrossOrigin = false,
    IReadOnlyCollection<string>? TopOrigins = null);
