using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;

namespace Portvakt.Server.Sessions;

/// <summary>A live session and whose it is.</summary>
/// <param name="Session">The session.</param>
/// <param name="Person">Its person, who may sign in at this moment.</param>
public sealed record SignedIn(Session Session, Person Person);

/// <summary>Finds and ends sessions. Only <see cref="SessionIssuer"/> makes them.</summary>
public sealed class SessionStore(PortvaktDb db, Lookups lookups, Rulings rulings, Outbox outbox, TimeProvider clock)
{
    public const string CookieName = "__Host-portvakt-session";

    /// <summary>The session of this browser, if it is alive and its person may still sign in. Asked once per request.</summary>
    public async Task<SignedIn?> CurrentAsync(HttpContext http)
    {
        if (http.Request.Cookies[CookieName] is not { Length: 43 } secret) return null;
        if (http.Items.TryGetValue(CookieName, out var known)) return (SignedIn?)known;

        var hash = RandomId.Hash(secret);
        var now = clock.GetUtcNow();
        var found = await lookups.SignedIn(db, hash, http.RequestAborted);
        SignedIn? signedIn = null;
        if (found is { Session: var session, Person: var person } && session.IsLive(now) && await MayGoOnAsync(found, http) && !await IsDeskLeftAsync(session, now, http.RequestAborted))
        {
            signedIn = new SignedIn(session, person);
            if (session.Touch(now)) await db.TrySaveAsync(http.RequestAborted);
        }

        http.Items[CookieName] = signedIn;
        return signedIn;
    }

    /// <summary>
    /// Whether this browser is signed in as this person at this moment. What adds a method rests on what the session has proven, so it ends with it (R62). Nothing is
    /// remembered of the question, and nothing written: it is asked in the middle of a step that has not been saved yet.
    /// </summary>
    internal static async Task<bool> IsSignedInAsync(PortvaktDb db, HttpContext http, Guid personId, DateTimeOffset now)
    {
        if (http.Request.Cookies[CookieName] is not { Length: 43 } secret) return false;
        var hash = RandomId.Hash(secret);
        return await db.Sessions.AsNoTracking().SingleOrDefaultAsync(row => row.SecretHash == hash && row.PersonId == personId, http.RequestAborted) is { } session && session.IsLive(now);
    }

    /// <summary>The account is open, and what was proven is still enough and still accepted.</summary>
    private async Task<bool> MayGoOnAsync(SessionRow found, HttpContext http) =>
        found.Session.Method is null
            ? await rulings.OfAsync(found.Person.Id, http, http.RequestAborted) is { PasswordAloneIsEnough: true }
            : found.Person.State is PersonState.Active && await rulings.StillHoldsAsync(SessionHolder.Of(found.Session, found.Person, found.AnyPolicy), http.RequestAborted);

    /// <summary>Whoever administers is signed out after a quarter of an hour without use, wherever the next click goes (R48).</summary>
    private async Task<bool> IsDeskLeftAsync(Session session, DateTimeOffset now, CancellationToken cancellationToken) =>
        now >= session.LastSeenAt + Session.DeskIdleLifetime && await db.RoleAssignments.AnyAsync(role => role.PersonId == session.PersonId, cancellationToken);

    /// <summary>
    /// Ends a session everywhere: its refresh tokens die in the same transaction, and each application that was signed in
    /// to through it gets a notice that will be delivered until it has been heard.
    /// </summary>
    /// <param name="session">Which.</param>
    /// <param name="http">The request.</param>
    /// <param name="actorId">Who ends it, when it is somebody else than the person.</param>
    public Task EndAsync(Session session, HttpContext http, Guid? actorId = null) => EndAsync([session.Id], http, actorId);

    /// <summary>
    /// Every session of a person, everywhere ("it wasn't me"), and every sign-in that is half way: what it has proven belongs to what ends here. What the caller
    /// has changed and not saved yet is saved in the same transaction.
    /// </summary>
    public async Task EndAllAsync(Guid personId, HttpContext http, Guid? actorId = null) => await EndAsync(await HaltAsync(personId), http, actorId);

    /// <summary>
    /// Ends every sign-in of the person that is half way, and only then looks which sessions there are: whoever comes to the end in this moment cannot, or is listed.
    /// By itself and before the transaction, so that nobody who issues a session waits for us while we wait for them.
    /// </summary>
    private async Task<List<string>> HaltAsync(Guid personId)
    {
        await PersonMethods.AbandonAttemptsAsync(db, personId, clock.GetUtcNow());
        return await db.Sessions.Where(row => row.PersonId == personId && row.EndedAt == null).Select(row => row.Id).ToListAsync(CancellationToken.None);
    }

    /// <summary>The live sessions of a person, the one used last first.</summary>
    public async Task<IReadOnlyList<Session>> LiveAsync(Guid personId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var open = await db.Sessions.AsNoTracking().Where(row => row.PersonId == personId && row.EndedAt == null && row.ExpiresAt > now).OrderByDescending(row => row.LastSeenAt).ToListAsync(cancellationToken);
        return [.. open.Where(session => session.IsLive(now))];
    }

