using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.SignIn;

/// <summary>Six digits from the app, which needs no network for them, or from a generator of plastic (RFC 6238). Each step counts once.</summary>
public sealed class CodeModel(SignInJourney journey, PortvaktDb db, Vault vault, SecondFactorBrake brake, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SecondFactor)
{
    protected override Methods Proves => Methods.Code | Methods.Token;

    public string? Problem { get; private set; }

    /// <summary>What the person has to look at, for the words of the page: the app, a generator of plastic, or either.</summary>
    public string Source => (Standing.Methods.Contains(Methods.Code), Standing.Methods.Contains(Methods.Token)) switch { (true, true) => "Either", (false, true) => "Token", _ => "App" };

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? code)
    {
        var personId = Standing.Person!.Id;
        var now = clock.GetUtcNow();

        // Counted over all sessions and addresses, before the code is looked at; at the limit the attempt is over (R50, R51, R54).
        if (await brake.RaiseAsync(personId, guessable: true, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            await AbandonAsync();
            return Wait(wait);
        }

        var typed = new string([.. (code ?? "").Where(char.IsAsciiDigit)]);
        var (apps, tokens) = (Standing.Methods.Contains(Methods.Code), Standing.Methods.Contains(Methods.Token));
        var totps = await db.Totps.Where(row => row.PersonId == personId && row.State == AuthenticatorState.Active && (row.SerialNumber == null ? apps : tokens)).ToListAsync(HttpContext.RequestAborted);
        if (typed.Length is Totp.Digits && totps.Find(totp => totp.Verify(vault.Open(totp.SealedSeed, "totps.seed", totp.Id.ToString("N")), typed, now)) is { } used)
        {
            Current.RecordSecondFactor(used.SerialNumber is null ? SecondFactorMethod.Code : SecondFactorMethod.Token, now);
            db.Record(SecurityEvent.SecondFactorVerified, personId, used.Id.ToString("N"), HttpContext, now);

            // The step is spent and the attempt moves on in one save: of two browsers with the same code one wins (R12, R49).
            if (await db.TrySaveAsync(HttpContext.RequestAborted))
            {
                await brake.AcceptedAsync(personId, HttpContext.RequestAborted);
                return await ContinueAsync();
            }
        }
        else
        {
            await brake.RejectedAsync(HttpContext, Standing.Person!);
        }

        Problem = words["WrongCode" + Source];
        return Again(StatusCodes.Status422UnprocessableEntity);
    }
}
