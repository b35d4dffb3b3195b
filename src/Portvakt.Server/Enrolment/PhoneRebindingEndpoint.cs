using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
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
using Portvakt.Server.SignIn;
using Portvakt.WebAuthn;

namespace Portvakt.Server.Enrolment;

/// <summary>
/// The phone's browser has cleared what the app had stored, and the passkey is still in the phone's keychain (docs/protocol.md section 8): it binds a new device key.
/// Alone where it cannot leave the phone; with the password where it is copied to other devices, since then it does not say which phone this is.
/// </summary>
public static class PhoneRebindingEndpoint
{
    private const string RebindType = "portvakt-rebind+jws";

    public static void MapPhoneRebinding(this RouteGroupBuilder api)
    {
        api.MapPost("/rebind/begin", BeginAsync).Accepts<RebindBeginMessage>("application/json").Produces<RebindBeginAnswer>().WithName("rebindBegin").WithSummary("A phone that has lost its key asks for a challenge (protocol section 8).");
        api.MapPost("/rebind/finish", FinishAsync).Accepts<RebindFinishMessage>("application/json").Produces<FinishAnswer>().WithName("rebindFinish").WithSummary("The phone's passkey binds its new key (protocol section 8).");
    }

    private static async Task<IResult> BeginAsync(HttpContext http, Vault vault, PushDelivery push, TimeProvider clock, IOptions<PortvaktSettings> settings)
    {
        if (await PhoneProof.ReadBodyAsync(http) is not { } body) return new PhoneProblem(StatusCodes.Status413PayloadTooLarge, "malformed").ToResult();
        if (PhoneEndpoints.ReadBody<RebindBeginMessage>(body) is not { Kid: { Length: 43 } keyId } || PhoneEndpoints.Bytes(keyId) is not { Length: 32 }) return new PhoneProblem(400, "malformed").ToResult();
        var now = clock.GetUtcNow();
        return TypedResults.Json(
            new RebindBeginAnswer(
                settings.Value.Origin,
                settings.Value.Organisation,
                Base64Url.EncodeToString(RebindingChallenge.Make(vault, keyId, now)),
                (now + RebindingChallenge.Lifetime).ToUnixTimeSeconds(),
                now.ToUnixTimeSeconds(),
                new PasskeyRelyingParty(settings.Value.PublicUri.Host, settings.Value.Organisation),
                push.ApplicationServerKey,
                settings.Value.Helpdesk),
            PhoneJson.Options);
    }

