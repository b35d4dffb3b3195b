using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Sessions;
using Portvakt.WebAuthn;

namespace Portvakt.Server.Enrolment;

/// <summary>The phone's half of enrolment (docs/protocol.md section 2): present the code, prove two keys, receive the seed.</summary>
public static class PhoneBindingEndpoint
{
    private const string BindType = "portvakt-bind+jws";
    private static readonly CoseAlgorithm[] Algorithms = [CoseAlgorithm.ES256, CoseAlgorithm.RS256];

    public static void MapPhoneBinding(this RouteGroupBuilder api)
    {
        api.MapPost("/binding/begin", BeginAsync).Accepts<BeginMessage>("application/json").Produces<BeginAnswer>().WithName("begin").WithSummary("A phone presents the code of the picture (protocol section 2).");
        api.MapPost("/binding/finish", FinishAsync).Accepts<FinishMessage>("application/json").Produces<FinishAnswer>().WithName("finish").WithSummary("The phone proves its keys and receives the seed of its codes (protocol section 2).");
    }

    /// <summary>The picture opened by a phone's own camera: on to the app, with the code where no server sees it.</summary>
    public static void MapCodeAddress(this WebApplication app) =>
        app.MapGet("/e/{code}", (string code) => Base32.Normalise(code, BindingCode.Length, BindingCode.TypedLength) is { } known
                ? Results.Redirect($"/phone/#e={known}")
                : Results.Redirect("/phone/"))
            .WithSummary("What the QR code opens in an ordinary camera app.").ExcludeFromDescription();

    private static async Task<IResult> BeginAsync(
        HttpContext http, PortvaktDb db, Rulings rulings, Outbox outbox, TimeProvider clock, Signals signals, PushDelivery push, IOptions<PortvaktSettings> settings, ILoggerFactory loggers)
    {
        if (await PhoneProof.ReadBodyAsync(http) is not { } body) return new PhoneProblem(StatusCodes.Status413PayloadTooLarge, "malformed").ToResult();
        if (PhoneEndpoints.ReadBody<BeginMessage>(body) is not { Kid: { Length: 43 } keyId } message || PhoneEndpoints.Bytes(keyId) is not { Length: 32 })
            return new PhoneProblem(400, "malformed").ToResult();

        // Guessing a typed code is counted before it is looked up.
        var failures = new FailureCounter(db, clock);
        var source = $"binding:{http.Source()}";
        if (await failures.RaiseAsync(source, Throttle.BindingSource, http.RequestAborted) is { } wait)
        {
            http.Response.RetryAfter(wait);
            return new PhoneProblem(429, "slow-down").ToResult();
        }

        if (Base32.Normalise(message.Code, BindingCode.Length, BindingCode.TypedLength) is not { } code) return new PhoneProblem(404, "unknown-code").ToResult();
        var hash = BindingCode.HashOf(code);

        // Two phones in the same instant: one save wins, the other looks again and finds the code taken. Both are then refused.
        for (var tries = 0; tries < 5; tries++)
        {
            var now = clock.GetUtcNow();
            if (await db.BindingCodes.SingleOrDefaultAsync(row => row.CodeHash == hash || row.TypedCodeHash == hash, http.RequestAborted) is not { } binding)
                return new PhoneProblem(404, "unknown-code").ToResult();
            var person = await db.People.SingleAsync(row => row.Id == binding.PersonId, http.RequestAborted);
            if (person.State is not PersonState.Active || !await IsOpenAsync(db, rulings, http, binding, now))
            {
                await failures.ReturnAsync(source, Throttle.BindingSource, http.RequestAborted);
                return new PhoneProblem(410, "code-expired").ToResult();
            }

            var before = binding.State;
            var outcome = binding.Claim(keyId, now);
            if (outcome is ClaimOutcome.UsedTwice && before is not BindingState.UsedTwice)
            {
                // The phone that was first may be the thief's: what it has bound goes too.
                if (binding.PhoneId is { } phoneId) await RevokeAsync(db, phoneId, http.RequestAborted);
                db.Record(SecurityEvent.BindingCodeUsedTwice, binding.PersonId, binding.Id.ToString("N"), http, now);

                // Nobody sits before a computer that says so: somebody may have photographed the old phone's screen.
                if (binding.ReplacesPhoneId is not null) await outbox.TellAsync(SecurityEvent.BindingCodeUsedTwice, person, http, now, http.RequestAborted);
            }

            if (!await db.TrySaveAsync(http.RequestAborted)) continue;
            signals.Wake(TopicOf(binding));
            await failures.ReturnAsync(source, Throttle.BindingSource, http.RequestAborted);
            if (outcome is not ClaimOutcome.Claimed)
            {
                loggers.CreateLogger(typeof(PhoneBindingEndpoint)).CodeRefused(binding.Id, outcome.ToString());
                if (outcome is not ClaimOutcome.AlreadyUsed) await db.RememberTroubleAsync(binding.PersonId, outcome is ClaimOutcome.UsedTwice ? EnrolmentTrouble.TwoPhones : EnrolmentTrouble.CodeExpired);
                return (outcome switch
                {
                    ClaimOutcome.UsedTwice => new PhoneProblem(409, "code-used-twice"),
                    ClaimOutcome.AlreadyUsed => new PhoneProblem(409, "code-used"),
                    _ => new PhoneProblem(410, "code-expired"),
                }).ToResult();
            }

            return TypedResults.Json(
                new BeginAnswer(
                    settings.Value.Origin,
                    settings.Value.Organisation,
                    Masked(person.Email ?? person.UserName),
                    Base64Url.EncodeToString(binding.Challenge),
                    binding.ExpiresAt.ToUnixTimeSeconds(),
                    now.ToUnixTimeSeconds(),
                    new PasskeyRelyingParty(settings.Value.PublicUri.Host, settings.Value.Organisation),
                    new PasskeyUser(Base64Url.EncodeToString(binding.UserHandle), person.UserName, person.DisplayName),
                    push.ApplicationServerKey,
                    settings.Value.AllowPinUnlock ? ["passkey", "pin"] : ["passkey"],
                    binding.ReplacesPhoneId is not null),
                PhoneJson.Options);
        }

        return new PhoneProblem(409, "code-used-twice").ToResult();
    }

