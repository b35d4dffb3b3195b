using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary><c>/connect/userinfo</c> (OpenID Connect Core 1.0, section 5.3): what the access token's scopes open, while its session lives.</summary>
public static class UserInfoEndpoint
{
    public const string Path = "/connect/userinfo";

    internal static async Task<IResult> HandleAsync(HttpContext http, PortvaktDb db, Grants grants, RelyingParties relyingParties)
    {
        var token = (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!;
        var sessionId = token.GetClaim(TokenClaims.SessionId);
        var found = await (from session in db.Sessions.AsNoTracking()
                           where session.Id == sessionId
                           join person in db.People.AsNoTracking() on session.PersonId equals person.Id
                           select SessionHolder.Of(session, person, db.MethodPolicies.Any())).SingleOrDefaultAsync(http.RequestAborted);
        if (found is null || !await grants.IsLiveAsync(found, http.RequestAborted) || relyingParties.Find(token.GetClaim(Claims.ClientId)) is null
            || token.GetClaim(Claims.Subject) != TokenClaims.SubjectOf(found.PersonId))
        {
            return Results.Challenge(
                new AuthenticationProperties(new Dictionary<string, string?>(StringComparer.Ordinal)
                {
                    [OpenIddictServerAspNetCoreConstants.Properties.Error] = Errors.InvalidToken,
                    [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = "The session has ended.",
                }),
                [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
        }

        http.Response.Headers.CacheControl = "no-store";
        var claims = new JsonObject { [Claims.Subject] = TokenClaims.SubjectOf(found.PersonId) };
        foreach (var (name, value) in TokenClaims.About(found, string.Join(' ', token.GetScopes()))) claims[name] = value;
        return Results.Json(claims);
    }
}
