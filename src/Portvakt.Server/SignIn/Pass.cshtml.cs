using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;

namespace Portvakt.Server.SignIn;

/// <summary>
/// The Temporary Access Pass that the helpdesk gave: with it the password is enough to enrol, for ten minutes (R27, R28); where policy says so, it stands in for the second
/// factor of this sign-in.
/// </summary>
public sealed class PassModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.Blocked, SignInStep.OfferEnrolment, SignInStep.SecondFactor)
{
    protected override Methods Proves => Methods.AccessPass;

    /// <summary>Whether the pass is the second factor here, or opens enrolment.</summary>
    public bool IsSecondFactor => Standing.Step is SignInStep.SecondFactor;

    public string? Problem { get; private set; }

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? pass)
    {
        var personId = Standing.Person!.Id;
        var now = clock.GetUtcNow();
        var failures = new FailureCounter(db, clock);
        var key = $"pass:{personId:N}";
        if (await failures.RaiseAsync(key, Throttle.Pass, HttpContext.RequestAborted) is { } wait)
        {
            Problem = words.TooManyTries(wait);
            await AbandonAsync();
            return Wait(wait);
        }

        var hash = Base32.Normalise(pass, AccessPass.Length) is { } typed ? HashOf(vault, personId, typed) : null;
        var found = hash is null ? null : await db.AccessPasses.SingleOrDefaultAsync(row => row.PersonId == personId && row.Hash == hash, HttpContext.RequestAborted);
        if (found?.Use(now) is true)
        {
            if (IsSecondFactor) Current.RecordSecondFactor(SecondFactorMethod.AccessPass, now);
            else Current.RecordPass(now);
            db.Record(SecurityEvent.PassUsed, personId, found.Id.ToString("N"), HttpContext, now);
            await outbox.TellAsync(SecurityEvent.PassUsed, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);
            if (await db.TrySaveAsync(HttpContext.RequestAborted))
            {
                await failures.ClearAsync(key, HttpContext.RequestAborted);
                return await ContinueAsync();
            }
        }
        else
        {
            db.Record(SecurityEvent.PassRejected, personId, null, HttpContext, now);
            await db.SaveChangesAsync(HttpContext.RequestAborted);
        }

        Problem = words["WrongPass"];
        return Again(StatusCodes.Status422UnprocessableEntity);
    }

    /// <summary>What is stored of a pass: bound to its person, useless in a copy of the database.</summary>
    public static byte[] HashOf(Vault vault, Guid personId, string code) => vault.Hash("access-pass", $"{personId:N}\0{code}");
}