    private static async Task<IResult> FinishAsync(
        HttpContext http, PortvaktDb db, Rulings rulings, Approver approver, TimeProvider clock, Signals signals, PushDelivery push, PasswordHash pins, Vault vault, IOptions<PortvaktSettings> settings, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger(typeof(PhoneBindingEndpoint));
        if (await PhoneProof.ReadBodyAsync(http) is not { } body) return new PhoneProblem(StatusCodes.Status413PayloadTooLarge, "malformed").ToResult();
        if (PhoneEndpoints.ReadBody<FinishMessage>(body) is not { } message || Jws.Read(message.Jws, BindType) is not { } jws
            || jws.Message<BindStatement>() is not { V: 1 } statement || PhoneEndpoints.Bytes(statement.CodeHash) is not { Length: 32 } codeHash)
            return new PhoneProblem(400, "malformed").ToResult();

        using var key = DeviceKey.FromJwk(jws.Header);
        if (key is null || !jws.Verify(key)) return Refuse(422, "binding", "signature");
        var keyId = DeviceKey.Thumbprint(key);

        if (await db.BindingCodes.SingleOrDefaultAsync(row => row.CodeHash == codeHash || row.TypedCodeHash == codeHash, http.RequestAborted) is not { } binding)
            return new PhoneProblem(404, "unknown-code").ToResult();
        if (binding.State is BindingState.UsedTwice) return new PhoneProblem(409, "code-used-twice").ToResult();
        if (binding.KeyId != keyId) return Refuse(422, "binding", "another phone's code");

        // A lock, or the end of the sign-in, bites here too (R10).
        var isOpen = await db.People.AnyAsync(row => row.Id == binding.PersonId && row.State == PersonState.Active, http.RequestAborted)
            && await IsOpenAsync(db, rulings, http, binding, clock.GetUtcNow());
        if (!isOpen) return new PhoneProblem(410, "code-expired").ToResult();
        if (await rulings.OfAsync(binding.PersonId, http, http.RequestAborted) is not { } ruling || await HasAllPhonesAsync(db, ruling, binding.ReplacesPhoneId, http.RequestAborted)) return Refuse(422, "binding", "as many phones as allowed");

        // The challenge is gone after the first try, whatever comes of it (R33).
        var now = clock.GetUtcNow();
        var challenge = binding.TakeChallenge(now);
        if (!await db.TrySaveAsync(http.RequestAborted)) return new PhoneProblem(409, "code-used-twice").ToResult();
        if (challenge is null) return new PhoneProblem(410, "code-expired").ToResult();

        var sent = PhoneEndpoints.Bytes(statement.Challenge);
        if (statement.Aud != settings.Value.Origin || statement.Kid != keyId || sent is null || !CryptographicOperations.FixedTimeEquals(sent, challenge)) return Refuse(422, "binding", "audience, key or challenge");
        if ((statement.Passkey is null) == (statement.Pin is null) || (statement.Pin is not null && !settings.Value.AllowPinUnlock)) return Refuse(422, "unlock", "which unlock");
        if (statement.Consent is not { Length: > 0 and <= 20 } consent || statement.App is not { Length: > 0 and <= 20 } app) return Refuse(422, "binding", "consent or version");
        if (PhoneEndpoints.Bytes(statement.SeedKey) is not { Length: 65 } seedKey) return Refuse(422, "binding", "seed key");
        if (await db.Phones.AnyAsync(row => row.KeyId == keyId, http.RequestAborted)) return Refuse(422, "binding", "the key is bound already");

        RegisteredCredential? credential = null;
        if (statement.Passkey is { } passkey)
        {
            if (PhoneEndpoints.Bytes(passkey.AttestationObject) is not { } attestation || PhoneEndpoints.Bytes(passkey.ClientDataJson) is not { } clientData) return Refuse(422, "unlock", "passkey");
            var expected = new RelyingPartyExpectation(
                settings.Value.PublicUri.Host, [settings.Value.Origin], LabelledHash.Of("portvakt/enrol/v1", challenge, Encoding.ASCII.GetBytes(keyId)), RequireUserVerification: true);
            var outcome = Registration.Verify(expected, clientData, attestation, acceptUnverifiedAttestation: true, algorithms: Algorithms);
            if (outcome.Credential is null) return Refuse(422, "unlock", outcome.Refusal.ToString());
            credential = outcome.Credential;
            if (await db.Phones.AnyAsync(row => row.CredentialId == credential.Id, http.RequestAborted) || await db.Passkeys.AnyAsync(row => row.CredentialId == credential.Id, http.RequestAborted)) return Refuse(422, "unlock", "credential known");
        }

        var phone = new PhoneAuthenticator(
            binding.PersonId, keyId, key.ExportSubjectPublicKeyInfo(), credential is null ? PhoneUnlock.Pin : PhoneUnlock.Passkey, NameOf(statement.Device), consent, app, now)
        {
            CredentialId = credential?.Id,
            CredentialKey = credential?.PublicKey,
            BackupEligible = credential?.BackupEligible ?? false,
            PinHash = statement.Pin is { Length: 43 } pin ? await pins.HashAsync(pin, http.RequestAborted) : null,
        };
        if (phone is { Unlock: PhoneUnlock.Pin, PinHash: null }) return Refuse(422, "unlock", "pin");
        if (credential is not null) phone.RecordAssertion(credential.SignatureCounter, credential.BackupState);
        if (push.Accept(statement.Push) is { } subscription) phone.SetPush(push.Seal(phone.Id, subscription));

        var seed = RandomNumberGenerator.GetBytes(Totp.SeedLength);
        var totp = new TotpAuthenticator(binding.PersonId, phone.Id, attemptId: null, now);
        totp.SealedSeed = vault.Seal(seed, "totps.seed", totp.Id.ToString("N"));
        if (SealSeed(seed, seedKey, challenge, keyId) is not { } sealedSeed) return Refuse(422, "binding", "seed key");

        if (binding.ReplacesPhoneId is null) binding.Bind(phone.Id);
        else binding.BindMoved(phone.Id, await approver.DigitsOfAsync(binding.PersonId, http.RequestAborted), now);
        db.Phones.Add(phone);
        db.Totps.Add(totp);
        db.Record(SecurityEvent.PhoneBound, binding.PersonId, phone.Id.ToString("N"), http, now);
        if (!await db.TrySaveAsync(http.RequestAborted)) return new PhoneProblem(409, "code-used-twice").ToResult();

        signals.Wake(TopicOf(binding));
        var person = await db.People.AsNoTracking().SingleAsync(row => row.Id == binding.PersonId, http.RequestAborted);
        PhoneHint.Leave(http);
        return TypedResults.Json(
            new FinishAnswer(phone.Id.ToString("N"), settings.Value.Organisation, person.UserName, person.DisplayName, sealedSeed, new TotpParameters("SHA1", Totp.Digits, Totp.PeriodSeconds)),
            PhoneJson.Options);

        IResult Refuse(int status, string code, string reason)
        {
            log.BindingRefused(reason);
            return new PhoneProblem(status, code).ToResult();
        }
    }

