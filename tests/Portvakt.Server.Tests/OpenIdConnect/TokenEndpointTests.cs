using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>What the token endpoint reads, and what it does not (RFC 6749 sections 2.3, 3.2, 5 and 6).</summary>
public sealed class TokenEndpointTests
{
    private const string Secret = ProviderHost.ClientSecret + "-batch";
    private const string Job = "grant_type=client_credentials&client_id=batch&client_secret=" + Secret;

    public static TheoryData<string, string, string?, string> Nonsense => new()
    {
        { "grant_type twice", Job + "&grant_type=client_credentials", null, "invalid_request" },
        { "the same secret twice", Job + "&client_secret=" + Secret, null, "invalid_request" },
        { "a parameter nobody knows, twice", Job + "&x=1&x=2", null, "invalid_request" },
        { "no grant_type", "client_id=batch&client_secret=" + Secret, null, "invalid_request" },
        { "an empty grant_type", Job.Replace("client_credentials", "", StringComparison.Ordinal), null, "invalid_request" },
        { "nothing at all", "", null, "invalid_client" },
        { "no client", "grant_type=client_credentials", null, "invalid_client" },
        { "two ways to prove it", Job, Basic("batch", Secret), "invalid_request" },
        { "another client in the header", "grant_type=client_credentials&client_id=timeliste", Basic("batch", Secret), "invalid_request" },
        { "a wrong secret in the header", "grant_type=client_credentials", Basic("batch", "wrong"), "invalid_client" },
        { "no secret in the header", "grant_type=client_credentials", Basic("batch", ""), "invalid_client" },
        { "no name in the header", "grant_type=client_credentials", Basic("", Secret), "invalid_client" },
        { "a header without a colon", "grant_type=client_credentials", "Basic YmF0Y2g=", "invalid_client" },
        { "a header that is not base64", "grant_type=client_credentials", "Basic ****", "invalid_client" },
        { "a header that is not UTF-8", "grant_type=client_credentials", "Basic /////w==", "invalid_client" },
        { "a header of another scheme", "grant_type=client_credentials&client_id=batch", "Bearer " + Secret, "invalid_client" },
        { "an assertion", Job + "&client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", null, "invalid_client" },
        { "a scope of people", Job + "&scope=hours:read%20openid", null, "invalid_scope" },
        { "a scope of somebody else", Job + "&scope=hours:write", null, "invalid_scope" },
        { "no code", "grant_type=authorization_code&client_id=timeliste&client_secret=" + ProviderHost.ClientSecret, null, "invalid_request" },
        { "no refresh token", "grant_type=refresh_token&client_id=timeliste&client_secret=" + ProviderHost.ClientSecret, null, "invalid_request" },
    };

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_is_named_and_nothing_comes_of_it(string how, string body, string? header, string error)
    {
        await using var host = await ProviderHost.StartAsync();
        var answer = await SendAsync(host, new StringContent(body, Encoding.ASCII, "application/x-www-form-urlencoded"), header);
        Assert.True(answer.Error == error, $"{how}: {answer}");
        Assert.Equal(error is "invalid_client" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(error is "invalid_client" ? "Basic realm=\"https://id.test\", charset=\"UTF-8\"" : "", answer.WwwAuthenticate);
        Assert.Equal("no-store", answer.CacheControl);
        Assert.NotEmpty((string)answer.Json["error_description"]!);
        Assert.Null(answer.Json["access_token"]);
    }

    [Theory]
    [InlineData("application/json", """{"grant_type":"client_credentials","client_id":"batch","client_secret":"a-secret-that-a-machine-chose-0123456789-batch"}""")]
    [InlineData("text/plain", Job)]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n")]
    [InlineData("application/x-www-form-urlencoded-not", Job)]
    public async Task What_is_no_form_is_not_read(string type, string body)
    {
        await using var host = await ProviderHost.StartAsync();
        using var content = new StringContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        Assert.Equal("invalid_request", (await SendAsync(host, content, null)).Error);
    }

    [Fact]
    public async Task What_stands_in_the_address_is_not_read()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal("invalid_client", (await browser.SendAsync(HttpMethod.Post, "/connect/token?" + Job, new FormUrlEncodedContent([]))).Error);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await browser.GetAsync("/connect/token?" + Job)).Status);
    }

    [Fact]
    public async Task Name_and_secret_in_the_header_are_written_as_in_a_form()
    {
        const string id = "a-job:with,+and%";
        const string secret = "an odd one: 100 % + \"æøå\" 0123456789-0123456789";
        await using var host = await ProviderHost.StartAsync($$"""[{ "client_id": "{{id}}", "client_secret": {{System.Text.Json.JsonSerializer.Serialize(secret)}}, "grant_types": ["client_credentials"], "scope": "hours:read" }]""");
        var answer = await SendAsync(host, new FormUrlEncodedContent([new("grant_type", "client_credentials")]), Basic(WebUtility.UrlEncode(id), WebUtility.UrlEncode(secret)));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(id, (string?)new Tokens(answer.Json).AccessClaims["sub"]);
        Assert.Equal("Bearer", (string?)answer.Json["token_type"]);
    }

    [Theory]
    [InlineData("redirect_uri", "https://app.test/other?tab=1", "invalid_grant")]
    [InlineData("redirect_uri", "https://app.test/signin-oidc/", "invalid_grant")]
    [InlineData("redirect_uri", "", "invalid_request")]
    [InlineData("code_verifier", "", "invalid_request")]
    [InlineData("code_verifier", "short", "invalid_grant")]
    [InlineData("code_verifier", "a-verifier-of-at-least-forty-three-characters-0123456788", "invalid_grant")]
    [InlineData("code_verifier", "a-verifier-of-at-least-forty-three-characters-0123456789 ", "invalid_grant")]
    [InlineData("code_verifier", "æ-verifier-of-at-least-forty-three-characters-0123456789", "invalid_grant")]
    public async Task Who_cannot_use_a_code_does_not_take_it_from_who_can(string name, string value, string error)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;
        Assert.Equal(error, (await browser.RedeemAsync(code, (name, value))).Error);
        Assert.Equal("invalid_grant", (await browser.RedeemAsync(code, ("client_id", "other"), ("client_secret", ProviderHost.ClientSecret + "-other"))).Error);
        Assert.Equal(HttpStatusCode.OK, (await browser.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task Less_is_given_where_less_is_asked_and_all_of_it_again_the_next_time()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        Assert.Equal("invalid_scope", (await browser.RefreshAsync(tokens.Refresh!, ("scope", "openid hours:read"))).Error); // and the token is still good:
        var less = new Tokens((await browser.RefreshAsync(tokens.Refresh!, ("scope", "email"))).Json);
        Assert.Equal(("email", "email"), ((string?)less.AccessClaims["scope"], (string?)less.Json["scope"]));
        Assert.Null(less.Json["id_token"]);

        var all = new Tokens((await browser.RefreshAsync(less.Refresh!)).Json);
        Assert.Equal((string?)tokens.AccessClaims["scope"], (string?)all.AccessClaims["scope"]);
        Assert.Equal("Kari Nordmann", (string?)all.IdClaims["name"]);
        Assert.Null(all.IdClaims["nonce"]);
    }

    [Fact]
    public async Task A_scope_of_blanks_asks_for_nothing_and_is_not_handed_back()
    {
        await using var host = await ProviderHost.StartAsync();
        using var form = new StringContent(Job + "&scope=%20%20", Encoding.ASCII, "application/x-www-form-urlencoded");
        var answer = await SendAsync(host, form, null);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Null(answer.Json["scope"]);
        Assert.Null(new Tokens(answer.Json).AccessClaims["scope"]);

        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        var again = new Tokens((await browser.RefreshAsync(tokens.Refresh!, ("scope", " "))).Json);
        Assert.Equal((string?)tokens.AccessClaims["scope"], (string?)again.AccessClaims["scope"]);
    }

    private static string Basic(string id, string secret) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{id}:{secret}"));

    private static async Task<Answer> SendAsync(ProviderHost host, HttpContent content, string? header)
    {
        using var http = host.NewClient();
        using var message = new HttpRequestMessage(HttpMethod.Post, "/connect/token") { Content = content };
        if (header is not null) message.Headers.TryAddWithoutValidation("Authorization", header);
        using var response = await http.SendAsync(message);
        return new Answer(response, await response.Content.ReadAsStringAsync());
    }
}
