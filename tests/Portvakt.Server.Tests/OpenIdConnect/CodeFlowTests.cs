using System.Net;
using System.Text.Json.Nodes;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Tests.OpenIdConnect;

public sealed class CodeFlowTests
{
    [Fact]
    public async Task Kari_signs_in_and_the_application_gets_her_tokens()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();

        var answer = await browser.SignInAsync();
        Assert.StartsWith(ProviderHost.RedirectUri + "?", answer.Location, StringComparison.Ordinal);
        Assert.Equal(ProviderHost.Issuer, answer.Parameter("iss"));
        Assert.Equal("st", answer.Parameter("state"));

        var response = await browser.RedeemAsync(answer.Code!);
        Assert.Equal(HttpStatusCode.OK, response.Status);
        Assert.Contains("no-store", response.CacheControl, StringComparison.Ordinal);
        var tokens = new Tokens(response.Json);
        var id = tokens.IdClaims;
        Assert.Equal(host.Kari.ToString("N"), (string?)id["sub"]);
        Assert.Equal(ProviderHost.Issuer, (string?)id["iss"]);
        Assert.Equal(ProviderHost.ClientId, (string?)id["aud"]);
        Assert.Equal("no", (string?)id["nonce"]);
        Assert.Equal(Server.OpenIdConnect.Acr.Aal2, (string?)id["acr"]);
        Assert.Equal("""["pwd","swk","user","mfa"]""", id["amr"]!.ToJsonString());
        Assert.Equal(host.Clock.GetUtcNow().ToUnixTimeSeconds(), (long)id["auth_time"]!);
        Assert.Equal("Kari Nordmann", (string?)id["name"]);
        Assert.Equal("kari", (string?)id["preferred_username"]);
        Assert.Equal("nn", (string?)id["locale"]);
        Assert.Equal("kari@skole.test", (string?)id["email"]);
        Assert.NotNull((string?)id["sid"]);
        Assert.NotNull((string?)id["at_hash"]);
        Assert.Equal(300, (long)id["exp"]! - (long)id["iat"]!);

        Assert.Equal("at+jwt", (string?)Tokens.Part(tokens.Access, 0)["typ"]);
        Assert.Equal("ES256", (string?)Tokens.Part(tokens.Access, 0)["alg"]);
        Assert.Equal(ProviderHost.Issuer, (string?)tokens.AccessClaims["aud"]);
        Assert.Equal(ProviderHost.ClientId, (string?)tokens.AccessClaims["client_id"]);
        Assert.Equal(300, (long)tokens.Json["expires_in"]!);
        Assert.Equal("acr aud auth_time client_id exp iat iss jti scope sid sub", string.Join(' ', tokens.AccessClaims.Select(claim => claim.Key).Order(StringComparer.Ordinal)));
        Assert.Equal("acr amr at_hash aud auth_time azp email exp iat iss locale name nonce preferred_username sid sub", string.Join(' ', id.Select(claim => claim.Key).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task The_password_alone_is_said_to_be_the_password_alone()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();

        var tokens = await browser.GetTokensAsync(method: null);

        Assert.Equal(Server.OpenIdConnect.Acr.Aal1, (string?)tokens.IdClaims["acr"]);
        Assert.IsType<JsonArray>(tokens.IdClaims["amr"]);
        Assert.Equal("pwd", (string?)Assert.Single(tokens.IdClaims["amr"]!.AsArray()));
    }

    [Fact]
    public async Task A_second_application_signs_in_without_asking_again()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.GetAsync(Browser.Request(("client_id", "spa"), ("redirect_uri", "https://spa.test/cb"), ("scope", "openid")));

        Assert.NotNull(answer.Code);
        var tokens = await browser.TokenAsync([("grant_type", "authorization_code"), ("client_id", "spa"), ("client_secret", ""), ("code", answer.Code), ("redirect_uri", "https://spa.test/cb"), ("code_verifier", Browser.Verifier)]);
        Assert.Equal(HttpStatusCode.OK, tokens.Status);
        Assert.Null(tokens.Json["refresh_token"]);
        Assert.Null(new Tokens(tokens.Json).IdClaims["name"]);
    }

    [Fact]
    public async Task A_batch_job_gets_a_token_for_itself_and_none_about_people()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        (string, string)[] batch = [("grant_type", "client_credentials"), ("client_id", "batch"), ("client_secret", ProviderHost.ClientSecret + "-batch")];

        var token = await browser.TokenAsync([.. batch, ("scope", "hours:read")]);
        Assert.Equal("batch", (string?)new Tokens(token.Json).AccessClaims["sub"]);
        Assert.Null(token.Json["id_token"]);
        Assert.Null(token.Json["refresh_token"]);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/connect/userinfo", (string?)token.Json["access_token"])).Status);

        Assert.Equal("invalid_scope", (await browser.TokenAsync([.. batch, ("scope", "openid")])).Error);
        Assert.Equal("unauthorized_client", (await browser.TokenAsync([("grant_type", "client_credentials")])).Error);
    }

    [Theory]
    [InlineData("implicit")]
    [InlineData("password")]
    [InlineData("urn:ietf:params:oauth:grant-type:device_code")]
    [InlineData("urn:ietf:params:oauth:grant-type:token-exchange")]
    public async Task No_other_grant_exists(string grant)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal("unsupported_grant_type", (await browser.TokenAsync([("grant_type", grant), ("username", "kari"), ("password", "x"), ("device_code", "x"), ("subject_token", "x"), ("subject_token_type", "x")])).Error);
    }

    [Theory]
    [InlineData(ProviderHost.ClientId, "")]
    [InlineData(ProviderHost.ClientId, "wrong")]
    [InlineData("spa", "a secret it does not have")]
    [InlineData("nobody", ProviderHost.ClientSecret)]
    public async Task A_client_that_does_not_prove_itself_gets_nothing(string clientId, string secret)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;

        var answer = await browser.RedeemAsync(code, ("client_id", clientId), ("client_secret", secret));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.Equal("invalid_client", answer.Error);
        Assert.Equal(HttpStatusCode.OK, (await browser.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task A_posted_request_is_answered_as_a_get_so_that_the_cookie_comes_along()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.PostAsync("/connect/authorize", [.. Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(Browser.Request().Split('?')[1]).Select(pair => (pair.Key, (string)pair.Value!))]);

        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);
        Assert.NotNull((await browser.GetAsync(answer.Location!)).Code);
    }

    [Fact]
    public async Task A_sign_in_page_is_told_who_asks_and_how_strongly()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var page = await browser.GetAsync(Browser.Request(("acr_values", "urn:portvakt:aal2")));

        await host.InDatabaseAsync(async db =>
        {
            var attempt = (await db.SignInAttempts.FindAsync(page.AttemptId))!;
            Assert.Equal((ProviderHost.ClientId, "Timeliste", "https://app.test", AssuranceLevel.Aal2), (attempt.RelyingPartyId, attempt.RelyingPartyName, attempt.ReturnOrigin, attempt.Requested));
        });
    }
}
