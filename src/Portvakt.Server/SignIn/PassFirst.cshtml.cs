using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>
/// A Temporary Access Pass in place of the password, where policy says so: for whoever has none yet, or forgot it. It opens the way into enrolment and nothing else;
/// whoever has a second factor is asked for that, and no session comes of the pass alone (R43).
/// </summary>
public sealed class PassFirstModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.Password)
{
    public string? UserName { get; private set; }
    public string? Problem { get; private set; }

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? user, string? pass)
    {
        UserName = user;
        var aborted = HttpContext.RequestAborted;
        var now = clock.GetUtcNow();
        var name = Domain.People.UserName.TryParse(user, out var parsed) ? parsed.Value.Value : "?"; // nobody's name, and looked for all the same (R57)

        // The source first, then the name, known or not: what is blocked must not go on raising other people's counts. Both before the pass is looked at (R54).
        var failures = new FailureCounter(db, clock);
        var (source, account) = (PasswordVerifier.SourceKey(HttpContext), $"pass-first:{name}");
        if ((await failures.RaiseAsync(source, Throttle.PasswordSource, aborted) ?? await failures.RaiseAsync(account, Throttle.Pass, aborted)) is { } wait)
        {
            Problem = words.TooManyTries(wait);
            return Wait(wait);
        }

        var person = await db.People.SingleOrDefaultAsync(row => row.UserName == name, aborted);
        var hash = PassModel.HashOf(vault, person?.Id ?? Guid.Empty, Base32.Normalise(pass, AccessPass.Length) ?? "");
        var found = await db.AccessPasses.SingleOrDefaultAsync(row => row.PersonId == (person == null ? Guid.Empty : person.Id) && row.Hash == hash, aborted);
        var policies = await MethodPolicies.LoadAsync(db, aborted);
        if (person is { State: PersonState.Active } && policies.Of(person.Attributes).Pass is PassUse.Both && found?.Use(now) is true)
        {
            Current.RecordWithoutPassword(person.Id, now);
            Current.RecordPass(now);
            db.Record(SecurityEvent.PassUsed, person.Id, found.Id.ToString("N"), HttpContext, now);
            await outbox.TellAsync(SecurityEvent.PassUsed, person, HttpContext, now, aborted);
            if (await db.TrySaveAsync(aborted))
            {
                await failures.ClearAsync(account, aborted);
                await failures.ReturnAsync(source, Throttle.PasswordSource, aborted);
                return await ContinueAsync();
            }
        }
        else
        {
            db.Record(SecurityEvent.PassRejected, person?.Id, null, HttpContext, now);
            await db.SaveChangesAsync(aborted);
        }

        Problem = words["WrongPassFirst"];
        return Again(StatusCodes.Status422UnprocessableEntity);
    }
}
