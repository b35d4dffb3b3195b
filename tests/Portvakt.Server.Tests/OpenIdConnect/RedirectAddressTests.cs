using System.Net;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R67 and R68: where an answer may go, and what a request must bring.</summary>
public sealed class RedirectAddressTests
{
    /// <summary>Spellings near "https://app.test/signin-oidc" that one parser or another takes for it, or for something harmless.</summary>
    private static readonly string[] Near =
    [
        "https://app.test/signin-oidc/", "https://app.test/signin-oidc?", "https://app.test/signin-oidc?x=1", "https://app.test/signin-oidc#", "https://app.test/signin-oidc#x",
        "https://app.test/Signin-oidc", "https://APP.test/signin-oidc", "HTTPS://app.test/signin-oidc", "http://app.test/signin-oidc", "//app.test/signin-oidc", "/signin-oidc", "signin-oidc",
        "https://app.test:443/signin-oidc", "https://app.test:8443/signin-oidc", "https://app.test./signin-oidc", "https://app.test/signin-oidc/../evil", "https://app.test/x/../signin-oidc",
        "https://app.test/./signin-oidc", "https://app.test//signin-oidc", "https://app.test/signin%2Doidc", "https://app.test/%73ignin-oidc", "https://app.test/signin-oidc%00", "https://app.test/signin-oidc%0d%0aSet-Cookie:x",
        "https://app.test/signin-oidc\r\nX: y", "https://app.test/signin-oidc\t", " https://app.test/signin-oidc", "https://app.test/signin-oidc ", "\thttps://app.test/signin-oidc", "https://app.test/signin-oidc\0",
        "https://app.test\\signin-oidc", "https:\\\\app.test\\signin-oidc", "https:app.test/signin-oidc", "https:/app.test/signin-oidc", "https:///app.test/signin-oidc", "https://evil.test/signin-oidc",
        "https://evil.test/https://app.test/signin-oidc", "https://app.test@evil.test/signin-oidc", "https://evil.test\\@app.test/signin-oidc", "https://evil.test#@app.test/signin-oidc", "https://evil.test?@app.test/signin-oidc",
        "https://app.test.evil.test/signin-oidc", "https://evilapp.test/signin-oidc", "https://app.test%2eevil.test/signin-oidc", "https://app.test%252fsignin-oidc", "https://user@app.test/signin-oidc", "https://user:pw@app.test/signin-oidc",
        "https://sub.app.test/signin-oidc", "https://*.app.test/signin-oidc", "https://app.test/*", "https://app.test/signin-oidc*", "https://app.test", "https://app.test/", "https://app.test/signin-oidc;x", "https://app.test/signin-oidc,https://evil.test/",
        "https://app.test/signin-oidc https://evil.test/", "https://app.test/signin-oidc&redirect_uri=https://evil.test/", "javascript:alert(1)//https://app.test/signin-oidc", "data:text/html,https://app.test/signin-oidc", "file:///signin-oidc",
        "https://аpp.test/signin-oidc", "https://app。test/signin-oidc", "https://ａpp.test/signin-oidc", "https://xn--pp-6kc.test/signin-oidc", "https://127.0.0.1/signin-oidc", "https://[::1]/signin-oidc", "https://app.test/other", "https://app.test/other?tab=2",
        "https://app.test/other?tab=1&x=2", "https://app.test/other?tab=1#", "https://other.test/cb", "https://spa.test/cb", "urn:ietf:wg:oauth:2.0:oob", "com.app.test:/signin-oidc", "https://app.test/signin-oidc\u200b", "https://app.test/signin\u2010oidc",
    ];

