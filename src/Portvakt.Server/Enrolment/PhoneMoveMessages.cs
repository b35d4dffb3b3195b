using Portvakt.Server.Hosting;

namespace Portvakt.Server.Enrolment;

// The wire types of docs/protocol.md, section 9. The phone app's types are generated from these.

/// <summary>What the old phone signs: payload of <c>portvakt-move+jws</c>. <c>Nonce</c> and <c>Jti</c> with <c>begin</c>; the move, the new phone's key and the number with <c>confirm</c>.</summary>
[WireType("MoveStatement")]
public sealed record MoveStatement(
    [WireValues("", "1")] int? V, [WireValues("MoveStep", "begin", "confirm")] string? Step, string? Aud, [MayBeMissing] string? Nonce, [MayBeMissing] string? Jti, [MayBeMissing] string? Id, [MayBeMissing] string? To, [MayBeMissing] string? Num, long? Iat);

/// <summary>Answer of <c>POST /phone/api/move/begin</c>: what the new phone scans or is typed into it.</summary>
[WireType("MoveBegun")]
public sealed record MoveBegun(string Id, string Code, string TypedCode, long ExpiresAt, long ServerTime);

/// <summary>How a move stands, as one of its two phones may know it: the number is for the new one, whose name and key are for the old one.</summary>
[WireType("Move")]
public sealed record MoveView(
    string Id, [WireValues("MoveState", "waiting", "connected", "number", "done", "wrong-number", "used-twice", "over")] string State, long ExpiresAt,
    int Digits, [MayBeNull] string? Number, [MayBeNull] string? Device, [MayBeNull] string? To, bool Luggage);

/// <summary>Answer of <c>GET /phone/api/move</c>.</summary>
/// <param name="ServerTime">Unix seconds.</param>
/// <param name="Refusal">Why this phone may not begin a move now; null: it may.</param>
/// <param name="Move">The newest that this phone is part of.</param>
[WireType("MoveAnswer")]
public sealed record MoveAnswer(long ServerTime, [MayBeNull][WireValues("MoveRefusal", "unknown-phone", "pin-locked", "closed", "not-allowed", "reported")] string? Refusal, [MayBeNull] MoveView? Move);

/// <summary>Accounts of other services on their way, AES-256-GCM under a key that only the picture carries; each part base64url.</summary>
[WireType("Luggage")]
public sealed record LuggageMessage(string? Iv, string? Sealed);

/// <summary>Answer of <c>POST /phone/api/move/confirm</c>.</summary>
[WireType("MoveOutcome")]
public sealed record MoveOutcome([WireValues("", "moved", "wrong-number")] string Outcome);