    private static async Task<IResult> FinishAsync(
        HttpContext http, PortvaktDb db, Rulings rulings, PasswordVerifier passwords, Outbox outbox, TimeProvider clock, Signals signals, PushDelivery push, Vault vault, IOptions<PortvaktSettings> settings,
        ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger(typeof(PhoneRebindingEndpoint));
        if (await PhoneProof.ReadBodyAsync(http) is not { } body) return new PhoneProblem(StatusCodes.Status413PayloadTooLarge, "malformed").ToResult();
        if (PhoneEndpoints.ReadBody<RebindFinishMessage>(body) is not { } message || Jws.Read(message.Jws, RebindType) is not { } jws || jws.Message<RebindStatement>() is not { V: 1, Assertion: { } sent } statement
            || PhoneEndpoints.Bytes(sent.CredentialId) is not { Length: > 0 and <= 1023 } credentialId || PhoneEndpoints.Bytes(sent.AuthenticatorData) is not { } authenticatorData
            || PhoneEndpoints.Bytes(sent.ClientDataJson) is not { } clientData || PhoneEndpoints.Bytes(sent.Signature) is not { } signature
            || PhoneEndpoints.Bytes(statement.Challenge) is not { Length: RebindingChallenge.Length } challenge || PhoneEndpoints.Bytes(statement.SeedKey) is not { Length: 65 } seedKey
            || statement.Consent is not { Length: > 0 and <= 20 } consent || statement.App is not { Length: > 0 and <= 20 } app)
            return new PhoneProblem(400, "malformed").ToResult();

        // Counted before anything is looked at, for the source first: one that is blocked must not close other people's passkeys (R53, R54).
        var failures = new FailureCounter(db, clock);
        var source = $"rebinding:source:{http.Source()}";
        var credential = $"rebinding:credential:{Convert.ToHexString(SHA256.HashData(credentialId))}";
        if (await failures.RaiseAsync(source, Throttle.BindingSource, http.RequestAborted) is { } pause) return SlowDown(pause);
        if (await failures.RaiseAsync(credential, Throttle.SecondFactor, http.RequestAborted) is { } rest) return SlowDown(rest);

        using var key = DeviceKey.FromJwk(jws.Header);
        if (key is null || !jws.Verify(key)) return Refuse(422, "rebinding", "signature");
        var keyId = DeviceKey.Thumbprint(key);
        if (statement.Aud != settings.Value.Origin || statement.Kid != keyId) return Refuse(422, "rebinding", "audience or key");
        var seed = RandomNumberGenerator.GetBytes(Totp.SeedLength);
        if (PhoneBindingEndpoint.SealSeed(seed, seedKey, challenge, keyId) is not { } sealedSeed) return Refuse(422, "rebinding", "seed key");

        // The challenge is gone after the first try, whatever comes of it (R33).
        var now = clock.GetUtcNow();
        if (!RebindingChallenge.Holds(vault, challenge, keyId, now) || !await db.UseOnceAsync(SHA256.HashData(challenge), now + RebindingChallenge.Lifetime, http.RequestAborted)) return Refuse(410, "expired", "challenge");

        // Unknown, given up or somebody else's: until the passkey has signed, all of it is one answer.
        var phone = await db.Phones.SingleOrDefaultAsync(row => row.CredentialId == credentialId, http.RequestAborted);
        var expected = new RelyingPartyExpectation(settings.Value.PublicUri.Host, [settings.Value.Origin], LabelledHash.Of("portvakt/rebind/v1", challenge, Encoding.ASCII.GetBytes(keyId)), RequireUserVerification: true);
        var outcome = phone is { CredentialKey: { } publicKey }
            ? Assertion.Verify(expected, new StoredCredential(credentialId, publicKey, (uint)phone.SignatureCounter, phone.BackupEligible), credentialId, clientData, authenticatorData, signature)
            : new AssertionOutcome(null, Refusal.CredentialId);
        if (phone is null || outcome.Assertion is not { } verified)
            return await RefuseAsync(422, "rebinding", outcome.Refusal.ToString(), outcome.Refusal is Refusal.SignatureCounter ? SecurityEvent.PasskeyCloneSuspected : SecurityEvent.PhoneBindingAnewRefused);
        if (await db.Phones.AnyAsync(row => row.KeyId == keyId, http.RequestAborted)) return await RefuseAsync(422, "rebinding", "the key is bound already");

        // From here on it is the owner of the passkey who asks, and is told what is the matter.
        await failures.ReturnAsync(source, Throttle.BindingSource, http.RequestAborted);
        if (phone is not { State: AuthenticatorState.Active, CanBeAsked: true }) return await RefuseAsync(409, "phone-removed", "the phone does not count");
        if (await rulings.OfAsync(phone.PersonId, http, http.RequestAborted) is not { } ruling || await db.Cases.AnyAsync(row => row.PersonId == phone.PersonId && row.ClosedAt == null, http.RequestAborted))
            return await RefuseAsync(403, "account-closed", "locked, or an open case");
        if (!ruling.ForEnrolment.HasFlag(Methods.App)) return await RefuseAsync(409, "other-way", "policy of methods");
        if (phone.BackupEligible && await SecondProofProblemAsync(ruling) is { } problem) return problem;

        // A passkey that cannot leave the phone says that it is this phone, so it keeps its name. A copied one may be on another: its owner sees which.
        var anew = phone.BindAnew(keyId, key.ExportSubjectPublicKeyInfo(), phone.BackupEligible ? PhoneBindingEndpoint.NameOf(statement.Device) : phone.Name, consent, app, now);
        anew.RecordAssertion(verified.SignatureCounter, verified.BackupState);
        if (push.Accept(statement.Push) is { } subscription) anew.SetPush(push.Seal(anew.Id, subscription));
        var totp = new TotpAuthenticator(phone.PersonId, anew.Id, attemptId: null, now);
        totp.SealedSeed = vault.Seal(seed, "totps.seed", totp.Id.ToString("N"));
        totp.Activate();
        foreach (var old in await db.Totps.Where(row => row.PhoneId == phone.Id).ToListAsync(http.RequestAborted)) old.Revoke();
        db.Phones.Add(anew);
        db.Totps.Add(totp);
        db.Entry(ruling.Person).Property(row => row.SearchText).IsModified = true; // under the person's version: a lock that comes meanwhile wins (R10)
        db.Record(SecurityEvent.PhoneKeyReplaced, phone.PersonId, phone.Id.ToString("N"), http, now);
        db.Record(SecurityEvent.PhoneBoundAnew, phone.PersonId, anew.Id.ToString("N"), http, now);
        await outbox.TellAsync(SecurityEvent.PhoneBoundAnew, ruling.Person, http, now, http.RequestAborted, anew.Id);

        // All or nothing: before this save the old key and the old codes count, after it the new ones (R38). What the old key was asked is over, so is what it has
        // proven, and so is every session: whoever is signed in may not be the person (R62). From here on no token of the request: half of it must not be left because the app was closed.
        List<string> asked;
        await using (var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None))
        {
            var live = db.Approvals.Where(row => row.PersonId == phone.PersonId && row.State == ApprovalState.Pending && (row.OnlyPhoneId == null || row.OnlyPhoneId == phone.Id));
            asked = await live.Select(row => row.AttemptId).ToListAsync(CancellationToken.None);
            await live.ExecuteUpdateAsync(set => set.SetProperty(row => row.State, ApprovalState.Superseded).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);
            await SessionStore.EndOthersInTransactionAsync(db, phone.PersonId, http, now);
            if (!await db.TrySaveAsync(CancellationToken.None)) return Refuse(410, "expired", "another save was first");
            await transaction.CommitAsync(CancellationToken.None);
        }

