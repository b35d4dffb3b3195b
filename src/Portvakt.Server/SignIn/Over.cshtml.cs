using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>The attempt is finished, too old, or another browser's: one calm page, and the way to begin again where it makes sense.</summary>
public sealed class OverModel(PortvaktDb db, SessionStore sessions) : PageModel
{
    public bool IsSignedIn { get; private set; }

    /// <summary>Somebody answered "It wasn't me": the person at this browser is told, and so is one who was mistaken.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The application's own request once more; only for the browser that made it.</summary>
    public string? Again { get; private set; }

    public async Task OnGetAsync(string? was)
    {
        IsSignedIn = await sessions.CurrentAsync(HttpContext) is not null;
        if (was is not null && SignInJourney.IsAttemptId(was) && BrowserCookie.Hash(HttpContext) is { } browser
            && await db.SignInAttempts.AsNoTracking().SingleOrDefaultAsync(row => row.Id == was, HttpContext.RequestAborted) is { } attempt && attempt.BelongsTo(browser))
        {
            Again = attempt.ReturnPath;
            IsStopped = !IsSignedIn && await db.Approvals.AnyAsync(row => row.AttemptId == attempt.Id && row.State == ApprovalState.Reported, HttpContext.RequestAborted);
        }

        Response.StatusCode = IsSignedIn ? StatusCodes.Status200OK : StatusCodes.Status410Gone;
    }
}
