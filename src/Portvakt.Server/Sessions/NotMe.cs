using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Mails;

namespace Portvakt.Server.Sessions;

/// <summary>Who came, as far as is known.</summary>
/// <param name="ApprovalId">The question on the phone that was answered so; null when a sign-in was disowned afterwards.</param>
/// <param name="Application">Where the stranger wanted to get in.</param>
/// <param name="Address">From where.</param>
/// <param name="Browser">With what.</param>
public sealed record Stranger(string? ApprovalId, string? Application, string? Address, string? Browser);

/// <summary>"It wasn't me" (R18), on the phone or in security info. Whoever calls this ends the person's sessions after it (<see cref="SessionStore.EndAllAsync"/>).</summary>
public static class NotMe
{
    /// <summary>
    /// The password is known to a stranger. It must be changed, the helpdesk has a case, both are told; while the case is open no sign-in with the password alone
    /// makes the phone ring. One open case per person: further answers add nothing to it. Within a transaction of the caller, who saves.
    /// </summary>
    public static async Task OpenCaseAsync(HttpContext http, PortvaktDb db, Outbox outbox, Person person, Stranger stranger, DateTimeOffset now)
    {
        // Not under the version of the row: nothing that happens to the person in the same moment may get in the way of this answer. And it holds the row, so that two answers come one after the other.
        await db.People.Where(row => row.Id == person.Id).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.MustChangePassword, true).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);
        db.Record(SecurityEvent.PasswordChangeDemanded, person.Id, stranger.ApprovalId, http, now);
        if (await db.Cases.AnyAsync(row => row.PersonId == person.Id && row.ClosedAt == null, CancellationToken.None)) return;
        var opened = new HelpdeskCase(person.Id, stranger.ApprovalId, stranger.Application, stranger.Address, stranger.Browser, now);
        db.Cases.Add(opened);
        db.Record(SecurityEvent.CaseOpened, person.Id, opened.Id.ToString("N"), http, now);
        await outbox.TellOfCaseAsync(opened, person, CancellationToken.None);
    }
}
