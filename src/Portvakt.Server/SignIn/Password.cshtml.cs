using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.SignIn;

/// <summary>P1: user name and password. Also where any address of an attempt leads when nobody knows better.</summary>
public sealed class PasswordModel(SignInJourney journey, PasswordVerifier passwords, PasskeyCeremonies ceremonies, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.Password)
{
    public string? Application => Current.RelyingPartyName;

    /// <summary>What was typed, so that a wrong password costs one field and not two.</summary>
    public string? UserName { get; private set; }

    /// <summary>One calm sentence, the same for every cause.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether somebody may come with a pass in place of the password.</summary>
    public bool AcceptsPass => Standing.AnyPassAlone;

    /// <summary>What the script asks the browser for when a passkey is the whole sign-in; null: nothing.</summary>
    public string? PasskeyOptions { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (await ceremonies.ChallengeAsync(Current, HttpContext.RequestAborted) is not { } challenge) return Reload();
        await OfferPasskeyAsync(challenge);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string? user, string? password)
    {
        UserName = user;
        if (string.IsNullOrWhiteSpace(user) || string.IsNullOrEmpty(password)) return await AgainAsync(StatusCodes.Status422UnprocessableEntity, words["TypeBoth"]);

        var verdict = await passwords.VerifyAsync(HttpContext, user, password);
        if (verdict.Person is { } person)
        {
            Current.RecordPassword(person.Id, clock.GetUtcNow());
            return await passwords.SaveAsync(verdict, HttpContext.RequestAborted) ? await ContinueAsync() : Reload();
        }

        if (verdict.Wait is { } wait)
        {
            Response.RetryAfter(wait);
            return await AgainAsync(StatusCodes.Status429TooManyRequests, words.TooManyTries(wait));
        }

        if (verdict.IsBusy)
        {
            Response.RetryAfter(SlowDown.Busy);
            return await AgainAsync(StatusCodes.Status503ServiceUnavailable, words["TooBusy"]);
        }

        return await AgainAsync(StatusCodes.Status422UnprocessableEntity, words["WrongPassword"]);
    }

    /// <summary>Shown again, with the same challenge for a passkey, unless it was taken.</summary>
    private async Task<IActionResult> AgainAsync(int status, string problem)
    {
        Problem = problem;
        if (Current.Challenge is { } challenge) await OfferPasskeyAsync(challenge);
        return Again(status);
    }

    private async Task OfferPasskeyAsync(byte[] challenge) => PasskeyOptions = await ceremonies.RequestOptionsAsync(challenge, person: null, HttpContext.RequestAborted);
}
