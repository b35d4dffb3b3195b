using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Account;

/// <summary>Sign out, after the person has said so (R75); everywhere this session was used.</summary>
public sealed class SignOutModel(SessionStore sessions) : PageModel
{
    public bool IsSignedIn { get; private set; }

    public async Task OnGetAsync() => IsSignedIn = await sessions.CurrentAsync(HttpContext) is not null;

    public async Task<IActionResult> OnPostAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is { } current) await sessions.EndAsync(current.Session, HttpContext);
        Response.Cookies.Delete(SessionStore.CookieName, BrowserCookie.Options(null));
        return SignInJourney.SeeOther("/sign-out");
    }
}
