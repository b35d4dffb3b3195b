using System.Net;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portvakt.Domain.People;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>
/// PostgreSQL goes away, does not answer, starts again, and hands over to another: nobody gets in meanwhile, everybody is told in a sentence, and it goes on by itself
/// (security figures G1 and G23). The database lies at the end of a wire.
/// </summary>
public sealed class DatabaseOutageStories
{
    private const string Session = "__Host-portvakt-session";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("password")]
    [InlineData("answer")]
    [InlineData("fetch")]
    [InlineData("stay")]
    public async Task A_wire_that_is_cut_in_the_middle_of_a_sign_in_lets_nobody_in_and_the_step_works_when_it_is_mended(string step)
    {
        Skip();
        await using var wire = new PostgresWire(await PortvaktServer.NewPostgresDatabaseAsync());
        await using var server = await StartAsync(wire.Database);
        var (kari, phone) = await Cast.EnrolledAsync(server);
        var before = await SessionsAsync(server, kari);
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        if (step is not "password") await browser.PasswordAsync(kari);
        if (step is "fetch" or "stay") Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        if (step is "stay") await browser.PressAsync("Jeg har godkjent");
        var (page, number) = (browser.Path, step is "answer" ? browser.MatchingNumber : "");

        await wire.CutAsync();
        if (step is "answer")
        {
            var answer = await phone.GetAsync("/phone/api/pending");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (answer.Status, answer.Code));
        }
        else
        {
            await PressAsync();
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "Påloggingen svarer ikke akkurat nå"), (browser.Status, browser.Heading));
            Assert.Equal("5", browser.Answer.Headers.GetValues("Retry-After").Single());
        }

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (await HealthAsync(server, "ready"), await HealthAsync(server, "live")));
        Assert.Null(browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))[Session]);

        wire.Mend();
        await PortvaktServer.UntilAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK); // a connection or two that broke may lie in the pool
        Assert.Equal(before, await SessionsAsync(server, kari));
        await browser.OpenAsync(page);
        if (step is "answer")
        {
            Assert.Equal("approved", (await phone.ApproveAsync(number)).Text("outcome"));
            await browser.PressAsync("Jeg har godkjent");
        }
        else
        {
            await PressAsync();
        }

        if (step is "password")
        {
            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
            await browser.PressAsync("Jeg har godkjent");
        }

        if (step is not "stay") await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        Assert.Equal(before + 1, await SessionsAsync(server, kari));

        Task PressAsync() => step is "password" ? browser.PasswordAsync(kari) : browser.PressAsync(step is "stay" ? "Nei" : browser.Has("Fortsett") ? "Fortsett" : "Jeg har godkjent");
    }

    [Fact]
    public async Task A_database_that_does_not_answer_keeps_nobody_waiting_for_ever_and_the_process_answers_meanwhile()
    {
        Skip();
        await using var wire = new PostgresWire(await PortvaktServer.NewPostgresDatabaseAsync());
        await using var server = await StartAsync($"{wire.Database};Timeout=2;Command Timeout=2;Cancellation Timeout=500;Maximum Pool Size=8");
        var (kari, phone) = await Cast.EnrolledAsync(server);
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        var page = browser.Path;

        wire.Hold();
        var crowd = Enumerable.Range(0, 60).Select(_ => StatusAsync(server, "/sign-in")).ToList(); // many more than there are connections
        var ready = HealthAsync(server, "ready");
        for (var looks = 0; !ready.IsCompleted; looks++)
        {
            Assert.Equal(HttpStatusCode.OK, await HealthAsync(server, "live").WaitAsync(Patience));
            if (looks < 120) server.Clock.Advance(TimeSpan.FromSeconds(1)); // what waits by our clock has waited enough then, and the sign-in is not over
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await ready);
        Assert.All(await Task.WhenAll(crowd).WaitAsync(Patience), status => Assert.Equal(HttpStatusCode.ServiceUnavailable, status));
        await browser.PasswordAsync(kari).WaitAsync(Patience);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, browser.Status);

        wire.Release();
        await PortvaktServer.UntilAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK);
        await browser.OpenAsync(page);
        await SignInAsync(browser, kari, phone);
    }

    [Fact]
    public async Task Lines_that_broke_while_nobody_used_them_are_thrown_away_by_the_question_whether_the_node_is_ready()
    {
        Skip();
        await using var wire = new PostgresWire(await PortvaktServer.NewPostgresDatabaseAsync());
        await using var server = await StartAsync(wire.Database);
        var (kari, phone) = await Cast.EnrolledAsync(server);
        await wire.CutAsync();
        wire.Mend();
        await PortvaktServer.UntilAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK); // a connection or two that broke may lie in the pool
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        await SignInAsync(browser, kari, phone);
    }

    [Fact]
    public async Task A_page_that_waits_while_the_database_is_away_hears_nothing_false_and_its_next_stream_tells_it()
    {
        Skip();
        await using var wire = new PostgresWire(await PortvaktServer.NewPostgresDatabaseAsync());
        await using var server = await StartAsync(wire.Database);
        var (kari, phone) = await Cast.EnrolledAsync(server);
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var page = await EventStream.OfPageAsync(server, browser);
        Assert.Equal("changed", (await page.NextAsync()).Name);
        var next = page.NextAsync();
        await wire.CutAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAnyAsync<Exception>(() => next.WaitAsync(Patience)); // the line ends; the browser's script connects again
        await page.DisposeAsync();
        wire.Mend();
        await PortvaktServer.UntilAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK); // a connection or two that broke may lie in the pool
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await using var again = await EventStream.OfPageAsync(server, browser);
        Assert.Equal("changed", (await again.NextAsync().WaitAsync(Patience)).Name);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Theory]
    [InlineData("fast")]
    [InlineData("immediate")]
    public async Task A_PostgreSQL_that_is_started_anew_is_found_again_by_the_same_process(string mode)
    {
        Assert.SkipUnless(OwnPostgres.IsInstalled, OwnPostgres.NoPrograms);
        await using var postgres = await OwnPostgres.StartAsync();
        await using var server = await StartAsync(postgres.Database);
        try
        {
            var (kari, phone) = await Cast.EnrolledAsync(server);
            using var browser = new Browser(server);
            await browser.OpenAppAsync();
            var page = browser.Path;
            await postgres.StopAsync(mode);
            await browser.PasswordAsync(kari);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, browser.Status);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync(server, "ready"));
            await postgres.StartAgainAsync();
            await PortvaktServer.UntilAsync(async () => await HealthAsync(server, "ready") is HttpStatusCode.OK);
            await browser.OpenAsync(page);
            await SignInAsync(browser, kari, phone);
        }
        finally
        {
            NpgsqlConnection.ClearAllPools(); // or they would hold the server that is stopped next
        }
    }

    [Fact]
    public async Task When_a_follower_takes_over_two_nodes_find_it_and_nothing_that_was_answered_is_lost()
    {
        Assert.SkipUnless(OwnPostgres.IsInstalled, OwnPostgres.NoPrograms);
        await using var first = await OwnPostgres.StartAsync();
        await using var second = await first.FollowedAsync();
        await using (var connection = new NpgsqlConnection(first.Database))
        {
            await connection.OpenAsync();
            foreach (var statement in new[] { "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()" })
            {
                await using var command = new NpgsqlCommand(statement, connection);
                await command.ExecuteNonQueryAsync();
            }
        }

        // Both servers are named; the one that can be written is the one that is meant.
        var (one, other) = (new NpgsqlConnectionStringBuilder(first.Database), new NpgsqlConnectionStringBuilder(second.Database));
        await using var a = await StartAsync($"Host={one.Host}:{one.Port},{other.Host}:{other.Port};Username=postgres;Database=postgres;Host Recheck Seconds=1");
        await using var b = await a.BesideAsync();
        var (kari, phone) = await Cast.EnrolledAsync(a);
        using var browser = new Browser(a);
        await browser.OpenAppAsync();
        await SignInAsync(browser, kari, phone);
        var sessions = await SessionsAsync(a, kari);

        await first.StopAsync("immediate");
        foreach (var node in new[] { a, b }) Assert.Equal(HttpStatusCode.ServiceUnavailable, await HealthAsync(node, "ready"));
        await browser.OpenAsync("/account");
        Assert.NotEqual("Hei, Kari Nordmann", browser.Heading);

        await second.PromoteAsync();
        foreach (var node in new[] { a, b }) await PortvaktServer.UntilAsync(async () => await HealthAsync(node, "ready") is HttpStatusCode.OK);
        Assert.Equal(sessions, await SessionsAsync(b, kari));
        using var there = browser.NewTab(b);
        await there.OpenAsync("/account");
        Assert.Equal("Hei, Kari Nordmann", there.Heading); // the session that the first server answered for
        using var next = new Browser(b);
        await next.OpenAppAsync();
        await SignInAsync(next, kari, phone);
    }

    [Theory]
    [InlineData("Host=db.example.no;Username=portvakt", 5, 10, 200, "")]
    [InlineData("postgres://portvakt:pass%20ord@db.example.no/portvakt", 5, 10, 200, "")]
    [InlineData("Host=db.example.no;Timeout=15;CommandTimeout=30;MaxAutoPrepare=0", 15, 30, 0, "")]
    [InlineData("postgres://db.example.no/portvakt?Command%20Timeout=0&Max%20Auto%20Prepare=20", 5, 0, 20, "")]
    [InlineData("Host=db1.example.no,db2.example.no", 5, 10, 200, "read-write")]
    [InlineData("Host=db1.example.no,db2.example.no;Target Session Attributes=primary", 5, 10, 200, "primary")]
    public void What_the_operator_does_not_say_is_filled_in_and_what_is_said_stays(string said, int timeout, int commandTimeout, int prepared, string target)
    {
        var builder = new NpgsqlConnectionStringBuilder(Database.PostgresConnection(said));
        Assert.Equal((timeout, commandTimeout, prepared, target), (builder.Timeout, builder.CommandTimeout, builder.MaxAutoPrepare, builder.TargetSessionAttributes ?? ""));
    }

    private static void Skip() => Assert.SkipWhen(!PortvaktServer.Has(DatabaseKind.Postgres), PortvaktServer.NoPostgres);

    private static Task<PortvaktServer> StartAsync(string database) => PortvaktServer.StartAsync(DatabaseKind.Postgres, new() { ["Portvakt:Database"] = database });

    private static Task<int> SessionsAsync(PortvaktServer server, Person person) => server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == person.Id));

    /// <summary>From the password page to the application.</summary>
    private static async Task SignInAsync(Browser browser, Person person, Phone phone)
    {
        await browser.PasswordAsync(person);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    private static Task<HttpStatusCode> HealthAsync(PortvaktServer server, string what) => StatusAsync(server, $"/health/{what}");

    private static async Task<HttpStatusCode> StatusAsync(PortvaktServer server, string path)
    {
        using var http = new HttpClient(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var answer = await http.GetAsync(path);
        return answer.StatusCode;
    }
}
