namespace Portvakt.Domain.People;

/// <summary>Somebody said "it wasn't me" (R18). While it is open no sign-in that knows only the password makes the person's phone ring.</summary>
public sealed class HelpdeskCase
{
    private HelpdeskCase() { }

    public HelpdeskCase(Guid personId, string? approvalId, string? application, string? address, string? browser, DateTimeOffset now) =>
        (Id, PersonId, ApprovalId, Application, Address, Browser, OpenedAt) = (Guid.CreateVersion7(now), personId, approvalId, application, address, browser, now);

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }
    public string? ApprovalId { get; private set; }

    /// <summary>The application that the stranger wanted to get into.</summary>
    public string? Application { get; private set; }

    /// <summary>Where the stranger came from.</summary>
    public string? Address { get; private set; }

    public string? Browser { get; private set; }
    public DateTimeOffset OpenedAt { get; private set; }
    public DateTimeOffset? ClosedAt { get; private set; }
    public Guid? ClosedBy { get; private set; }

    /// <summary>What the helpdesk found out.</summary>
    public string? Note { get; private set; }

    public int Version { get; private set; }

    public void Close(Guid by, string? note, DateTimeOffset now) => (ClosedAt, ClosedBy, Note) = (now, by, note);
}