    /// <summary>
    /// Activation of 2-factor, or "sign out everywhere": every session of the person ends, and with it all that came of it, in one transaction. Answers with
    /// the id of the round, whose page tells what became of each application; null: the person was changed in the same instant, and no session was ended.
    /// </summary>
    /// <param name="http">The request of the person.</param>
    /// <param name="person">Who; loaded in this request.</param>
    /// <param name="activates">Whether 2-factor is demanded of the person from now on.</param>
    public async Task<string?> EndEverywhereAsync(HttpContext http, Person person, bool activates)
    {
        var now = clock.GetUtcNow();
        var round = new SignOutRound { Id = RandomId.New(), PersonId = person.Id, BrowserHash = BrowserCookie.Ensure(http), At = now, IsActivation = activates };
        var live = await HaltAsync(person.Id);
        await using (var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None))
        {
            foreach (var id in live) await EndInTransactionAsync(db, id, http, now);
            db.SignOutRounds.Add(round);
            if (activates)
            {
                person.Activate(now);
                db.Record(SecurityEvent.TwoFactorActivated, person.Id, null, http, now);
            }

            db.Record(SecurityEvent.SignedOutEverywhere, person.Id, round.Id, http, now);
            await outbox.TellAsync(activates ? SecurityEvent.TwoFactorActivated : SecurityEvent.SignedOutEverywhere, person, http, now, CancellationToken.None);
            if (!await db.TrySaveAsync(CancellationToken.None)) return null;
            await transaction.CommitAsync(CancellationToken.None);
        }

        db.ChangeTracker.Clear(); // what was loaded before no longer tells the truth
        http.Items.Remove(CookieName);
        http.Response.Cookies.Delete(CookieName, BrowserCookie.Options(null));
        return round.Id;
    }

    /// <summary>
    /// Each statement is its own condition, so a refresh in the same instant neither stops the sign-out nor survives it;
    /// and a browser that is closed meanwhile does not stop it either.
    /// </summary>
    private async Task EndAsync(List<string> ids, HttpContext http, Guid? actorId)
    {
        var now = clock.GetUtcNow();
        await using (var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None))
        {
            foreach (var id in ids) await EndInTransactionAsync(db, id, http, now, actorId);
            await db.SaveChangesAsync(CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
        }

        db.ChangeTracker.Clear(); // what was loaded before no longer tells the truth
        http.Items.Remove(CookieName);
    }

    /// <summary>
    /// A factor was bound, or a password chosen: whoever is signed in elsewhere may not be the person, nor whoever has proven all that it takes and has not pressed the last
    /// button yet (R62). The session of this browser goes on.
    /// </summary>
    /// <param name="db">In a transaction of the caller.</param>
    /// <param name="personId">Whose.</param>
    /// <param name="http">The request of the browser that goes on, or of a phone.</param>
    /// <param name="now">The instant.</param>
    /// <param name="attemptId">The sign-in that goes on; null: none.</param>
    /// <param name="passwordToo">The password has changed: who has only typed the old one begins again, too.</param>
    internal static async Task EndOthersInTransactionAsync(PortvaktDb db, Guid personId, HttpContext http, DateTimeOffset now, string? attemptId = null, bool passwordToo = false)
    {
        await PersonMethods.AbandonOthersAsync(db, personId, attemptId, passwordToo, now);
        var own = http.Request.Cookies[CookieName] is { Length: 43 } secret ? RandomId.Hash(secret) : [];
        foreach (var id in await db.Sessions.Where(row => row.PersonId == personId && row.EndedAt == null && row.SecretHash != own).Select(row => row.Id).ToListAsync(http.RequestAborted))
            await EndInTransactionAsync(db, id, http, now);
    }

    internal static async Task EndInTransactionAsync(PortvaktDb db, string sessionId, HttpContext? http, DateTimeOffset now, Guid? actorId = null)
    {
        var ended = await db.Sessions.Where(row => row.Id == sessionId && row.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, now).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);
        if (ended is 0) return;

        var clients = await db.AuthorizationCodes.Where(row => row.SessionId == sessionId).Select(row => row.ClientId)
            .Union(db.RefreshFamilies.Where(row => row.SessionId == sessionId).Select(row => row.ClientId)).ToListAsync(CancellationToken.None);
        await db.RefreshFamilies.Where(row => row.SessionId == sessionId && row.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.RevokedAt, now).SetProperty(row => row.Version, row => row.Version + 1), CancellationToken.None);
        var personId = await db.Sessions.Where(row => row.Id == sessionId).Select(row => row.PersonId).SingleAsync(CancellationToken.None);
        db.LogoutNotices.AddRange(clients.Select(client => new LogoutNotice
        {
            Id = Guid.CreateVersion7(now),
            ClientId = client,
            PersonId = personId,
            SessionId = sessionId,
            CreatedAt = now,
            NextTryAt = now,
        }));
        db.Record(SecurityEvent.SessionEnded, personId, sessionId, http, now, actorId);
    }
}
