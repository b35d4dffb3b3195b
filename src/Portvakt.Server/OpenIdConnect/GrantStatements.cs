using System.Data.Common;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>A code as it was found.</summary>
public sealed record FoundCode(string ClientId, string RedirectUri, string CodeChallenge, string? Nonce, string Scopes, DateTimeOffset ExpiresAt, DateTimeOffset? UsedAt, string? FamilyId, int Version, byte[] Hash, SessionHolder Holder);

/// <summary>A family of refresh tokens as it was found.</summary>
public sealed record FoundFamily(string Id, string ClientId, string Scopes, byte[] CurrentHash, DateTimeOffset ExpiresAt, DateTimeOffset? RevokedAt, int Version, SessionHolder Holder);

/// <summary>What <see cref="Grants"/> asks and writes, a statement for each operation (docs/decisions/0022-statements-by-hand.md).</summary>
public static class GrantStatements
{
    /// <summary>In the order in which <see cref="Holder"/> reads them.</summary>
    private const string HolderColumns =
        "s.id, s.person_id, s.method, s.without_password, s.authenticated_at, s.expires_at, s.ended_at, p.state, p.display_name, p.user_name, p.email, p.unit, p.manager, p.language, EXISTS (SELECT 1 FROM method_policies)";

    private static readonly SqlStatement Code = new(
        $"""
        SELECT {HolderColumns}, g.client_id, g.redirect_uri, g.code_challenge, g.nonce, g.scopes, g.expires_at, g.used_at, g.family_id, g.version, g.hash
        FROM authorization_codes AS g JOIN sessions AS s ON s.id = g.session_id JOIN people AS p ON p.id = g.person_id WHERE g.hash = @hash
        """,
        parameters: ("hash", typeof(byte[])));

    private static readonly SqlStatement Family = new(
        $"""
        SELECT {HolderColumns}, g.client_id, g.scopes, g.current_hash, g.expires_at, g.revoked_at, g.version, g.id
        FROM refresh_families AS g JOIN sessions AS s ON s.id = g.session_id JOIN people AS p ON p.id = g.person_id WHERE g.id = @id
        """,
        parameters: ("id", typeof(string)));

    private static readonly SqlStatement Issue = new(
        """
        INSERT INTO authorization_codes (hash, client_id, redirect_uri, code_challenge, nonce, scopes, person_id, session_id, expires_at, version)
        VALUES (@hash, @client, @redirect, @challenge, @nonce, @scopes, @person, @session, @expires, 0)
        """,
        null,
        ("hash", typeof(byte[])), ("client", typeof(string)), ("redirect", typeof(string)), ("challenge", typeof(string)), ("nonce", typeof(string)), ("scopes", typeof(string)),
        ("person", typeof(Guid)), ("session", typeof(string)), ("expires", typeof(DateTime)));

    private static readonly SqlStatement Use = new(
        "UPDATE authorization_codes SET used_at = @used, version = version + 1 WHERE hash = @hash AND version = @version",
        null,
        ("used", typeof(DateTime)), ("hash", typeof(byte[])), ("version", typeof(int)));

    /// <summary>The code is used, and the family that came of it stands beside it: both or neither. SQLite knows no statement that writes within another.</summary>
    private static readonly SqlStatement UseForFamily = new(
        """
        UPDATE authorization_codes SET used_at = @used, family_id = @family, version = version + 1 WHERE hash = @hash AND version = @version;
        INSERT INTO refresh_families (id, client_id, person_id, session_id, scopes, current_hash, generation, expires_at, version)
        SELECT @family, @client, @person, @session, @scopes, @current, 0, @expires, 0 WHERE changes() = 1
        """,
        """
        WITH code AS (UPDATE authorization_codes SET used_at = @used, family_id = @family, version = version + 1 WHERE hash = @hash AND version = @version RETURNING hash)
        INSERT INTO refresh_families (id, client_id, person_id, session_id, scopes, current_hash, generation, expires_at, version)
        SELECT @family, @client, @person, @session, @scopes, @current, 0, @expires, 0 FROM code
        """,
        ("used", typeof(DateTime)), ("family", typeof(string)), ("hash", typeof(byte[])), ("version", typeof(int)), ("client", typeof(string)), ("person", typeof(Guid)),
        ("session", typeof(string)), ("scopes", typeof(string)), ("current", typeof(byte[])), ("expires", typeof(DateTime)));

