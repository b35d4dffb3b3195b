using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.WebAuthn;

namespace Portvakt.Server.SignIn;

/// <summary>What came of an assertion.</summary>
/// <param name="Passkey">The passkey, its counter moved on and not saved yet; null when it proves nothing.</param>
/// <param name="Refusal">Why it proves nothing.</param>
public sealed record PasskeyVerdict(Passkey? Passkey, Refusal Refusal);

/// <summary>
/// Both ceremonies of Web Authentication Level 3 as our pages hold them: what the browser is asked for, and what its answer is worth. Attestation is neither
/// asked for nor relied upon; the person must have unlocked the authenticator, always.
/// </summary>
public sealed class PasskeyCeremonies(PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings, ILogger<PasskeyCeremonies> log)
{
    /// <summary>What is offered, the best first. EdDSA is not among them: the base class library has no Ed25519.</summary>
    private static readonly CoseAlgorithm[] Algorithms = [CoseAlgorithm.ES256, CoseAlgorithm.RS256];

    /// <summary>For the options, which stand in an attribute that Razor escapes.</summary>
    private static readonly JsonSerializerOptions Writing = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    private static readonly JsonSerializerOptions Reading = new(JsonSerializerDefaults.Web) { AllowDuplicateProperties = false };

    /// <summary>
    /// The challenge of the page that is shown; the same after a reload and in a second window, until an answer takes it. Null: another request of this attempt
    /// was quicker, and the page must be asked for again.
    /// </summary>
    public async Task<byte[]?> ChallengeAsync(SignInAttempt attempt, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (attempt.Challenge is { } known && now < attempt.ChallengeExpiresAt - (SignInAttempt.Lifetime / 2)) return known;
        var challenge = attempt.NewChallenge(now);
        return await db.TrySaveAsync(cancellationToken) ? challenge : null;
    }

    /// <summary>PublicKeyCredentialRequestOptionsJSON (section 5.4.8).</summary>
    /// <param name="challenge">Of this page.</param>
    /// <param name="person">Whose passkeys may answer; null: any that its authenticator can find for our address.</param>
    /// <param name="cancellationToken">The browser left.</param>
    public async Task<string> RequestOptionsAsync(byte[] challenge, Person? person, CancellationToken cancellationToken) => JsonSerializer.Serialize(
        new
        {
            challenge = Base64Url.EncodeToString(challenge),
            rpId = settings.Value.PublicUri.Host,
            allowCredentials = person is null ? [] : await KnownAsync(person.Id, cancellationToken),
            userVerification = "required",
        },
        Writing);

    /// <summary>PublicKeyCredentialCreationOptionsJSON (section 5.4).</summary>
    /// <param name="challenge">Of this page.</param>
    /// <param name="person">For whom; what the person has already is not made twice on the same authenticator.</param>
    /// <param name="cancellationToken">The browser left.</param>
    public async Task<string> CreationOptionsAsync(byte[] challenge, Person person, CancellationToken cancellationToken) => JsonSerializer.Serialize(
        new
        {
            challenge = Base64Url.EncodeToString(challenge),
            rp = new { id = settings.Value.PublicUri.Host, name = settings.Value.Organisation },
            user = new { id = Base64Url.EncodeToString(Passkey.UserHandleOf(person.Id)), name = person.UserName, displayName = person.DisplayName },
            pubKeyCredParams = Algorithms.Select(algorithm => new { type = "public-key", alg = (int)algorithm }),
            excludeCredentials = await KnownAsync(person.Id, cancellationToken),
            authenticatorSelection = new { residentKey = "preferred", requireResidentKey = false, userVerification = "required" }, // a full security key is still a second factor
            attestation = "none",
        },
        Writing);

    /// <summary>Verifies a new credential (section 7.1).</summary>
    /// <param name="challenge">That was taken for this answer.</param>
    /// <param name="answer">RegistrationResponseJSON, as the browser sent it.</param>
    public RegistrationOutcome Register(byte[] challenge, string? answer)
    {
        var outcome = Read(answer) is { Response: { } parts } && PhoneEndpoints.Bytes(parts.ClientDataJSON) is { } clientData && PhoneEndpoints.Bytes(parts.AttestationObject) is { } attestation
            ? Registration.Verify(Expected(challenge), clientData, attestation, acceptUnverifiedAttestation: true, Algorithms)
            : new RegistrationOutcome(null, Refusal.ClientData);
        if (!outcome.Verified) log.PasskeyNotRegistered(outcome.Refusal.ToString());
        return outcome;
    }

