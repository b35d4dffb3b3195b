using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Account;

/// <summary>Where somebody lands who came without an application: who I am here, where I am signed in, and the way out of each place or of all (R65).</summary>
public sealed class AccountModel(SessionStore sessions, PortvaktDb db) : PageModel
{
    public SignedIn SignedIn { get; private set; } = null!;

    /// <summary>Live ones, this browser's included.</summary>
    public IReadOnlyList<Session> Sessions { get; private set; } = [];

    /// <summary>Whether there is a desk of administration for this person.</summary>
    public bool HasRole { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return Redirect("/sign-in");
        SignedIn = current;
        Sessions = await sessions.LiveAsync(current.Person.Id, HttpContext.RequestAborted);
        HasRole = await db.RoleAssignments.AnyAsync(role => role.PersonId == current.Person.Id, HttpContext.RequestAborted);
        return Page();
    }

    public async Task<IActionResult> OnPostEndAsync(string? id)
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return SignInJourney.SeeOther("/sign-in");

        // Only among one's own: another person's id is no id at all (R47).
        if ((await sessions.LiveAsync(current.Person.Id, HttpContext.RequestAborted)).SingleOrDefault(session => session.Id == id) is { } chosen) await sessions.EndAsync(chosen, HttpContext);
        return SignInJourney.SeeOther("/account");
    }

    public async Task<IActionResult> OnPostEverywhereAsync()
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current) return SignInJourney.SeeOther("/sign-in");
        return SignInJourney.SeeOther(await sessions.EndEverywhereAsync(HttpContext, current.Person, activates: false) is { } round ? SignedOutEverywhereModel.AddressOf(round) : "/account");
    }
}
