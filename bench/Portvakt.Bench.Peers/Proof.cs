using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Portvakt.Bench.Actors;

namespace Portvakt.Bench.Peers;

/// <summary>Before anything is measured: the work of a provider is real, not only quick.</summary>
internal static class Proof
{
    private const string Access = "at+jwt"; // RFC 9068, section 2.1

    public static async Task OfAsync(Peer peer)
    {
        var (http, discovery) = (peer.Stage.Http, JsonDocument.Parse(await peer.Stage.Http.GetStringAsync(peer.Address + "/.well-known/openid-configuration")).RootElement);
        var keys = new JsonWebKeySet(await http.GetStringAsync(discovery.GetProperty("jwks_uri").GetString())).GetSigningKeys();
        var issuer = discovery.GetProperty("issuer").GetString();

        var (application, back) = await peer.VisitAsync(0);
        await application.RedeemAsync(back);
        await VerifyAsync("access_token", Access, audience: null);
        if ((await VerifyAsync("id_token", type: null, Site.ClientId))["nonce"] is not "n1") throw new InvalidOperationException($"{peer.Name}: not the nonce that was asked with.");
        var first = application.Tokens.GetProperty("refresh_token").GetString();
        await application.RefreshAsync();
        await VerifyAsync("access_token", Access, audience: null);
        await VerifyAsync("id_token", type: null, Site.ClientId);
        if (application.Tokens.GetProperty("refresh_token").GetString() == first) throw new InvalidOperationException($"{peer.Name}: the refresh token is still the same.");
        await application.ClientCredentialsAsync();
        await VerifyAsync("access_token", Access, audience: null);

        // What must not work. A person of its own each time: reuse may end all that came of a code.
        (application, back) = await peer.VisitAsync(1);
        await application.RedeemAsync(back);
        await RefusedAsync("a code that has been used", () => application.RedeemAsync(back));
        (application, back) = await peer.VisitAsync(2);
        await RefusedAsync("a code with another verifier", () => application.RedeemAsync(back, Application.Verifier + "x"));

        async Task<IDictionary<string, object>> VerifyAsync(string which, string? type, string? audience)
        {
            var token = application.Tokens.GetProperty(which).GetString();
            if (!peer.ServesOwnKeys) return new JsonWebToken(token).Claims.ToDictionary(claim => claim.Type, object (claim) => claim.Value, StringComparer.Ordinal);
            var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
            {
                IssuerSigningKeys = keys,
                ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256],
                ValidIssuer = issuer,
                ValidAudience = audience,
                ValidateAudience = audience is not null,
                ValidTypes = type is null ? null : [type], // an id token need not say what it is
            });
            return result.IsValid ? result.Claims : throw new InvalidOperationException($"{peer.Name}: {which} is not good: {result.Exception.Message}\n{token}", result.Exception);
        }

        async Task RefusedAsync(string what, Func<Task> act)
        {
            try
            {
                await act();
            }
            catch (UnexpectedAnswerException refusal) when (refusal.Message.Contains("invalid_grant", StringComparison.Ordinal))
            {
                return;
            }

            throw new InvalidOperationException($"{peer.Name} took {what}.");
        }
    }
}
