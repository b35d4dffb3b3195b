using System.Collections.Immutable;
using Portvakt.Domain;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>One application that people sign in to, as registered (names of RFC 7591 and OpenID Connect Registration 1.0). Never changes.</summary>
public sealed record RelyingParty
{
    /// <summary><c>client_id</c>.</summary>
    public required string ClientId { get; init; }

    /// <summary><c>client_name</c>: what people know it by.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of <c>client_secret</c>; null for a client that can keep none (<c>token_endpoint_auth_method</c> none).</summary>
    public byte[]? SecretHash { get; init; }

    /// <summary><c>redirect_uris</c>, compared as text and in no other way (R67).</summary>
    public required ImmutableArray<string> RedirectUris { get; init; }

    /// <summary><c>post_logout_redirect_uris</c>, compared as text.</summary>
    public required ImmutableArray<string> PostLogoutRedirectUris { get; init; }

    /// <summary><c>backchannel_logout_uri</c>; null: not told about sign-outs.</summary>
    public Uri? BackChannelLogoutUri { get; init; }

    /// <summary><c>scope</c>: what it may ask for.</summary>
    public required ImmutableHashSet<string> Scopes { get; init; }

    /// <summary><c>grant_types</c>: authorization_code, refresh_token, client_credentials.</summary>
    public required ImmutableHashSet<string> GrantTypes { get; init; }

    /// <summary>From <c>default_acr_values</c>: the least that will do for this application. A request may ask for more, never for less.</summary>
    public required AssuranceLevel LeastAssurance { get; init; }

    public bool IsPublic => SecretHash is null;

    /// <summary>In constant time, also for a wrong length: hashes are compared, not secrets.</summary>
    public bool HasSecret(string secret) =>
        SecretHash is not null && RandomId.IsHashOf(SecretHash, secret);
}
