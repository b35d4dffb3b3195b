using System.Buffers.Text;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Enrolment;

/// <summary>
/// A new phone while the old one works (docs/protocol.md section 9): the old one shows the code, the new one binds itself with it and shows a number, and the number
/// typed on the old one makes the one save after which the new one counts and the old one does not (R38).
/// </summary>
public static class PhoneMoveEndpoint
{
    /// <summary>With its base64 it fits into a body of 64 KiB, as every message does: some 250 accounts.</summary>
    private const int MostLuggage = 45_000;

    private const string MoveType = "portvakt-move+jws";
    private const string UnlockLabel = "portvakt/move/v1";

    /// <summary>What came of a phone may rest on its requests or on its codes.</summary>
    private const Methods OfPhone = Methods.App | Methods.Code;

    public static void MapPhoneMove(this RouteGroupBuilder api)
    {
        api.MapGet("/move", StateAsync).Produces<MoveAnswer>().WithName("move").WithSummary("How the move that this phone is part of stands (protocol section 9).");
        api.MapGet("/move/events", EventsAsync).WithName("moveEvents").WithSummary("Server-sent events while the app shows a move (protocol section 9).");
        api.MapPost("/move/begin", BeginAsync).Accepts<AnswerMessage>("application/json").Produces<MoveBegun>().WithName("moveBegin").WithSummary("The old phone asks for a code for the new one (protocol section 9).");
        api.MapPost("/move/luggage", PackAsync).Accepts<LuggageMessage>("application/json").Produces(StatusCodes.Status204NoContent).WithName("movePack").WithSummary("Other accounts of the old phone, sealed (protocol section 9).");
        api.MapGet("/move/luggage", UnpackAsync).Produces<LuggageMessage>().WithName("moveUnpack").WithSummary("The same, for the new phone once it counts (protocol section 9).");
        api.MapPost("/move/arrived", ArrivedAsync).Produces(StatusCodes.Status204NoContent).WithName("moveArrived").WithSummary("The new phone has them; the server forgets them (protocol section 9).");
        api.MapPost("/move/confirm", ConfirmAsync).Accepts<AnswerMessage>("application/json").Produces<MoveOutcome>().WithName("moveConfirm").WithSummary("The number of the new phone, typed on the old one: one try (protocol section 9).");
        api.MapPost("/move/cancel", CancelAsync).Produces(StatusCodes.Status204NoContent).WithName("moveCancel").WithSummary("Given up on one of the two phones (protocol section 9).");
    }

    /// <summary>Why a phone is not moved now; null: it may be. Asked anew at each step: a lock bites at once (R10).</summary>
    public static async Task<PhoneProblem?> RefusalAsync(PortvaktDb db, Rulings rulings, HttpContext http, PhoneAuthenticator? old)
    {
        if (old is not { State: AuthenticatorState.Active, RemovedOnPhoneAt: null }) return new PhoneProblem(StatusCodes.Status401Unauthorized, "unknown-phone");
        if (!old.CanBeAsked) return new PhoneProblem(StatusCodes.Status423Locked, "pin-locked");
        if (await rulings.OfAsync(old.PersonId, http, http.RequestAborted) is not { } ruling) return new PhoneProblem(StatusCodes.Status403Forbidden, "closed");
        if (await db.Cases.AnyAsync(row => row.PersonId == old.PersonId && row.ClosedAt == null, http.RequestAborted)) return new PhoneProblem(StatusCodes.Status403Forbidden, "reported");
        return ruling.ForEnrolment.HasFlag(Methods.App) ? null : new PhoneProblem(StatusCodes.Status403Forbidden, "not-allowed");
    }

