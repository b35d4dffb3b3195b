using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;

namespace Portvakt.Server.Sessions;

/// <summary>A live session and whose it is.</summary>
public sealed record SignedIn(Session Session, Person Person);

/// <summary>Finds and ends sessions. Only <see cref="SessionIssuer"/> makes them.</summary>
public sealed class SessionStore(PortvaktDb db, TimeProvider clock)
{
    public const string CookieName = "__Host-portvakt-session";

    /// <summary>The session of this browser, if it is alive and its person may still sign in. Asked once per request.</summary>
    public async Task<SignedIn?> CurrentAsync(HttpContext http)
    {
        if (http.Request.Cookies[CookieName] is not { Length: 43 } secret) return null;
        if (http.Items.TryGetValue(CookieName, out var known)) return (SignedIn?)known;

        var hash = RandomId.Hash(secret);
        var now = clock.GetUtcNow();
        var session = await db.Sessions.SingleOrDefaultAsync(row => row.SecretHash == hash, http.RequestAborted);
        SignedIn? signedIn = null;
        if (session?.IsLive(now) is true
            && await db.People.SingleOrDefaultAsync(row => row.Id == session.PersonId, http.RequestAborted) is { State: PersonState.Active } person)
        {
            signedIn = new SignedIn(session, person);
            if (session.Touch(now)) await db.TrySaveAsync(http.RequestAborted);
        }

        http.Items[CookieName] = signedIn;
        return signedIn;
    }

    /// <summary>
    /// Ends a session everywhere: its refresh tokens die in the same transaction, and each application that was signed in
    /// to through it gets a notice that will be delivered until it has been heard.
    /// </summary>
    public async Task EndAsync(Session session, HttpContext http)
    {
        await EndWithoutSavingAsync(session, http);
        await db.SaveChangesAsync(http.RequestAborted);
        http.Items.Remove(CookieName);
    }

    /// <summary>Every session of a person, everywhere ("it wasn't me", a changed factor).</summary>
    public async Task EndAllAsync(Guid personId, HttpContext http)
    {
        foreach (var session in await db.Sessions.Where(row => row.PersonId == personId && row.EndedAt == null).ToListAsync(http.RequestAborted))
        {
            await EndWithoutSavingAsync(session, http);
        }

        await db.SaveChangesAsync(http.RequestAborted);
        http.Items.Remove(CookieName);
    }

    private async Task EndWithoutSavingAsync(Session session, HttpContext http)
    {
        var now = clock.GetUtcNow();
        session.End(now);
        var families = await db.RefreshFamilies.Where(family => family.SessionId == session.Id && family.RevokedAt == null).ToListAsync(http.RequestAborted);
        foreach (var family in families) family.RevokedAt = now;

        var clients = await db.AuthorizationCodes.Where(code => code.SessionId == session.Id).Select(code => code.ClientId).ToListAsync(http.RequestAborted);
        foreach (var clientId in clients.Concat(families.Select(family => family.ClientId)).Distinct(StringComparer.Ordinal))
        {
            db.LogoutNotices.Add(new LogoutNotice
            {
                Id = Guid.CreateVersion7(now),
                ClientId = clientId,
                PersonId = session.PersonId,
                SessionId = session.Id,
                CreatedAt = now,
                NextTryAt = now,
            });
        }

        db.Record(SecurityEvent.SessionEnded, session.PersonId, session.Id, http, now);
    }
}