    /// <summary>What shows the code goes on: the sign-in, or the phone that is to be replaced.</summary>
    private static async Task<bool> IsOpenAsync(PortvaktDb db, Rulings rulings, HttpContext http, BindingCode binding, DateTimeOffset now) => binding.ReplacesPhoneId is { } old
        ? await PhoneMoveEndpoint.RefusalAsync(db, rulings, http, await db.Phones.AsNoTracking().SingleOrDefaultAsync(row => row.Id == old, http.RequestAborted)) is null
        : (await db.SignInAttempts.AsNoTracking().SingleOrDefaultAsync(row => row.Id == binding.AttemptId, http.RequestAborted))?.IsLive(now) is true;

    private static string TopicOf(BindingCode binding) => binding.AttemptId is { } attempt ? Signals.OfAttempt(attempt) : Signals.OfPerson(binding.PersonId);

    /// <summary>Whether the person has as many phones as policy allows; the phone just bound does not count itself, nor the one it replaces (R39).</summary>
    public static async Task<bool> HasAllPhonesAsync(PortvaktDb db, Ruling ruling, Guid? besides, CancellationToken cancellationToken) =>
        await db.Phones.CountAsync(row => row.PersonId == ruling.Person.Id && row.State == AuthenticatorState.Active && row.Id != besides, cancellationToken) >= Math.Min(ruling.Policy.MaximumPhones, MethodPolicy.MostPhones);

