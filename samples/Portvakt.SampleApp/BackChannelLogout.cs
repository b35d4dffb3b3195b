using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Portvakt.SampleApp;

/// <summary>The provider says that a session is over (OpenID Connect Back-Channel Logout 1.0, section 2.6).</summary>
internal static class BackChannelLogout
{
    private const string Event = "http://schemas.openid.net/event/backchannel-logout";
    private static readonly JsonWebTokenHandler Tokens = new() { MapInboundClaims = false };

    public static async Task<IResult> HandleAsync(HttpContext http, EndedSessions ended, IOptionsMonitor<OpenIdConnectOptions> options)
    {
        http.Response.Headers.CacheControl = "no-store";
        if (!http.Request.HasFormContentType || (await http.Request.ReadFormAsync(http.RequestAborted))["logout_token"] is not [{ Length: > 0 } token]) return Results.BadRequest();

        var oidc = options.Get(OpenIdConnectDefaults.AuthenticationScheme);
        var metadata = await oidc.ConfigurationManager!.GetConfigurationAsync(http.RequestAborted);
        var verdict = await Tokens.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = metadata.Issuer,
            ValidAudience = oidc.ClientId,
            IssuerSigningKeys = metadata.SigningKeys,
            ValidAlgorithms = ["ES256"],
            ValidTypes = ["logout+jwt"],
            ClockSkew = TimeSpan.FromMinutes(1),
        });
        if (!verdict.IsValid || verdict.SecurityToken is not JsonWebToken logout) return Results.BadRequest();

        // An ID token is not a logout token: that one has the event and no nonce.
        var isLogout = logout.TryGetPayloadValue<Dictionary<string, object>>("events", out var events) && events.ContainsKey(Event) && !logout.TryGetPayloadValue<string>("nonce", out _);
        if (!isLogout || !logout.TryGetPayloadValue<string>("sid", out var sessionId)) return Results.BadRequest();
        ended.Add(sessionId);
        return Results.Ok();
    }
}
