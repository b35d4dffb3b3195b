using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Commands;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>What the page tells of each application, while some answer, some do not, and the server is restarted in between.</summary>
public sealed class RolloutSignOutStories
{
    private const string Clients = """
        [{ "client_id": "timeliste", "client_name": "Timeliste", "client_secret": "a-secret-that-a-machine-chose-0123456789", "redirect_uris": ["https://app.test/signin-oidc"], "backchannel_logout_uri": "https://app.test/logout" },
         { "client_id": "reise", "client_name": "Reiseregning", "client_secret": "a-secret-that-a-machine-chose-0123456789", "redirect_uris": ["https://app.test/signin-oidc"], "backchannel_logout_uri": "https://reise.test/logout" },
         { "client_id": "intranett", "client_name": "Intranett", "client_secret": "a-secret-that-a-machine-chose-0123456789", "redirect_uris": ["https://app.test/signin-oidc"] }]
        """;

    public static TheoryData<DatabaseKind> Databases => [DatabaseKind.Sqlite, DatabaseKind.Postgres];

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task The_page_tells_of_each_application_whether_it_was_signed_out_is_tried_again_or_cannot_be_told(DatabaseKind kind)
    {
        Need(kind);
        var folder = Directory.CreateTempSubdirectory("portvakt-sign-out");
        var file = Path.Combine(folder.FullName, "clients.json");
        await File.WriteAllTextAsync(file, Clients);
        var ends = new FarEnds();
        await using var server = await PortvaktServer.StartAsync(
            kind, new Dictionary<string, string?> { ["Portvakt:RelyingPartiesFile"] = file },
            services => services.PostConfigure<HttpClientFactoryOptions>(BackChannelLogout.ClientName, options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.PrimaryHandler = ends)));
        var kari = await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(9));
        ends.Away = "reise.test";

        // Signed in twice, in two browsers: still one line for each application.
        using var other = await SignedInAsync(server, kari);
        await other.OpenAppAsync();
        using var browser = await SignedInAsync(server, kari);
        foreach (var app in new[] { "timeliste", "reise", "intranett" }) await browser.OpenAppAsync(app);
        await browser.OpenAsync("/activate");
        await browser.PressAsync("Aktiver 2-faktor");
        Assert.Equal(["Intranett", "Reiseregning", "Timeliste"], browser.Page.QuerySelectorAll(".pv-list strong").Select(name => name.TextContent));
        await UntilAsync(server, browser, "Timeliste", "SignedOut");
        await UntilAsync(server, browser, "Reiseregning", "TriedAgain");
        Assert.Contains("Svarte ikke. Nytt forsøk kl.", browser.Text, StringComparison.Ordinal);
        await UntilAsync(server, browser, "Intranett", "CannotBeTold");
        Assert.Equal(2, ends.Heard.Count(host => host is "app.test"));

        await server.RestartAsync();
        using var after = browser.NewTab();
        await after.OpenAsync(browser.Path);
        Assert.Equal("Du er logget av overalt", after.Heading);
        Assert.Equal("TriedAgain", OutcomeOf(after, "Reiseregning"));
        ends.Away = null;
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await UntilAsync(server, after, "Reiseregning", "SignedOut");
        Assert.Null(after.Page.QuerySelector("[data-wait]")); // nothing changes any more
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task While_nothing_changes_the_list_of_a_sign_out_gives_a_sign_of_life_every_15_seconds()
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-sign-out");
        var file = Path.Combine(folder.FullName, "clients.json");
        await File.WriteAllTextAsync(file, Clients);
        var ends = new FarEnds { Away = "reise.test" };
        await using var server = await PortvaktServer.StartAsync(
            DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:RelyingPartiesFile"] = file },
            services => services.PostConfigure<HttpClientFactoryOptions>(BackChannelLogout.ClientName, options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.PrimaryHandler = ends)));
        var kari = await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(9));
        using var browser = await SignedInAsync(server, kari);
        await browser.OpenAppAsync("reise");
        await browser.OpenAsync("/account/security");
        await browser.PressAsync("Logg av overalt");
        await UntilAsync(server, browser, "Reiseregning", "TriedAgain");

        await using var page = await EventStream.OfSignOutAsync(server, browser);
        await page.SignOfLifeAsync(); // at once, the first
        var second = page.SignOfLifeAsync();
        await PortvaktServer.UntilAsync(() =>
        {
            server.Clock.Advance(TimeSpan.FromSeconds(2));
            return Task.FromResult(second.IsCompleted);
        });
        await second;
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task An_application_that_was_away_for_a_day_is_named_and_the_person_is_told_what_to_do()
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-sign-out");
        var file = Path.Combine(folder.FullName, "clients.json");
        await File.WriteAllTextAsync(file, Clients);
        var ends = new FarEnds { Away = "reise.test" };
        await using var server = await PortvaktServer.StartAsync(
            DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:RelyingPartiesFile"] = file },
            services => services.PostConfigure<HttpClientFactoryOptions>(BackChannelLogout.ClientName, options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.PrimaryHandler = ends)));
        var kari = await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(9));
        using var browser = await SignedInAsync(server, kari);
        await browser.OpenAppAsync("reise");
        await browser.OpenAsync("/account/security");
        await browser.PressAsync("Logg av overalt");
        for (var hour = 0; hour < 30; hour++)
        {
            await server.Services.GetRequiredService<BackChannelLogout>().DeliverDueAsync(CancellationToken.None);
            server.Clock.Advance(TimeSpan.FromHours(1));
        }

        await UntilAsync(server, browser, "Reiseregning", "NotReached");
        Assert.Contains("Logg av der selv", browser.Text, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    /// <summary>The last Sundays of March and October: a day of 23 hours and one of 25.</summary>
    public static MatrixTheoryData<DatabaseKind, string> DaysWhenTheClocksChange => new([DatabaseKind.Sqlite, DatabaseKind.Postgres], ["2027-03-28", "2027-10-31"]);

    [Theory]
    [MemberData(nameof(DaysWhenTheClocksChange))]
    public async Task The_deadline_falls_at_midnight_in_Oslo_also_on_the_days_when_the_clocks_change(DatabaseKind kind, string changes)
    {
        Need(kind);
        var oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");
        var day = DateOnly.Parse(changes, System.Globalization.CultureInfo.InvariantCulture);
        var (morning, midnight) = (EnrolmentRule.StartOf(day, oslo), EnrolmentRule.StartOf(day.AddDays(1), oslo));
        Assert.NotEqual(TimeSpan.FromHours(24), midnight - morning);
        await using var server = await PortvaktServer.StartAsync(kind, now: morning - TimeSpan.FromHours(2));
        var ola = await server.AddPersonAsync("Ola Nordmann", after: AfterDeadline.Block);
        await server.ChangeAsync(async db => (await db.Waves.SingleAsync()).Change("Helse", morning - TimeSpan.FromDays(20), midnight));

        foreach (var (at, left) in new[]
        {
            (morning - TimeSpan.FromMinutes(1), "2 dager igjen"), (morning, "1 dag igjen"), (morning + TimeSpan.FromMinutes(150), "1 dag igjen"), (morning + TimeSpan.FromHours(4), "1 dag igjen"), (midnight - TimeSpan.FromMinutes(1), "1 dag igjen"),
        })
        {
            server.Clock.SetUtcNow(at);
            using var browser = new Browser(server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(ola);
            Assert.Equal("Mer informasjon kreves", browser.Heading);
            Assert.Contains(left, browser.Text, StringComparison.Ordinal);
        }

        server.Clock.SetUtcNow(midnight);
        using var late = new Browser(server);
        await late.OpenAppAsync();
        await late.PasswordAsync(ola);
        Assert.Equal(("Du trenger hjelp for å komme inn", HttpStatusCode.Forbidden), (late.Heading, late.Status));
        Assert.Contains($"{day.Day}. ", late.Text, StringComparison.Ordinal); // the day that is over, not the one that has begun
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task The_demo_has_somebody_in_every_state_and_each_who_is_enrolled_has_a_factor(DatabaseKind kind)
    {
        Need(kind);
        await using var server = await PortvaktServer.StartAsync(kind);
        Assert.True(await DemoPeople.FillAsync(server.Services, PortvaktServer.Password, CancellationToken.None));
        Assert.False(await DemoPeople.FillAsync(server.Services, PortvaktServer.Password, CancellationToken.None));
        var now = server.Clock.GetUtcNow();
        var people = await server.ReadAsync(db => db.People.AsNoTracking().ToListAsync());
        Assert.Equal(DemoPeople.Count + 3, people.Count);
        Assert.Equal(3, people.Count(person => person.PasswordHash is not null));
        Assert.Equal(12, people.Select(person => person.Unit).Distinct(StringComparer.Ordinal).Count());
        var totps = await server.ReadAsync(db => db.Totps.AsNoTracking().ToDictionaryAsync(row => row.PersonId));
        Assert.Equal(people.Where(person => person.IsEnrolled).Select(person => person.Id).Order(), totps.Keys.Order());
        Assert.All(totps.Values, totp => Assert.Equal(AuthenticatorState.Active, totp.State));
        Assert.All(people.Where(person => person.IsEnrolled), person => Assert.True(person.EnrolledAt < now));

        var waves = await server.ReadAsync(db => db.Waves.AsNoTracking().OrderBy(wave => wave.Position).ToListAsync());
        Assert.Equal([true, false, false], waves.Select(wave => wave.DeadlineAt <= now));
        foreach (var wave in waves)
        {
            var members = people.Where(person => person.WaveId == wave.Id).ToList();
            Assert.True(members.Count > 60, $"{wave.Name}: {members.Count}");
            Assert.All(members, person => Assert.StartsWith(wave.Name + "/", person.Unit, StringComparison.Ordinal));
            Assert.Contains(members, person => person.EnrolmentStep is not null);
            Assert.Contains(members, person => person.State is PersonState.Locked);
            Assert.Contains(members, person => person is { LastSignInAt: null, IsEnrolled: false });
            Assert.True(members.Where(person => person.IsEnrolled).Select(person => person.EnrolledAt!.Value.Date).Distinct().Count() > 3);
        }

        Assert.Contains(people, person => person.EnrolmentPostponedUntil > now);
        var terms = await server.ReadAsync(db => db.PersonalTerms.AsNoTracking().ToListAsync());
        Assert.Equal(2, terms.Where(term => term.IsLive(now)).Select(term => term.Kind).Distinct().Count());

        // The demo's main job: Kari must enrol now, Ola may say "not now", the administrator enrols before anything else.
        foreach (var (name, mayPostpone) in new[] { ("kari", false), ("ola", true), ("admin", false) })
        {
            using var browser = new Browser(server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(people.Single(person => person.UserName == name));
            Assert.Equal(("Mer informasjon kreves", mayPostpone, true), (browser.Heading, browser.Has("Ikke nå"), browser.Has("Neste")));
        }
    }

    [Fact]
    public async Task Outside_the_demo_nobody_is_made_up()
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-no-demo");
        Assert.Equal(2, await CommandLine.RunAsync(["demo-people", "--password-stdin", "--Portvakt:PublicAddress=http://localhost:5999", "--Portvakt:Organisation=Eksempel", "--Portvakt:PushContact=mailto:it@eksempel.no", $"--Portvakt:DataDirectory={folder.FullName}"]));
        folder.Delete(recursive: true);
    }

    /// <summary>Skipped only where no PostgreSQL is configured, and never in CI.</summary>
    private static void Need(DatabaseKind kind)
    {
        var isMissing = kind is DatabaseKind.Postgres && PortvaktServer.PostgresConnection is null;
        if (isMissing && Environment.GetEnvironmentVariable("CI") is "true") throw new InvalidOperationException("PORTVAKT_TEST_POSTGRES is not set.");
        Assert.SkipWhen(isMissing, "No PostgreSQL is configured (PORTVAKT_TEST_POSTGRES).");
    }

    private static async Task<Browser> SignedInAsync(PortvaktServer server, Person person)
    {
        var browser = new Browser(server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(person);
        if (browser.Has("Ikke nå")) await browser.PressAsync("Ikke nå");
        await browser.PressAsync("Nei");
        return browser;
    }

    private static string? OutcomeOf(Browser browser, string application) =>
        browser.Page.QuerySelectorAll(".pv-list > li").Single(line => line.QuerySelector("strong")!.TextContent == application).GetAttribute("data-outcome");

    /// <summary>The background worker and the test deliver by turns; what counts is what the page says in the end.</summary>
    private static async Task UntilAsync(PortvaktServer server, Browser browser, string application, string outcome)
    {
        for (var patience = 0; OutcomeOf(browser, application) != outcome; patience++)
        {
            Assert.True(patience < 200, $"{application} is {OutcomeOf(browser, application)} and not {outcome}.");
            await server.Services.GetRequiredService<BackChannelLogout>().DeliverDueAsync(CancellationToken.None);
            await browser.ReloadAsync();
        }
    }

    /// <summary>Applications at the other end of the back channel.</summary>
    private sealed class FarEnds : HttpMessageHandler
    {
        public string? Away { get; set; }

        public System.Collections.Concurrent.ConcurrentQueue<string> Heard { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var host = request.RequestUri!.Host;
            Heard.Enqueue(host);
            return Task.FromResult(new HttpResponseMessage(host == Away ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK));
        }
    }
}
