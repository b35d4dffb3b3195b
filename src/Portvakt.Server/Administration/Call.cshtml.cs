using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.People;
using Portvakt.Server.Approvals;

namespace Portvakt.Server.Administration;

/// <summary>The number to read out, and what the phone of the caller says (R45). Only for whoever asked.</summary>
public sealed class CallModel(Reception reception) : AdministrationPage(reception, Act.CallPhone)
{
    public override string Section => "/administration/people";

    public ApprovalRequest Asked { get; private set; } = null!;
    public Person Target { get; private set; } = null!;
    public bool Waits => Asked.IsLive(Now);
    public int SecondsLeft => Math.Max(0, (int)Math.Ceiling((Asked.ExpiresAt - Now).TotalSeconds));

    public async Task<IActionResult> OnGetAsync(string id)
    {
        var call = Approver.CallOf(Desk.Person.Id);
        if (await Db.Approvals.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.AttemptId == call && row.Purpose == ApprovalPurpose.Caller, Aborted) is not { } asked) return NotFound();
        if (await Db.People.AsNoTracking().SingleOrDefaultAsync(row => row.Id == asked.PersonId, Aborted) is not { } target) return NotFound();
        (Asked, Target) = (asked, target);

        // Without a script the page looks again by itself while the phone rings; one minute at most.
        if (Waits) Response.Headers["Refresh"] = "3";
        return Page();
    }
}
