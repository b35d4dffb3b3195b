namespace Portvakt.Server.Data;

/// <summary>A proof of a phone that has been used (its <c>jti</c>): the primary key refuses the second use.</summary>
public sealed class UsedProof
{
    public required byte[] Hash { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A key of the server (signing, VAPID, Data Protection), sealed by the master key that is not in the database.</summary>
public sealed class ServerKey
{
    public required string Id { get; init; }

    /// <summary><c>signing</c>, <c>vapid</c> or <c>data-protection</c>.</summary>
    public required string Purpose { get; init; }

    public required byte[] Sealed { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? RetiredAt { get; set; }
}

/// <summary>An authorization code: 256 bits, once, 60 seconds. The engine's claims are columns, so nothing is encrypted or parsed.</summary>
public sealed class AuthorizationCode
{
    /// <summary>SHA-256 of the code.</summary>
    public required byte[] Hash { get; init; }

    public required string ClientId { get; init; }
    public required string RedirectUri { get; init; }
    public required string CodeChallenge { get; init; }
    public string? Nonce { get; init; }
    public required string Scopes { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? UsedAt { get; set; }

    /// <summary>The family that came of it, so that a second use can revoke it.</summary>
    public string? FamilyId { get; set; }

    public int Version { get; private set; }
}

/// <summary>A refresh-token family: one row, updated in place. Rotation is one UPDATE, reuse a comparison, revocation one row.</summary>
public sealed class RefreshFamily
{
    public required string Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required string Scopes { get; init; }

    /// <summary>SHA-256 of the one token that is good now.</summary>
    public required byte[] CurrentHash { get; set; }

    /// <summary>How often it was rotated.</summary>
    public int Generation { get; set; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? RevokedAt { get; set; }
    public int Version { get; private set; }
}

/// <summary>A back-channel logout that one relying party must hear (OpenID Connect Back-Channel Logout 1.0), until it has.</summary>
public sealed class LogoutNotice
{
    public required Guid Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid PersonId { get; init; }
    public required string SessionId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset NextTryAt { get; set; }
    public int Tries { get; set; }
    public DateTimeOffset? DeliveredAt { get; set; }
    public DateTimeOffset? GivenUpAt { get; set; }
    public int Version { get; private set; }
}
