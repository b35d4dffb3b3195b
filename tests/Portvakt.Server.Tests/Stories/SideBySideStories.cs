using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class SideBySideOnSqlite(SqliteStage stage) : SideBySideStories(stage), IClassFixture<SqliteStage>;

public sealed class SideBySideOnPostgres(PostgresStage stage) : SideBySideStories(stage), IClassFixture<PostgresStage>;

/// <summary>Two servers on one database behind one address: nothing that decides is kept in one of them alone (R8, R62).</summary>
public abstract class SideBySideStories(Stage stage)
{
    private const string SessionCookie = "__Host-portvakt-session";

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task A_whole_journey_goes_well_when_every_request_meets_the_other_server()
    {
        await using var other = await Server.BesideAsync();
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, line: new Turns(Server, other));
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(Server, new Phone(Server, line: new Turns(other, Server)));
        await browser.FinishAsync();
        Assert.Equal("app.test", browser.LeftFor?.Host);

        using var nextDay = new Browser(Server, line: new Turns(other, Server));
        await nextDay.OpenAppAsync();
        await nextDay.PasswordAsync(kari);
        Assert.Equal("approved", (await phone.ApproveAsync(nextDay.MatchingNumber)).Text("outcome"));
        await nextDay.PressAsync("Jeg har godkjent");
        await nextDay.PressAsync("Nei");
        Assert.Equal("app.test", nextDay.LeftFor?.Host);
    }

    [Fact]
    public async Task R8_A_new_session_on_one_server_kills_the_old_one_on_both()
    {
        await using var other = await Server.BesideAsync();
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var browser = new Browser(Server);
        var old = await SignedInAsync(browser);
        Assert.Equal((true, true), (await OpensAsync(Server, old), await OpensAsync(other, old)));

        using var elsewhere = browser.NewTab(other); // the same cookies, the other server
        await elsewhere.OpenAppAsync(extra: "&prompt=login");
        await elsewhere.PasswordAsync(kari);
        await phone.ApproveAsync(elsewhere.MatchingNumber);
        await elsewhere.PressAsync("Jeg har godkjent");
        await elsewhere.PressAsync("Nei");
        var fresh = CookieOf(elsewhere);
        Assert.NotEqual(old, fresh);
        Assert.Equal((false, false), (await OpensAsync(Server, old), await OpensAsync(other, old)));
        Assert.Equal((true, true), (await OpensAsync(Server, fresh), await OpensAsync(other, fresh)));

        await browser.OpenAsync("/sign-out");
        await browser.PressAsync("Logg av");
        Assert.Equal((false, false), (await OpensAsync(Server, fresh), await OpensAsync(other, fresh)));

        async Task<string> SignedInAsync(Browser at)
        {
            await at.OpenAsync("/sign-in");
            await at.PasswordAsync(kari);
            await phone.ApproveAsync(at.MatchingNumber);
            await at.PressAsync("Jeg har godkjent");
            await at.PressAsync("Ja");
            return CookieOf(at);
        }
    }

    [Fact]
    public async Task R12_Of_sixteen_answers_to_two_servers_at_once_exactly_one_counts()
    {
        await using var other = await Server.BesideAsync();
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server, line: new Turns(Server, other)));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        var number = browser.MatchingNumber;
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(racer => Task.Run(() => phone.AnswerAsync(id, context, racer % 2 is 0 ? "approve" : "cancelled", racer % 2 is 0 ? number : null))));
        Assert.Single(answers, answer => answer.Ok);
        Assert.Equal(1, await other.ReadAsync(db => db.AuditEvents.CountAsync(row => row.Subject == id && (row.What == SecurityEvent.ApprovalApproved || row.What == SecurityEvent.ApprovalDenied))));
    }

    private static string CookieOf(Browser browser) => browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))[SessionCookie]!.Value;

    private static async Task<bool> OpensAsync(PortvaktServer server, string session)
    {
        using var thief = new Browser(server);
        thief.Cookies.Add(new Cookie(SessionCookie, session, "/", "id.test") { Secure = true });
        await thief.OpenAsync("/account");
        return thief.Heading is "Hei, Kari Nordmann";
    }

    /// <summary>One address, several servers: each request goes to the next.</summary>
    private sealed class Turns(params PortvaktServer[] servers) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker[] _lines = [.. servers.Select(server => new HttpMessageInvoker(server.Handler()))];
        private int _next = -1;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _lines[(uint)Interlocked.Increment(ref _next) % (uint)_lines.Length].SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing) Array.ForEach(_lines, line => line.Dispose());
            base.Dispose(disposing);
        }
    }
}
