using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Administration;

/// <summary>A row of the audit log on a person, with the name of who did it.</summary>
public sealed record HistoryRow(SecurityEvent What, DateTimeOffset At, string? Actor, string? Reason, string? Address);

/// <summary>An exemption or extension that holds, with the name of who granted it.</summary>
public sealed record TermRow(PersonalTerm Term, string? Author);

/// <summary>Everything that the page of one person shows, as it stands when it is asked for. Nothing here decides or changes.</summary>
public sealed class PersonView
{
    private const int HistoryLength = 50;

    public required Wave? Wave { get; init; }
    public required PersonLine Line { get; init; }
    public required string? ManagerName { get; init; }
    public required PersonMethods Methods { get; init; }

    /// <summary>By telephone number: the code that was sent there last, and what became of it.</summary>
    public required IReadOnlyDictionary<Guid, TelephoneMessage> LastCodes { get; init; }

    /// <summary>Which methods count for the person.</summary>
    public required MethodPolicy Policy { get; init; }

    public required IReadOnlyList<Session> Sessions { get; init; }
    public required IReadOnlyList<HelpdeskCase> Cases { get; init; }
    public required IReadOnlyList<AccessPass> Passes { get; init; }
    public required IReadOnlyList<TermRow> Terms { get; init; }
    public required IReadOnlyList<HistoryRow> History { get; init; }

    /// <summary>Policy lets a pass stand in for the second factor: whoever has one, but not here, may be given a pass as well.</summary>
    public bool PassOpensSignIn => Policy.Pass is not PassUse.Enrolment;

    /// <param name="db">The database.</param>
    /// <param name="sessions">Who is signed in where.</param>
    /// <param name="person">Whom the reader may see.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static async Task<PersonView> LoadAsync(PortvaktDb db, SessionStore sessions, Person person, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var id = person.Id;
        var methods = await PersonMethods.LoadAsync(db, id, cancellationToken);
        var lastCodes = new Dictionary<Guid, TelephoneMessage>();
        foreach (var number in methods.Telephones)
        {
            if (await db.TelephoneMessages.AsNoTracking().Where(row => row.NumberId == number.Id).OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(cancellationToken) is { } sent) lastCodes[number.Id] = sent;
        }

        var passes = await db.AccessPasses.AsNoTracking().Where(row => row.PersonId == id && row.RevokedAt == null).OrderByDescending(row => row.CreatedAt).ToListAsync(cancellationToken);
        return new PersonView
        {
            Wave = await db.Waves.AsNoTracking().SingleOrDefaultAsync(row => row.Id == person.WaveId, cancellationToken),
            Line = await PersonLine.Of(db.People.Where(row => row.Id == id), db).SingleAsync(cancellationToken),
            ManagerName = person.Manager is null ? null : await db.People.Where(row => row.UserName == person.Manager).Select(row => row.DisplayName).SingleOrDefaultAsync(cancellationToken),
            Methods = methods,
            LastCodes = lastCodes,
            Policy = (await MethodPolicies.LoadAsync(db, cancellationToken)).Of(person.Attributes),
            Sessions = await sessions.LiveAsync(id, cancellationToken),
            Cases = await db.Cases.AsNoTracking().Where(row => row.PersonId == id && row.ClosedAt == null).OrderByDescending(row => row.OpenedAt).ToListAsync(cancellationToken),
            Passes = [.. passes.Where(pass => pass.IsLive(now) || pass.AwaitsConfirmation(now))],
            Terms = await (from term in db.PersonalTerms.AsNoTracking()
                           where term.PersonId == id && term.EndedAt == null && term.Until > now
                           orderby term.Until
                           select new TermRow(term, db.People.Where(other => other.Id == term.AuthorId).Select(other => other.DisplayName).SingleOrDefault())).ToListAsync(cancellationToken),
            History = await (from row in db.AuditEvents.AsNoTracking()
                             where row.PersonId == id
                             orderby row.At descending, row.Id descending
                             select new HistoryRow(row.What, row.At, db.People.Where(other => other.Id == row.ActorId).Select(other => other.DisplayName).SingleOrDefault(), row.Reason, row.Address)).Take(HistoryLength).ToListAsync(cancellationToken),
        };
    }
}
