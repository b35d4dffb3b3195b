using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

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
        foreach (var answer in new[] { page, api })
        {
            Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
            SecurityHeaderRules.Hold(answer);
            var text = await answer.Content.ReadAsStringAsync();
            foreach (var inside in new[] { "sqlite", "no such table", "   at ", "Exception", "Portvakt.Server" }) Assert.DoesNotContain(inside, text, StringComparison.OrdinalIgnoreCase);
        }

        Assert.Contains("no such table", broken.Log.All, StringComparison.Ordinal); // the cause is for the operator
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
