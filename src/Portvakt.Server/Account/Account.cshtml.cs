using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Account;

/// <summary>Where somebody lands who came without an application: who I am here, and the way out.</summary>
public sealed class AccountModel(SessionStore sessions) : PageModel
{
    public SignedIn SignedIn { get; private set; } = null!;

    public async Task<IActionResult> OnGetAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return Redirect("/sign-in");
        SignedIn = current;
        return Page();
    }
}
