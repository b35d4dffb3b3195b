using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>R81, R82: the same headers on every answer, errors too.</summary>
public sealed class HeaderTests(HouseServer house) : IClassFixture<HouseServer>
{
    [Fact]
    public async Task Every_route_answers_with_the_headers()
    {
        using var http = Client(house.Server);
        var routes = house.Server.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Select(endpoint => HouseServer.Filled("/" + endpoint.RoutePattern.RawText!.TrimStart('/'))).Distinct().ToList();
        Assert.True(routes.Count > 30);
        foreach (var route in routes)
        {
            using var answer = await http.GetAsync(route, HttpCompletionOption.ResponseHeadersRead);
            SecurityHeaderRules.Hold(answer, mayBeKept: answer.IsSuccessStatusCode && (route.StartsWith("/phone/", StringComparison.Ordinal) || route is "/phone" || route.StartsWith("/.well-known/", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("/icon.svg")]
    [InlineData("/design/wait.js")]
    [InlineData("/design/passkey.js")]
    [InlineData("/design/portvakt.css")]
    [InlineData("/phone/")]
    [InlineData("/phone/sw.js")]
    [InlineData("/phone/manifest.webmanifest")]
    public async Task Files_carry_them_too(string path)
    {
        using var http = Client(house.Server);
        using var answer = await http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        SecurityHeaderRules.Hold(answer, mayBeKept: true);
        Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
    }

    /// <summary>The app's texts come together with its scripts: on a mobile network asking for them afterwards is one more wait.</summary>
    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task The_phone_apps_page_announces_its_words_in_the_persons_language(string language)
    {
        using var http = Client(house.Server);
        http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        using var answer = await http.GetAsync("/phone/");
        var link = Assert.Single(answer.Headers.GetValues("Link"));
        Assert.Contains("Accept-Language", answer.Headers.Vary);
        Assert.StartsWith($"</phone/assets/words.{language}-", link, StringComparison.Ordinal);
        Assert.EndsWith(">; rel=modulepreload", link, StringComparison.Ordinal);

        using var words = await http.GetAsync(link[1..link.IndexOf('>', StringComparison.Ordinal)]);
        Assert.Equal(HttpStatusCode.OK, words.StatusCode);
        Assert.False(words.Headers.Contains("Link"));
    }

    [Theory]
    [InlineData("/nowhere")]
    [InlineData("/phone/nowhere.js")]
    [InlineData("/phone/../appsettings.json")]
    [InlineData("/phone/%2e%2e/%2e%2e/appsettings.json")]
    [InlineData("/appsettings.json")]
    [InlineData("/wwwroot/icon.svg")]
    [InlineData("/error/404")]
    [InlineData("/error/500")]
    [InlineData("/error/200")]
    public async Task So_does_what_is_not_there(string path)
    {
        using var http = Client(house.Server);
        using var answer = await http.GetAsync(path);
        Assert.True((int)answer.StatusCode >= 400, $"{path}: {answer.StatusCode}");
        SecurityHeaderRules.Hold(answer);
    }

    [Fact]
    public async Task So_does_a_refusal()
    {
        using var http = Client(house.Server);
        using var otherHost = await http.GetAsync("https://evil.test/account");
        Assert.Equal(HttpStatusCode.BadRequest, otherHost.StatusCode);
        SecurityHeaderRules.Hold(otherHost);

        using var foreign = new HttpRequestMessage(HttpMethod.Post, "/sign-out") { Content = new FormUrlEncodedContent([]) };
        foreign.Headers.Add("Origin", "https://evil.test");
        using var refused = await http.SendAsync(foreign);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        SecurityHeaderRules.Hold(refused);

        using var badRequest = await http.GetAsync("/connect/authorize");
        Assert.Equal(HttpStatusCode.BadRequest, badRequest.StatusCode);
        SecurityHeaderRules.Hold(badRequest);

        using var wrongVerb = await http.DeleteAsync("/account");
        Assert.True((int)wrongVerb.StatusCode >= 300);
        SecurityHeaderRules.Hold(wrongVerb);
    }

    [Fact]
    public async Task So_does_a_fault_which_tells_nothing_of_itself()
    {
        await using var broken = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        await broken.ReadAsync(db => db.Database.ExecuteSqlRawAsync("DROP TABLE sign_in_attempts; DROP TABLE failure_counts; DROP TABLE phones"));
        using var http = Client(broken);
        using var page = await http.GetAsync("/sign-in");
        using var api = await http.PostAsync("/phone/api/binding/begin", new StringContent($$"""{"code":"ABCDEFGHIJKL","kid":"{{new string('A', 43)}}"}""", null, "application/json"));
        Assert.Equal(32, Assert.Single(api.Headers.GetValues("Portvakt-Nonce")).Length);
        foreach (var answer in new[] { page, api })
        {
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
            SecurityHeaderRules.Hold(answer);
            var text = await answer.Content.ReadAsStringAsync();
            foreach (var inside in new[] { "sqlite", "no such table", "   at ", "Exception", "Portvakt.Server" }) Assert.DoesNotContain(inside, text, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains("no such table", broken.Log.All, StringComparison.Ordinal); // the cause is for the operator
    }

    [Theory]
    [InlineData("GET", "/phone/api/pending", HttpStatusCode.Unauthorized)]
    [InlineData("POST", "/phone/api/binding/begin", HttpStatusCode.BadRequest)]
    [InlineData("POST", "/phone/api/pending", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/phone/api/nowhere", HttpStatusCode.MethodNotAllowed)]
    public async Task A_phone_gets_its_next_nonce_with_every_refusal(string verb, string path, HttpStatusCode status)
    {
        using var http = Client(house.Server);
        using var answer = await http.SendAsync(new HttpRequestMessage(HttpMethod.Parse(verb), path));
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(32, Assert.Single(answer.Headers.GetValues("Portvakt-Nonce")).Length);
    }

    [Theory]
    [InlineData("https://app.test:8443/cb?x=1", "https://app.test:8443")]
    [InlineData("http://127.0.0.1:4711/cb", "http://127.0.0.1:4711")]
    [InlineData("no.eksempel.app:/signed-in", "no.eksempel.app:")]
    [InlineData("no.eksempel.app://signed-in", "no.eksempel.app:")]
    public async Task The_last_form_may_end_at_the_application_also_when_that_is_an_app_with_a_scheme_of_its_own(string address, string source)
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-clients").FullName;
        var file = Path.Combine(folder, "clients.json");
        await File.WriteAllTextAsync(file, $$"""[{ "client_id": "app", "token_endpoint_auth_method": "none", "redirect_uris": ["{{address}}"], "post_logout_redirect_uris": ["{{address}}"] }]""");
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:RelyingPartiesFile"] = file });
        Directory.Delete(folder, recursive: true);
        var kari = await server.AddPersonAsync();
        using var browser = new Browser(server);
        var request = $"client_id=app&response_type=code&redirect_uri={Uri.EscapeDataString(address)}&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        await browser.OpenAsync($"/connect/authorize?{request}");
        Assert.Equal("Logg på", browser.Heading);
        Assert.Equal($"form-action 'self' {source}", FormAction(browser.Answer));
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(server);
        await browser.PressAsync("Fullført");
        await browser.PressAsync("Nei");
        Assert.Equal($"form-action 'self' {source}", FormAction(browser.Answer));
        await browser.PressAsync("Ferdig");
        Assert.StartsWith(address.TrimEnd('/'), browser.LeftFor!.OriginalString, StringComparison.Ordinal);
        Assert.Contains("code=", browser.LeftFor.Query, StringComparison.Ordinal);

        await browser.OpenAsync($"/sign-out?client_id=app&post_logout_redirect_uri={Uri.EscapeDataString(address)}");
        Assert.Equal($"form-action 'self' {source}", FormAction(browser.Answer));

        static string FormAction(HttpResponseMessage answer) => Assert.Single(answer.Headers.GetValues("Content-Security-Policy")).Split("; ").Single(directive => directive.StartsWith("form-action", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_nonce_is_new_in_every_answer()
    {
        using var http = Client(house.Server);
        var nonces = new HashSet<string>(StringComparer.Ordinal);
        for (var times = 0; times < 20; times++)
        {
            using var answer = await http.GetAsync("/guides/iphone");
            var nonce = SecurityHeaderRules.Nonce(answer);
            Assert.True(nonces.Add(nonce));
            Assert.Equal(16, Convert.FromBase64String(nonce).Length);
            Assert.Contains($"nonce=\"{nonce}\"", WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync()), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_phone_app_has_the_strictest_policy_with_Trusted_Types()
    {
        using var http = Client(house.Server);
        using var answer = await http.GetAsync("/phone/");
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.Equal(SecurityHeaders.PhonePolicy, policy);
        foreach (var directive in new[] { "script-src 'self'", "style-src 'self'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types portvakt" }) Assert.Contains(directive, policy.Split("; "));
    }

    private static HttpClient Client(PortvaktServer server) => new(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
}
