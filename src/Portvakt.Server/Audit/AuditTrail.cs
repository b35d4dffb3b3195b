using Portvakt.Domain.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Audit;

/// <summary>Writes <see cref="SecurityEvent"/>s. The row is added to the same context as the change it tells of, so both are saved or neither.</summary>
public static class AuditTrail
{
    public static void Record(this PortvaktDb db, SecurityEvent what, Guid? personId, string? subject, HttpContext? http, DateTimeOffset now) =>
        db.AuditEvents.Add(new AuditEvent(what, personId, subject, http?.Source(), now));
}
