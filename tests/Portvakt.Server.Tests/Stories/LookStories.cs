using System.Net;
using System.Text;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class LookOnSqlite(SqliteStage stage) : LookStories(stage), IClassFixture<SqliteStage>;

public sealed class LookOnPostgres(PostgresStage stage) : LookStories(stage), IClassFixture<PostgresStage>
{
    [Fact]
    public async Task Another_node_wears_it_two_seconds_later()
    {
        await NakedAsync();
        await using var other = await Server.BesideAsync();
        using var there = new Browser(other);
        await there.OpenAsync("/guides/poster");
        Assert.Null(Sheet(there));

        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/look?colour=%232a7d2e");
        await browser.PressAsync("Ta i bruk fargene");
        await KeepTextAsync("PosterTitle", "nb", "Kom i gang");
        await PortvaktServer.UntilAsync(async () =>
        {
            Server.Clock.Advance(TimeSpan.FromSeconds(2)); // it looks again
            await there.ReloadAsync();
            return Sheet(there) is not null && there.Heading is "Kom i gang";
        });
        Assert.Equal(Sheet(browser), Sheet(there));
        Assert.Contains("#2a7d2e", await TextAsync(other, Sheet(there)!), StringComparison.Ordinal);
        browser.Dispose();
    }
}

/// <summary>The organisation's colours, logo and words: looked at by an administrator, worn by every page, and no way in for anything else.</summary>
public abstract class LookStories(Stage stage)
{
    protected PortvaktServer Server => stage.Server;

