using System.Globalization;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Guides;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class SqliteGuideStage : Stage
{
    public SqliteGuideStage() : base(DatabaseKind.Sqlite, settings => settings.Helpdesk = GuideStories.Helpdesk) { }
}

public sealed class PostgresGuideStage : Stage
{
    public PostgresGuideStage() : base(DatabaseKind.Postgres, settings => settings.Helpdesk = GuideStories.Helpdesk) { }
}

public sealed class GuidesOnSqlite(SqliteGuideStage stage) : GuideStories(stage), IClassFixture<SqliteGuideStage>
{
    /// <summary>They are checked in, and downloaded on telephones.</summary>
    [Fact]
    public void The_pictures_are_small_and_each_belongs_to_a_step()
    {
        var named = GuideBook.All.SelectMany(guide => GuideBook.StepsOf(guide.Kind)).Select(step => step.Picture).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var folder = Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server", "wwwroot", "guides");
        Assert.Equal(["en", "nb", "nn"], Directory.GetDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var language in Directory.GetDirectories(folder)) Assert.Equal(named, Directory.GetFiles(language).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 1, 1024 * 1024);
    }

    [Fact]
    public async Task A_stranger_reads_the_deadline_only_where_it_is_everybodys()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        using var browser = new Browser(server);
        await browser.OpenAsync("/guides/computer");
        Assert.DoesNotContain("Siste dag", browser.Text, StringComparison.Ordinal);

        await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(14));
        await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(14));
        await browser.ReloadAsync();
        var zone = new PortvaktSettings().Zone;
        Assert.Contains($"Siste dag for å sette opp 2-faktor er {Norwegian(EnrolmentRule.LastDay(server.Clock.GetUtcNow().AddDays(14), zone))}.", browser.Text, StringComparison.Ordinal);

        var later = await server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(30));
        await browser.ReloadAsync();
        Assert.DoesNotContain("Siste dag", browser.Text, StringComparison.Ordinal);

        // Who is in the middle of it reads their own.
        await browser.OpenAppAsync();
        await browser.PasswordAsync(later);
        using var tab = browser.NewTab();
        await tab.OpenAsync("/guides/computer");
        Assert.Contains(Norwegian(EnrolmentRule.LastDay(server.Clock.GetUtcNow().AddDays(30), zone)), tab.Text, StringComparison.Ordinal);

        static string Norwegian(DateOnly day) => day.ToString("d. MMMM yyyy", CultureInfo.GetCultureInfo("nb-NO"));
    }
}

public sealed class GuidesOnPostgres(PostgresGuideStage stage) : GuideStories(stage), IClassFixture<PostgresGuideStage>;

/// <summary>How it is done, for whoever wants to be led: without signing in, in three languages, on whatever they hold in their hand.</summary>
public abstract class GuideStories(Stage stage)
{
    public const string Helpdesk = "Brukerstøtte, telefon 55 50 00 00";
    private const string Iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
    private const string Android = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36";

    private static readonly string[] Addresses = ["iphone", "android", "computer", "new-phone", "lost-phone", "no-smartphone"];

    private PortvaktServer Server => stage.Server;

    [Theory]
    [InlineData(Iphone, "Sett opp 2-faktor med iPhone")]
    [InlineData(Android, "Sett opp 2-faktor med Android")]
    public async Task On_a_phone_the_guides_begin_with_that_phone(string agent, string heading)
    {
        using var browser = new Browser(Server);
        await OpenWithAsync(browser, agent);

        Assert.Equal(heading, browser.Heading);
        Assert.Equal(Addresses.Length - 1, browser.Page.QuerySelectorAll("nav a[href^='/guides/']").Length);
    }

    [Fact]
    public async Task On_a_computer_the_guides_show_how_it_is_with_either_phone()
    {
        using var browser = new Browser(Server);
        await browser.OpenAsync("/guides");

        Assert.Equal("Veiledninger for 2-faktor", browser.Heading);
        Assert.Equal(Addresses.Select(address => $"/guides/{address}"), browser.Page.QuerySelectorAll("main li a").Select(link => link.GetAttribute("href")));
    }

