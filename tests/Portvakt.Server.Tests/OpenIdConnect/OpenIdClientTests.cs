using System.Text.Json;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>A second opinion: openid-client (Node) drives the provider over a real socket.</summary>
public sealed class OpenIdClientTests
{
    [Fact]
    public async Task A_relying_party_by_somebody_else_signs_in_refreshes_and_signs_out()
    {
        await using var host = await ProviderHost.StartAsync(overKestrel: true);

        var answer = await Peers.AskAsync("openid-client.mjs", new
        {
            issuer = host.Address,
            clientId = ProviderHost.ClientId,
            clientSecret = ProviderHost.ClientSecret,
            redirectUri = ProviderHost.RedirectUri,
            signedOutUri = ProviderHost.SignedOutUri,
            signIn = $"/test/sign-in/{{attempt}}?person={host.Kari}&method=Phone",
        });

        var claims = answer.GetProperty("claims");
        Assert.Equal((host.Kari.ToString("N"), host.Address, Acr.Aal2), (Text(claims, "sub"), Text(claims, "iss"), Text(claims, "acr")));
        Assert.Equal("Kari Nordmann", Text(answer.GetProperty("userInfo"), "name"));
        Assert.Equal(Text(claims, "sid"), Text(answer.GetProperty("refreshedClaims"), "sid"));
        Assert.Equal("invalid_grant", Text(answer, "reused"));
        Assert.Equal(ProviderHost.SignedOutUri + "?state=bye", Text(answer, "end"));
        Assert.Equal(401, answer.GetProperty("gone").GetInt32());
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