    /// <summary>A phone and its codes count no more.</summary>
    public static async Task RevokeAsync(PortvaktDb db, Guid phoneId, CancellationToken cancellationToken)
    {
        if (await db.Phones.SingleOrDefaultAsync(row => row.Id == phoneId, cancellationToken) is { } phone) phone.Revoke();
        foreach (var totp in await db.Totps.Where(row => row.PhoneId == phoneId).ToListAsync(cancellationToken)) totp.Revoke();
    }

    /// <summary>Enough for the owner to recognise, too little for whoever looks over the shoulder.</summary>
    internal static string Masked(string name)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        var (local, rest) = at < 0 ? (name, "") : (name[..at], name[at..]);
        return (local.Length <= 2 ? $"{local[..1]}•" : $"{local[..1]}{new string('•', local.Length - 2)}{local[^1..]}") + rest;
    }

    /// <summary>A device name is shown to people: short, and no characters that could play tricks with the text around it.</summary>
    internal static string NameOf(string? device)
    {
        var clean = new string([.. (device ?? "").Where(character => !char.IsControl(character) && char.GetUnicodeCategory(character) is not System.Globalization.UnicodeCategory.Format).Take(60)]).Trim();
        return clean.Length > 0 ? clean : "?";
    }

    /// <summary>The seed for the app alone; null when its key is no point on the curve.</summary>
    internal static SealedSeed? SealSeed(byte[] seed, byte[] appKey, byte[] challenge, string keyId)
    {
        if (appKey[0] is not 4) return null;
        using var mine = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        byte[] shared;
        try
        {
            using var theirs = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = appKey[1..33], Y = appKey[33..] } });
            shared = mine.DeriveRawSecretAgreement(theirs.PublicKey);
        }
        catch (CryptographicException)
        {
            return null; // not a point on the curve
        }

        byte[] info = [.. "portvakt/seed/v1"u8, 0, .. Encoding.ASCII.GetBytes(keyId)];
        var aesKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, challenge, info);
        var iv = RandomNumberGenerator.GetBytes(12);
        var box = new byte[seed.Length + 16];
        using var aes = new AesGcm(aesKey, 16);
        aes.Encrypt(iv, seed, box.AsSpan(0, seed.Length), box.AsSpan(seed.Length));
        var point = mine.ExportParameters(includePrivateParameters: false).Q;
        return new SealedSeed(Base64Url.EncodeToString([4, .. point.X!, .. point.Y!]), Base64Url.EncodeToString(iv), Base64Url.EncodeToString(box));
    }
}