    private static async Task<IResult> StateAsync(HttpContext http, PhoneProof proof, PortvaktDb db, Rulings rulings, TimeProvider clock)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var now = clock.GetUtcNow();
        return TypedResults.Json(
            new MoveAnswer(now.ToUnixTimeSeconds(), (await RefusalAsync(db, rulings, http, call.Phone))?.Code, await ViewAsync(db, await NewestAsync(db, call.Phone, http.RequestAborted), call.Phone, now, http.RequestAborted)),
            PhoneJson.Options);
    }

    private static async Task<IResult> EventsAsync(HttpContext http, IServiceScopeFactory scopes, LiveNews news)
    {
        var (caller, problem) = await PhoneEndpoints.CallerAsync(http, scopes);
        if (caller is not { } phone) return problem!.ToResult();
        return TypedResults.ServerSentEvents(news.OfAsync(Signals.OfPerson(phone.PersonId), "move", told: null, LookAsync, http.RequestAborted));

        // An old phone learns here that it was revoked, so it is told to the end.
        async Task<Sight> LookAsync(PortvaktDb db, DateTimeOffset now) =>
            await NewestAsync(db, phone, http.RequestAborted) is { } move ? new Sight(StateOf(move, now), move.ExpiresAt > now ? move.ExpiresAt : null) : new Sight("");
    }

    private static async Task<IResult> BeginAsync(
        HttpContext http, PhoneProof proof, PortvaktDb db, Rulings rulings, TimeProvider clock, Signals signals, PasswordHash hash, IOptions<PortvaktSettings> settings)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var phone = call.Phone;
        var (message, jws, statement) = Read(call, "begin");
        if (statement is null || statement.Aud != settings.Value.Origin) return new PhoneProblem(StatusCodes.Status400BadRequest, "malformed").ToResult();
        if (await RefusalAsync(db, rulings, http, phone) is { } refusal) return refusal.ToResult();
        var now = clock.GetUtcNow();

        // What the unlock was given for is one move, now: the same statement never counts again.
        if (!await proof.UseStatementOnceAsync(phone, "move", statement.Nonce, statement.Jti, http.RequestAborted)) return new PhoneProblem(StatusCodes.Status410Gone, "expired").ToResult();
        var failures = new FailureCounter(db, clock);
        if (await failures.BlockedForAsync(Approver.NumberKey(phone.PersonId), http.RequestAborted) is { } pause) return Slow(http, pause);
        if (await failures.RaiseAsync($"methods:{phone.PersonId:N}", Throttle.MethodChanges, http.RequestAborted) is { } wait) return Slow(http, wait);
        if (await PhoneEndpoints.UnlockProblemAsync(http, phone, message!, UnlockLabel, jws!.Payload, db, hash, settings.Value, now) is { } unlock) return unlock.ToResult();

        var (code, typed) = (Base32.Random(BindingCode.Length), Base32.Random(BindingCode.TypedLength));
        var move = new BindingCode(phone, code, typed, now);
        await using (var transaction = await db.Database.BeginTransactionAsync(http.RequestAborted))
        {
            // A new one kills the older, and what was bound with it. Saved first: the database lets one live move of a phone stand.
            foreach (var old in await db.BindingCodes.Where(row => row.ReplacesPhoneId == phone.Id).ToListAsync(http.RequestAborted)) await EndAsync(db, old, http.RequestAborted);
            var won = await db.TrySaveAsync(http.RequestAborted);
            if (won)
            {
                db.BindingCodes.Add(move);
                db.Record(SecurityEvent.MoveBegun, phone.PersonId, phone.Id.ToString("N"), http, now);
                won = await db.TrySaveAsync(http.RequestAborted);
            }

            if (!won) return new PhoneProblem(StatusCodes.Status409Conflict, "answered").ToResult();
            await transaction.CommitAsync(http.RequestAborted);
        }

        signals.Wake(Signals.OfPerson(phone.PersonId));
        return TypedResults.Json(new MoveBegun(move.Id.ToString("N"), code, typed, move.ExpiresAt.ToUnixTimeSeconds(), now.ToUnixTimeSeconds()), PhoneJson.Options);
    }

    private static async Task<IResult> PackAsync(HttpContext http, PhoneProof proof, PortvaktDb db, TimeProvider clock)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        if (PhoneEndpoints.ReadBody<LuggageMessage>(call.Body) is not { } luggage || PhoneEndpoints.Bytes(luggage.Iv) is not { Length: 12 } iv || PhoneEndpoints.Bytes(luggage.Sealed) is not { Length: >= 16 and <= MostLuggage } box)
            return new PhoneProblem(StatusCodes.Status400BadRequest, "malformed").ToResult();

        // Not under the version of the row: it must not get in the way of the new phone.
        var now = clock.GetUtcNow();
        byte[] packed = [.. iv, .. box];
        var rows = await db.BindingCodes
            .Where(row => row.ReplacesPhoneId == call.Phone.Id && row.ExpiresAt > now && (row.State == BindingState.Waiting || row.State == BindingState.Claimed || row.State == BindingState.Bound))
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Luggage, packed), http.RequestAborted);
        return rows is 1 ? TypedResults.NoContent() : new PhoneProblem(StatusCodes.Status410Gone, "expired").ToResult();
    }

    private static async Task<IResult> UnpackAsync(HttpContext http, PhoneProof proof, PortvaktDb db, TimeProvider clock)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var now = clock.GetUtcNow();

        // Not before the number was right: whoever photographed the picture has the key, and must not have this.
        var packed = await db.BindingCodes.AsNoTracking()
            .Where(row => row.PhoneId == call.Phone.Id && row.ReplacesPhoneId != null && row.State == BindingState.Confirmed && row.ExpiresAt > now && row.Luggage != null)
            .Select(row => row.Luggage).SingleOrDefaultAsync(http.RequestAborted);
        return packed is null
            ? new PhoneProblem(StatusCodes.Status404NotFound, "unknown-request").ToResult()
            : TypedResults.Json(new LuggageMessage(Base64Url.EncodeToString(packed.AsSpan(0, 12)), Base64Url.EncodeToString(packed.AsSpan(12))), PhoneJson.Options);
    }

    private static async Task<IResult> ArrivedAsync(HttpContext http, PhoneProof proof, PortvaktDb db)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        await db.BindingCodes.Where(row => row.PhoneId == call.Phone.Id && row.State == BindingState.Confirmed)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Luggage, (byte[]?)null), http.RequestAborted);
        return TypedResults.NoContent();
    }

    private static async Task<IResult> ConfirmAsync(
        HttpContext http, PhoneProof proof, PortvaktDb db, Rulings rulings, Outbox outbox, TimeProvider clock, Signals signals, PasswordHash hash, IOptions<PortvaktSettings> settings)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        var (old, now) = (call.Phone, clock.GetUtcNow());
        var (message, jws, statement) = Read(call, "confirm");
        if (statement is null || statement.Aud != settings.Value.Origin) return new PhoneProblem(StatusCodes.Status400BadRequest, "malformed").ToResult();

        // What is not this phone's move does not exist for it.
        if (!Guid.TryParseExact(statement.Id, "N", out var id) || await db.BindingCodes.SingleOrDefaultAsync(row => row.Id == id && row.ReplacesPhoneId == old.Id, http.RequestAborted) is not { } move)
            return new PhoneProblem(StatusCodes.Status404NotFound, "unknown-request").ToResult();
        if (move is not { State: BindingState.Bound, PhoneId: { } newId } || now >= move.ExpiresAt) return new PhoneProblem(StatusCodes.Status410Gone, "expired").ToResult();
        if (statement.To != move.KeyId) return new PhoneProblem(StatusCodes.Status400BadRequest, "malformed").ToResult();

        // Both before anything is asked of them: what changes from here on loses the save. A phone that its owner has removed again takes nobody's place.
        var person = await db.People.SingleAsync(row => row.Id == old.PersonId, http.RequestAborted);
        if (await db.Phones.SingleOrDefaultAsync(row => row.Id == newId, http.RequestAborted) is not { State: AuthenticatorState.Unconfirmed, RemovedOnPhoneAt: null } phone) return new PhoneProblem(StatusCodes.Status410Gone, "expired").ToResult();
        if (await RefusalAsync(db, rulings, http, old) is { } refusal) return refusal.ToResult();

        if (await PhoneEndpoints.UnlockProblemAsync(http, old, message!, UnlockLabel, jws!.Payload, db, hash, settings.Value, now) is { } unlock) return unlock.ToResult();

        // Wrong numbers are counted over all of a person's requests, before this one is looked at (R54).
        var (failures, key) = (new FailureCounter(db, clock), Approver.NumberKey(old.PersonId));
        if (await failures.RaiseAsync(key, Throttle.Number, http.RequestAborted) is { } wait) return Slow(http, wait);

        // One save under the versions of the person, of both phones and of the code: before it the old phone works and the new one counts for nothing, after it the
        // other way round. From here on no token of the request: what is written must not be left without what it entails because the app was closed in this moment.
        var right = move.Move(statement.Num, now);
        await using (var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None))
        {
            db.Entry(person).Property(row => row.SearchText).IsModified = true;
            if (right)
            {
                phone.Activate();
                foreach (var totp in await db.Totps.Where(row => row.PhoneId == newId).ToListAsync(CancellationToken.None)) totp.Activate();
                await PhoneBindingEndpoint.RevokeAsync(db, old.Id, CancellationToken.None);
                await db.Approvals.Where(row => row.PersonId == person.Id && row.State == ApprovalState.Pending)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ApprovalState.Superseded).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);

                // As when a phone is removed in security info: what came of it ends with it (R62), and whoever is half way in begins again.
                foreach (var session in await db.Sessions.AsNoTracking().Where(row => row.PersonId == person.Id && row.EndedAt == null && row.Method != null).ToListAsync(CancellationToken.None))
                {
                    if (OfPhone.HasFlag(AuthenticationMethods.MethodOf(session.Method!.Value))) await SessionStore.EndInTransactionAsync(db, session.Id, http, now);
                }

                await PersonMethods.AbandonAttemptsAsync(db, person.Id, now);
            }
            else
            {
                await PhoneBindingEndpoint.RevokeAsync(db, newId, CancellationToken.None);
            }

            var what = right ? SecurityEvent.PhoneMoved : SecurityEvent.MoveRefused;
            db.Record(what, person.Id, newId.ToString("N"), http, now);
            await outbox.TellAsync(what, person, http, now, CancellationToken.None, right ? newId : old.Id);
            if (!await db.TrySaveAsync(CancellationToken.None)) return new PhoneProblem(StatusCodes.Status409Conflict, "answered").ToResult();
            await transaction.CommitAsync(CancellationToken.None);
        }

        if (right) await failures.ClearAsync(key, CancellationToken.None);
        signals.Wake(Signals.OfPerson(person.Id));
        return TypedResults.Json(new MoveOutcome(right ? "moved" : "wrong-number"), PhoneJson.Options);
    }

    private static async Task<IResult> CancelAsync(HttpContext http, PhoneProof proof, PortvaktDb db, TimeProvider clock, Signals signals)
    {
        var (call, problem) = await proof.VerifyAsync(http);
        if (call is null) return problem!.ToResult();
        if (await NewestAsync(db, call.Phone, http.RequestAborted) is { State: BindingState.Waiting or BindingState.Claimed or BindingState.Bound } move)
        {
            db.BindingCodes.Attach(move);
            await EndAsync(db, move, http.RequestAborted);
            db.Record(SecurityEvent.MoveCancelled, move.PersonId, call.Phone.Id.ToString("N"), http, clock.GetUtcNow());
            if (!await db.TrySaveAsync(http.RequestAborted)) return new PhoneProblem(StatusCodes.Status409Conflict, "answered").ToResult();
            signals.Wake(Signals.OfPerson(move.PersonId));
        }

        return TypedResults.NoContent();
    }

    /// <summary>A message whose statement this phone has signed; nothing of it is believed but the signature.</summary>
    private static (AnswerMessage? Message, Jws? Jws, MoveStatement? Statement) Read(PhoneProof.Call call, string step)
    {
        if (PhoneEndpoints.ReadBody<AnswerMessage>(call.Body) is not { } message || Jws.Read(message.Jws, MoveType) is not { } jws || jws.HeaderText("kid") != call.Phone.KeyId) return default;
        return DeviceKey.HasSigned(call.Phone.PublicKey, jws) && jws.Message<MoveStatement>() is { V: 1 } statement && statement.Step == step ? (message, jws, statement) : default;
    }

    /// <summary>Over before it came to anything: what was bound counts for nothing.</summary>
    private static async Task EndAsync(PortvaktDb db, BindingCode move, CancellationToken cancellationToken)
    {
        if (move is { State: BindingState.Bound, PhoneId: { } phoneId }) await PhoneBindingEndpoint.RevokeAsync(db, phoneId, cancellationToken);
        move.Replace();
    }

    /// <summary>The live one, or how the last one ended.</summary>
    private static Task<BindingCode?> NewestAsync(PortvaktDb db, PhoneAuthenticator phone, CancellationToken cancellationToken) =>
        db.BindingCodes.AsNoTracking().Where(row => row.PersonId == phone.PersonId && (row.ReplacesPhoneId == phone.Id || (row.ReplacesPhoneId != null && row.PhoneId == phone.Id)))
            .OrderByDescending(row => row.State == BindingState.Waiting || row.State == BindingState.Claimed || row.State == BindingState.Bound ? 1 : 0).ThenByDescending(row => row.CreatedAt).FirstOrDefaultAsync(cancellationToken);

    private static async Task<MoveView?> ViewAsync(PortvaktDb db, BindingCode? move, PhoneAuthenticator viewer, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (move is null) return null;
        var state = StateOf(move, now);
        var isNew = move.PhoneId == viewer.Id;
        var device = !isNew && state is "number" ? await db.Phones.Where(row => row.Id == move.PhoneId).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken) : null;
        return new MoveView(
            move.Id.ToString("N"), state, move.ExpiresAt.ToUnixTimeSeconds(), move.Digits, isNew && state is "number" ? move.MatchingNumber?.ToString(CultureInfo.InvariantCulture) : null,
            device, !isNew && state is "number" ? move.KeyId : null, move.Luggage is not null);
    }

    private static string StateOf(BindingCode move, DateTimeOffset now) => move.State switch
    {
        BindingState.Confirmed => "done",
        BindingState.WrongNumber => "wrong-number",
        BindingState.UsedTwice => "used-twice",
        BindingState.Replaced => "over",
        _ when now >= move.ExpiresAt => "over",
        BindingState.Bound => "number",
        BindingState.Claimed => "connected",
        _ => "waiting",
    };

    private static IResult Slow(HttpContext http, TimeSpan wait)
    {
        http.Response.RetryAfter(wait);
        return new PhoneProblem(StatusCodes.Status429TooManyRequests, "slow-down").ToResult();
    }
}
