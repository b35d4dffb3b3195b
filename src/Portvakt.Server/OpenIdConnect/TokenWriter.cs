using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// Writes tokens and signs them with the key of today (RFC 7519, RFC 7515 section 7.1, ES256). What they say of a person is the same at sign-in and at every
/// refresh: it comes from the session's row.
/// </summary>
public sealed class TokenWriter(SigningKeys keys, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    /// <summary>Of access and ID tokens.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const string AccessType = "at+jwt", IdentityType = "JWT";

    private readonly string _issuer = settings.Value.Origin;

    /// <summary>An access token (RFC 9068) for an application that speaks for itself, or for the person of a session.</summary>
    /// <param name="client">Who will hold it.</param>
    /// <param name="scopes">What it opens; null: nothing in particular.</param>
    /// <param name="session">Of the person; null: there is none.</param>
    public byte[] Access(RelyingParty client, string? scopes, SessionHolder? session = null) => Sign(AccessType, json =>
    {
        if (session is null) json.WriteString(Claims.Subject, client.ClientId);
        else WriteSubject(json, session);
        json.WriteString(Claims.Audience, _issuer); // ourselves, for userinfo
        json.WriteString(Claims.ClientId, client.ClientId);
        if (!string.IsNullOrEmpty(scopes)) json.WriteString(Claims.Scope, scopes);
        json.WriteString(Claims.JwtId, RandomId.New());
        if (session is not null) About(json, session);
    });

    /// <summary>An ID token (OpenID Connect Core 1.0 section 2).</summary>
    /// <param name="client">For whom.</param>
    /// <param name="scopes">What it may know.</param>
    /// <param name="grant">Session and person.</param>
    /// <param name="nonce">Of the request; null at a refresh (section 12.2).</param>
    /// <param name="accessToken">That goes with it.</param>
    public byte[] Identity(RelyingParty client, string scopes, Grant grant, string? nonce, byte[] accessToken) => Sign(IdentityType, json =>
    {
        WriteSubject(json, grant.Holder);
        json.WriteString(Claims.Audience, client.ClientId);
        json.WriteString(Claims.AuthorizedParty, client.ClientId);
        if (!string.IsNullOrEmpty(nonce)) json.WriteString(Claims.Nonce, nonce);
        json.WriteString(Claims.AccessTokenHash, LeftHalf(accessToken));
        About(json, grant.Holder);
        json.WriteStartArray(Claims.AuthenticationMethodReference);
        foreach (var method in AuthenticationMethods.Of(grant.Holder.Method, grant.Holder.WithoutPassword)) json.WriteStringValue(method);
        json.WriteEndArray();
        foreach (var (name, value) in TokenClaims.About(grant.Holder, scopes)) json.WriteString(name, value);
    });

    /// <summary>A token (ASCII) that is signed at this moment, with <c>iss</c>, <c>iat</c> and <c>exp</c>.</summary>
    /// <param name="type"><c>typ</c> of its header (RFC 8725 section 3.11).</param>
    /// <param name="claims">Writes the others.</param>
    /// <param name="lifetime">Until <c>exp</c>; <see cref="Lifetime"/> if nothing is said.</param>
    public byte[] Sign(string type, Action<Utf8JsonWriter> claims, TimeSpan? lifetime = null)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        return keys.Current.Sign(type, JsonBuffer.Write((Issuer: _issuer, At: now, Until: now + (long)(lifetime ?? Lifetime).TotalSeconds, Claims: claims), static (json, token) =>
        {
            json.WriteString(Claims.Issuer, token.Issuer);
            json.WriteNumber(Claims.IssuedAt, token.At);
            json.WriteNumber(Claims.ExpiresAt, token.Until);
            token.Claims(json);
        }));
    }

    /// <summary>As <see cref="TokenClaims.SubjectOf"/> says it.</summary>
    private static void WriteSubject(Utf8JsonWriter json, SessionHolder session)
    {
        Span<char> subject = stackalloc char[32];
        session.PersonId.TryFormat(subject, out _, "N");
        json.WriteString(Claims.Subject, subject);
    }

    private static void About(Utf8JsonWriter json, SessionHolder session)
    {
        json.WriteString(TokenClaims.SessionId, session.SessionId);
        json.WriteNumber(Claims.AuthenticationTime, session.AuthenticatedAt.ToUnixTimeSeconds());
        json.WriteString(Claims.AuthenticationContextReference, Acr.Of(session.Assurance));
    }

    /// <summary><c>at_hash</c> (OpenID Connect Core 1.0 section 3.1.3.6).</summary>
    private static string LeftHalf(byte[] accessToken)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(accessToken, hash);
        return Base64Url.EncodeToString(hash[..(SHA256.HashSizeInBytes / 2)]);
    }
}
