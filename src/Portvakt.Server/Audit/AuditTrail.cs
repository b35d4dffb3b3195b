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
    /// <param name="reason">Why, where a reason is asked for.</param>
    public static void Record(this PortvaktDb db, SecurityEvent what, Guid? personId, string? subject, HttpContext? http, DateTimeOffset now, Guid? actorId = null, string? reason = null) =>
        db.AuditEvents.Add(new AuditEvent(what, personId, actorId, subject, http?.Source(), reason, now));
}
