using System.Collections.Immutable;
using System.Security.Claims;
using OpenIddict.Abstractions;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>What tokens say (OpenID Connect Core 1.0, sections 2 and 5.1). The same at sign-in and at every refresh: it comes from the session's row.</summary>
public static class TokenClaims
{
    /// <summary><c>sid</c>, Back-Channel Logout 1.0 section 2.1.</summary>
    public const string SessionId = "sid";

    /// <summary><c>sub</c>: the person's id and nothing that could be given to somebody else later.</summary>
    public static string SubjectOf(Guid personId) => personId.ToString("N");

    /// <param name="grant">The session, its person and what was granted.</param>
    /// <param name="audience">Audience of the access token: ourselves, for userinfo.</param>
    public static ClaimsPrincipal Of(Grant grant, string audience)
    {
        var (session, person) = (grant.Session, grant.Person);
        var identity = new ClaimsIdentity("Portvakt", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, SubjectOf(person.Id))
            .SetClaim(SessionId, session.Id)
            .SetClaim(Claims.AuthenticationTime, session.AuthenticatedAt.ToUnixTimeSeconds())
            .SetClaim(Claims.AuthenticationContextReference, Acr.Of(session.Assurance))
            .SetClaims(Claims.AuthenticationMethodReference, [.. AuthenticationMethods.Of(session.Method, session.WithoutPassword)]);

        var scopes = grant.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var (name, value) in About(person, scopes)) identity.SetClaim(name, value);
        identity.SetScopes(scopes).SetResources(audience);
        identity.SetDestinations(static claim => claim.Type is SessionId or Claims.AuthenticationTime or Claims.AuthenticationContextReference
            ? [Destinations.AccessToken, Destinations.IdentityToken]
            : [Destinations.IdentityToken]);
        return new ClaimsPrincipal(identity);
    }

    /// <summary>An application that speaks for itself (RFC 6749 section 4.4): no person, no session.</summary>
    public static ClaimsPrincipal Of(RelyingParty client, ImmutableArray<string> scopes, string audience)
    {
        var identity = new ClaimsIdentity("Portvakt", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, client.ClientId).SetScopes(scopes).SetResources(audience);
        return new ClaimsPrincipal(identity);
    }

    /// <summary>Claims about the person that the scopes open (section 5.4). An unknown one is left out, never empty.</summary>
    public static IEnumerable<KeyValuePair<string, string>> About(Person person, IReadOnlyCollection<string> scopes)
    {
        if (scopes.Contains(Scopes.Profile, StringComparer.Ordinal))
        {
            yield return new(Claims.Name, person.DisplayName);
            yield return new(Claims.PreferredUsername, person.UserName);
            if (person.Language is { } language) yield return new(Claims.Locale, language);
        }

        if (scopes.Contains(Scopes.Email, StringComparer.Ordinal) && person.Email is { } email) yield return new(Claims.Email, email);
    }
}
