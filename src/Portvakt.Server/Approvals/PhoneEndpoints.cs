using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Sessions;
using Portvakt.WebAuthn;

namespace Portvakt.Server.Approvals;

/// <summary>What a bound phone may do (docs/protocol.md sections 4 and 5). Each call carries a <see cref="PhoneProof"/>; cookies mean nothing here.</summary>
public static class PhoneEndpoints
{
    private const string DecisionType = "portvakt-decision+jws";

    public static void MapPhone(this RouteGroupBuilder api)
    {
        api.MapGet("/pending", PendingAsync).Produces<PendingAnswer>().WithName("pending").WithSummary("What waits to be answered by this phone (protocol section 4).");
        api.MapPost("/approvals/{id}/answer", AnswerAsync).Accepts<AnswerMessage>("application/json").Produces<AnswerResult>().WithName("answer").WithSummary("The signed answer, once (protocol section 4).");
        api.MapGet("/events", EventsAsync).WithName("events").WithSummary("Server-sent events while the app is visible (protocol section 4).");
        api.MapPost("/report", ReportAsync).Accepts<ReportMessage>("application/json").Produces<ReportAnswer>().WithName("report").WithSummary("How the phone is, at every start (protocol section 5).");
        api.MapPost("/remove", RemoveAsync).Produces(StatusCodes.Status204NoContent).WithName("remove").WithSummary("The account was removed on this phone (protocol section 5).");
    }

