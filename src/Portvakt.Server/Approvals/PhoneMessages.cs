using System.Text.Json.Serialization;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Approvals;

// The wire types of docs/protocol.md, sections 3 to 5 and 7. The phone app's types are generated from these.

/// <summary>Payload of a proof (section 3).</summary>
[WireType("ProofPayload")]
public sealed record ProofMessage(string? Htm, string? Htu, long? Iat, string? Jti, string? Nonce, [MayBeMissing] string? Bh);

/// <summary>What waits to be answered; <c>Context</c> is base64url of <see cref="ApprovalContext"/>.</summary>
[WireType("PendingRequest")]
public sealed record PendingRequest(string Id, string Context);

/// <summary>Answer of <c>GET /phone/api/pending</c>.</summary>
[WireType("PendingAnswer")]
public sealed record PendingAnswer(long ServerTime, [MayBeNull] PendingRequest? Request, string MinimumApp);

/// <summary>C: what the phone shows, and what its answer is bound to by hash. The number is not in it.</summary>
[WireType("Context")]
public sealed record ApprovalContext(
    [WireValues("", "1")] int V, string Id, string Aud, string Application, [WireValues("Purpose", "sign-in", "enrolment-test", "caller")] string Purpose, [MayBeNull] string? Place, [MayBeNull] string? Address,
    string Browser, string Nonce, long Iat, long Exp, int Digits);

/// <summary>S: what the phone signs; payload of <c>portvakt-decision+jws</c>.</summary>
[WireType("Statement")]
public sealed record Statement(
    [WireValues("", "1")] int? V, string? Id, string? Aud, string? Ctx, string? Nonce, [WireValues("Decision", "approve", "cancelled", "not-me")] string? Decision, [MayBeMissing] string? Num, long? Iat);

/// <summary>A WebAuthn assertion, each part base64url.</summary>
[WireType("Assertion")]
public sealed record AssertionMessage(string? CredentialId, string? AuthenticatorData, string? ClientDataJson, string? Signature);

/// <summary>Body of <c>POST /phone/api/approvals/{id}/answer</c>, and of the two steps of a move: a signed statement with the unlock that was given for it.</summary>
[WireType("Answer")]
public sealed record AnswerMessage(string? Jws, [MayBeNull] AssertionMessage? Assertion, [MayBeNull] string? Pin);

/// <summary>What came of an answer.</summary>
[WireType("OutcomeAnswer")]
public sealed record AnswerResult([WireValues("Outcome", "approved", "denied", "reported", "wrong-number")] string Outcome);

/// <summary>A push subscription as browsers give it.</summary>
[WireType("PushSubscriptionKeys")]
public sealed record PushKeys(string? Endpoint, string? P256dh, string? Auth);

/// <summary>Body of <c>POST /phone/api/report</c>.</summary>
[WireType("ReportRequest")]
public sealed record ReportMessage([MayBeNull] PushKeys? Push, bool? Persisted, string? App);

/// <summary>Answer of <c>POST /phone/api/report</c>.</summary>
[WireType("ReportAnswer")]
public sealed record ReportAnswer(long ServerTime, [WireValues("", "ok", "missing", "renew")] string Push, string MinimumApp);

/// <summary>What a push shows by itself, in Apple's declarative form.</summary>
[WireType("PushNotification")]
public sealed record PushNotification(string Title, string Body, string Navigate, string Lang, bool Silent);

/// <summary>Plaintext of a push: an opaque id and a neutral text, nothing else (R20). Without an id it is a notice (R37): there is nothing to answer.</summary>
[WireType("PushMessage")]
public sealed record PushPayload([property: JsonPropertyName("web_push")][WireValues("", "8030")] int WebPush, PushNotification Notification, string Id);

/// <summary>RFC 9457 with the stable code of section 7.</summary>
[WireType("Problem")]
public sealed record PhoneProblem(
    int Status,
    [WireValues(
        "ProblemCode", "malformed", "nonce", "proof", "unknown-phone", "unknown-code", "unknown-request", "code-used", "code-used-twice", "answered", "code-expired", "expired", "unlock", "pin",
        "pin-locked", "binding", "rebinding", "password", "phone-removed", "account-closed", "other-way", "closed", "not-allowed", "reported", "slow-down", "unavailable")] string Code,
    [MayBeMissing] int? TriesLeft = null)
{
    public IResult ToResult()
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = Code };
        if (TriesLeft is { } left) extensions["triesLeft"] = left;
        return Results.Problem(statusCode: Status, extensions: extensions);
    }
}
