using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Administration;

/// <summary>Asks the phone again before something is changed, and comes back to the page.</summary>
public sealed class ConfirmModel(Reception reception, SessionStore sessions) : PageModel
{
    [FromQuery(Name = "return")]
    public string Return { get; set; } = Reception.Root;

    public async Task<IActionResult> OnGetAsync() => await sessions.CurrentAsync(HttpContext) is null ? await reception.SignInAsync(HttpContext, Return) : Page();

    public Task<IActionResult> OnPostAsync() => reception.SignInAsync(HttpContext, Return);
}
