using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Account;

/// <summary>Where somebody lands who came without an application: who I am here, and the ways on: security info, the desk, what is known of me.</summary>
public sealed class AccountModel(SessionStore sessions, PortvaktDb db) : PageModel
{
    public SignedIn SignedIn { get; private set; } = null!;

    /// <summary>Whether there is a desk of administration for this person.</summary>
    public bool HasRole { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return Redirect("/sign-in");
        SignedIn = current;
        HasRole = await db.RoleAssignments.AnyAsync(role => role.PersonId == current.Person.Id, HttpContext.RequestAborted);
        return Page();
    }
}
