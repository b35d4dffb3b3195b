using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>What a code or a refresh token stands for: whose session, for which application, how much of it.</summary>
public sealed record Grant(string ClientId, SessionHolder Holder, string Scopes);

/// <summary>
/// Codes and refresh tokens: opaque, stored as SHA-256, each good once. One per request: what the engine's validation found here is what
/// the endpoint redeems, so nothing is read twice. A redemption is one conditional save; who loses it has used the thing a second time.
/// </summary>
public sealed class Grants(PortvaktDb db, Rulings rulings, TimeProvider clock)
{
    /// <summary>RFC 6749 section 4.1.2; OWASP ASVS 10.4.3.</summary>
    public static readonly TimeSpan CodeLifetime = TimeSpan.FromSeconds(60);

    /// <summary>The absolute end of a family; its session's end if that comes first.</summary>
    public static readonly TimeSpan RefreshLifetime = TimeSpan.FromDays(30);

    /// <summary>A refresh token is its family's name and a secret, with a dot between.</summary>
    private const int IdLength = 22, SecretLength = 43;

    private FoundCode? _code;
    private FoundFamily? _family;

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
        var (hash, expiresAt) = (RandomId.Hash(code), clock.GetUtcNow() + CodeLifetime);
        if (db.ChangeTracker.HasChanges())
        {
            db.AuthorizationCodes.Add(new AuthorizationCode
            {
                Hash = hash,
                ClientId = grant.ClientId,
                RedirectUri = redirectUri,
                CodeChallenge = codeChallenge,
                Nonce = nonce,
                Scopes = grant.Scopes,
                PersonId = grant.Holder.PersonId,
                SessionId = grant.Holder.SessionId,
                ExpiresAt = expiresAt,
            });
            if (!await db.TrySaveAsync(cancellationToken)) return false;
        }
        else
        {
            await GrantStatements.IssueAsync(db, hash, grant, redirectUri, codeChallenge, nonce, expiresAt, cancellationToken);
        }

        CodeToSend = code;
        return true;
    }

    /// <summary>The code, if it is good. A second use revokes what came of the first (RFC 6749 section 4.1.2).</summary>
    public async Task<FoundCode?> FindCodeAsync(string code, HttpContext http)
    {
        var found = await GrantStatements.CodeAsync(db, RandomId.Hash(code), http.RequestAborted);
        if (found is null) return null;
        if (found.UsedAt is not null)
        {
            await CodeReusedAsync(found, http);
            return null;
        }

        if (clock.GetUtcNow() >= found.ExpiresAt || !await IsLiveAsync(found.Holder, http.RequestAborted)) return null;
        (_code, Presented) = (found, new Grant(found.ClientId, found.Holder, found.Scopes));
        return found;
    }

    /// <summary>The family of a refresh token, if the token is the one that is good now. An older one revokes the family.</summary>
    public async Task<FoundFamily?> FindRefreshTokenAsync(string token, HttpContext http)
    {
        if (token.Length is not IdLength + 1 + SecretLength || token.IndexOf('.', StringComparison.Ordinal) is not IdLength) return null;
        var found = await GrantStatements.FamilyAsync(db, token[..IdLength], http.RequestAborted);
        if (found is null || found.RevokedAt is not null || clock.GetUtcNow() >= found.ExpiresAt || !await IsLiveAsync(found.Holder, http.RequestAborted)) return null;
        if (!RandomId.IsHashOf(found.CurrentHash, token.AsSpan(IdLength + 1)))
        {
            await RevokeAsync(found.Id, SecurityEvent.RefreshTokenReused, found.Holder, http);
            return null;
        }

        (_family, Presented) = (found, new Grant(found.ClientId, found.Holder, found.Scopes));
        return found;
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
            if (await GrantStatements.RotateAsync(db, family, RandomId.Hash(secret), http.RequestAborted) > 0)
            {
                RefreshTokenToSend = $"{family.Id}.{secret}";
                return true;
            }

            await RevokeAsync(family.Id, SecurityEvent.RefreshTokenReused, grant.Holder, http);
            return false;
        }

        var code = _code!;
        var familyId = mayRefresh ? RandomId.New() : null;
        var until = now + RefreshLifetime < grant.Holder.ExpiresAt ? now + RefreshLifetime : grant.Holder.ExpiresAt;
        if (await (familyId is null ? GrantStatements.UseAsync(db, code, now, http.RequestAborted) : GrantStatements.UseAsync(db, code, now, familyId, RandomId.Hash(secret), until, http.RequestAborted)) > 0)
        {
            RefreshTokenToSend = mayRefresh ? $"{familyId}.{secret}" : null;
            return true;
        }

        if (await GrantStatements.CodeAsync(db, code.Hash, http.RequestAborted) is { } winner) await CodeReusedAsync(winner, http);
        return false;
    }

    /// <summary>Whether tokens may still come of a session. Idleness is the browser's affair; an application refreshes while its person reads.</summary>
    public async Task<bool> IsLiveAsync(SessionHolder holder, CancellationToken cancellationToken) =>
        holder.EndedAt is null && clock.GetUtcNow() < holder.ExpiresAt && holder.State is PersonState.Active && await rulings.StillHoldsAsync(holder, cancellationToken);

    private Task CodeReusedAsync(FoundCode code, HttpContext http) => RevokeAsync(code.FamilyId, SecurityEvent.CodeReused, code.Holder, http);

    /// <summary>Whatever state the row is in by now: revocation never loses a race. The audit row goes with it. Nor does a caller stop it who hangs up.</summary>
    private async Task RevokeAsync(string? familyId, SecurityEvent what, SessionHolder holder, HttpContext http)
    {
        var now = clock.GetUtcNow();
        db.ChangeTracker.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        if (familyId is not null)
        {
            await db.RefreshFamilies.Where(family => family.Id == familyId && family.RevokedAt == null).ExecuteUpdateAsync(
                change => change.SetProperty(family => family.RevokedAt, now).SetProperty(family => family.Version, family => family.Version + 1), CancellationToken.None);
        }

        db.Record(what, holder.PersonId, holder.SessionId, http, now);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
    }
}