        await failures.ClearAsync(credential, CancellationToken.None);
        foreach (var attempt in asked) signals.Wake(Signals.OfAttempt(attempt));
        signals.Wake(Signals.OfPerson(phone.PersonId));
        PhoneHint.Leave(http);
        return TypedResults.Json(
            new FinishAnswer(anew.Id.ToString("N"), settings.Value.Organisation, ruling.Person.UserName, ruling.Person.DisplayName, sealedSeed, new TotpParameters("SHA1", Totp.Digits, Totp.PeriodSeconds)),
            PhoneJson.Options);

        // The password as at a sign-in, with the same queue and the same count of the source. It is counted for whoever holds the passkey: who knows the user name alone
        // must not keep the owner from it (R52). One that somebody else may know proves nothing.
        async Task<IResult?> SecondProofProblemAsync(Ruling ruling)
        {
            if (!settings.Value.AllowSyncedRebinding) return await RefuseAsync(409, "other-way", "the passkey is copied to other devices");
            if (ruling.Person is { PasswordHash: null } or { MustChangePassword: true }) return await RefuseAsync(409, "other-way", "no password that proves anything");
            if (message.Password is not { Length: > 0 } password)
            {
                await failures.ReturnAsync(credential, Throttle.SecondFactor, http.RequestAborted); // nothing was guessed
                return Refuse(422, "password", "no password");
            }

            PasswordVerdict verdict;
            try
            {
                verdict = await passwords.VerifyAsync(http, ruling.Person.UserName, password, account: $"password:passkey:{ruling.Person.Id:N}");
            }
            catch (OperationCanceledException)
            {
                await failures.ReturnAsync(credential, Throttle.SecondFactor, CancellationToken.None);
                throw;
            }

            if (verdict.Wait is { } wait)
            {
                await failures.ReturnAsync(credential, Throttle.SecondFactor, http.RequestAborted); // nor was this: nobody looked at it
                return SlowDown(wait);
            }

            if (verdict.IsBusy)
            {
                await failures.ReturnAsync(credential, Throttle.SecondFactor, http.RequestAborted);
                http.Response.RetryAfter(Hosting.SlowDown.Busy);
                return Refuse(503, "unavailable", "too many passwords at once");
            }

            if (verdict.Person is null) return await RefuseAsync(422, "password", "wrong password");
            return await passwords.SaveAsync(verdict, CancellationToken.None) ? null : Refuse(410, "expired", "another save was first");
        }

        IResult SlowDown(TimeSpan wait)
        {
            http.Response.RetryAfter(wait);
            return Refuse(429, "slow-down", "too many tries");
        }

        IResult Refuse(int status, string code, string reason)
        {
            log.RebindingRefused(reason);
            return new PhoneProblem(status, code).ToResult();
        }

        async Task<IResult> RefuseAsync(int status, string code, string reason, SecurityEvent what = SecurityEvent.PhoneBindingAnewRefused)
        {
            db.Record(what, phone?.PersonId, phone?.Id.ToString("N"), http, now, reason: reason);
            await db.SaveChangesAsync(http.RequestAborted);
            return Refuse(status, code, reason);
        }
    }
}
