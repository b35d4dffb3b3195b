using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Server.Hosting;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Account;

/// <summary>Sign out, after the person has said so (R75): everywhere this session was used, and back to the application that asked, if it registered that address.</summary>
public sealed class SignOutModel(SessionStore sessions, RelyingParties relyingParties) : PageModel
{
    [FromQuery(Name = "client_id")]
    public string? ClientId { get; set; }

    [FromQuery(Name = "post_logout_redirect_uri")]
    public string? PostLogoutRedirectUri { get; set; }

    [FromQuery(Name = "state")]
    public string? State { get; set; }

    public bool IsSignedIn { get; private set; }

    private string? Return => EndSession.ValidatedReturn(relyingParties, ClientId, PostLogoutRedirectUri, State);

    public async Task OnGetAsync()
    {
        IsSignedIn = await sessions.CurrentAsync(HttpContext) is not null;
        if (Return is { } address) ContentPolicy.Of(HttpContext).FormTargets.Add(ContentPolicy.SourceOf(new Uri(address)));
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is { } current) await sessions.EndAsync(current.Session, HttpContext);
        Response.Cookies.Delete(SessionStore.CookieName, BrowserCookie.Options(null));
        if (Return is not { } address) return SignInJourney.SeeOther("/sign-out");
        Response.Headers.Location = address;
        return StatusCode(StatusCodes.Status303SeeOther);
    }
}
