namespace Portvakt.Server.Approvals;

// The wire types of docs/protocol.md, sections 3 to 5. The phone app's types are generated from these.

/// <summary>Payload of a proof (section 3).</summary>
public sealed record ProofMessage(string? Htm, string? Htu, long? Iat, string? Jti, string? Nonce, string? Bh);

/// <summary>What waits to be answered.</summary>
public sealed record PendingRequest(string Id, string Context);

/// <summary>Answer of <c>GET /phone/api/pending</c>.</summary>
public sealed record PendingAnswer(long ServerTime, PendingRequest? Request, string MinimumApp);

/// <summary>C: what the phone shows, and what its answer is bound to by hash. The number is not in it.</summary>
public sealed record ApprovalContext(
    int V, string Id, string Aud, string Application, string Purpose, string? Place, string? Address, string Browser, string Nonce, long Iat, long Exp, int Digits);

/// <summary>S: what the phone signs.</summary>
public sealed record Statement(int? V, string? Id, string? Aud, string? Ctx, string? Nonce, string? Decision, string? Num, long? Iat);

/// <summary>A WebAuthn assertion, each part base64url.</summary>
public sealed record AssertionMessage(string? CredentialId, string? AuthenticatorData, string? ClientDataJson, string? Signature);

/// <summary>Body of <c>POST /phone/api/approvals/{id}/answer</c>.</summary>
public sealed record AnswerMessage(string? Jws, AssertionMessage? Assertion, string? Pin);

/// <summary><c>approved</c>, <c>denied</c>, <c>reported</c> or <c>wrong-number</c>.</summary>
public sealed record AnswerResult(string Outcome);

/// <summary>A push subscription as browsers give it.</summary>
public sealed record PushMessage(string? Endpoint, string? P256dh, string? Auth);

/// <summary>Body of <c>POST /phone/api/report</c>.</summary>
public sealed record ReportMessage(PushMessage? Push, bool? Persisted, string? App);

/// <summary><c>push</c> is <c>ok</c>, <c>missing</c> or <c>renew</c>.</summary>
public sealed record ReportAnswer(long ServerTime, string Push, string MinimumApp);

/// <summary>RFC 9457 with the stable code of section 7.</summary>
public sealed record PhoneProblem(int Status, string Code, int? TriesLeft = null)
{
    public IResult ToResult()
    {
        var extensions = new Dictionary<string, object?>(StringComparer.Ordinal) { ["code"] = Code };
        if (TriesLeft is { } left) extensions["triesLeft"] = left;
        return Results.Problem(statusCode: Status, extensions: extensions);
    }
}
