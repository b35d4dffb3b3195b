using Portvakt.Server.Approvals;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Enrolment;

// The wire types of docs/protocol.md, section 8. The phone app's types are generated from these.

/// <summary>Body of <c>POST /phone/api/rebind/begin</c>: the thumbprint of the key the phone has just made.</summary>
[WireType("RebindRequest")]
public sealed record RebindBeginMessage(string? Kid);

/// <summary>Answer of <c>begin</c>: what the passkey signs, and whom to ask when it cannot.</summary>
[WireType("RebindAnswer")]
public sealed record RebindBeginAnswer(
    string Audience, string Organisation, string Challenge, long ExpiresAt, long ServerTime, PasskeyRelyingParty RelyingParty, string VapidPublicKey, [MayBeNull] string? Helpdesk);

/// <summary>Body of <c>POST /phone/api/rebind/finish</c>. The password is beside what is signed: a secret is no evidence.</summary>
[WireType("RebindFinishRequest")]
public sealed record RebindFinishMessage(string? Jws, [MayBeNull] string? Password);

/// <summary>What the phone signs to bind itself anew: payload of <c>portvakt-rebind+jws</c>.</summary>
[WireType("RebindingPayload")]
public sealed record RebindStatement(
    [WireValues("", "1")] int? V, string? Aud, string? Challenge, string? Kid, AssertionMessage? Assertion, [MayBeNull] PushKeys? Push, string? SeedKey, string? Consent, string? App, string? Device);
