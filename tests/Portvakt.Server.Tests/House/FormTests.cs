using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>R83: whatever changes something, taken from the approved list of routes, so that a new form is here before it is anywhere.</summary>
public sealed class FormTests(HouseServer house) : IClassFixture<HouseServer>
{
    /// <summary>What takes POST and no token of a form, and why that may be.</summary>
    private static readonly Dictionary<string, string> Without = new(StringComparer.Ordinal)
    {
        ["/connect/authorize"] = "for other origins; answers with the same request as a GET and changes nothing",
        ["/connect/end-session"] = "as above",
        ["/connect/token"] = "for applications, which show who they are",
        ["/connect/userinfo"] = "for applications, with a token",
        ["/csp-report"] = "browsers report without asking a page; it writes a line to the log",
        ["/telephone/reports/{way}/{key}"] = "for providers of text messages, with a key",
        ["/error/{status:int}"] = "shows a page; changes nothing",
    };

    private static readonly (string Name, string? Value)[] Foreign = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.test"), ("Origin", "https://id.test.evil.test"), ("Origin", "http://id.test"), ("Origin", "null")];

    /// <summary>Route and handler of every POST there is.</summary>
    public static TheoryData<string, string> Posts
    {
        get
        {
            var posts = new TheoryData<string, string>();
            foreach (var line in File.ReadLines(Path.Combine(PortvaktServer.Repository(), "tests", "routes.approved.txt")))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                foreach (var verb in words[2..].Where(verb => verb.Split(':')[0] is "POST")) posts.Add(words[1], verb.Split(':') is [_, var handler] ? handler : "");
            }

            return posts;
        }
    }

    [Fact]
    public void The_list_of_those_without_a_token_names_nothing_that_does_not_exist()
    {
        Assert.Empty(Without.Keys.Except(Posts.Select(post => post.Data.Item1)));
        Assert.True(Posts.Count > 30, $"{Posts.Count}");
    }

    [Theory]
    [MemberData(nameof(Posts))]
    public async Task R83_Nothing_is_changed_from_another_origin_or_without_the_token_of_the_form(string route, string handler)
    {
        var server = house.Server;
        var (kari, _) = await Cast.EnrolledAsync(server);
        using var browser = new Browser(server, address: $"198.51.100.{Math.Abs(route.GetHashCode(StringComparison.Ordinal) % 250)}");
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        using var stranger = new Browser(server);
        await stranger.OpenAsync("/sign-in");
        var strangersToken = stranger.Page.QuerySelector("input[name=form]")!.GetAttribute("value")!;
        var attempt = browser.AttemptId;
        var path = HouseServer.Filled(route.Replace("{attempt}", attempt, StringComparison.Ordinal)) + (handler.Length > 0 ? $"?handler={handler}" : "");
        var isForPhones = route.StartsWith("/phone/api/", StringComparison.Ordinal);
        var before = await StateAsync();

        foreach (var (name, value) in Foreign)
        {
            await PostAsync(request =>
            {
                request.Headers.Remove("Sec-Fetch-Site"); // an old browser says nothing of the sort
                request.Headers.Remove(name);
                request.Headers.Add(name, value);
            });
            if (Without.ContainsKey(route) && route is not "/error/{status:int}") continue; // meant for other origins
            Assert.True(browser.Status is HttpStatusCode.Forbidden, $"{name}: {value} on {path}: {browser.Status}");
        }

        if (Without.ContainsKey(route) || isForPhones)
        {
            // No cookie opens anything here: with all of the browser's the answer is as it is without.
            await PostAsync();
            if (isForPhones) Assert.True(browser.Status is HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest or HttpStatusCode.UnsupportedMediaType, $"{path}: {browser.Status}");
        }
        else
        {
            foreach (var token in new[] { null, "", "AAAA", strangersToken })
            {
                await PostAsync(tamper: fields =>
                {
                    fields.Remove("form");
                    if (token is not null) fields["form"] = token;
                });
                Assert.True(browser.Status is HttpStatusCode.BadRequest, $"“{token}” on {path}: {browser.Status}");
                Assert.Equal("Siden var åpen for lenge", browser.Heading);
            }
        }

        Assert.Equal(before, await StateAsync());
        if (Without.ContainsKey(route) || isForPhones) return;

        // It was the origin and the token: with both as they should be the door opens, or shows where the attempt stands.
        await PostAsync();
        Assert.True((int)browser.Status is not (400 or 403), $"{path}: {browser.Status}");

        async Task PostAsync(Action<HttpRequestMessage>? forge = null, Action<Dictionary<string, string>>? tamper = null)
        {
            await browser.OpenAsync($"/sign-in/{attempt}/second-factor");
            await browser.SubmitAsync(browser.Page.Forms[0], tamper: tamper, forge: request =>
            {
                request.RequestUri = new Uri(path, UriKind.Relative);
                forge?.Invoke(request);
            });
        }

        async Task<string> StateAsync() => await server.ReadAsync(async db =>
        {
            var row = await db.SignInAttempts.AsNoTracking().SingleAsync(one => one.Id == attempt);
            return $"{row.Version} {await db.Sessions.CountAsync(one => one.PersonId == kari.Id && one.EndedAt == null)} {await db.Approvals.CountAsync(one => one.PersonId == kari.Id)} {await db.AuditEvents.CountAsync(one => one.PersonId == kari.Id)}";
        });
    }
}
