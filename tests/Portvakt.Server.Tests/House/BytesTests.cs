using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>Runs when nobody else does: what is counted is of the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// Managed bytes that an operation leaves to be collected, on SQLite, with the answer's way to the application and without what a request costs that does nothing. Counted and not timed.
/// A number that rises here is paid for by everybody; one that falls is lowered. Which bounds are met: bench/README.md.
/// </summary>
[Collection(nameof(Alone))]
public sealed class BytesTests : IAsyncLifetime
{
    private const string Secret = "a-secret-that-a-machine-chose-0123456789";
    private const int WarmUp = 150, Repeats = 60, Rounds = 5;
    private readonly string _clients = Path.GetTempFileName();
    private PortvaktServer _server = null!;
    private HttpClient _http = null!;
    private long _nothing;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_clients, $$"""
            [{ "client_id": "timeliste", "client_name": "Timeliste", "client_secret": "{{Secret}}", "redirect_uris": ["{{PortvaktServer.RedirectUri}}"] },
             { "client_id": "job", "client_secret": "{{Secret}}", "grant_types": ["client_credentials"], "scope": "api" }]
            """);
        _server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new() { ["Portvakt:RelyingPartiesFile"] = _clients });
        _http = new HttpClient(_server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        _nothing = await BytesAsync(() => GetAsync("/health/live"));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        File.Delete(_clients);
    }

    [Fact]
    public async Task What_stores_nothing_leaves_little()
    {
        await HoldAsync("discovery", 1.5, () => GetAsync("/.well-known/openid-configuration"));
        await HoldAsync("client credentials", 12, () => TokenAsync("job", ("grant_type", "client_credentials"), ("scope", "api")));
    }

    [Fact]
    public async Task A_code_and_its_tokens_and_each_refresh_leave_no_more_than_they_did()
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        using var browser = new Browser(_server);
        await browser.OpenAppAsync(scope: "openid offline_access");
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Ja");
        var cookies = browser.Cookies.GetCookieHeader(new Uri(PortvaktServer.Origin));
        var refresh = (await RedeemAsync(QueryHelpers.ParseQuery(browser.LeftFor!.Query)["code"].ToString()))["refresh_token"]!.GetValue<string>();
        await HoldAsync("refresh", 50, async () => refresh = (await TokenAsync("timeliste", ("grant_type", "refresh_token"), ("refresh_token", refresh)))["refresh_token"]!.GetValue<string>());
        await HoldAsync("code flow", 135, async () =>
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get,
                $"/connect/authorize?client_id=timeliste&response_type=code&redirect_uri={Uri.EscapeDataString(PortvaktServer.RedirectUri)}&scope=openid&state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
            request.Headers.Add("Cookie", cookies);
            using var answer = await _http.SendAsync(request);
            await RedeemAsync(QueryHelpers.ParseQuery(answer.Headers.Location!.Query)["code"].ToString());
        });
    }

    private async Task HoldAsync(string what, double kilobytes, Func<Task> operation)
    {
        var bytes = await BytesAsync(operation) - _nothing;
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {bytes} bytes");
        Assert.True(bytes <= kilobytes * 1000, $"{what} leaves {bytes} bytes to be collected; {kilobytes} kB was the most so far.");
    }

    /// <summary>The least of some rounds: what else the process did meanwhile is not the operation's.</summary>
    private static async Task<long> BytesAsync(Func<Task> operation)
    {
        for (var time = 0; time < WarmUp; time++) await operation();
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var time = 0; time < Repeats; time++) await operation();
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Repeats);
        }

        return least;
    }

    private async Task GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path);
        Assert.True(answer.IsSuccessStatusCode, path);
    }

    private Task<JsonNode> RedeemAsync(string code) =>
        TokenAsync("timeliste", ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", PortvaktServer.RedirectUri), ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));

    private async Task<JsonNode> TokenAsync(string client, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent([new("client_id", client), new("client_secret", Secret), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        using var answer = await _http.PostAsync("/connect/token", form);
        Assert.True(answer.IsSuccessStatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
    }
}
