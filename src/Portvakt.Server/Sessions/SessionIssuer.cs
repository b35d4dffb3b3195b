using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;

namespace Portvakt.Server.Sessions;

/// <summary>The only place that sets the session cookie, and only for an attempt whose next step is <see cref="SignInStep.Finish"/>.</summary>
public sealed class SessionIssuer(PortvaktDb db, Lookups lookups, Outbox outbox, TimeProvider clock, IOptions<PortvaktSettings> settings, ILogger<SessionIssuer> log)
{
    /// <summary>
    /// Issues a session under a new secret; the old one of this browser is worth nothing from then on (R8). One save: attempt, session, audit.
    /// False: the attempt was finished by another request in the same instant, and nothing was issued.
    /// </summary>
    public async Task<bool> IssueAsync(HttpContext http, SignInAttempt attempt, Person person, SignInStep next)
    {
        if (next is not SignInStep.Finish) throw new InvalidOperationException("A session is issued at the end of the journey and nowhere else.");

        var now = clock.GetUtcNow();
        var secret = RandomId.NewSecret();
        var oldHash = http.Request.Cookies[SessionStore.CookieName] is { Length: 43 } old ? RandomId.Hash(old) : null;
        var previous = oldHash is null ? null : await lookups.Session(db, oldHash, http.RequestAborted);

        // The same person once more in the same browser: what applications know as the session goes on, under a new secret.
        var renews = previous?.PersonId == person.Id && previous.IsLive(now);
        if (attempt.Adds && !renews) return false; // what adds to a session that was ended meanwhile does not bring it back (R62)
        var session = renews ? previous! : new Session(secret, person.Id, attempt, http.Browser(), http.CoarseAddress(), now, settings.Value.StaySignedInLifetime);
        if (renews) session.Renew(secret, attempt, now, settings.Value.StaySignedInLifetime);
        attempt.Finish(session.Id, now);
        var twoFactors = attempt.SecondFactorVerifiedAt is not null;
        var lastSeen = twoFactors ? null : await db.Sessions.Where(row => row.PersonId == person.Id).MaxAsync(row => (DateTimeOffset?)row.LastSeenAt, http.RequestAborted);
        person.RecordSignIn(now, lastSeen > person.LastSignInAt ? lastSeen : person.LastSignInAt, twoFactors);
        if (!renews) db.Sessions.Add(session);

        var familiar = await db.FamiliarBrowsers.FindAsync([person.Id, attempt.BrowserHash], http.RequestAborted);
        if (familiar is null) db.FamiliarBrowsers.Add(new FamiliarBrowser(person.Id, attempt.BrowserHash, now));
        else familiar.Seen(now);

        db.Record(SecurityEvent.SessionIssued, person.Id, session.Id, http, now);
        var isBreakGlass = settings.Value.BreakGlass.Contains(person.UserName, StringComparer.OrdinalIgnoreCase);
        if (isBreakGlass)
        {
            db.Record(SecurityEvent.BreakGlassUsed, person.Id, session.Id, http, now);
            await outbox.AlarmAsync(person, http, now, http.RequestAborted);
        }

        var isIssued = await db.InTransactionAsync(
            async () =>
            {
                if (!renews && previous is not null) await SessionStore.EndInTransactionAsync(db, previous.Id, http, now);
                return await db.TrySaveAsync(http.RequestAborted);
            },
            http.RequestAborted);
        if (!isIssued) return false;

        if (isBreakGlass) log.BreakGlassUsed(person.Id);
        http.Response.Cookies.Append(SessionStore.CookieName, secret, BrowserCookie.Options(session.Stays ? session.ExpiresAt - now : null));
        http.Items.Remove(SessionStore.CookieName);
        return true;
    }
}

internal static partial class Log
{
    // Critical: this is an alarm, whatever else the log is set to.
    [LoggerMessage(2010, LogLevel.Critical, "A break-glass account was used: {PersonId}")]
    public static partial void BreakGlassUsed(this ILogger logger, Guid personId);
}
