using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>What a code or a refresh token stands for: whose session, for which application, how much of it.</summary>
public sealed record Grant(string ClientId, Session Session, Person Person, string Scopes);

/// <summary>
/// Codes and refresh tokens: opaque, stored as SHA-256, each good once. One per request: what the engine's validation found here is what
/// the endpoint redeems, so nothing is read twice. A redemption is one conditional save; who loses it has used the thing a second time.
/// </summary>
public sealed class Grants(PortvaktDb db, Lookups lookups, Rulings rulings, TimeProvider clock)
{
    /// <summary>RFC 6749 section 4.1.2; OWASP ASVS 10.4.3.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    /// <summary>The absolute end of a family; its session's end if that comes first.</summary>
    public static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(30);

    private AuthorizationCode? _code;
    private RefreshFamily? _family;

    /// <summary>What the code or refresh token of this request stands for, once it was found good.</summary>
    public Grant? Presented { get; private set; }

    /// <summary>The code that shall be sent.</summary>
    public string? CodeToSend { get; private set; }

    /// <summary>The refresh token that shall be sent.</summary>
    public string? RefreshTokenToSend { get; private set; }

    /// <summary>Makes a code and saves it together with whatever else the request changed. False: another request won one of those rows.</summary>
    public async Task<bool> IssueCodeAsync(Grant grant, string redirectUri, string codeChallenge, string? nonce, CancellationToken cancellationToken)
    {
        var code = RandomId.NewSecret();
        db.AuthorizationCodes.Add(new AuthorizationCode
        {
            Hash = RandomId.Hash(code),
            ClientId = grant.ClientId,
            RedirectUri = redirectUri,
            CodeChallenge = codeChallenge,
            Nonce = nonce,
            Scopes = grant.Scopes,
            PersonId = grant.Person.Id,
            SessionId = grant.Session.Id,
            ExpiresAt = clock.GetUtcNow() + CodeLifetime,
        });
        if (!await db.TrySaveAsync(cancellationToken)) return false;
        CodeToSend = code;
        return true;
    }

    /// <summary>The code, if it is good. A second use revokes what came of the first (RFC 6749 section 4.1.2).</summary>
    public async Task<AuthorizationCode?> FindCodeAsync(string code, HttpContext http)
    {
        var hash = RandomId.Hash(code);
        var found = await lookups.Code(db, hash, http.RequestAborted);
        if (found is null) return null;
        if (found.Row.UsedAt is not null)
        {
            await CodeReusedAsync(found.Row, http);
            return null;
        }

        if (clock.GetUtcNow() >= found.Row.ExpiresAt || !await IsLiveAsync(found.Session, found.Person, found.AnyPolicy, http.RequestAborted)) return null;
        (_code, Presented) = (found.Row, new Grant(found.Row.ClientId, found.Session, found.Person, found.Row.Scopes));
        return found.Row;
    }

    /// <summary>The family of a refresh token, if the token is the one that is good now. An older one revokes the family.</summary>
    public async Task<RefreshFamily?> FindRefreshTokenAsync(string token, HttpContext http)
    {
        if (token.Split('.') is not [{ Length: 22 } id, { Length: 43 } secret]) return null;
        var found = await lookups.Family(db, id, http.RequestAborted);
        if (found is null || found.Row.RevokedAt is not null || clock.GetUtcNow() >= found.Row.ExpiresAt || !await IsLiveAsync(found.Session, found.Person, found.AnyPolicy, http.RequestAborted)) return null;
        if (!CryptographicOperations.FixedTimeEquals(RandomId.Hash(secret), found.Row.CurrentHash))
        {
            await RevokeAsync(found.Row.Id, SecurityEvent.RefreshTokenReused, found.Row.PersonId, found.Row.SessionId, http);
            return null;
        }

        (_family, Presented) = (found.Row, new Grant(found.Row.ClientId, found.Session, found.Person, found.Row.Scopes));
        return found.Row;
    }

    /// <summary>
    /// Uses up the code or refresh token that was found: one save, with the next refresh token in it when the application may have one.
    /// False: it was used by another request in the same instant, and everything that came of it is revoked.
    /// </summary>
    public async Task<bool> RedeemAsync(bool mayRefresh, HttpContext http)
    {
        if (Presented is not { } grant) throw new InvalidOperationException("Nothing was presented.");
        var now = clock.GetUtcNow();
        var secret = RandomId.NewSecret();
        if (_family is { } family)
        {
            if (await RotateAsync(family, RandomId.Hash(secret), http.RequestAborted))
            {
                RefreshTokenToSend = $"{family.Id}.{secret}";
                return true;
            }

            await RevokeAsync(family.Id, SecurityEvent.RefreshTokenReused, grant.Person.Id, grant.Session.Id, http);
            return false;
        }

        var code = _code!;
        var familyId = mayRefresh ? RandomId.New() : null;
        if (await UseAsync(code, familyId, RandomId.Hash(secret), grant, now, http.RequestAborted))
        {
            RefreshTokenToSend = mayRefresh ? $"{familyId}.{secret}" : null;
            return true;
        }

        var winner = await db.AuthorizationCodes.AsNoTracking().SingleAsync(row => row.Hash == code.Hash, http.RequestAborted);
        await CodeReusedAsync(winner, http);
        return false;
    }

