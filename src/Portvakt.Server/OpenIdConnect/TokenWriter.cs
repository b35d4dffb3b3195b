using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
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
    public string Access(RelyingParty client, string? scopes, Session? session = null) => Sign(AccessType, json =>
    {
        json.WriteString(Claims.Subject, session is null ? client.ClientId : TokenClaims.SubjectOf(session.PersonId));
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
    public string Identity(RelyingParty client, string scopes, Grant grant, string? nonce, string accessToken) => Sign(IdentityType, json =>
    {
        json.WriteString(Claims.Subject, TokenClaims.SubjectOf(grant.Person.Id));
        json.WriteString(Claims.Audience, client.ClientId);
        json.WriteString(Claims.AuthorizedParty, client.ClientId);
        if (!string.IsNullOrEmpty(nonce)) json.WriteString(Claims.Nonce, nonce);
        json.WriteString(Claims.AccessTokenHash, LeftHalf(accessToken));
        About(json, grant.Session);
        json.WriteStartArray(Claims.AuthenticationMethodReference);
        foreach (var method in AuthenticationMethods.Of(grant.Session.Method, grant.Session.WithoutPassword)) json.WriteStringValue(method);
        json.WriteEndArray();
        foreach (var (name, value) in TokenClaims.About(grant.Person, scopes.Split(' '))) json.WriteString(name, value);
    });

    /// <summary>A token that is signed at this moment, with <c>iss</c>, <c>iat</c> and <c>exp</c>.</summary>
    /// <param name="type"><c>typ</c> of its header (RFC 8725 section 3.11).</param>
    /// <param name="claims">Writes the others.</param>
    /// <param name="lifetime">Until <c>exp</c>; <see cref="Lifetime"/> if nothing is said.</param>
    public string Sign(string type, Action<Utf8JsonWriter> claims, TimeSpan? lifetime = null)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var body = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString(Claims.Issuer, _issuer);
            json.WriteNumber(Claims.IssuedAt, now);
            json.WriteNumber(Claims.ExpiresAt, now + (long)(lifetime ?? Lifetime).TotalSeconds);
            claims(json);
            json.WriteEndObject();
        }

        return keys.Current.Sign(type, body.WrittenSpan);
    }

    private static void About(Utf8JsonWriter json, Session session)
    {
        json.WriteString(TokenClaims.SessionId, session.Id);
        json.WriteNumber(Claims.AuthenticationTime, session.AuthenticatedAt.ToUnixTimeSeconds());
        json.WriteString(Claims.AuthenticationContextReference, Acr.Of(session.Assurance));
    }

    /// <summary><c>at_hash</c> (OpenID Connect Core 1.0 section 3.1.3.6).</summary>
    private static string LeftHalf(string accessToken) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, SHA256.HashSizeInBytes / 2));
}