    [Fact]
    public async Task Nothing_but_a_registered_address_gets_an_answer()
    {
        Assert.True(Near.Length >= 60);
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        foreach (var address in Near)
        {
            var answer = await browser.GetAsync(Browser.Request(("redirect_uri", address)));
            Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, $"\"{address}\": {answer}");
            Assert.DoesNotContain("code=", answer.Body, StringComparison.Ordinal);
        }

        Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
        Assert.StartsWith("https://app.test/other?tab=1&", (await browser.GetAsync(Browser.Request(("redirect_uri", "https://app.test/other?tab=1")))).Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_but_a_registered_address_is_returned_to_after_sign_out()
    {
        await using var host = await ProviderHost.StartAsync();
        foreach (var address in Near.Select(near => near.Replace("signin-oidc", "signed-out", StringComparison.Ordinal)))
        {
            using var browser = host.NewBrowser();
            var tokens = await browser.GetTokensAsync();
            var answer = await browser.GetAsync($"/connect/end-session?id_token_hint={tokens.Id}&post_logout_redirect_uri={Uri.EscapeDataString(address)}&state=s");
            Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, $"\"{address}\": {answer}");
            Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
        }
    }

    [Theory]
    [InlineData("redirect_uri=https%3A%2F%2Fevil.test%2F")]
    [InlineData("redirect_uri=https%3A%2F%2Fapp.test%2Fsignin-oidc")]
    [InlineData("client_id=other")]
    public async Task A_parameter_sent_twice_is_refused(string second)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.GetAsync($"{Browser.Request()}&{second}");

        Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, answer.ToString());
    }

    [Theory]
    [InlineData("client_id", "nobody")]
    [InlineData("client_id", "Timeliste")]
    [InlineData("client_id", null)]
    [InlineData("client_id", "batch")]
    [InlineData("redirect_uri", null)]
    [InlineData("response_type", null)]
    [InlineData("response_type", "token")]
    [InlineData("response_type", "id_token")]
    [InlineData("response_type", "code id_token")]
    [InlineData("response_type", "none")]
    [InlineData("response_mode", "fragment")]
    [InlineData("response_mode", "form_post")]
    [InlineData("scope", "openid admin")]
    [InlineData("request", "eyJhbGciOiJub25lIn0.e30.")]
    [InlineData("request_uri", "https://evil.test/request")]
    [InlineData("prompt", "none login")]
    [InlineData("prompt", "create")]
    public async Task A_request_that_cannot_be_trusted_gets_a_page_and_no_redirect(string parameter, string? value)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.GetAsync(Browser.Request((parameter, value)));

        Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, answer.ToString());
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, "S256")]
    [InlineData("plain-challenge-of-at-least-forty-three-characters", "plain")]
    [InlineData("plain-challenge-of-at-least-forty-three-characters", null)]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", null)]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S512")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "s256")]
    [InlineData("too-short", "S256")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "S256")]
    [InlineData("", "S256")]
    public async Task Every_client_needs_PKCE_with_S256(string? challenge, string? method)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        foreach (var (client, redirect, scope) in new[] { (ProviderHost.ClientId, ProviderHost.RedirectUri, "openid email"), ("spa", "https://spa.test/cb", "openid") })
        {
            var answer = await browser.GetAsync(Browser.Request(("client_id", client), ("redirect_uri", redirect), ("scope", scope), ("code_challenge", challenge), ("code_challenge_method", method)));
            Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, answer.ToString());
        }
    }

    [Theory]
    [InlineData("code_verifier", "", "invalid_request")]
    [InlineData("code_verifier", "another-verifier-of-at-least-forty-three-characters", "invalid_grant")]
    [InlineData("redirect_uri", "", "invalid_request")]
    [InlineData("redirect_uri", "https://app.test/other?tab=1", "invalid_grant")]
    [InlineData("redirect_uri", ProviderHost.RedirectUri + "/", "invalid_grant")]
    [InlineData("code", "x", "invalid_grant")]
    [InlineData("code", "", "invalid_request")]
    public async Task A_code_is_bound_to_its_verifier_and_address(string parameter, string value, string error)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;

        var answer = await browser.RedeemAsync(code, (parameter, value));

        Assert.Equal((HttpStatusCode.BadRequest, error), (answer.Status, answer.Error));
        Assert.Equal(HttpStatusCode.OK, (await browser.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task A_code_is_bound_to_its_client()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;

        var stolen = await browser.RedeemAsync(code, ("client_id", "other"), ("client_secret", ProviderHost.ClientSecret + "-other"));

        Assert.Equal("invalid_grant", stolen.Error);
        Assert.Equal(HttpStatusCode.OK, (await browser.RedeemAsync(code)).Status);
    }
}
