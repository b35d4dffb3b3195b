using System.Diagnostics;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>R84, R85: the public address is a setting, and who calls is known from the wire or from a proxy that was named.</summary>
public sealed class HostTests(HouseServer house) : IClassFixture<HouseServer>
{
    private const string Caller = "192.0.2.10";

    [Theory]
    [InlineData("evil.test")]
    [InlineData("id.test.evil.test")]
    [InlineData("id.test:8443")]
    [InlineData("evil.test:443")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("xid.test")]
    [InlineData("id.test.")]
    public async Task A_host_that_is_not_ours_gets_400(string host)
    {
        using var http = Client(house.Server);
        foreach (var path in new[] { "/", "/sign-in", "/connect/authorize", "/.well-known/openid-configuration", "/phone/", "/phone/api/pending", "/icon.svg" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Host", host);
            using var answer = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.False(answer.Headers.Contains("Set-Cookie"));
            Assert.DoesNotContain("evil", await answer.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
        }
    }

    /// <summary>Routes know no difference between A and a; what decides by a path before the route does must not know one either.</summary>
    [Theory]
    [InlineData("/connect/authorize", "GET")]
    [InlineData("/connect/userinfo", "GET")]
    [InlineData("/connect/token", "POST")]
    [InlineData("/connect/end-session", "GET")]
    [InlineData("/phone/api/pending", "GET")]
    [InlineData("/phone/api/answer", "POST")]
    [InlineData("/health/ready", "GET")]
    public async Task A_path_in_other_letters_is_the_same_path(string path, string method)
    {
        using var http = Client(house.Server);
        var (asItIs, inOthers) = (await AskAsync(path), await AskAsync(path.ToUpperInvariant()));
        Assert.Equal(asItIs, inOthers);
        Assert.True((int)asItIs.Status < 500, $"{path}: {asItIs.Status}");

        async Task<(HttpStatusCode Status, string? Type, bool HasNonce)> AskAsync(string address)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), address);
            using var answer = await http.SendAsync(request);
            return (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, answer.Headers.Contains("Portvakt-Nonce"));
        }
    }

    [Fact]
    public async Task A_forwarded_host_changes_no_link()
    {
        await using var behindProxy = await StartAsync(("TrustedProxies:0", "192.0.2.1"));
        foreach (var server in new[] { house.Server, behindProxy })
        {
            using var http = Client(server);
            foreach (var path in new[] { "/.well-known/openid-configuration", "/guides/iphone", "/sign-in", "/e/ABCDEFGHIJKLMNOPQRSTUVWXYZ", "/phone" })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                foreach (var (name, value) in new[] { ("X-Forwarded-Host", "evil.test"), ("X-Original-Host", "evil.test"), ("X-Forwarded-Server", "evil.test"), ("X-Forwarded-Prefix", "/evil"), ("X-Forwarded-Port", "1"), ("Forwarded", "host=evil.test"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-For", "203.0.113.7") }) request.Headers.Add(name, value);
                using var answer = await http.SendAsync(request);
                Assert.True((int)answer.StatusCode < 400, $"{path}: {answer.StatusCode}");
                Assert.DoesNotContain("evil", $"{answer.Headers} {await answer.Content.ReadAsStringAsync()}", StringComparison.OrdinalIgnoreCase);
                Assert.True(answer.Headers.Location is not { IsAbsoluteUri: true });
                SecurityHeaderRules.Hold(answer, mayBeKept: path is "/.well-known/openid-configuration");
                if (path is "/.well-known/openid-configuration") Assert.Contains("\"issuer\":\"https://id.test\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Without_a_named_proxy_a_forwarded_address_is_only_talk()
    {
        Assert.Equal(Caller, await AddressAsync(house.Server, "203.0.113.7"));
        await using var otherProxy = await StartAsync(("TrustedProxies:0", "192.0.2.99"), ("TrustedProxies:1", "10.0.0.0/8"));
        Assert.Equal(Caller, await AddressAsync(otherProxy, "203.0.113.7"));
        Assert.Equal(Caller, await AddressAsync(otherProxy, "10.1.2.3"));
    }

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7", "203.0.113.7")]
    [InlineData("127.0.0.1, 203.0.113.7", "203.0.113.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("garbage", Caller)]
    [InlineData("203.0.113.7.8", Caller)]
    [InlineData("999.1.1.1", Caller)]
    [InlineData("<script>", Caller)]
    [InlineData("203.0.113.7, garbage", Caller)]
    [InlineData("", Caller)]
    public async Task A_named_proxy_is_believed_as_far_as_its_words_make_sense(string forwarded, string address)
    {
        await using var server = await StartAsync(("TrustedProxies:0", Caller));
        Assert.Equal(address, await AddressAsync(server, forwarded));
    }

    [Fact]
    public async Task The_frameworks_own_switch_makes_nobody_else_a_proxy()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new Dictionary<string, string?> { ["FORWARDEDHEADERS_ENABLED"] = "true", ["Portvakt:TrustedProxies:0"] = "192.0.2.99" });
        Assert.Equal(Caller, await AddressAsync(server, "203.0.113.7"));
    }

    [Fact]
    public async Task The_frameworks_own_switch_without_a_list_refuses_to_start()
    {
        var (exitCode, complaint) = await RunAsync(("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true"));
        Assert.Equal(2, exitCode);
        Assert.Contains("TrustedProxies", complaint, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", complaint, StringComparison.Ordinal); // a sentence, not a stack
    }

    [Theory]
    [InlineData("PublicAddress", "")]
    [InlineData("PublicAddress", "id.test")]
    [InlineData("PublicAddress", "http://id.test")]
    [InlineData("PublicAddress", "https://id.test/path")]
    [InlineData("PublicAddress", "https://id.test/?x=1")]
    [InlineData("PublicAddress", "https://user@id.test")]
    [InlineData("PublicAddress", "ftp://id.test")]
    [InlineData("PublicAddress", "//id.test")]
    [InlineData("PublicAddress", "https://")]
    [InlineData("PublicAddress", "javascript:alert(1)")]
    [InlineData("Organisation", " ")]
    [InlineData("DefaultLanguage", "de")]
    [InlineData("TimeZone", "Oslo")]
    [InlineData("TimeZone", "")]
    [InlineData("StaySignedInLifetime", "30.00:00:01")]
    [InlineData("StaySignedInLifetime", "00:00:00")]
    [InlineData("ApprovalLifetime", "00:00:29")]
    [InlineData("ApprovalLifetime", "00:05:01")]
    [InlineData("ApprovalDigits", "4")]
    [InlineData("AllowLoopbackPush", "true")]
    [InlineData("Demo", "true")]
    [InlineData("TrustedProxies:0", "anybody")]
    [InlineData("TrustedProxies:0", "10.0.0.0/33")]
    [InlineData("TrustedProxies:0", "*")]
    [InlineData("PushContact", "nobody")]
    [InlineData("PushContact", "")]
    [InlineData("PushContact", "mailto:it@server.local")]
    [InlineData("PushHosts:0", "https://push.example.no")]
    [InlineData("PushHosts:0", "*")]
    public async Task A_setting_that_makes_no_sense_refuses_to_start_and_says_which(string name, string value)
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync((name, value)));
        Assert.Contains(name is "Demo" ? "demo" : $"Portvakt:{name.Split(':')[0]}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_settings_that_make_no_sense_are_told_at_once()
    {
        var problems = string.Join('\n', new PortvaktSettings { PublicAddress = "id.test", PushContact = "nobody", PushHosts = ["*"], ApprovalDigits = 4 }.Problems());
        foreach (var name in new[] { "PublicAddress", "Organisation", "PushContact", "PushHosts", "ApprovalDigits" }) Assert.Contains($"Portvakt:{name}", problems, StringComparison.Ordinal);
    }

    private static Task<PortvaktServer> StartAsync(params (string Name, string Value)[] settings) =>
        PortvaktServer.StartAsync(DatabaseKind.Sqlite, settings.ToDictionary(setting => $"Portvakt:{setting.Name}", setting => (string?)setting.Value));

    /// <summary>Where the audit trail believes a wrong password came from.</summary>
    private static async Task<string?> AddressAsync(PortvaktServer server, string forwarded)
    {
        using var browser = new Browser(server, address: Caller);
        await browser.OpenAppAsync();
        browser.Fill("Brukernavn", "nobody").Fill("Passord", "wrong password");
        await browser.SubmitAsync(browser.Page.Forms[0], forge: request => request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwarded));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        return await server.ReadAsync(db => db.AuditEvents.OrderByDescending(row => row.Id).Select(row => row.Address).FirstAsync());
    }

    /// <summary>The program as an operator starts it.</summary>
    private static async Task<(int ExitCode, string Complaint)> RunAsync((string Name, string Value) environment)
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "portvakt.dll"), "migrate", "--Portvakt:PublicAddress=https://id.test", "--Portvakt:Organisation=Eksempel", "--Portvakt:PushContact=mailto:it@eksempel.no"])
        {
            Environment = { [environment.Name] = environment.Value },
            UseShellExecute = false,
            RedirectStandardError = true,
        })!;
        var complaint = await program.StandardError.ReadToEndAsync();
        await program.WaitForExitAsync();
        return (program.ExitCode, complaint);
    }

    private static HttpClient Client(PortvaktServer server) => new(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
}
