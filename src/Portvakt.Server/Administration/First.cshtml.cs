using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>Who holds the token of the machine's operator becomes the administrator, and enrols at the first sign-in like everybody who administers (R46).</summary>
public sealed class FirstModel(
    Reception reception, PortvaktDb db, Vault vault, PasswordHash hash, PasswordPolicy passwords, IStringLocalizer<AdminWords> admin, IStringLocalizer<Words> words) : PageModel
{
    private const int LongestName = 200;

    public string? Problem { get; private set; }
    public string? UserName { get; private set; }
    public string? Name { get; private set; }

    public async Task<IActionResult> OnGetAsync() =>
        await FirstToken.IsWaitedForAsync(db, reception.Clock.GetUtcNow(), HttpContext.RequestAborted) ? Page() : NotFound();

    public async Task<IActionResult> OnPostAsync(string? token, string? userName, string? name, string? password)
    {
        var aborted = HttpContext.RequestAborted;
        var now = reception.Clock.GetUtcNow();
        if (!await FirstToken.IsWaitedForAsync(db, now, aborted)) return NotFound();
        (UserName, Name) = (userName, name?.Trim());

        // The source is counted before the token is looked at.
        var failures = new FailureCounter(db, reception.Clock);
        var source = $"first:{HttpContext.Source()}";
        if (await failures.RaiseAsync(source, Throttle.BindingSource, aborted) is { } wait)
        {
            Response.RetryAfter(wait);
            return Again(admin["FirstTooMany"], StatusCodes.Status429TooManyRequests);
        }

        // Nobody without the token learns which user names there are.
        var typed = token?.Trim() ?? "";
        if (typed.Length > 100 || !await FirstToken.IsRightAsync(db, vault, typed, now, aborted)) return Again(admin["FirstWrongToken"]);
        await failures.ReturnAsync(source, Throttle.BindingSource, aborted);
        if (!Domain.People.UserName.TryParse(userName, out var parsed)) return Again(admin["FirstUserName"]);
        if (string.IsNullOrEmpty(Name) || Name.Length > LongestName) return Again(admin["FirstName"]);
        if (await db.People.AnyAsync(row => row.UserName == parsed.Value.Value, aborted)) return Again(admin["FirstTaken"]);
        if (passwords.Judge(password ?? "", parsed.Value, Name) is not PasswordProblem.None and var problem) return Again(words["Password" + problem, PasswordRules.MinimumLength]);

        var person = new Person(parsed.Value, Name, now) { Language = Localisation.Current };
        person.SetPassword(await hash.HashAsync(PasswordRules.Normalise(password!)!, aborted));
        person.RecordUseElsewhere(now); // an account in use: its password may enrol (R29)
        person.JoinWave(null, byName: true);
        await using (var transaction = await db.Database.BeginTransactionAsync(aborted))
        {
            if (!await FirstToken.UseAsync(db, vault, typed, now, aborted)) return Again(admin["FirstWrongToken"]);
            db.People.Add(person);
            db.RoleAssignments.Add(new RoleAssignment(person.Id, Role.Administrator, null, null, now));
            db.Record(SecurityEvent.FirstAdministratorMade, person.Id, null, HttpContext, now);
            if (!await db.TrySaveAsync(aborted)) return Again(admin["FirstTaken"]);
            await transaction.CommitAsync(aborted);
        }

        return await reception.SignInAsync(HttpContext, "/administration/people");
    }

    private PageResult Again(string sentence, int status = StatusCodes.Status422UnprocessableEntity)
    {
        Problem = sentence;
        Response.StatusCode = status;
        return Page();
    }
}
