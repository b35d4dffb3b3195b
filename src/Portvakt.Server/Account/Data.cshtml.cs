using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Domain.Audit;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Account;

/// <summary>What is known of oneself, as a file (R92). Who has two factors brings both: with the password alone nobody reads where somebody was.</summary>
public sealed class DataModel(SessionStore sessions, PortvaktDb db, TimeProvider clock) : PageModel
{
    /// <summary>Signed in with less than the person has.</summary>
    public bool NeedsTwoFactors { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return Redirect("/sign-in");
        NeedsTwoFactors = IsWeak(current);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return Redirect("/sign-in");
        if (IsWeak(current))
        {
            NeedsTwoFactors = true;
            Response.StatusCode = StatusCodes.Status403Forbidden;
            return Page();
        }

        db.Record(SecurityEvent.PersonalDataExported, current.Person.Id, null, HttpContext, clock.GetUtcNow());
        await db.SaveChangesAsync(HttpContext.RequestAborted);
        return File(await PersonalData.ExportAsync(db, current.Person.Id, HttpContext.RequestAborted), PersonalData.ContentType, PersonalData.FileName);
    }

    private static bool IsWeak(SignedIn current) => current.Person.IsEnrolled && current.Session.Method is null;
}