    private static async Task<IResult> PendingAsync(HttpContext http, PhoneProof proof, PortvaktDb db, Lookups lookups, TimeProvider clock, IOptions<PortvaktSettings> settings)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var now = clock.GetUtcNow();
        var request = await PendingOfAsync(db, lookups, call.Phone, now, http.RequestAborted);
        return TypedResults.Json(
            new PendingAnswer(now.ToUnixTimeSeconds(), request is null ? null : new PendingRequest(request.Id, Base64Url.EncodeToString(request.Context)), settings.Value.MinimumPhoneApp),
            PhoneJson.Options);
    }

    private static async Task<IResult> AnswerAsync(
        string id, HttpContext http, PhoneProof proof, PortvaktDb db, Lookups lookups, Outbox outbox, TimeProvider clock, Signals signals, PasswordHash hash, SessionStore sessions,
        IOptions<PortvaktSettings> settings, ILoggerFactory loggers)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var log = loggers.CreateLogger(typeof(PhoneEndpoints));
        var phone = call.Phone;

        if (ReadBody<AnswerMessage>(call.Body) is not { } message || Jws.Read(message.Jws, DecisionType) is not { } jws || jws.HeaderText("kid") != phone.KeyId) return await RefuseAsync(400, "malformed", "message");
        if (!DeviceKey.HasSigned(phone.PublicKey, jws)) return await RefuseAsync(401, "proof", "signature of the statement");
        if (jws.Message<Statement>() is not { V: 1 } statement || DecisionOf(statement.Decision) is not { } decision) return await RefuseAsync(400, "malformed", "statement");

        // The order of docs/protocol.md section 4. What is not this phone's does not exist for it.
        if (await lookups.Answer(db, id, http.RequestAborted) is not var (request, person, attempt) || !MaySee(request, phone) || statement.Id != id) return await RefuseAsync(404, "unknown-request", "not a request of this phone");
        var now = clock.GetUtcNow();

        // A lock, or the end of the sign-in, bites here too and not only when the session would be issued (R10, R24).
        var asksSomebodyGone = request.Purpose is not ApprovalPurpose.Caller && attempt?.IsLive(now) is not true; // a caller has no sign-in
        if (request.State is ApprovalState.Pending && (person.State is not PersonState.Active || asksSomebodyGone)) return await RefuseAsync(410, "expired", "locked, or the sign-in is over");
        switch (request.CanAnswer(now))
        {
            case AnswerOutcome.AlreadyAnswered: return await RefuseAsync(409, "answered", "answered already");
            case AnswerOutcome.Expired: return await RefuseAsync(410, "expired", "expired");
        }

        if (statement.Aud != settings.Value.Origin) return await RefuseAsync(400, "malformed", "audience");
        if (!Same(statement.Ctx, SHA256.HashData(request.Context))) return await RefuseAsync(400, "malformed", "context");
        if (!Same(statement.Nonce, request.Nonce)) return await RefuseAsync(400, "malformed", "nonce");

        if (decision is Decision.Approve && await UnlockProblemAsync(http, phone, message, "portvakt/decision/v1", jws.Payload, db, hash, settings.Value, now) is { } unlock)
        {
            log.AnswerRefused(id, phone.Id, unlock.Code);
            if (request.Purpose is ApprovalPurpose.EnrolmentTest) await db.RememberTroubleAsync(phone.PersonId, EnrolmentTrouble.Unlock);
            return unlock.ToResult();
        }

        // What proves a PIN is a secret and stays out of the evidence; the signature over the statement is what anybody can verify later.
        var evidence = message.Pin is null ? call.Body : JsonSerializer.SerializeToUtf8Bytes(message with { Pin = null }, PhoneJson.Options);
        if (request.Answer(phone.Id, decision, statement.Num, evidence, now) is not AnswerOutcome.Recorded) return await RefuseAsync(409, "answered", "answered already");
        db.Record(EventOf(request.State), phone.PersonId, request.Id, http, now);
        if (request.State is ApprovalState.Reported) attempt?.Abandon(now);

        // One conditional UPDATE with its audit row, and with what it entails, in the same transaction: of many answers one wins. From here on no
        // token of the request: what was written must not be left without what it entails because the app was closed in this moment.
        var failures = new FailureCounter(db, clock);
        var isFirst = await db.InTransactionAsync(
            async () =>
            {
                if (request is { State: ApprovalState.Reported, Purpose: ApprovalPurpose.SignIn }) await OpenCaseAsync(http, db, outbox, person, request, now);
                if (!await db.TrySaveAsync(CancellationToken.None)) return false;
                if (request is { State: ApprovalState.Approved, Purpose: not ApprovalPurpose.Caller }) await failures.ClearAsync(Approver.NumberKey(phone.PersonId), CancellationToken.None);
                return true;
            },
            CancellationToken.None);
        if (!isFirst) return await RefuseAsync(409, "answered", "another answer was first");
        log.Answered(request.Id, request.State.ToString());
        http.RequestServices.GetRequiredService<Telemetry>().Answered(request.State, request.Purpose);

        // A test of one's own new phone says nothing about other sign-ins.
        switch (request)
        {
            case { State: ApprovalState.Reported, Purpose: ApprovalPurpose.SignIn }:
                await sessions.EndAllAsync(phone.PersonId, http);
                break;
            case { State: ApprovalState.WrongNumber or ApprovalState.Denied or ApprovalState.Reported, Purpose: ApprovalPurpose.EnrolmentTest }:
                await db.RememberTroubleAsync(phone.PersonId, request.State is ApprovalState.WrongNumber ? EnrolmentTrouble.WrongNumber : EnrolmentTrouble.Denied);
                break;
            case { State: ApprovalState.WrongNumber, Purpose: ApprovalPurpose.SignIn }:
                await failures.RaiseAsync(Approver.NumberKey(phone.PersonId), Throttle.Number, CancellationToken.None);
                break;
        }

        signals.Wake(Signals.OfAttempt(request.AttemptId));
        signals.Wake(Signals.OfPerson(phone.PersonId));
        return TypedResults.Json(new AnswerResult(request.State switch
        {
            ApprovalState.Approved => "approved",
            ApprovalState.Denied => "denied",
            ApprovalState.Reported => "reported",
            _ => "wrong-number",
        }), PhoneJson.Options);

        async Task<IResult> RefuseAsync(int status, string code, string reason)
        {
            var named = id.Length > 40 ? "?" : id;
            log.AnswerRefused(named, phone.Id, reason);
            http.RequestServices.GetRequiredService<Telemetry>().AnswerRefused(status);
            if (status < 409)
            {
                // Not one that came late: a broken app, or somebody who tries.
                db.ChangeTracker.Clear();
                db.Record(SecurityEvent.ApprovalRefused, phone.PersonId, named, http, clock.GetUtcNow(), reason: reason);
                await db.SaveChangesAsync(CancellationToken.None);
            }

            return new PhoneProblem(status, code).ToResult();
        }
    }

    private static Task OpenCaseAsync(HttpContext http, PortvaktDb db, Outbox outbox, Person person, ApprovalRequest request, DateTimeOffset now)
    {
        var asked = JsonSerializer.Deserialize<ApprovalContext>(request.Context, PhoneJson.Options)!;
        return NotMe.OpenCaseAsync(http, db, outbox, person, new Stranger(request.Id, asked.Application, asked.Address, asked.Browser), now);
    }

    private static async Task<IResult> EventsAsync(HttpContext http, IServiceScopeFactory scopes, Lookups lookups, LiveNews news)
    {
        var (caller, problem) = await CallerAsync(http, scopes);
        if (caller is not { } phone) return problem!.ToResult();
        return TypedResults.ServerSentEvents(news.OfAsync(Signals.OfPerson(phone.PersonId), "pending", told: null, LookAsync, http.RequestAborted));

        // The phone as it is now: a revoked one hears nothing more, and one that was confirmed meanwhile hears of sign-ins.
        async Task<Sight> LookAsync(PortvaktDb db, DateTimeOffset now)
        {
            var current = await db.Phones.AsNoTracking().SingleOrDefaultAsync(row => row.Id == phone.Id && row.State != AuthenticatorState.Revoked && row.RemovedOnPhoneAt == null, http.RequestAborted);
            if (current is null) return new Sight(null);
            var request = await PendingOfAsync(db, lookups, current, now, http.RequestAborted);
            return new Sight(request?.Id ?? "", request?.ExpiresAt);
        }
    }

    /// <summary>Who calls, without a context of the database that would be held as long as the answer lasts.</summary>
    internal static async Task<(PhoneAuthenticator? Phone, PhoneProblem? Problem)> CallerAsync(HttpContext http, IServiceScopeFactory scopes)
    {
        await using var scope = scopes.CreateAsyncScope();
        var (call, problem) = await scope.ServiceProvider.GetRequiredService<PhoneProof>().VerifyAsync(http);
        return (call?.Phone, problem);
    }

    private static async Task<IResult> ReportAsync(HttpContext http, PhoneProof proof, PortvaktDb db, PushDelivery push, TimeProvider clock, IOptions<PortvaktSettings> settings)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        if (ReadBody<ReportMessage>(call.Body) is not { } report) return new PhoneProblem(400, "malformed").ToResult();
        var now = clock.GetUtcNow();
        var subscription = push.Accept(report.Push);
        var sealedPush = subscription is null ? null : push.Seal(call.Phone.Id, subscription);
        var version = report.App is { Length: > 0 and <= 20 } app ? app : call.Phone.AppVersion;

        // Not under the version of the row: how the phone is doing must never get in the way of what it is answering in the same moment.
        await db.Phones.Where(row => row.Id == call.Phone.Id && row.State != AuthenticatorState.Revoked).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.SealedPush, sealedPush).SetProperty(row => row.AppVersion, version)
                .SetProperty(row => row.StoragePersisted, report.Persisted ?? false).SetProperty(row => row.LastSeenAt, now),
            http.RequestAborted);
        PhoneHint.Leave(http);
        return TypedResults.Json(
            new ReportAnswer(now.ToUnixTimeSeconds(), subscription is not null ? "ok" : report.Push is null ? "missing" : "renew", settings.Value.MinimumPhoneApp), PhoneJson.Options);
    }

    private static async Task<IResult> RemoveAsync(HttpContext http, PhoneProof proof, PortvaktDb db, Outbox outbox, TimeProvider clock)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var now = clock.GetUtcNow();
        call.Phone.RemoveOnPhone(now);
        db.Record(SecurityEvent.PhoneRemoved, call.Phone.PersonId, call.Phone.Id.ToString("N"), http, now);
        await outbox.TellAsync(SecurityEvent.PhoneRemoved, call.Phone.PersonId, http, now, http.RequestAborted, call.Phone.Id);
        return await db.TrySaveAsync(http.RequestAborted) ? TypedResults.NoContent() : new PhoneProblem(409, "answered").ToResult();
    }

    /// <summary>The body as a message; null when it is not one.</summary>
    public static T? ReadBody<T>(byte[] body) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(body, PhoneJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Bytes of base64url text; null when it is not that.</summary>
    public static byte[]? Bytes(string? text)
    {
        if (text is null) return null;
        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static Task<ApprovalRequest?> PendingOfAsync(PortvaktDb db, Lookups lookups, PhoneAuthenticator phone, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var mayAnswerSignIns = phone.State is AuthenticatorState.Active;
        return lookups.Pending(db, phone.PersonId, phone.Id, mayAnswerSignIns, now, cancellationToken);
    }

    /// <summary>A phone that is not confirmed yet sees its own test and nothing else.</summary>
    private static bool MaySee(ApprovalRequest request, PhoneAuthenticator phone) =>
        request.Concerns(phone.PersonId, phone.Id) && (phone.State is AuthenticatorState.Active || request.OnlyPhoneId == phone.Id);

    /// <summary>R16: the phone's unlock, proven to the server each time and bound to exactly this statement.</summary>
    internal static async Task<PhoneProblem?> UnlockProblemAsync(
        HttpContext http, PhoneAuthenticator phone, AnswerMessage message, string label, byte[] statement, PortvaktDb db, PasswordHash hash, PortvaktSettings settings, DateTimeOffset now)
    {
        if (phone.Unlock is PhoneUnlock.Pin) return await PinProblemAsync(http, phone, message.Pin, db, hash, now);

        if (message.Assertion is not { } sent || Bytes(sent.CredentialId) is not { } credentialId || Bytes(sent.AuthenticatorData) is not { } authenticatorData
            || Bytes(sent.ClientDataJson) is not { } clientData || Bytes(sent.Signature) is not { } signature)
            return new PhoneProblem(422, "unlock");

        var expected = new RelyingPartyExpectation(settings.PublicUri.Host, [settings.Origin], LabelledHash.Of(label, statement), RequireUserVerification: true);
        var stored = new StoredCredential(phone.CredentialId!, phone.CredentialKey!, (uint)phone.SignatureCounter, phone.BackupEligible);
        var outcome = Assertion.Verify(expected, stored, credentialId, clientData, authenticatorData, signature);
        if (outcome.Assertion is not { } verified) return new PhoneProblem(422, "unlock");
        phone.RecordAssertion(verified.SignatureCounter, verified.BackupState);
        return null;
    }

    private static async Task<PhoneProblem?> PinProblemAsync(HttpContext http, PhoneAuthenticator phone, string? pin, PortvaktDb db, PasswordHash hash, DateTimeOffset now)
    {
        // Counted before it is looked at; five wrong ones in a row and the phone is dead.
        var counted = await db.Phones.Where(row => row.Id == phone.Id && row.PinFailures < PhoneAuthenticator.PinTries)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.PinFailures, row => row.PinFailures + 1), CancellationToken.None);
        if (counted is 0) return new PhoneProblem(423, "pin-locked");
        bool right;
        try
        {
            right = pin is { Length: 43 } && await hash.VerifyAsync(pin, phone.PinHash, http.RequestAborted);
        }
        catch (Exception gaveUp) when (gaveUp is TooManyHashesException or OperationCanceledException)
        {
            // Nobody looked at the PIN: it counts as neither right nor wrong.
            await db.Phones.Where(row => row.Id == phone.Id && row.PinFailures > 0).ExecuteUpdateAsync(set => set.SetProperty(row => row.PinFailures, row => row.PinFailures - 1), CancellationToken.None);
            throw;
        }

        if (right)
        {
            await db.Phones.Where(row => row.Id == phone.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.PinFailures, 0), http.RequestAborted);
            return null;
        }

        var failures = await db.Phones.Where(row => row.Id == phone.Id).Select(row => row.PinFailures).SingleAsync(http.RequestAborted);
        var left = Math.Max(0, PhoneAuthenticator.PinTries - failures);
        db.Record(left is 0 ? SecurityEvent.PinLocked : SecurityEvent.PinRejected, phone.PersonId, phone.Id.ToString("N"), http, now);
        await db.SaveChangesAsync(http.RequestAborted);
        return left is 0 ? new PhoneProblem(423, "pin-locked") : new PhoneProblem(422, "pin", left);
    }

    private static bool Same(string? text, byte[] expected) =>
        text is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(text), Encoding.ASCII.GetBytes(Base64Url.EncodeToString(expected)));

    private static Decision? DecisionOf(string? text) => text switch
    {
        "approve" => Decision.Approve,
        "cancelled" => Decision.Cancelled,
        "not-me" => Decision.NotMe,
        _ => null,
    };

    private static SecurityEvent EventOf(ApprovalState state) => state switch
    {
        ApprovalState.Approved => SecurityEvent.ApprovalApproved,
        ApprovalState.Denied => SecurityEvent.ApprovalDenied,
        ApprovalState.Reported => SecurityEvent.ApprovalReported,
        _ => SecurityEvent.ApprovalWrongNumber,
    };
}
