using System.Globalization;
using System.Net;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class JourneyOnSqlite(SqliteStage stage) : JourneyStories(stage), IClassFixture<SqliteStage>;

public sealed class JourneyOnPostgres(PostgresStage stage) : JourneyStories(stage), IClassFixture<PostgresStage>;

public sealed class JourneyOnTwoNodes(TwoNodesStage stage) : JourneyStories(stage), IClassFixture<TwoNodesStage>;

/// <summary>The main job of the product, told through the front door.</summary>
public abstract class JourneyStories(Stage stage)
{
    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task Kari_goes_from_password_to_protected_and_the_next_day_signs_in_with_her_phone()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);

        await browser.OpenAppAsync();
        Assert.Equal("Logg på", browser.Heading);
        await browser.PasswordAsync(kari);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
        await browser.PressAsync("Neste");
        Assert.Equal("Ytterligere sikkerhetsbekreftelse", browser.Heading);
        await browser.Choose("Motta varslinger for bekreftelse").PressAsync("Konfigurer");
        Assert.Equal("Konfigurer mobilappen", browser.Heading);

        using var phone = new Phone(Server);
        Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
        await browser.ReloadAsync();
        await browser.PressAsync("Neste");
        var answer = await phone.ApproveAsync(browser.MatchingNumber);
        Assert.Equal("approved", answer.Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");

        Assert.Equal("Ytterligere sikkerhetsbekreftelse", browser.Heading);
        await browser.PressAsync("Fullført");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);
        await browser.PressAsync("Ja");
        await browser.PressAsync("Ferdig");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        Assert.Contains("code=", browser.LeftFor!.Query, StringComparison.Ordinal);

        Server.Clock.Advance(TimeSpan.FromDays(1));
        using var nextDay = new Browser(Server);
        await nextDay.OpenAppAsync();
        await nextDay.PasswordAsync(kari);
        Assert.Equal("Godkjenn på telefonen", nextDay.Heading);
        await phone.ApproveAsync(nextDay.MatchingNumber);
        await nextDay.PressAsync("Jeg har godkjent");
        await nextDay.PressAsync("Nei");
        Assert.Equal("app.test", nextDay.LeftFor?.Host);
    }

    [Fact]
    public async Task Kari_is_given_more_time_when_she_asks_for_it_and_no_longer_than_the_password_holds()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        Assert.Null(browser.Page.QuerySelector("[data-limit]")); // nothing to lose yet
        await browser.PasswordAsync(kari);
        var (page, place) = (browser.Path, browser.Page.QuerySelector("[data-limit]")!);
        Assert.Equal("600", place.GetAttribute("data-limit"));
        var form = (IHtmlFormElement)((IHtmlTemplateElement)place.QuerySelector("template")!).Content.QuerySelector("form")!;

        foreach (var (minutes, seconds) in new[] { (9, "600"), (9, "600"), (9, "600"), (9, "600"), (9, "600"), (9, "360"), (5, "60") })
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(minutes));
            await browser.SubmitAsync(form);
            Assert.Equal(HttpStatusCode.OK, browser.Status);
            Assert.Equal(seconds, await browser.Answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        await browser.OpenAsync(page);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await browser.SubmitAsync(form);
        Assert.Equal("Denne påloggingen er avsluttet", browser.Heading);
    }

    [Fact]
    public async Task Kari_uses_the_code_of_the_same_phone_when_there_is_no_network()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Skriv inn koden fra appen");
        await browser.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Fact]
    public async Task Kari_enrols_any_other_authenticator_app()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        var secret = browser.Secret;
        await browser.ReloadAsync();
        Assert.Equal(secret, browser.Secret);

        var code = Totp.CodeFor(Decode(secret), Totp.StepAt(Server.Clock.GetUtcNow()));
        await browser.Fill("Koden fra appen", code == "000000" ? "000001" : "000000").PressAsync("Neste");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Koden fra appen", code).PressAsync("Neste");
        await browser.FinishAsync();
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Fact]
    public async Task Ola_may_postpone_and_sees_the_days_left()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann", TimeSpan.FromDays(4.5));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        Assert.Contains("5 dager", browser.Text, StringComparison.Ordinal);
        await browser.PressAsync("Ikke nå");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Theory]
    [InlineData(0)] // midnight belongs to the day before
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_deadline_is_the_day_of_the_organisation_and_not_of_UTC(int secondsFromMidnight)
    {
        var oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");
        var day = TimeZoneInfo.ConvertTime(Server.Clock.GetUtcNow(), oslo).Date.AddDays(10);
        var deadline = new DateTimeOffset(day, oslo.GetUtcOffset(day)).AddSeconds(secondsFromMidnight);
        var ola = await Server.AddPersonAsync("Ola Nordmann", deadline - Server.Clock.GetUtcNow());
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        var shown = day.AddDays(secondsFromMidnight > 0 ? 0 : -1).ToString("d. MMMM yyyy", CultureInfo.GetCultureInfo("nb-NO"));
        Assert.Contains($"Etter {shown} kommer ingen inn", browser.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_application_that_asks_for_two_factors_does_not_let_Ola_postpone()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann", TimeSpan.FromDays(5));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync("strict");
        await browser.PasswordAsync(ola);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
        Assert.False(browser.Has("Ikke nå"));
    }

    [Fact]
    public async Task The_person_lands_on_the_account_page_when_no_application_asked()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync();
        Assert.Equal("Hei, Kari Nordmann", browser.Heading);
        Assert.Contains("to faktorer", browser.Text, StringComparison.Ordinal);
        await browser.PressAsync("Logg av");
        await browser.PressAsync("Logg av");
        Assert.Equal("Du er logget av", browser.Heading);
        await browser.OpenAsync("/account");
        Assert.Equal("Logg på", browser.Heading);
    }

    [Fact]
    public async Task Recovery_codes_are_made_once_survive_a_reload_and_let_Kari_in_once_each()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.PressAsync("Lag gjenopprettingskoder");
        var codes = browser.Page.QuerySelectorAll(".pv-codes code").Select(code => code.TextContent.Trim()).ToList();
        Assert.Equal(10, codes.Distinct().Count());
        await browser.ReloadAsync();
        Assert.Equal(codes, browser.Page.QuerySelectorAll(".pv-codes code").Select(code => code.TextContent.Trim()));
        await browser.FinishAsync();

        foreach (var (code, holds) in new[] { (codes[3], true), (codes[3], false), (codes[4].ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal), true) })
        {
            using var next = new Browser(Server);
            await next.OpenAppAsync();
            await next.PasswordAsync(kari);
            await next.PressAsync("Bruk en gjenopprettingskode");
            await next.Fill("Gjenopprettingskode", code).PressAsync("Bekreft");
            Assert.Equal(holds ? "Vil du forbli pålogget?" : "Bruk en gjenopprettingskode", next.Heading);
        }
    }

    [Fact]
    public async Task A_phone_with_a_pin_walks_to_the_end_and_is_marked_as_weaker()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        var method = await Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == kari.Id).OrderByDescending(row => row.AuthenticatedAt).Select(row => row.Method).FirstAsync());
        Assert.Equal(Domain.SignIn.SecondFactorMethod.PhoneWithPin, method);
    }

    [Fact]
    public async Task An_answer_counts_although_the_app_reports_itself_at_the_same_moment()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        for (var round = 0; round < 5; round++)
        {
            using var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            var (id, context) = (await phone.PendingAsync())!.Value;
            var reports = Enumerable.Range(0, 8).Select(_ => Task.Run(() => phone.PostAsync("/phone/api/report", new System.Text.Json.Nodes.JsonObject { ["push"] = null, ["persisted"] = true, ["app"] = "0.1.1" })));
            var answers = await Task.WhenAll(reports.Append(Task.Run(() => phone.AnswerAsync(id, context, "approve", browser.MatchingNumber))));
            Assert.Equal("approved", answers[^1].Text("outcome"));
            Assert.All(answers, answer => Assert.True(answer.Ok));
        }
    }

    [Theory]
    [InlineData("nb", "Mer informasjon kreves")]
    [InlineData("no", "Mer informasjon kreves")]
    [InlineData("nn-NO,nb;q=0.8", "Meir informasjon er kravd")]
    [InlineData("en-US", "More information required")]
    [InlineData("de", "More information required")]
    public async Task The_pages_speak_the_language_of_the_browser(string accepted, string heading)
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, accepted);
        await browser.OpenAppAsync();
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (kari.UserName, PortvaktServer.Password));
        Assert.Equal(heading, browser.Heading);
    }

    private static byte[] Decode(string base32)
    {
        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var bits = string.Concat(base32.Select(letter => Convert.ToString(alphabet.IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }
}