    /// <summary>
    /// Verifies an assertion (section 7.2). The counter and the backup flag of a verified one are on the passkey and wait for the caller's save, which only one
    /// of many can win; of a refused one the audit row is written here.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="challenge">That was taken for this answer.</param>
    /// <param name="answer">AuthenticationResponseJSON, as the browser sent it.</param>
    /// <param name="personId">Who is signing in; null: the passkey says who, and must do so by the user handle as well (step 6).</param>
    public async Task<PasskeyVerdict> VerifyAsync(HttpContext http, byte[] challenge, string? answer, Guid? personId)
    {
        var now = clock.GetUtcNow();
        Passkey? passkey = null;
        var refusal = Refusal.ClientData;
        if (Read(answer) is { Response: { } parts } sent && PhoneEndpoints.Bytes(sent.RawId) is { } credentialId && PhoneEndpoints.Bytes(parts.ClientDataJSON) is { } clientData
            && PhoneEndpoints.Bytes(parts.AuthenticatorData) is { } authenticatorData && PhoneEndpoints.Bytes(parts.Signature) is { } signature)
        {
            // Another person's passkey is none: it is not even looked for.
            passkey = await db.Passkeys.SingleOrDefaultAsync(row => row.CredentialId == credentialId && (personId == null || row.PersonId == personId), http.RequestAborted);
            if (passkey is null || !NamesItsPerson(passkey, parts.UserHandle, isRequired: personId is null)) refusal = Refusal.CredentialId;
            else
            {
                var stored = new StoredCredential(passkey.CredentialId, passkey.PublicKey, (uint)passkey.SignatureCounter, passkey.BackupEligible);
                var outcome = Assertion.Verify(Expected(challenge), stored, credentialId, clientData, authenticatorData, signature);
                if (outcome.Assertion is { } verified)
                {
                    passkey.RecordAssertion(verified.SignatureCounter, verified.BackupState, now);
                    return new PasskeyVerdict(passkey, Refusal.None);
                }

                refusal = outcome.Refusal;
            }
        }

        if (refusal is Refusal.SignatureCounter) log.PasskeyCloneSuspected(passkey!.Id);
        else log.PasskeyRefused(passkey?.Id, refusal.ToString());
        var what = refusal is Refusal.SignatureCounter ? SecurityEvent.PasskeyCloneSuspected : SecurityEvent.SecondFactorRejected;
        db.Record(what, passkey?.PersonId ?? personId, passkey?.Id.ToString("N"), http, now);
        await db.SaveChangesAsync(http.RequestAborted);
        return new PasskeyVerdict(null, refusal);
    }

    private RelyingPartyExpectation Expected(byte[] challenge) => new(settings.Value.PublicUri.Host, [settings.Value.Origin], challenge, RequireUserVerification: true);

    private async Task<IEnumerable<object>> KnownAsync(Guid personId, CancellationToken cancellationToken) =>
        (await db.Passkeys.Where(row => row.PersonId == personId).OrderBy(row => row.CreatedAt).Select(row => row.CredentialId).ToListAsync(cancellationToken))
        .Select(id => new { type = "public-key", id = Base64Url.EncodeToString(id) });

    private static bool NamesItsPerson(Passkey passkey, string? userHandle, bool isRequired) =>
        string.IsNullOrEmpty(userHandle) ? !isRequired : PhoneEndpoints.Bytes(userHandle) is { } named && CryptographicOperations.FixedTimeEquals(named, Passkey.UserHandleOf(passkey.PersonId));

    private static PublicKeyAnswer? Read(string? answer)
    {
        if (string.IsNullOrEmpty(answer)) return null;
        try
        {
            return JsonSerializer.Deserialize<PublicKeyAnswer>(answer, Reading) is { Type: "public-key" } read ? read : null;
        }
        catch (JsonException)
        {
            return null; // a stranger's text
        }
    }

    /// <summary>RegistrationResponseJSON or AuthenticationResponseJSON (section 5.1), as much of it as is read.</summary>
    private sealed record PublicKeyAnswer(string? RawId, string? Type, AnswerParts? Response);

    private sealed record AnswerParts(
        [property: JsonPropertyName("clientDataJSON")] string? ClientDataJSON, string? AttestationObject, string? AuthenticatorData, string? Signature, string? UserHandle);
}
