using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Audit;

/// <summary>Writes <see cref="SecurityEvent"/>s. The row is added to the same context as the change it tells of, so both are saved or neither.</summary>
public static class AuditTrail
{
    /// <param name="db">The context that saves.</param>
    /// <param name="what">What happened.</param>
    /// <param name="personId">To whom.</param>
    /// <param name="subject">Id of the thing concerned.</param>
    /// <param name="http">The request; null when the program acts by itself.</param>
    /// <param name="now">When.</param>
    /// <param name="actorId">Who, when it was somebody else than the person.</param>
    /// <param name="reason">Why, where a reason is asked for. What would hide in it or end a line is made visible before it is kept.</param>
    public static void Record(this PortvaktDb db, SecurityEvent what, Guid? personId, string? subject, HttpContext? http, DateTimeOffset now, Guid? actorId = null, string? reason = null) =>
        db.AuditEvents.Add(new AuditEvent(what, personId, actorId, Visible.Of(subject), http?.Source(), Visible.Of(reason), now));

    /// <summary>
    /// Erases what is personal in the rows on a person: addresses and reasons, and with the blind every way to guess them from the commitment (R92). The chain stays
    /// whole. Call it in the transaction that records <see cref="SecurityEvent.PersonErased"/> on the person: without that row, verifying takes
    /// the missing addresses for tampering. What the person did to others keeps its reason, until retention takes it: it belongs to their history.
    /// </summary>
    /// <returns>How many rows were erased.</returns>
    public static Task<int> EraseAsync(PortvaktDb db, Guid personId, CancellationToken cancellationToken) =>
        db.AuditEvents.Where(row => row.PersonId == personId).ExecuteUpdateAsync(
            row => row.SetProperty(audit => audit.Address, (string?)null).SetProperty(audit => audit.Reason, (string?)null).SetProperty(audit => audit.Blind, (byte[]?)null),
            cancellationToken);
}
