using Portvakt.Server.Approvals;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Enrolment;

// The wire types of docs/protocol.md, section 2. The phone app's types are generated from these.

/// <summary>Body of <c>POST /phone/api/binding/begin</c>: the code, and the thumbprint of the key the phone has just made.</summary>
[WireType("BeginRequest")]
public sealed record BeginMessage(string? Code, string? Kid);

/// <summary>The relying party that a passkey is made for (WebAuthn Level 3 section 5.4.2).</summary>
[WireType("PasskeyRelyingParty")]
public sealed record PasskeyRelyingParty(string Id, string Name);

/// <summary>The account that a passkey is made for (WebAuthn Level 3 section 5.4.3); the id is opaque, 32 bytes, base64url.</summary>
[WireType("PasskeyUser")]
public sealed record PasskeyUser(string Id, string Name, string DisplayName);

/// <summary>Answer of <c>begin</c>: whose account it would be, what the passkey is made over, and whether it comes from a phone that works (section 8).</summary>
[WireType("BeginAnswer")]
public sealed record BeginAnswer(
    string Audience, string Organisation, string Account, string Challenge, long ExpiresAt, long ServerTime, PasskeyRelyingParty RelyingParty, PasskeyUser User, string VapidPublicKey,
    [WireValues("Unlock", "passkey", "pin")] string[] Unlock, bool Moves);

/// <summary>Body of <c>POST /phone/api/binding/finish</c>.</summary>
[WireType("FinishRequest")]
public sealed record FinishMessage(string? Jws);

/// <summary>A new passkey, each part base64url.</summary>
[WireType("Attestation")]
public sealed record PasskeyMessage(string? AttestationObject, string? ClientDataJson);

/// <summary>What the phone signs to bind itself: payload of <c>portvakt-bind+jws</c>.</summary>
[WireType("BindingPayload")]
public sealed record BindStatement(
    [WireValues("", "1")] int? V, string? Aud, string? CodeHash, string? Challenge, string? Kid, [MayBeNull] PasskeyMessage? Passkey, [MayBeNull] string? Pin, [MayBeNull] PushKeys? Push, string? SeedKey,
    string? Consent, string? App, string? Device);

/// <summary>The TOTP seed, for the app alone: ECDH, HKDF, AES-GCM.</summary>
[WireType("Seed")]
public sealed record SealedSeed(string Key, string Iv, string Ciphertext);

/// <summary>How the codes are made (RFC 6238).</summary>
[WireType("TotpParameters")]
public sealed record TotpParameters([WireValues("TotpAlgorithm", "SHA1", "SHA256", "SHA512")] string Algorithm, int Digits, int Period);

/// <summary>Answer of <c>finish</c>.</summary>
[WireType("FinishAnswer")]
public sealed record FinishAnswer(string AuthenticatorId, string Organisation, string Account, string DisplayName, SealedSeed Seed, TotpParameters Totp);
