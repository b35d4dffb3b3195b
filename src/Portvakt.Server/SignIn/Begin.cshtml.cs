using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>Somebody comes by themselves: begin an attempt, or go to the account when there is a session already.</summary>
public sealed class BeginModel(SignInJourney journey, SessionStore sessions) : PageModel
{
    public async Task<IActionResult> OnGetAsync() =>
        await sessions.CurrentAsync(HttpContext) is not null
            ? SignInJourney.SeeOther("/account")
            : SignInJourney.SeeOther(await journey.BeginAsync(HttpContext, new SignInRequest()));
}