    private static readonly SqlStatement Rotate = new(
        "UPDATE refresh_families SET current_hash = @current, generation = generation + 1, version = version + 1 WHERE id = @id AND version = @version",
        null,
        ("current", typeof(byte[])), ("id", typeof(string)), ("version", typeof(int)));

    public static ValueTask<FoundCode?> CodeAsync(PortvaktDb db, byte[] hash, CancellationToken cancellationToken) => Code.FirstAsync(
        db, static row => new FoundCode(row.GetString(15), row.GetString(16), row.GetString(17), Text(row, 18), row.GetString(19), Instant(row, 20), InstantOrNone(row, 21), Text(row, 22), row.GetInt32(23), row.GetFieldValue<byte[]>(24), Holder(row)), cancellationToken, hash);

    public static ValueTask<FoundFamily?> FamilyAsync(PortvaktDb db, string id, CancellationToken cancellationToken) => Family.FirstAsync(
        db, static row => new FoundFamily(row.GetString(21), row.GetString(15), row.GetString(16), row.GetFieldValue<byte[]>(17), Instant(row, 18), InstantOrNone(row, 19), row.GetInt32(20), Holder(row)), cancellationToken, id);

    /// <summary>A new code, that may be used until <paramref name="expiresAt"/>.</summary>
    public static Task<int> IssueAsync(PortvaktDb db, byte[] hash, Grant grant, string redirectUri, string codeChallenge, string? nonce, DateTimeOffset expiresAt, CancellationToken cancellationToken) => Issue.WriteAsync(
        db, cancellationToken, hash, grant.ClientId, redirectUri, codeChallenge, nonce, grant.Scopes, grant.Holder.PersonId, grant.Holder.SessionId, expiresAt.UtcDateTime);

    /// <summary>Uses a code up. 0: somebody has since it was found.</summary>
    public static Task<int> UseAsync(PortvaktDb db, FoundCode code, DateTimeOffset now, CancellationToken cancellationToken) =>
        Use.WriteAsync(db, cancellationToken, now.UtcDateTime, code.Hash, code.Version);

    /// <summary>The same, and founds the family of its refresh tokens.</summary>
    public static Task<int> UseAsync(PortvaktDb db, FoundCode code, DateTimeOffset now, string familyId, byte[] current, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        UseForFamily.WriteAsync(
            db, cancellationToken, now.UtcDateTime, familyId, code.Hash, code.Version, code.ClientId, code.Holder.PersonId, code.Holder.SessionId, code.Scopes, current, expiresAt.UtcDateTime);

    /// <summary>The next secret in place of this one. 0: somebody was here in between.</summary>
    public static Task<int> RotateAsync(PortvaktDb db, FoundFamily family, byte[] current, CancellationToken cancellationToken) =>
        Rotate.WriteAsync(db, cancellationToken, current, family.Id, family.Version);

    private static SessionHolder Holder(DbDataReader row) => new()
    {
        SessionId = row.GetString(0),
        PersonId = row.GetGuid(1),
        Method = Text(row, 2) is { } method ? Enum.Parse<SecondFactorMethod>(method) : null,
        WithoutPassword = row.GetBoolean(3),
        AuthenticatedAt = Instant(row, 4),
        ExpiresAt = Instant(row, 5),
        EndedAt = InstantOrNone(row, 6),
        State = Enum.Parse<PersonState>(row.GetString(7)),
        DisplayName = row.GetString(8),
        Attributes = new PersonAttributes(row.GetString(9), Text(row, 10), Text(row, 11), Text(row, 12), Text(row, 13)),
        AnyPolicy = row.GetBoolean(14),
    };

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset Instant(DbDataReader row, int column) => new(DateTime.SpecifyKind(row.GetDateTime(column), DateTimeKind.Utc));

    private static DateTimeOffset? InstantOrNone(DbDataReader row, int column) => row.IsDBNull(column) ? null : Instant(row, column);
}
