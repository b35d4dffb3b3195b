using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;
using Portvakt.WebAuthn;

namespace Portvakt.Server.SignIn;

/// <summary>
/// A passkey or security key: after the password the second factor, before it the whole sign-in (R25). A passkey that the person has unlocked is two factors by
/// itself. What a stranger has learnt of the password stays to be changed all the same.
/// </summary>
public sealed class PasskeyModel(SignInJourney journey, PortvaktDb db, PasskeyCeremonies ceremonies, Rulings rulings, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.Password, SignInStep.SecondFactor)
{
    protected override Methods Proves => Methods.Passkey;

    /// <summary>What the script asks the browser for; null when nobody may try any more.</summary>
    public string? Options { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>Nobody has said who signs in: the passkey does.</summary>
    public bool IsWhole => Standing.Step is SignInStep.Password;

    public async Task<IActionResult> OnGetAsync() => await OfferAsync() ? Page() : Reload();

    public async Task<IActionResult> OnPostAsync(string? answer)
    {
        // The challenge is gone after the first answer, whatever comes of it (R33); of two answers at once one takes it.
        var now = clock.GetUtcNow();
        var challenge = Current.TakeChallenge(now);
        if (challenge is null) return await AgainAsync(StatusCodes.Status409Conflict, "PasskeyTooLate");

        // Counted before the answer is looked at: as a second factor by whose it is, apart from codes that can be guessed; otherwise by where it comes from (R50, R52, R54).
        var personId = Standing.Person?.Id;
        var failures = new FailureCounter(db, clock);
        var (key, throttle) = personId is { } known ? ($"passkey:{known:N}", Throttle.SecondFactor) : (PasswordVerifier.SourceKey(HttpContext), Throttle.PasswordSource);
        if (await failures.RaiseAsync(key, throttle, HttpContext.RequestAborted) is { } wait)
        {
            Problem = words.TooManyTries(wait);
            if (!IsWhole) await AbandonAsync();
            else await db.TrySaveAsync(HttpContext.RequestAborted); // another answer was first: it has taken the challenge
            return Wait(wait);
        }

        var verdict = await ceremonies.VerifyAsync(HttpContext, challenge, answer, personId);
        if (verdict.Passkey is not { } passkey)
            return await AgainAsync(StatusCodes.Status422UnprocessableEntity, verdict.Refusal is Refusal.UserVerification && !IsWhole ? "PasskeyNotUnlocked" : "PasskeyNotUsable");

        if (IsWhole)
        {
            // A closed account and a policy without passkeys say the same as a passkey that nobody knows.
            if (await rulings.OfAsync(passkey.PersonId, HttpContext, HttpContext.RequestAborted) is not { } ruling || !ruling.Usable.HasFlag(Methods.Passkey))
            {
                db.Record(SecurityEvent.SecondFactorRejected, passkey.PersonId, passkey.Id.ToString("N"), HttpContext, now);
                if (!await db.TrySaveAsync(HttpContext.RequestAborted)) return Reload();
                return await AgainAsync(StatusCodes.Status422UnprocessableEntity, "PasskeyNotUsable");
            }

            Current.RecordWithoutPassword(passkey.PersonId, now);
        }

        // Counter, backup flag and attempt in one save: of two uses of one counter one wins (R40).
        Current.RecordSecondFactor(SecondFactorMethod.Passkey, now);
        db.Record(SecurityEvent.SecondFactorVerified, passkey.PersonId, passkey.Id.ToString("N"), HttpContext, now);
        if (!await db.TrySaveAsync(HttpContext.RequestAborted)) return Reload();
        await (personId is null ? failures.ReturnAsync(key, throttle, HttpContext.RequestAborted) : failures.ClearAsync(key, HttpContext.RequestAborted));
        return await ContinueAsync();
    }

    private async Task<bool> OfferAsync()
    {
        if (await ceremonies.ChallengeAsync(Current, HttpContext.RequestAborted) is not { } challenge) return false;
        Options = await ceremonies.RequestOptionsAsync(challenge, Standing.Person, HttpContext.RequestAborted);
        return true;
    }

    private async Task<IActionResult> AgainAsync(int status, string problem)
    {
        Problem = words[problem];
        return await OfferAsync() ? Again(status) : Reload();
    }
}
