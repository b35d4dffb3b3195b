using Portvakt.Server.Approvals;

namespace Portvakt.Server.Enrolment;

// The wire types of docs/protocol.md, section 2. The phone app's types are generated from these.

/// <summary>Body of <c>POST /phone/api/binding/begin</c>: the code, and the thumbprint of the key the phone has just made.</summary>
public sealed record BeginMessage(string? Code, string? Kid);

public sealed record RelyingPartyName(string Id, string Name);

public sealed record UserName(string Id, string Name, string DisplayName);

/// <summary>Answer of <c>begin</c>: whose account it would be, and what the passkey is made over.</summary>
public sealed record BeginAnswer(
    string Audience, string Organisation, string Account, string Challenge, long ExpiresAt, long ServerTime, RelyingPartyName RelyingParty, UserName User, string VapidPublicKey, string[] Unlock);

/// <summary>Body of <c>POST /phone/api/binding/finish</c>.</summary>
public sealed record FinishMessage(string? Jws);

/// <summary>A new passkey, each part base64url.</summary>
public sealed record PasskeyMessage(string? AttestationObject, string? ClientDataJson);

/// <summary>What the phone signs to bind itself: payload of <c>portvakt-bind+jws</c>.</summary>
public sealed record BindStatement(
    int? V, string? Aud, string? CodeHash, string? Challenge, string? Kid, PasskeyMessage? Passkey, string? Pin, PushMessage? Push, string? SeedKey, string? Consent, string? App, string? Device);

/// <summary>The TOTP seed, for the app alone: ECDH, HKDF, AES-GCM.</summary>
public sealed record SealedSeed(string Key, string Iv, string Ciphertext);

public sealed record TotpParameters(string Algorithm, int Digits, int Period);

/// <summary>Answer of <c>finish</c>.</summary>
public sealed record FinishAnswer(string AuthenticatorId, string Organisation, string Account, string DisplayName, SealedSeed Seed, TotpParameters Totp);
