using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;

namespace Portvakt.Server.SignIn;

/// <summary>A code from the paper, once.</summary>
public sealed class RecoveryCodeModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, SecondFactorBrake brake, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SecondFactor)
{
    protected override Methods Proves => Methods.RecoveryCode;

    public string? Problem { get; private set; }

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? code)
    {
        var personId = Standing.Person!.Id;
        var now = clock.GetUtcNow();
        if (await brake.RaiseAsync(personId, guessable: false, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            await AbandonAsync();
            return Wait(wait);
        }

        var typed = Base32.Normalise(code, Domain.Authenticators.RecoveryCode.Length);
        var hash = typed is null ? [] : HashOf(vault, personId, typed);
        var found = typed is null ? null : await db.RecoveryCodes.SingleOrDefaultAsync(row => row.PersonId == personId && row.Hash == hash, HttpContext.RequestAborted);
        if (found?.Use(now) is true)
        {
            Current.RecordSecondFactor(SecondFactorMethod.RecoveryCode, now);
            db.Record(SecurityEvent.RecoveryCodeUsed, personId, found.Id.ToString("N"), HttpContext, now);
            await outbox.TellAsync(SecurityEvent.RecoveryCodeUsed, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);

            // Told once, when the warning begins (R42).
            if (await db.RecoveryCodes.CountAsync(row => row.PersonId == personId && row.UsedAt == null && row.Id != found.Id, HttpContext.RequestAborted) is Domain.Authenticators.RecoveryCode.Few)
            {
                db.Record(SecurityEvent.RecoveryCodesLow, personId, null, HttpContext, now);
                await outbox.TellAsync(SecurityEvent.RecoveryCodesLow, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);
            }

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

        Problem = words["WrongRecoveryCode"];
        return Again(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>What is stored of a code: bound to its person, useless in a copy of the database.</summary>
    public static byte[] HashOf(Vault vault, Guid personId, string code) => vault.Hash("recovery-code", $"{personId:N}\0{code}");
}