    /// <summary>The next secret in place of this one, if nobody was here in between. By hand: an application refreshes all day, and one conditional statement is all it takes.</summary>
    private async Task<bool> RotateAsync(RefreshFamily family, byte[] hash, CancellationToken cancellationToken) =>
        await db.WriteAsync(
            () => db.Database.ExecuteSqlAsync($"UPDATE refresh_families SET current_hash = {hash}, generation = generation + 1, version = version + 1 WHERE id = {family.Id} AND version = {family.Version}", cancellationToken),
            cancellationToken) > 0;

    /// <summary>The code is used, and the family that came of it stands beside it: both in one statement, or neither.</summary>
    private async Task<bool> UseAsync(AuthorizationCode code, string? familyId, byte[] hash, Grant grant, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var used = now.UtcDateTime;
        if (familyId is null)
            return await db.WriteAsync(() => db.Database.ExecuteSqlAsync($"UPDATE authorization_codes SET used_at = {used}, version = version + 1 WHERE hash = {code.Hash} AND version = {code.Version}", cancellationToken), cancellationToken) > 0;

        var until = (now + RefreshLifetime < grant.Session.ExpiresAt ? now + RefreshLifetime : grant.Session.ExpiresAt).UtcDateTime;
        FormattableString one = $"""
            WITH code AS (UPDATE authorization_codes SET used_at = {used}, family_id = {familyId}, version = version + 1 WHERE hash = {code.Hash} AND version = {code.Version} RETURNING hash)
            INSERT INTO refresh_families (id, client_id, person_id, session_id, scopes, current_hash, generation, expires_at, version)
            SELECT {familyId}, {grant.ClientId}, {grant.Person.Id}, {grant.Session.Id}, {grant.Scopes}, {hash}, 0, {until}, 0 FROM code
            """;
        FormattableString two = $"""
            UPDATE authorization_codes SET used_at = {used}, family_id = {familyId}, version = version + 1 WHERE hash = {code.Hash} AND version = {code.Version};
            INSERT INTO refresh_families (id, client_id, person_id, session_id, scopes, current_hash, generation, expires_at, version)
            SELECT {familyId}, {grant.ClientId}, {grant.Person.Id}, {grant.Session.Id}, {grant.Scopes}, {hash}, 0, {until}, 0 WHERE changes() = 1
            """; // SQLite knows no statement that writes within another
        var statement = db.Database.IsNpgsql() ? one : two;
        return await db.WriteAsync(() => db.Database.ExecuteSqlAsync(statement, cancellationToken), cancellationToken) > 0;
    }

    /// <summary>Whether tokens may still come of a session. Idleness is the browser's affair; an application refreshes while its person reads.</summary>
    public async Task<bool> IsLiveAsync(Session session, Person person, bool anyPolicy, CancellationToken cancellationToken) =>
        session.EndedAt is null && clock.GetUtcNow() < session.ExpiresAt && person.State is PersonState.Active && await rulings.StillHoldsAsync(session, person, anyPolicy, cancellationToken);

    private Task CodeReusedAsync(AuthorizationCode code, HttpContext http) =>
        RevokeAsync(code.FamilyId, SecurityEvent.CodeReused, code.PersonId, code.SessionId, http);

    /// <summary>Whatever state the row is in by now: revocation never loses a race. The audit row goes with it. Nor does a caller stop it who hangs up.</summary>
    private async Task RevokeAsync(string? familyId, SecurityEvent what, Guid personId, string sessionId, HttpContext http)
    {
        var now = clock.GetUtcNow();
        db.ChangeTracker.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        if (familyId is not null)
        {
            await db.RefreshFamilies.Where(family => family.Id == familyId && family.RevokedAt == null).ExecuteUpdateAsync(
                change => change.SetProperty(family => family.RevokedAt, now).SetProperty(family => family.Version, family => family.Version + 1), CancellationToken.None);
        }

        db.Record(what, personId, sessionId, http, now);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
    }
}
