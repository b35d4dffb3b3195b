using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R73: tokens that come back to us, as userinfo's bearer and as id_token_hint.</summary>
public sealed class TokenVerificationTests
{
    [Fact]
    public async Task Userinfo_says_what_the_scopes_open()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var all = await browser.GetTokensAsync();
        var little = await browser.GetTokensAsync(Browser.Request(("scope", "openid"), ("prompt", "login")));

        var answer = await browser.GetAsync("/connect/userinfo", little.Access);
        Assert.Equal("no-store", answer.CacheControl);
        Assert.Equal($$"""{"sub":"{{host.Kari:N}}"}""", answer.Body);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/connect/userinfo", all.Access)).Status); // signing in once more ends nothing: it is the same session

        var again = await browser.GetTokensAsync(Browser.Request(("prompt", "login")));
        var posted = await browser.SendAsync(HttpMethod.Post, "/connect/userinfo", new FormUrlEncodedContent([]), again.Access);
        Assert.Equal("Kari Nordmann", (string?)posted.Json["name"]);
        Assert.Equal("kari@skole.test", (string?)posted.Json["email"]);
        Assert.Equal("kari", (string?)posted.Json["preferred_username"]);
    }

    [Theory]
    [InlineData(-1, HttpStatusCode.OK)]
    [InlineData(1, HttpStatusCode.Unauthorized)]
    public async Task An_access_token_lives_for_five_minutes(int secondsPast, HttpStatusCode expected)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(secondsPast));
        var answer = await browser.GetAsync("/connect/userinfo", tokens.Access);
        Assert.Equal(expected, answer.Status);
        if (expected is HttpStatusCode.Unauthorized) Assert.Contains("invalid_token", answer.WwwAuthenticate, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_access_token_in_the_address_is_refused()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.GetAsync($"/connect/userinfo?access_token={tokens.Access}")).Status);
    }

    [Fact]
    public async Task Forged_tokens_open_nothing()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        var key = host.Services.GetRequiredService<SigningKeys>().Current;
        using var attacker = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = attacker.ExportParameters(false).Q;
        var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y), ["kid"] = "mine" };
        byte[] publicKey = [.. key.Public.Q.X!, .. key.Public.Q.Y!];

        foreach (var (token, type) in new[] { (tokens.Access, "at+jwt"), (tokens.Id, "JWT") })
        {
            var isAccess = type == "at+jwt";
            var claims = Tokens.Part(token, 1);
            var (head, body, signature) = (token.Split('.')[0], token.Split('.')[1], token.Split('.')[2]);
            Dictionary<string, string> forged = new(StringComparer.Ordinal)
            {
                ["alg none"] = Unsigned(new() { ["alg"] = "none", ["typ"] = type }, claims) + ".",
                ["alg None with our kid"] = Unsigned(new() { ["alg"] = "None", ["typ"] = type, ["kid"] = key.Id }, claims) + ".",
                ["alg none, signature kept"] = Unsigned(new() { ["alg"] = "none", ["typ"] = type, ["kid"] = key.Id }, claims) + "." + signature,
                ["no alg"] = Unsigned(new() { ["typ"] = type, ["kid"] = key.Id }, claims) + "." + signature,
                ["HS256 with the public key as secret"] = Mac(new() { ["alg"] = "HS256", ["typ"] = type, ["kid"] = key.Id }, claims, publicKey),
                ["HS256 with the kid as secret"] = Mac(new() { ["alg"] = "HS256", ["typ"] = type, ["kid"] = key.Id }, claims, Encoding.ASCII.GetBytes(key.Id)),
                ["another key under our kid"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, claims, attacker),
                ["another key, another kid"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = "mine" }, claims, attacker),
                ["another key, no kid"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type }, claims, attacker),
                ["a key of its own in jwk"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = "mine", ["jwk"] = jwk.DeepClone() }, claims, attacker),
                ["a key somewhere else in jku"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = "mine", ["jku"] = "https://evil.test/jwks" }, claims, attacker),
                ["a key somewhere else in x5u"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = "mine", ["x5u"] = "https://evil.test/cert" }, claims, attacker),
                ["ES256 signature of nought"] = $"{head}.{body}.{Base64Url.EncodeToString(new byte[64])}",
                ["no signature"] = $"{head}.{body}.",
                ["two parts"] = $"{head}.{body}",
                ["another body"] = $"{head}.{Part(new JsonObject(claims.Select(pair => KeyValuePair.Create(pair.Key, pair.Key == "sub" ? (JsonNode?)host.Ola.ToString("N") : pair.Value?.DeepClone()))))}.{signature}",
                ["the other kind of token"] = isAccess ? tokens.Id : tokens.Access,
                ["signed by us, for the other use"] = Sign(new() { ["alg"] = "ES256", ["typ"] = isAccess ? "JWT" : "at+jwt", ["kid"] = key.Id }, claims, key),
                ["signed by us, as a logout token"] = Sign(new() { ["alg"] = "ES256", ["typ"] = "logout+jwt", ["kid"] = key.Id }, claims, key),
                ["signed by us, no typ"] = Sign(new() { ["alg"] = "ES256", ["kid"] = key.Id, ["typ"] = isAccess ? null : "x" }, claims, key),
                ["signed by us, no kid"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type }, claims, key),
                ["signed by us, unknown crit"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id, ["crit"] = new JsonArray("exp2"), ["exp2"] = 1 }, claims, key),
                ["signed by us, another issuer"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "iss", "https://evil.test"), key),
                ["signed by us, no issuer"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "iss", null), key),
            };
            if (isAccess)
            {
                forged["signed by us, another audience"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "aud", "https://api.test"), key);
                forged["signed by us, no audience"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "aud", null), key);
                forged["signed by us, expired"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "exp", host.Clock.GetUtcNow().ToUnixTimeSeconds() - 1), key);
                forged["signed by us, no session"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "sid", null), key);
                forged["signed by us, another person's session"] = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, With(claims, "sub", host.Ola.ToString("N")), key);
            }

            foreach (var (how, forgery) in forged)
            {
                if (isAccess)
                {
                    var answer = await browser.GetAsync("/connect/userinfo", forgery);
                    Assert.True(answer.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest, $"{how}: {answer}");
                }
                else
                {
                    Assert.True((await browser.GetAsync($"/connect/end-session?id_token_hint={forgery}")).Location is EndSession.ConfirmationPage, how);
                    Assert.True((await browser.GetAsync(Browser.Request())).Code is not null, how);
                }
            }

            // The forger's tools are sound: what we sign as we sign it is believed.
            var honest = Sign(new() { ["alg"] = "ES256", ["typ"] = type, ["kid"] = key.Id }, claims, key);
            if (isAccess) Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/connect/userinfo", honest)).Status);
            else Assert.Equal(ProviderHost.SignedOutUri, (await browser.GetAsync($"/connect/end-session?id_token_hint={honest}&post_logout_redirect_uri={ProviderHost.SignedOutUri}")).Location);
        }
    }

    private static JsonObject With(JsonObject claims, string name, JsonNode? value)
    {
        var changed = claims.DeepClone().AsObject();
        changed.Remove(name);
        if (value is not null) changed[name] = value;
        return changed;
    }

    private static string Part(JsonObject value) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(value.ToJsonString()));

    private static string Unsigned(JsonObject header, JsonObject claims) => $"{Part(header)}.{Part(claims)}";

    private static string Mac(JsonObject header, JsonObject claims, byte[] secret)
    {
        var input = Unsigned(header, claims);
        return $"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input)))}";
    }

    private static string Sign(JsonObject header, JsonObject claims, SigningKey key) => Sign(header, claims, key.Key.ECDsa);

    private static string Sign(JsonObject header, JsonObject claims, ECDsa key)
    {
        var input = Unsigned(header, claims);
        return $"{input}.{Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
    }
}
