using System.Text.RegularExpressions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>What is told live must not wait in a proxy: nginx and its kin hold an answer back unless it says that they must not.</summary>
public sealed partial class EventStreamStories(SqliteStage stage) : IClassFixture<SqliteStage>
{
    [Fact]
    public async Task Every_event_stream_says_that_no_proxy_may_hold_it_back_and_no_other_answer_does()
    {
        var (kari, phone) = await Cast.EnrolledAsync(stage.Server);
        using var browser = new Browser(stage.Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await using var page = await EventStream.OfPageAsync(stage.Server, browser);
        await using var app = await EventStream.OfPhoneAsync(stage.Server, phone);
        await using var move = await EventStream.OfPhoneAsync(stage.Server, phone, "/phone/api/move/events");
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        await browser.OpenAsync("/account/security");
        await browser.PressAsync("Logg av overalt");
        await using var signedOut = await EventStream.OfSignOutAsync(stage.Server, browser);

        EventStream[] all = [page, app, move, signedOut];
        Assert.All(all, stream => Assert.Equal("no", stream.Header("X-Accel-Buffering")));
        Assert.DoesNotContain(browser.History, answer => answer.Headers.Contains("X-Accel-Buffering"));

        // These are all there are.
        var made = Directory.EnumerateFiles(Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server"), "*.cs", SearchOption.AllDirectories).Sum(file => Stream().Count(File.ReadAllText(file)));
        Assert.Equal(all.Length, made);
    }

    /// <summary>Whoever says "it wasn't me" may be quicker than the page that begins to listen.</summary>
    [Fact]
    public async Task A_page_that_begins_to_listen_when_all_is_over_is_told_so_and_a_strangers_page_is_not()
    {
        var (kari, phone) = await Cast.EnrolledAsync(stage.Server);
        using var browser = new Browser(stage.Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal("reported", (await phone.DenyAsync("not-me")).Text("outcome"));
        await using var page = await EventStream.OfPageAsync(stage.Server, browser);
        Assert.Equal(("changed", "over"), await page.NextAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(page.NextAsync); // and nothing comes after it

        using var stranger = new Browser(stage.Server);
        await stranger.OpenAppAsync();
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() =>
            EventStream.OpenAsync(stage.Server, $"/approvals/{browser.AttemptId}/wait", "Cookie", stranger.Cookies.GetCookieHeader(new Uri(PortvaktServer.Origin))));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, refused.StatusCode);
    }

    [GeneratedRegex(@"Results\.ServerSentEvents\(")]
    private static partial Regex Stream();
}
