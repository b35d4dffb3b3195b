using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>After "it wasn't me": who has proven both factors chooses a password that the stranger does not know (R18).</summary>
public sealed class NewPasswordModel(SignInJourney journey, PortvaktDb db, Outbox outbox, PasswordHash hash, PasswordPolicy policy, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.NewPassword)
{
    public string? Problem { get; private set; }

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? password)
    {
        var person = Standing.Person!;
        var verdict = policy.Judge(password ?? "", UserName.Parse(person.UserName), person.DisplayName);
        if (verdict is not PasswordProblem.None)
        {
            Problem = words["Password" + verdict, PasswordRules.MinimumLength];
            return Again(StatusCodes.Status422UnprocessableEntity);
        }

        var normalised = PasswordRules.Normalise(password!)!;
        if (await hash.VerifyAsync(normalised, person.PasswordHash, HttpContext.RequestAborted))
        {
            Problem = words["PasswordSame"];
            return Again(StatusCodes.Status422UnprocessableEntity);
        }

        var now = clock.GetUtcNow();
        person.SetPassword(await hash.HashAsync(normalised, HttpContext.RequestAborted));
        db.Record(SecurityEvent.PasswordChanged, person.Id, null, HttpContext, now);
        await outbox.TellAsync(SecurityEvent.PasswordChanged, person, HttpContext, now, HttpContext.RequestAborted);

        // Whoever came in with the old one goes out (R62); this browser goes on.
        await using (var transaction = await db.Database.BeginTransactionAsync(HttpContext.RequestAborted))
        {
            await SessionStore.EndOthersInTransactionAsync(db, person.Id, HttpContext, now, Current.Id, passwordToo: true);
            if (!await db.TrySaveAsync(HttpContext.RequestAborted)) return Reload();
            await transaction.CommitAsync(HttpContext.RequestAborted);
        }

        return await ContinueAsync();
    }
}
