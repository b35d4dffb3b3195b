using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Portvakt.Server.Hosting;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// <c>/connect/token</c> (RFC 6749 section 3.2). The engine has authenticated the client and found the code or refresh token good for it;
/// here it is used up, in one save.
/// </summary>
public static class TokenEndpoint
{
    public const string Path = "/connect/token";

    internal static async Task<IResult> HandleAsync(HttpContext http, Grants grants, RelyingParties relyingParties, IOptions<PortvaktSettings> settings)
    {
        var request = http.GetOpenIddictServerRequest()!;
        var client = relyingParties.Find(request.ClientId)!;
        var audience = settings.Value.Origin;
        if (request.IsClientCredentialsGrantType()) return SignIn(TokenClaims.Of(client, request.GetScopes(), audience));

        var grant = grants.Presented!;
        var mayRefresh = client.GrantTypes.Contains(GrantTypes.RefreshToken) && grant.Scopes.Split(' ').Contains(Scopes.OfflineAccess, StringComparer.Ordinal);
        if (!await grants.RedeemAsync(mayRefresh, http)) return Refuse();
        return SignIn(TokenClaims.Of(grant, audience));
    }

    private static IResult SignIn(System.Security.Claims.ClaimsPrincipal principal) =>
        Results.SignIn(principal, authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);

    private static IResult Refuse() => Results.Forbid(
        new AuthenticationProperties(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [OpenIddictServerAspNetCoreConstants.Properties.Error] = Errors.InvalidGrant,
            [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = "It was used before.",
        }),
        [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
}
