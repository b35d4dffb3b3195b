using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;
using Portvakt.WebAuthn;

namespace Portvakt.Server.Enrolment;

/// <summary>A passkey or security key is made for this address and counts at once: making it has proven it.</summary>
public sealed class SetUpPasskeyModel(SignInJourney journey, PortvaktDb db, PasskeyCeremonies ceremonies, Outbox outbox, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SetUpPasskey)
{
    /// <summary>What the script asks the browser for; null when the person may not have another one.</summary>
    public string? Options { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>What the owner will know it by.</summary>
    public string Name { get; private set; } = "";

    public async Task<IActionResult> OnGetAsync()
    {
        Name = SuggestedName();
        return await OfferAsync() ? Page() : Reload();
    }

    public async Task<IActionResult> OnPostAsync(string? answer, string? name)
    {
        // The challenge is gone after the first answer, whatever comes of it (R33); of two answers at once one takes it.
        var (person, now) = (Standing.Person!, clock.GetUtcNow());
        Name = string.IsNullOrWhiteSpace(name) ? SuggestedName() : PhoneBindingEndpoint.NameOf(name);
        var challenge = Current.TakeChallenge(now);
        if (challenge is null) return await AgainAsync(StatusCodes.Status409Conflict, "PasskeyTooLate");
        if (!await MayHaveAnotherAsync()) return await AgainAsync(StatusCodes.Status422UnprocessableEntity, "PasskeyTooMany");

        var outcome = ceremonies.Register(challenge, answer);
        if (outcome.Credential is not { } made) return await AgainAsync(StatusCodes.Status422UnprocessableEntity, outcome.Refusal is Refusal.UserVerification ? "PasskeyNotUnlocked" : "PasskeyNotMade");

        // Section 7.1 step 26: nobody has it yet, on whatever device. Of two at once the database's own key lets one through.
        var isTaken = await db.Passkeys.AnyAsync(row => row.CredentialId == made.Id, HttpContext.RequestAborted) || await db.Phones.AnyAsync(row => row.CredentialId == made.Id, HttpContext.RequestAborted);
        if (isTaken) return await AgainAsync(StatusCodes.Status422UnprocessableEntity, "PasskeyKnown");

        var passkey = new Passkey(person.Id, made.Id, made.PublicKey, made.Aaguid, made.SignatureCounter, made.BackupEligible, made.BackupState, Name, now);
        db.Passkeys.Add(passkey);
        Current.RecordEnrolment(SecondFactorMethod.Passkey, now);
        person.RecordEnrolment(now); // changes the person's row, so that of two passkeys at once one is counted before the other
        db.Record(SecurityEvent.PasskeyAdded, person.Id, passkey.Id.ToString("N"), HttpContext, now);
        await outbox.TellAsync(SecurityEvent.PasskeyAdded, person, HttpContext, now, HttpContext.RequestAborted);
        return await ContinueEnrolledAsync();
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private async Task<bool> OfferAsync()
    {
        if (!await MayHaveAnotherAsync())
        {
            Problem = words["PasskeyTooMany"];
            return true;
        }

        if (await ceremonies.ChallengeAsync(Current, HttpContext.RequestAborted) is not { } challenge) return false;
        Options = await ceremonies.CreationOptionsAsync(challenge, Standing.Person!, HttpContext.RequestAborted);
        return true;
    }

    private async Task<IActionResult> AgainAsync(int status, string problem)
    {
        Problem = words[problem];
        return await OfferAsync() ? Again(status) : Reload();
    }

    /// <summary>Policy, as it is now: it may have changed since the method was chosen.</summary>
    private async Task<bool> MayHaveAnotherAsync() =>
        Standing.ForEnrolment.HasFlag(Methods.Passkey)
        && await db.Passkeys.CountAsync(row => row.PersonId == Standing.Person!.Id, HttpContext.RequestAborted) < Standing.MaximumPasskeys;

    /// <summary>The system that the browser names: "Passkey on Mac".</summary>
    private string SuggestedName() => HttpContext.Browser() is not "?" and var browser ? words["PasskeyNameOn", browser.Split(", ")[^1]] : words["PasskeyName"];
}