    [Theory]
    [InlineData("nb", "Har du mistet telefonen?", "Hjelp får du her: ")]
    [InlineData("nn", "Har du mista telefonen?", "Hjelp får du her: ")]
    [InlineData("en", "Have you lost your phone?", "You find help here: ")]
    public async Task Whoever_has_lost_the_phone_reads_whom_to_tell_first(string language, string heading, string help)
    {
        using var browser = new Browser(Server, language);
        await browser.OpenAsync("/guides/lost-phone");

        Assert.Equal(heading, browser.Heading);
        Assert.Contains(help + Helpdesk, browser.Page.QuerySelector("ol li")!.TextContent, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Every_step_has_its_words_and_every_picture_says_what_it_shows(string language)
    {
        using var browser = new Browser(Server, language);
        var pictures = 0;
        foreach (var address in Addresses)
        {
            await browser.OpenAsync($"/guides/{address}");
            Assert.Equal(language, browser.Page.DocumentElement.GetAttribute("lang"));
            var steps = browser.Page.QuerySelectorAll("ol > li").ToList();
            Assert.InRange(steps.Count, 6, 17);
            foreach (var step in steps)
            {
                // A word that is missing would be shown by its name.
                var (title, text) = (step.QuerySelector("h2")!.TextContent, step.QuerySelector("h2 + p")!.TextContent);
                Assert.False(title.StartsWith("Step", StringComparison.Ordinal) && title.Contains("Title", StringComparison.Ordinal), title);
                Assert.DoesNotContain("{", text, StringComparison.Ordinal);
                if (string.IsNullOrEmpty(step.GetAttribute("data-picture")))
                {
                    Assert.Null(step.QuerySelector("img"));
                    Assert.DoesNotContain("(1)", text, StringComparison.Ordinal);
                    continue;
                }

                // Each place that is marked in the picture is named in the text and to those who do not see it.
                var picture = Assert.Single(step.QuerySelectorAll("img"));
                var alt = picture.GetAttribute("alt")!;
                for (var mark = 1; text.Contains($"({mark})", StringComparison.Ordinal) || mark is 1; mark++)
                {
                    Assert.Contains($"({mark})", text, StringComparison.Ordinal);
                    Assert.Contains($"{mark}: ", alt, StringComparison.Ordinal);
                }

                using var file = new HttpRequestMessage(HttpMethod.Get, picture.GetAttribute("src"));
                using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
                using var answer = await http.SendAsync(file);
                Assert.Equal("image/webp", answer.Content.Headers.ContentType?.MediaType);
                pictures++;
            }
        }

        Assert.True(pictures > 50, $"{pictures}");
    }

    [Fact]
    public async Task The_poster_leads_to_the_guides_and_to_the_helpdesk()
    {
        using var browser = new Browser(Server);
        await browser.OpenAsync("/guides/poster");

        var host = new Uri(PortvaktServer.Origin).Authority;
        Assert.Equal([$"{host}/account", $"{host}/guides"], browser.Page.QuerySelectorAll(".pv-address").Select(address => address.TextContent)); // where it begins, and where it is told
        Assert.Equal($"QR-kode til {host}/guides", browser.Page.QuerySelector("svg.pv-qr")?.GetAttribute("aria-label"));
        Assert.Contains(Helpdesk, browser.Page.QuerySelector("footer")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_in_the_middle_of_setting_up_is_told_where_and_led_back()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        var here = browser.Path;

        using var tab = browser.NewTab();
        await tab.OpenAsync("/guides/iphone");
        Assert.Contains("Du er midt i oppsettet", tab.Text, StringComparison.Ordinal);
        Assert.Equal("La siden stå åpen", tab.Page.QuerySelector("li[aria-current=step] h2")?.TextContent);
        await tab.PressAsync("Fortsett der du var");
        Assert.Equal("Konfigurer mobilappen", tab.Heading);
        Assert.Equal(here, tab.Path);

        // Another browser is a stranger's.
        using var other = new Browser(Server);
        await other.OpenAsync("/guides/iphone");
        Assert.DoesNotContain("Du er midt i oppsettet", other.Text, StringComparison.Ordinal);
        Assert.Null(other.Page.QuerySelector("[aria-current=step]"));
    }

    [Fact]
    public async Task Whoever_only_signs_in_is_not_said_to_set_up()
    {
        var (person, phone) = await Cast.EnrolledAsync(Server);
        using var _ = phone;
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);

        using var tab = browser.NewTab();
        await tab.OpenAsync("/guides");
        Assert.DoesNotContain("Du er midt i oppsettet", tab.Text, StringComparison.Ordinal);
    }

    private static Task OpenWithAsync(Browser browser, string agent)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/guides");
        request.Headers.UserAgent.ParseAdd(agent);
        return browser.SendAsync(request);
    }
}
