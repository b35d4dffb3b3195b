using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>Runs when nobody else does: what is counted is of the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>
/// Managed bytes that an operation leaves to be collected in the server, on SQLite, without what a request costs that does nothing. The application's own work is not in it: it sends the same
/// bytes again and reads the answer into the same ones. Counted and not timed.
/// A number that rises here is paid for by everybody; one that falls is lowered. Which bounds are met: bench/README.md.
/// </summary>
[Collection(nameof(Alone))]
public sealed class BytesTests : IAsyncLifetime
{
    private const string Secret = "a-secret-that-a-machine-chose-0123456789";
    private const int WarmUp = 150, Repeats = 60, Rounds = 5;
    private readonly string _clients = Path.GetTempFileName();
    private PortvaktServer _server = null!;
    private readonly byte[] _answer = new byte[16 * 1024];
    private readonly byte[] _question = new byte[4 * 1024];
    private TestServer _wire = null!;
    private long _nothing;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_clients, $$"""
            [{ "client_id": "timeliste", "client_name": "Timeliste", "client_secret": "{{Secret}}", "redirect_uris": ["{{PortvaktServer.RedirectUri}}"] },
             { "client_id": "job", "client_secret": "{{Secret}}", "grant_types": ["client_credentials"], "scope": "api" }]
            """);
        _server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new() { ["Portvakt:RelyingPartiesFile"] = _clients });
        _wire = (TestServer)_server.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>();
        _nothing = await BytesAsync(() => GetAsync("/health/live"));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        File.Delete(_clients);
    }

    [Fact]
    public async Task What_stores_nothing_leaves_little()
    {
        await HoldAsync("discovery", 1, () => GetAsync("/.well-known/openid-configuration"));
        await HoldAsync("client credentials", 4, () => TokenAsync($"client_id=job&client_secret={Secret}&grant_type=client_credentials&scope=api"));
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
        var refresh = await RedeemAsync(browser.LeftFor!.Query);
        await HoldAsync("refresh", 16.384, async () => refresh = await TokenAsync($"client_id=timeliste&client_secret={Secret}&grant_type=refresh_token&refresh_token={refresh}"));
        var request = $"?client_id=timeliste&response_type=code&redirect_uri={Uri.EscapeDataString(PortvaktServer.RedirectUri)}&scope=openid&state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        await HoldAsync("code flow", 60, async () =>
        {
            var answer = await SendAsync(HttpMethods.Get, "/connect/authorize", request, cookies);
            Assert.Equal(StatusCodes.Status303SeeOther, answer.StatusCode);
            await RedeemAsync(new Uri(answer.Headers.Location.ToString()).Query);
        }, requests: 2);
    }

    private async Task HoldAsync(string what, double kilobytes, Func<Task> operation, int requests = 1)
    {
        var bytes = await BytesAsync(operation) - (requests * _nothing);
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

    private async Task GetAsync(string path) => Assert.Equal(StatusCodes.Status200OK, (await SendAsync(HttpMethods.Get, path)).StatusCode);

    private Task<string> RedeemAsync(string query) => TokenAsync(
        $"client_id=timeliste&client_secret={Secret}&grant_type=authorization_code&code={QueryHelpers.ParseQuery(query)["code"]}&redirect_uri={Uri.EscapeDataString(PortvaktServer.RedirectUri)}&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");

    /// <summary>The refresh token, if there is one.</summary>
    private async Task<string> TokenAsync(string form)
    {
        var length = Encoding.ASCII.GetBytes(form, _question);
        var answer = await SendAsync(HttpMethods.Post, "/connect/token", body: length);
        Assert.Equal(StatusCodes.Status200OK, answer.StatusCode);
        return RefreshTokenIn(_answer.AsSpan(0, (int)answer.ContentLength!));
    }

    private static string RefreshTokenIn(ReadOnlySpan<byte> answer)
    {
        var json = new Utf8JsonReader(answer);
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.PropertyName && json.ValueTextEquals("refresh_token") && json.Read()) return json.GetString()!;
        }

        return "";
    }

    private async Task<HttpResponse> SendAsync(string method, string path, string query = "", string? cookies = null, int body = 0)
    {
        var http = await _wire.SendAsync(http =>
        {
            var request = http.Request;
            (request.Method, request.Scheme, request.Host, request.Path, request.QueryString) = (method, "https", new HostString("id.test"), path, new QueryString(query));
            if (cookies is not null) request.Headers.Cookie = cookies;
            if (body is 0) return;
            request.ContentType = "application/x-www-form-urlencoded";
            request.ContentLength = body;
            request.Body = new MemoryStream(_question, 0, body);
        });
        for (var (read, at) = (1, 0); read > 0; at += read) read = await http.Response.Body.ReadAsync(_answer.AsMemory(at));
        return http.Response;
    }
}