    [Fact]
    public async Task An_administrator_looks_at_a_colour_and_every_page_wears_it_until_the_standard_is_back()
    {
        await NakedAsync();
        using var stranger = new Browser(Server);
        await stranger.OpenAppAsync();
        Assert.Equal("Logg på", stranger.Heading);
        Assert.Null(Sheet(stranger)); // nothing is asked for where nothing was made

        var (administrator, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/look?colour=%23ffd500&tinted=true");
        Assert.Equal("Utseende", browser.Heading);
        Assert.Contains("Fargen er for lys for hvite bokstaver.", browser.Text, StringComparison.Ordinal);
        var preview = browser.Page.QuerySelector("main link[rel=stylesheet]")!.GetAttribute("href")!;
        using (var reader = browser.NewTab())
        {
            await reader.OpenAsync("/administration/look" + preview);
            Assert.Equal("text/css", reader.Answer.Content.Headers.ContentType?.MediaType);
            Assert.Contains("[data-color-scheme=dark]{", await reader.Answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await stranger.ReloadAsync();
        Assert.Null(Sheet(stranger)); // a look changes nothing
        await browser.PressAsync("Ta i bruk fargene");
        Assert.Contains("Fargene er tatt i bruk.", browser.Page.Body!.TextContent, StringComparison.Ordinal);

        await stranger.ReloadAsync();
        var sheet = Sheet(stranger)!;
        using (var answer = await AskAsync(Server, sheet))
        {
            Assert.Equal(("text/css", "public, max-age=31536000, immutable", "nosniff"), (answer.Content.Headers.ContentType?.MediaType, answer.Headers.CacheControl?.ToString(), answer.Headers.GetValues("X-Content-Type-Options").Single()));
            var rules = await answer.Content.ReadAsStringAsync();
            Assert.Contains("--ds-color-neutral-background-tinted:", rules, StringComparison.Ordinal);
            Assert.Contains($"--ds-color-accent-base-default:{BrandTheme.Of(Colour.Parse("#ffd500")!.Value, isTinted: true).Button.Light};", rules, StringComparison.Ordinal);
        }

        // An old page, or a node that has not heard of it: shown, and kept by nobody.
        using (var old = await AskAsync(Server, sheet.Replace(sheet.Split('/')[2], "0000000000000000", StringComparison.Ordinal))) Assert.Equal((HttpStatusCode.OK, "no-store"), (old.StatusCode, old.Headers.CacheControl?.ToString()));
        using (var none = await AskAsync(Server, "/look/0000000000000000/logo.png")) Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
        Assert.StartsWith("/look/", stranger.Page.QuerySelector("link[rel=icon]")!.GetAttribute("href"), StringComparison.Ordinal);

        await browser.PressAsync("Tilbake til standardfargene");
        await stranger.ReloadAsync();
        Assert.Null(Sheet(stranger));
        Assert.Equal(2, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.LookChanged && row.ActorId == administrator.Id)));
        browser.Dispose();
    }

    [Theory]
    [InlineData("red")]
    [InlineData("#12345")]
    [InlineData("#fff}body{display:none")]
    [InlineData("</style><script>alert(1)</script>")]
    [InlineData("url(https://evil.test)")]
    [InlineData("")]
    public async Task What_is_no_colour_is_refused_and_said_so(string colour)
    {
        await NakedAsync();
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: $"/administration/look?colour={Uri.EscapeDataString(colour)}x");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.Equal("Det er ikke en farge. Skriv seks tegn fra 0–9 og a–f, for eksempel #0062ba.", browser.Page.GetElementById("problem")?.TextContent);
        Assert.Empty(browser.Page.QuerySelectorAll("main script"));

        await browser.OpenAsync("/administration/look?colour=%230062ba");
        var form = (IHtmlFormElement)browser.Page.QuerySelector("input[type=hidden][name=Colour]")!.Closest("form")!;
        await browser.SubmitAsync(form, tamper: fields => fields["Colour"] = colour);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await NothingIsKeptAsync();

        // And should it have come into the database some other way, nobody is sent it.
        await Server.ChangeAsync(async db => (await HouseStyle.ForChangeAsync(db, Server.Clock.GetUtcNow(), default)).Colour = colour + "x");
        await Style.LoadAsync(default);
        Assert.Empty(Style.Current.Files);
        browser.Dispose();
    }

    [Fact]
    public async Task A_logo_is_on_every_page_without_what_else_was_in_the_file()
    {
        await NakedAsync();
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/look");
        var secret = "taken at 59.91, 10.75"u8.ToArray();
        await browser.UploadAsync("logo.svg", [.. Pictures.Png(320, 80, ("tEXt", secret)), .. "<script>alert(1)</script>"u8], "#logo-file");
        Assert.Contains("Logoen er tatt i bruk.", browser.Page.Body!.TextContent, StringComparison.Ordinal);

        using var stranger = new Browser(Server);
        await stranger.OpenAsync("/guides/poster");
        var logo = stranger.Page.QuerySelector(".pv-organisation img.pv-logo")!;
        Assert.Equal(("", "320", "80"), (logo.GetAttribute("alt"), logo.GetAttribute("width"), logo.GetAttribute("height")));
        Assert.Contains("Eksempel kommune", stranger.Page.QuerySelector(".pv-organisation")!.TextContent, StringComparison.Ordinal);
        using (var answer = await AskAsync(Server, logo.GetAttribute("src")!))
        {
            Assert.Equal("image/png", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.StartsWith("default-src 'none'; object-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
            Assert.Equal(Pictures.Png(320, 80), await answer.Content.ReadAsByteArrayAsync());
        }

        // A logo that is a word takes the place of the name, and is called by it.
        await browser.UploadAsync("logo.jpg", Pictures.Jpeg, "#logo-file", "HasName");
        await stranger.ReloadAsync();
        logo = stranger.Page.QuerySelector(".pv-organisation img.pv-logo")!;
        Assert.Equal("Eksempel kommune", logo.GetAttribute("alt"));
        Assert.Equal("", stranger.Page.QuerySelector(".pv-organisation")!.TextContent.Trim());
        Assert.EndsWith("/logo.jpg", logo.GetAttribute("src"), StringComparison.Ordinal);

        await browser.UploadAsync("bakgrunn", Pictures.Webp, "#background-file");
        Assert.Contains("/background.webp)", await TextAsync(Server, Sheet(browser)!), StringComparison.Ordinal);
        await browser.PressAsync("Fjern bildet");
        await browser.PressAsync("Fjern logoen");
        Assert.Empty(Style.Current.Files);
        browser.Dispose();
    }

    [Fact]
    public async Task What_is_no_picture_that_stands_still_or_is_too_large_is_refused_with_the_reason()
    {
        await NakedAsync();
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/look");
        (byte[] File, string Reason)[] files =
        [
            ("<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>"u8.ToArray(), "Dette er ikke et bilde av typen PNG, JPEG eller WebP, uansett hva filen heter."),
            (Encoding.UTF8.GetBytes("GIF89a<script>alert(1)</script>"), "Dette er ikke et bilde av typen PNG, JPEG eller WebP, uansett hva filen heter."),
            (Pictures.Png()[..40], "Bildet er ødelagt. Lagre det på nytt, og prøv igjen."),
            (Pictures.Png(50_000, 50_000), "Bildet er for bredt eller for høyt. Høyst 1600 piksler går bra."),
            (Pictures.Png(8, 4, ("acTL", new byte[8])), "Bildet beveger seg, og det forstyrrer folk som leser. Bruk et som står stille."),
            ([.. Pictures.Png(), .. new byte[HouseStyle.MostLogoBytes]], "Filen er for stor. Høyst 200 kB går bra."),
            ([], "Velg en fil først."),
        ];
        foreach (var (file, reason) in files)
        {
            await browser.UploadAsync("logo.png", file, "#logo-file");
            Assert.Equal((HttpStatusCode.UnprocessableEntity, reason), (browser.Status, browser.Page.GetElementById("problem")?.TextContent));
        }

        await NothingIsKeptAsync();
        browser.Dispose();
    }

    [Fact]
    public async Task Only_who_administers_the_whole_organisation_decides_on_the_look()
    {
        foreach (var (role, unit) in ((Role, string?)[])[(Role.Helpdesk, null), (Role.RolloutManager, null), (Role.Auditor, null), (Role.Administrator, "Skole")])
        {
            var (_, _, browser) = await Cast.AtTheDeskAsync(Server, role, unit, "/administration/look");
            Assert.Equal(HttpStatusCode.Forbidden, browser.Status);
            browser.Dispose();
        }

        // Ten minutes after the phone was asked nothing is changed any more.
        var (_, _, late) = await Cast.AtTheDeskAsync(Server, path: "/administration/look?colour=%230062ba");
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        await late.PressAsync("Ta i bruk fargene");
        Assert.Equal(HttpStatusCode.Forbidden, late.Status);
        late.Dispose();
    }

    [Fact]
    public async Task The_rollout_manager_writes_own_words_in_one_language_and_takes_them_back()
    {
        await NakedAsync();
        var (manager, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: "/administration/texts?which=PosterWhy&language=nn");
        Assert.Equal("Tekster", browser.Heading);
        Assert.Equal("Eksempel kommune vernar kontoen din med telefonen i tillegg til passordet. Det tek om lag tre minutt.", browser.Page.GetElementById("ready")?.TextContent);
        foreach (var (wrong, reason) in ((string, string)[])[
            ("{navn} vernar", "Et ord mellom krøllparenteser er ikke et som denne teksten kan fylle ut."), ("{deadline}", "Et ord mellom krøllparenteser er ikke et som denne teksten kan fylle ut."), ("opne {", "Et ord mellom krøllparenteser er ikke et som denne teksten kan fylle ut."),
            ("to\nlinjer", "Teksten må være én linje."), ("  ", "Teksten mangler."), (new string('a', 241), "Det er plass til 240 tegn."),
        ])
        {
            await browser.SubmitAsync(Form(browser), tamper: fields => fields["Text"] = wrong);
            Assert.Equal((HttpStatusCode.UnprocessableEntity, reason), (browser.Status, browser.Page.GetElementById("problem")?.TextContent));
        }

        await browser.SubmitAsync(Form(browser), browser.Page.QuerySelectorAll("button").Single(button => button.TextContent is "Forhåndsvis"), fields => fields["Text"] = "Hos {organisation}: <b>trygt</b>");
        Assert.Equal("Hos Eksempel kommune: <b>trygt</b>", browser.Page.GetElementById("ready")?.TextContent);
        await NothingIsKeptAsync();
        await browser.SubmitAsync(Form(browser), tamper: fields => fields["Text"] = "Hos {organisation}: <b>trygt</b>");
        Assert.Contains("Dette er deres egen tekst.", browser.Text, StringComparison.Ordinal);
        Assert.StartsWith("{organisation} vernar kontoen din", browser.Page.GetElementById("standard")?.TextContent, StringComparison.Ordinal);

        using var nynorsk = new Browser(Server, "nn");
        await nynorsk.OpenAsync("/guides/poster");
        Assert.Contains("Hos Eksempel kommune: <b>trygt</b>", nynorsk.Text, StringComparison.Ordinal);
        Assert.Empty(nynorsk.Page.QuerySelectorAll("main b"));
        using var english = new Browser(Server, "en");
        await english.OpenAsync("/guides/poster");
        Assert.Contains("protects your account", english.Text, StringComparison.Ordinal);

        await browser.PressAsync("Tilbake til standardteksten");
        await nynorsk.ReloadAsync();
        Assert.Contains("vernar kontoen din", nynorsk.Text, StringComparison.Ordinal);
        Assert.Equal(2, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.OwnTextChanged && row.ActorId == manager.Id && row.Subject == "PosterWhy/nn")));
        await browser.OpenAsync("/administration/texts?which=StepStayText&language=nn");
        Assert.Equal(HttpStatusCode.NotFound, browser.Status); // the steps are the product's
        browser.Dispose();
    }

    [Theory]
    [InlineData("nb", "Sett opp 2-faktor innen ", "Hjelp får du her: brukerstøtten")]
    [InlineData("nn", "Set opp 2-faktor innan ", "Hjelp får du her: brukarstøtta")]
    [InlineData("en", "Set up 2-factor by ", "You get help here: the helpdesk")]
    public async Task An_announcement_is_ready_to_copy_in_three_languages(string language, string beginning, string end)
    {
        await NakedAsync();
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration/texts?language={language}");
        foreach (var which in (string[])[OwnTexts.Announcement, OwnTexts.Intranet])
        {
            await browser.OpenAsync($"/administration/texts?which={which}&language={language}");
            var ready = (IHtmlTextAreaElement)browser.Page.GetElementById("ready")!;
            Assert.True(ready.IsReadOnly);
            Assert.Contains("https://id.test/guides", ready.Value, StringComparison.Ordinal);
            Assert.DoesNotContain("{", ready.Value, StringComparison.Ordinal);
            if (which is not OwnTexts.Announcement) continue;
            Assert.StartsWith(beginning, ready.Value, StringComparison.Ordinal);
            Assert.EndsWith(end, ready.Value, StringComparison.Ordinal);
        }

        browser.Dispose();
    }

    protected static string? Sheet(Browser browser) => browser.Page.QuerySelector("head link[rel=stylesheet][href^='/look/']")?.GetAttribute("href");

    protected static async Task<string> TextAsync(PortvaktServer server, string path)
    {
        using var answer = await AskAsync(server, path);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>As nobody has said anything yet.</summary>
    protected async Task NakedAsync()
    {
        await Server.ReadAsync(async db => await db.OrganisationLooks.ExecuteDeleteAsync() + await db.OwnTexts.ExecuteDeleteAsync());
        await Style.LoadAsync(default);
        Assert.Empty(Style.Current.Files);
    }

    protected async Task KeepTextAsync(string key, string language, string text)
    {
        await Server.ChangeAsync(async db =>
        {
            await HouseStyle.ForChangeAsync(db, Server.Clock.GetUtcNow(), default);
            db.OwnTexts.Add(new OwnText { Key = key, Language = language, Text = text, ChangedAt = Server.Clock.GetUtcNow() });
        });
        await Style.PublishAsync(default);
    }

    private HouseStyle Style => Server.Services.GetRequiredService<HouseStyle>();

    private static IHtmlFormElement Form(Browser browser) => (IHtmlFormElement)browser.Page.GetElementById("text")!.Closest("form")!;

    private static async Task<HttpResponseMessage> AskAsync(PortvaktServer server, string path)
    {
        using var http = new HttpClient(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        return await http.GetAsync(path);
    }

    private async Task NothingIsKeptAsync()
    {
        Assert.Equal(0, await Server.ReadAsync(async db => await db.OrganisationLooks.CountAsync() + await db.OwnTexts.CountAsync()));
        Assert.Empty(Style.Current.Files);
    }
}
