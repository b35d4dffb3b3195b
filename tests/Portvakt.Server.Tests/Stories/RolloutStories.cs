using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutOnSqlite(SqliteStage stage) : RolloutStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutOnPostgres(PostgresStage stage) : RolloutStories(stage), IClassFixture<PostgresStage>;

/// <summary>The deadline, as people meet it: before, on the last days, after, and every way somebody might try around it.</summary>
public abstract class RolloutStories(Stage stage)
{
    private const string Offered = "Mer informasjon kreves";
    private const string Blocked = "Du trenger hjelp for å komme inn";
    private const string LetIn = "Vil du forbli pålogget?";
    private static readonly TimeZoneInfo Oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");

    private PortvaktServer Server => stage.Server;

    private DateTimeOffset Now => Server.Clock.GetUtcNow();

    // ---- Before and after the deadline

    [Fact]
    public async Task What_stands_in_the_way_of_an_enrolment_is_remembered_until_it_is_done()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        using var phone = new Phone(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        Assert.Equal((SignInStep.SetUpPhone, null), await StuckAsync());
        Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
        await browser.ReloadAsync();
        await browser.PressAsync("Neste");
        await phone.ApproveAsync(browser.MatchingNumber is "11" ? "12" : "11");
        Assert.Equal((SignInStep.TestApproval, EnrolmentTrouble.WrongNumber), await StuckAsync());
        await browser.ReloadAsync();
        await browser.PressAsync("Send på nytt");
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        Assert.Equal((null, null), await StuckAsync());

        async Task<(SignInStep? Step, EnrolmentTrouble? Trouble)> StuckAsync()
        {
            var row = await Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(one => one.Id == kari.Id));
            return (row.EnrolmentStep, row.EnrolmentTrouble);
        }
    }

    [Theory]
    [InlineData("nb", Blocked, "Fristen for å sette opp 2-faktor var", "Kontakt brukerstøtten")]
    [InlineData("nn", "Du treng hjelp for å kome inn", "Fristen for å setje opp 2-faktor var", "Kontakt brukarstøtta")]
    [InlineData("en", "You need help to get in", "The deadline for setting up 2-factor was", "Contact the helpdesk")]
    public async Task R28_Ola_does_nothing_and_after_midnight_he_is_refused_in_his_language_until_the_helpdesk_gives_him_a_pass(string language, string heading, string why, string what)
    {
        var lastDay = Today.AddDays(1);
        var ola = await WithDeadlineAsync(EnrolmentRule.StartOf(lastDay.AddDays(1), Oslo));
        Server.Clock.Advance(EnrolmentRule.StartOf(lastDay.AddDays(1), Oslo) - TimeSpan.FromSeconds(30) - Now);
        using (var before = await AtTheDoorAsync(ola))
        {
            Assert.Equal(Offered, before.Heading);
            Assert.Contains("1 dag igjen", before.Text, StringComparison.Ordinal);
            Assert.True(before.Has("Ikke nå"));
        }

        Server.Clock.Advance(TimeSpan.FromSeconds(30));
        using var browser = new Browser(Server, language);
        await browser.OpenAppAsync();
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (ola.UserName, PortvaktServer.Password));
        Assert.Equal((heading, HttpStatusCode.Forbidden), (browser.Heading, browser.Status));
        Assert.Contains(why, browser.Text, StringComparison.Ordinal);
        Assert.Contains(what, browser.Text, StringComparison.Ordinal);
        Assert.Contains(lastDay.Day.ToString(System.Globalization.CultureInfo.InvariantCulture), browser.Text, StringComparison.Ordinal);
        Assert.Null(browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))["__Host-portvakt-session"]);

        await browser.OpenAsync(browser.Path.Split('?')[0] + "?lang=nb");
        await UsePassAsync(browser, await GivePassAsync(ola));
        Assert.Equal(Offered, browser.Heading);
        Assert.False(browser.Has("Ikke nå"));
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Fact]
    public async Task Before_the_start_nobody_is_asked()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(40), Now + TimeSpan.FromDays(5));
        using var browser = await AtTheDoorAsync(ola);
        Assert.Equal(LetIn, browser.Heading);
    }

    [Fact]
    public async Task Not_now_holds_for_the_person_in_every_browser_and_application_and_cannot_be_renewed()
    {
        var ola = await WithDeadlineAsync(EnrolmentRule.StartOf(Today.AddDays(10), Oslo));
        using var first = await AtTheDoorAsync(ola);
        Assert.Contains("10 dager igjen", first.Text, StringComparison.Ordinal);
        using var second = await AtTheDoorAsync(ola); // a second tab, left at the question
        await first.PressAsync("Ikke nå");
        Assert.Equal(LetIn, first.Heading);
        var until = await PostponedUntilAsync(ola);
        Assert.InRange(until!.Value - Now, TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));

        Server.Clock.Advance(TimeSpan.FromHours(5));
        using (var cleared = await AtTheDoorAsync(ola)) Assert.Equal(LetIn, cleared.Heading);
        using (var account = await AtTheDoorAsync(ola, app: null)) Assert.Equal(LetIn, account.Heading);
        using (var strict = await AtTheDoorAsync(ola, app: "strict"))
        {
            Assert.Equal(Offered, strict.Heading); // this application needs two factors
            Assert.False(strict.Has("Ikke nå"));
            await strict.SubmitAsync(strict.Page.Forms[0], tamper: _ => { }, forge: request => request.RequestUri = new Uri(strict.Path + "?handler=Later", UriKind.Relative));
            Assert.Equal(Offered, strict.Heading);
        }

        using var renewer = first.NewTab();
        await renewer.OpenAsync(second.Path);
        Assert.Equal(until, await PostponedUntilAsync(ola));
        Assert.Equal(1, await CountAsync(SecurityEvent.EnrolmentPostponed, ola.Id));

        Server.Clock.Advance(TimeSpan.FromHours(19));
        using var nextDay = await AtTheDoorAsync(ola);
        Assert.Equal(Offered, nextDay.Heading);
        Assert.Contains("9 dager igjen", nextDay.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_old_tab_cannot_say_not_now_a_second_time()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(9));
        using var first = await AtTheDoorAsync(ola);
        using var second = await AtTheDoorAsync(ola);
        await first.PressAsync("Ikke nå");
        var until = await PostponedUntilAsync(ola);
        Server.Clock.Advance(TimeSpan.FromMinutes(5));
        await second.PressAsync("Ikke nå");
        Assert.Equal(LetIn, second.Heading);
        Assert.Equal(until, await PostponedUntilAsync(ola));
    }

    [Fact]
    public async Task In_the_last_three_days_the_question_comes_at_every_sign_in()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(2.9));
        for (var time = 0; time < 3; time++)
        {
            using var browser = await AtTheDoorAsync(ola);
            Assert.Equal(Offered, browser.Heading);
            await browser.PressAsync("Ikke nå");
            Assert.Equal(LetIn, browser.Heading);
        }
    }

    [Fact]
    public async Task A_postponement_ends_where_the_last_three_days_begin()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(3.5));
        using (var browser = await AtTheDoorAsync(ola)) await browser.PressAsync("Ikke nå");
        using (var browser = await AtTheDoorAsync(ola)) Assert.Equal(LetIn, browser.Heading);
        Server.Clock.Advance(TimeSpan.FromHours(12));
        using (var browser = await AtTheDoorAsync(ola)) Assert.Equal(Offered, browser.Heading);
    }

    [Fact]
    public async Task A_shorter_deadline_bites_at_once_also_for_those_who_postponed()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(20));
        using var walking = await AtTheDoorAsync(ola);
        await walking.PressAsync("Ikke nå");
        Assert.Equal(LetIn, walking.Heading);

        await ChangeWaveAsync(ola, wave => wave.Change(wave.Name, wave.StartsAt, Now));
        await walking.PressAsync("Nei");
        Assert.Equal(Blocked, walking.Heading);
        using var next = await AtTheDoorAsync(ola);
        Assert.Equal(Blocked, next.Heading);

        await ChangeWaveAsync(ola, wave => wave.Change(wave.Name, wave.StartsAt, Now + TimeSpan.FromDays(2)));
        using var lengthened = await AtTheDoorAsync(ola);
        Assert.True(lengthened.Has("Ikke nå"));
    }

    [Fact]
    public async Task R28_Who_is_signed_in_with_the_password_alone_goes_on_until_the_deadline_and_not_longer()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(20));
        using var browser = await AtTheDoorAsync(ola);
        await browser.PressAsync("Ikke nå");
        await browser.PressAsync("Ja"); // thirty days, he was told
        await browser.OpenAppAsync();
        Assert.Equal("app.test", browser.LeftFor?.Host);
        var code = System.Web.HttpUtility.ParseQueryString(browser.LeftFor!.Query)["code"]!;

        await ChangeWaveAsync(ola, wave => wave.Change(wave.Name, wave.StartsAt, Now));
        Assert.Equal(HttpStatusCode.BadRequest, await RedeemAsync(code));
        await browser.OpenAppAsync();
        Assert.Equal("Logg på", browser.Heading);
        await browser.OpenAsync("/account");
        Assert.Equal("Logg på", browser.Heading);

        // What applications have of it ends too: they are told.
        Assert.Equal(1, await EndOverdueAsync(ola));
        Assert.True(await Server.ReadAsync(db => db.LogoutNotices.AnyAsync(row => row.PersonId == ola.Id && row.ClientId == "timeliste")));
        Assert.Equal(0, await EndOverdueAsync(ola));
    }

    [Fact]
    public async Task R28_An_exemption_keeps_a_session_alive_and_its_end_does_not()
    {
        var (ola, kari) = (await WithDeadlineAsync(Now - TimeSpan.FromDays(1)), await Server.AddPersonAsync());
        await Server.ChangeAsync(db =>
        {
            db.PersonalTerms.Add(new PersonalTerm(PersonalTermKind.Exemption, ola.Id, Now + TimeSpan.FromDays(2), "Permisjon", kari.Id, Now));
            return Task.CompletedTask;
        });
        using var browser = await AtTheDoorAsync(ola);
        await browser.PressAsync("Ja");
        Assert.Equal(0, await EndOverdueAsync(ola));
        await browser.OpenAppAsync();
        Assert.Equal("app.test", browser.LeftFor?.Host);

        await Server.ChangeAsync(db => db.PersonalTerms.Where(row => row.PersonId == ola.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, Now)));
        await browser.OpenAppAsync();
        Assert.Equal("Logg på", browser.Heading);
        Assert.Equal(1, await EndOverdueAsync(ola));
    }

    /// <summary>How many sessions of the person the sweep ended.</summary>
    private async Task<int> EndOverdueAsync(Person person)
    {
        var before = await EndedAsync();
        await Server.Services.GetRequiredService<Sessions.OverdueSessions>().EndAsync(TestContext.Current.CancellationToken);
        return await EndedAsync() - before;

        Task<int> EndedAsync() => Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == person.Id && row.EndedAt != null));
    }

    private async Task<HttpStatusCode> RedeemAsync(string code)
    {
        using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["code"] = code,
            ["redirect_uri"] = PortvaktServer.RedirectUri,
            ["client_id"] = "timeliste",
            ["client_secret"] = "a-secret-that-a-machine-chose-0123456789",
            ["code_verifier"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        });
        using var answer = await http.PostAsync("/connect/token", form);
        return answer.StatusCode;
    }

    [Theory]
    [InlineData(PersonalTermKind.Exemption, LetIn)]
    [InlineData(PersonalTermKind.Extension, Offered)]
    public async Task An_exemption_or_extension_holds_until_its_end_and_not_longer(PersonalTermKind kind, string meanwhile)
    {
        var (ola, kari) = (await WithDeadlineAsync(Now - TimeSpan.FromDays(1)), await Server.AddPersonAsync());
        using (var before = await AtTheDoorAsync(ola)) Assert.Equal(Blocked, before.Heading);
        await Server.ChangeAsync(db =>
        {
            db.PersonalTerms.Add(new PersonalTerm(kind, ola.Id, Now + TimeSpan.FromDays(5), "Har bestilt ny telefon", kari.Id, Now));
            return Task.CompletedTask;
        });
        using (var during = await AtTheDoorAsync(ola)) Assert.Equal(meanwhile, during.Heading);
        Server.Clock.Advance(TimeSpan.FromDays(5));
        using (var after = await AtTheDoorAsync(ola)) Assert.Equal(Blocked, after.Heading);

        await Server.ChangeAsync(db =>
        {
            db.PersonalTerms.Add(new PersonalTerm(kind, ola.Id, Now + TimeSpan.FromDays(5), "En gang til", kari.Id, Now));
            return Task.CompletedTask;
        });
        using var walking = await AtTheDoorAsync(ola);
        Assert.Equal(meanwhile, walking.Heading);
        await Server.ChangeAsync(async db => (await db.PersonalTerms.OrderBy(term => term.CreatedAt).LastAsync(term => term.PersonId == ola.Id)).End(Now));
        await walking.ReloadAsync();
        Assert.Equal(Blocked, walking.Heading); // taken back: at the next step, not at the next sign-in
    }

    [Fact]
    public async Task After_the_deadline_policy_may_let_people_enrol_at_once()
    {
        var ola = await WithDeadlineAsync(Now - TimeSpan.FromDays(1), after: AfterDeadline.EnrolNow);
        using var browser = await AtTheDoorAsync(ola);
        Assert.Equal(Offered, browser.Heading);
        Assert.False(browser.Has("Ikke nå"));
        Assert.True(browser.Has("Neste"));
    }

    // ---- Who may enrol with a password alone

    [Fact]
    public async Task R26_With_trusted_networks_a_password_enrols_in_the_office_and_nowhere_else()
    {
        const string office = "203.0.113.7";
        Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value.TrustedNetworks = ["203.0.113.0/24"];
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(10), access: EnrolmentAccess.TrustedNetworks);
        using (var home = await AtTheDoorAsync(ola, address: "198.51.100.9"))
        {
            Assert.Equal(Offered, home.Heading);
            Assert.False(home.Has("Neste"));
            await ForceAsync(home);
            Assert.Equal(Offered, home.Heading);
            await home.PressAsync("Ikke nå"); // before the deadline work goes on
            Assert.Equal(LetIn, home.Heading);
        }

        Server.Clock.Advance(TimeSpan.FromDays(1));
        using var atWork = await AtTheDoorAsync(ola, address: office);
        await atWork.PressAsync("Neste");
        await atWork.PressAsync("Konfigurer");
        Assert.Equal("Konfigurer mobilappen", atWork.Heading);

        // What was begun in the office does not go on outside (R34), and does go on inside.
        using var outside = atWork.NewTab();
        await outside.OpenAsync(atWork.Path);
        Assert.Equal(Offered, outside.Heading);
        Assert.False(outside.Has("Neste"));
        await atWork.ReloadAsync();
        Assert.Equal("Konfigurer mobilappen", atWork.Heading);
    }

    [Fact]
    public async Task R26_Where_codes_are_required_a_pass_enrols_and_a_password_does_not()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(10), access: EnrolmentAccess.CodeRequired);
        using var browser = await AtTheDoorAsync(ola);
        Assert.False(browser.Has("Neste"));
        await ForceAsync(browser);
        Assert.Equal(Offered, browser.Heading);
        await UsePassAsync(browser, await GivePassAsync(ola));
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Fact]
    public async Task R26_R28_A_stolen_password_binds_nothing_under_any_of_the_rules()
    {
        Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value.TrustedNetworks = ["203.0.113.0/24"];
        var never = await WithDeadlineAsync(Now + TimeSpan.FromDays(10));
        await Server.ChangeAsync(db => db.People.Where(row => row.Id == never.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastSignInAt, (DateTimeOffset?)null)));
        var asleep = await WithDeadlineAsync(Now + TimeSpan.FromDays(10));
        await Server.ChangeAsync(db => db.People.Where(row => row.Id == asleep.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastSignInAt, Now - TimeSpan.FromDays(31))));
        var (robbed, lost) = await Cast.EnrolledAsync(Server);
        lost.Dispose();
        await RemoveFactorsAsync(robbed);
        Person[] people =
        [
            await WithDeadlineAsync(Now - TimeSpan.FromDays(1)),
            await WithDeadlineAsync(Now + TimeSpan.FromDays(10), access: EnrolmentAccess.CodeRequired),
            await WithDeadlineAsync(Now - TimeSpan.FromDays(1), access: EnrolmentAccess.CodeRequired, after: AfterDeadline.EnrolNow),
            await WithDeadlineAsync(Now + TimeSpan.FromDays(10), access: EnrolmentAccess.TrustedNetworks),
            await WithDeadlineAsync(Now - TimeSpan.FromDays(1), access: EnrolmentAccess.TrustedNetworks, after: AfterDeadline.EnrolNow),
            never, asleep, robbed,
        ];
        foreach (var person in people)
        {
            foreach (var app in new[] { "timeliste", "strict" })
            {
                using var thief = await AtTheDoorAsync(person, app);
                Assert.True(thief.Heading is Offered or Blocked, $"{Array.IndexOf(people, person)}: {thief.Heading}");
                await ForceAsync(thief);
                Assert.True(thief.Heading is Offered or Blocked, $"{Array.IndexOf(people, person)}: {thief.Heading}");
                foreach (var step in new[] { "method", "phone", "code", "test", "backup", "done" })
                {
                    await thief.OpenAsync($"/enrol/{thief.AttemptId}/{step}");
                    Assert.True(thief.Heading is Offered or Blocked, $"{Array.IndexOf(people, person)} at {step}: {thief.Heading}");
                }
            }

            Assert.False(await Server.ReadAsync(db => db.Totps.AnyAsync(row => row.PersonId == person.Id && row.State != AuthenticatorState.Revoked)));
            Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == person.Id && row.State != AuthenticatorState.Revoked)));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(30)]
    public async Task R29_An_account_that_was_never_used_or_sleeps_does_not_wake_up_by_signing_in_twice(int? daysAsleep)
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(10));
        var last = daysAsleep is { } days ? Now - TimeSpan.FromDays(days) : (DateTimeOffset?)null;
        await Server.ChangeAsync(db => db.People.Where(row => row.Id == ola.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.LastSignInAt, last)));
        for (var time = 0; time < 3; time++)
        {
            using var browser = await AtTheDoorAsync(ola, app: null);
            Assert.Equal(Offered, browser.Heading);
            Assert.False(browser.Has("Neste"));
            await browser.PressAsync("Ikke nå");
            await browser.PressAsync("Nei");
            Assert.Equal("Hei, Ola Nordmann", browser.Heading);
            await browser.OpenAsync("/activate"); // whoever activated now would be locked out
            Assert.Empty(browser.Page.QuerySelectorAll("main button"));
            Assert.Contains("midlertidig tilgangspass", browser.Text, StringComparison.Ordinal);
            Server.Clock.Advance(TimeSpan.FromDays(1));
        }

        using var helped = await AtTheDoorAsync(ola);
        await UsePassAsync(helped, await GivePassAsync(ola));
        using var phone = await helped.EnrolPhoneAsync(Server);
        await helped.FinishAsync(stay: false);
        Assert.False(await Server.ReadAsync(db => db.People.Where(row => row.Id == ola.Id).Select(row => row.NeedsPass).SingleAsync()));
    }

    [Fact]
    public async Task R29_Somebody_whose_factor_was_removed_needs_a_pass_before_and_after_the_deadline()
    {
        var (kari, lost) = await Cast.EnrolledAsync(Server);
        lost.Dispose();
        await RemoveFactorsAsync(kari);
        await ChangeWaveAsync(kari, wave => wave.Change(wave.Name, wave.StartsAt, Now + TimeSpan.FromDays(10)));
        using var browser = await AtTheDoorAsync(kari);
        Assert.Equal(Blocked, browser.Heading);
        Assert.DoesNotContain("Fristen", browser.Text, StringComparison.Ordinal); // that is not why
        await UsePassAsync(browser, await GivePassAsync(kari));
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    // ---- The pass

    [Fact]
    public async Task R27_A_pass_counts_once_for_its_person_and_not_when_it_is_too_old_or_overridden()
    {
        var (ola, kari) = (await WithDeadlineAsync(Now - TimeSpan.FromDays(1)), await WithDeadlineAsync(Now - TimeSpan.FromDays(1)));
        var older = await GivePassAsync(ola);
        var pass = await GivePassAsync(ola);
        using var browser = await AtTheDoorAsync(ola);
        using var other = await AtTheDoorAsync(kari);
        await UsePassAsync(other, pass);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
        await UsePassAsync(browser, older);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await UsePassAsync(browser, pass.ToLowerInvariant().Replace('-', ' '));
        Assert.Equal(Offered, browser.Heading);

        using var again = await AtTheDoorAsync(ola);
        await UsePassAsync(again, pass);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, again.Status);

        var stale = await GivePassAsync(kari, AccessPass.ShortestLifetime);
        Server.Clock.Advance(AccessPass.ShortestLifetime);
        using var late = await AtTheDoorAsync(kari);
        await UsePassAsync(late, stale);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, late.Status);
        Assert.Equal((1, 2), (await CountAsync(SecurityEvent.PassUsed, ola.Id), await CountAsync(SecurityEvent.PassRejected, kari.Id)));
    }

    [Fact]
    public async Task R27_R34_Ten_minutes_after_its_use_a_pass_opens_nothing_more_and_what_was_begun_does_not_go_on()
    {
        var ola = await WithDeadlineAsync(Now - TimeSpan.FromDays(1));
        using var browser = await AtTheDoorAsync(ola);
        await UsePassAsync(browser, await GivePassAsync(ola));
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        using var phone = new Phone(Server);
        Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
        await browser.ReloadAsync();
        await browser.PressAsync("Neste");
        Server.Clock.Advance(AccessPass.Window - TimeSpan.FromSeconds(30));
        Assert.NotEqual(Blocked, (await browser.ReloadAsync()).Heading);
        Server.Clock.Advance(TimeSpan.FromSeconds(30));
        await browser.ReloadAsync();
        Assert.Equal(Blocked, browser.Heading);
        Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == ola.Id && row.State == AuthenticatorState.Active)));
    }

    [Fact]
    public async Task R27_Of_12_browsers_with_the_same_pass_at_once_one_gets_in()
    {
        var ola = await WithDeadlineAsync(Now - TimeSpan.FromDays(1));
        var pass = await GivePassAsync(ola);
        var browsers = new List<Browser>();
        for (var index = 0; index < 12; index++)
        {
            var browser = await AtTheDoorAsync(ola);
            await browser.PressAsync("Jeg har et midlertidig tilgangspass");
            browsers.Add(browser.Fill("Kode", pass));
        }

        await Task.WhenAll(browsers.Select(browser => Task.Run(() => browser.PressAsync("Neste"))));
        Assert.Single(browsers, browser => browser.Heading is Offered);
        Assert.Equal(1, await CountAsync(SecurityEvent.PassUsed, ola.Id));
        browsers.ForEach(browser => browser.Dispose());
    }

    [Fact]
    public async Task R27_A_copy_of_the_database_tells_nobody_a_pass()
    {
        var ola = await WithDeadlineAsync(Now - TimeSpan.FromDays(1));
        var code = (await GivePassAsync(ola)).Replace("-", "", StringComparison.Ordinal);
        var row = await Server.ReadAsync(db => db.AccessPasses.AsNoTracking().SingleAsync(pass => pass.PersonId == ola.Id));
        Assert.Equal(32, row.Hash.Length);
        Assert.DoesNotContain(code, System.Text.Json.JsonSerializer.Serialize(row), StringComparison.OrdinalIgnoreCase);

        // Whoever has the row and guesses right cannot see it without the key, which is not in the database.
        Assert.NotEqual(row.Hash, System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(code)));
        Assert.NotEqual(row.Hash, PassModel.HashOf(new Vault(new byte[32]), ola.Id, code));
        Assert.Equal(row.Hash, PassModel.HashOf(Server.Services.GetRequiredService<Vault>(), ola.Id, code));
    }

    [Fact]
    public async Task R34_What_a_pass_opened_is_open_in_that_browser_only()
    {
        var ola = await WithDeadlineAsync(Now - TimeSpan.FromDays(1));
        using var browser = await AtTheDoorAsync(ola);
        await UsePassAsync(browser, await GivePassAsync(ola));
        Assert.Equal(Offered, browser.Heading);
        using (var elsewhere = new Browser(Server))
        {
            await elsewhere.OpenAsync("/sign-in");
            await elsewhere.OpenAsync(browser.Path);
            Assert.Equal(HttpStatusCode.Gone, elsewhere.Status);
        }

        using var thief = await AtTheDoorAsync(ola); // who knows the password, too
        Assert.Equal(Blocked, thief.Heading);
    }

    // ---- What happens in between

    [Fact]
    public async Task R10_A_lock_bites_between_each_pair_of_steps_of_an_enrolment()
    {
        using var phones = new Disposables();
        (string Name, Func<Browser, Phone, Task> Take)[] steps =
        [
            ("next", (browser, _) => browser.PressAsync("Neste")),
            ("set up", (browser, _) => browser.PressAsync("Konfigurer")),
            ("bind", async (browser, phone) =>
            {
                if (browser.Status is HttpStatusCode.OK) await phone.BindAsync(browser.TypedCode);
                await browser.ReloadAsync();
            }),
            ("to the test", (browser, _) => browser.PressAsync("Neste")),
            ("approve", async (browser, phone) =>
            {
                await phone.ApproveAsync(browser.MatchingNumber);
                await browser.PressAsync("Jeg har godkjent");
            }),
            ("finished", (browser, _) => browser.PressAsync("Fullført")),
            ("stay", (browser, _) => browser.PressAsync("Nei")),
            ("done", (browser, _) => browser.PressAsync("Ferdig")),
        ];
        for (var locked = 0; locked < steps.Length; locked++)
        {
            var kari = await Server.AddPersonAsync();
            var phone = phones.Add(new Phone(Server));
            using var browser = await AtTheDoorAsync(kari);
            for (var step = 0; step < locked; step++) await steps[step].Take(browser, phone);
            await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock());
            if (steps[locked].Name is "bind") Assert.False((await phone.BindAsync(browser.TypedCode)).Ok);
            if (steps[locked].Name is "bind") await browser.ReloadAsync();
            else if (steps[locked].Name is "approve") await browser.PressAsync("Jeg har godkjent");
            else await steps[locked].Take(browser, phone);
            Assert.True(browser.Status is HttpStatusCode.Gone, $"Locked before “{steps[locked].Name}”: {browser.Status} {browser.Heading}");
            Assert.Null(browser.LeftFor);
            Assert.False(await Server.ReadAsync(db => db.Sessions.AnyAsync(row => row.PersonId == kari.Id)));
        }
    }

    [Fact]
    public async Task R38_A_half_finished_enrolment_takes_nothing_away_and_can_be_begun_again()
    {
        var ola = await WithDeadlineAsync(Now + TimeSpan.FromDays(2));
        using var half = await AtTheDoorAsync(ola);
        await half.PressAsync("Neste");
        await half.PressAsync("Konfigurer");
        using var phone = new Phone(Server);
        Assert.True((await phone.BindAsync(half.TypedCode)).Ok);

        using (var next = await AtTheDoorAsync(ola))
        {
            Assert.Equal(Offered, next.Heading);
            await next.PressAsync("Ikke nå");
            Assert.Equal(LetIn, next.Heading);
        }

        using var whole = await AtTheDoorAsync(ola);
        using var other = await whole.EnrolPhoneAsync(Server);
        await whole.FinishAsync(stay: false);
        Assert.Equal("app.test", whole.LeftFor?.Host);

        // The half one was left behind; the one that was tested counts until somebody takes it away.
        await half.ReloadAsync();
        Assert.Equal("Godkjenn på telefonen", half.Heading);
        Assert.Equal(1, await Server.ReadAsync(db => db.Phones.CountAsync(row => row.PersonId == ola.Id && row.State == AuthenticatorState.Active)));
    }

    // ---- Activation and signing out

    [Fact]
    public async Task Ola_activates_before_the_deadline_and_the_next_click_anywhere_asks_for_the_password_and_the_phone()
    {
        var ola = await WithDeadlineAsync(EnrolmentRule.StartOf(Today.AddDays(10), Oslo));
        using var atHome = await SignedInAsync(ola);
        using var browser = new Browser(Server);
        await browser.OpenAsync("/activate"); // the link of the announcement, without being signed in
        await browser.PasswordAsync(ola);
        Assert.Equal(LetIn, browser.Heading); // "not now" was said at home
        await browser.PressAsync("Nei");
        Assert.Equal("Aktiver 2-faktor", browser.Heading);
        Assert.Contains("10 dager igjen", browser.Text, StringComparison.Ordinal);
        await browser.OpenAppAsync();
        Assert.Equal("app.test", browser.LeftFor?.Host);

        await browser.OpenAsync("/activate");
        await browser.PressAsync("Aktiver 2-faktor");
        Assert.Equal("Du er logget av overalt", browser.Heading);
        Assert.Equal("Timeliste", Assert.Single(browser.Page.QuerySelectorAll(".pv-list strong")).TextContent);
        Assert.Contains("Kan ikke få beskjed", browser.Text, StringComparison.Ordinal); // this one registered no address
        var round = browser.Path;
        Assert.Equal((1, 1, 2), (await CountAsync(SecurityEvent.TwoFactorActivated, ola.Id), await CountAsync(SecurityEvent.SignedOutEverywhere, ola.Id), await CountAsync(SecurityEvent.SessionEnded, ola.Id)));

        await atHome.OpenAsync(round);
        Assert.Equal(HttpStatusCode.NotFound, atHome.Status); // the list is for the browser that asked
        foreach (var place in new[] { atHome, browser })
        {
            await place.OpenAsync("/account");
            Assert.Equal("Logg på", place.Heading);
            await place.OpenAppAsync();
            Assert.Equal("Logg på", place.Heading);
        }

        await browser.OpenAsync(round);
        await browser.PressAsync("Sett opp 2-faktor");
        await browser.PasswordAsync(ola);
        Assert.Equal(Offered, browser.Heading);
        Assert.False(browser.Has("Ikke nå"));
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        Assert.Equal("Hei, Ola Nordmann", browser.Heading);
        await browser.OpenAsync("/activate");
        Assert.Contains("allerede på", browser.Text, StringComparison.Ordinal);
        Assert.Empty(browser.Page.QuerySelectorAll("main button"));
    }

    [Fact]
    public async Task R65_Kari_sees_where_she_is_signed_in_ends_one_of_them_and_then_all()
    {
        var kari = await WithDeadlineAsync(Now + TimeSpan.FromDays(9));
        using var here = await SignedInAsync(kari);
        using var there = await SignedInAsync(kari);
        using var somewhere = await SignedInAsync(kari);
        using var ola = await SignedInAsync(await WithDeadlineAsync(Now + TimeSpan.FromDays(9)));
        await here.OpenAsync("/account/security");
        Assert.Equal(3, here.Page.QuerySelectorAll(".pv-list > li").Length);
        Assert.Single(here.Page.QuerySelectorAll(".pv-list em"), mark => mark.TextContent is "Denne nettleseren");

        // Another person's sign-in cannot be ended, whatever the form says (R47).
        var olas = await Server.ReadAsync(db => db.Sessions.OrderBy(row => row.AuthenticatedAt).Where(row => row.PersonId != kari.Id && row.EndedAt == null).Select(row => row.Id).LastAsync());
        var form = (AngleSharp.Html.Dom.IHtmlFormElement)here.Page.QuerySelector(".pv-list form")!;
        await here.SubmitAsync(form, tamper: fields => fields["id"] = olas);
        Assert.Equal("Hei, Ola Nordmann", (await ola.OpenAsync("/account")).Heading);
        Assert.Equal(3, here.Page.QuerySelectorAll(".pv-list > li").Length);

        await here.SubmitAsync((AngleSharp.Html.Dom.IHtmlFormElement)here.Page.QuerySelector(".pv-list form")!);
        Assert.Equal(2, here.Page.QuerySelectorAll(".pv-list > li").Length);
        var left = new[] { (await there.OpenAsync("/account")).Heading, (await somewhere.OpenAsync("/account")).Heading };
        Assert.Single(left, "Logg på");

        await here.OpenAsync("/account/security");
        await here.PressAsync("Logg av overalt");
        Assert.Equal("Du er logget av overalt", here.Heading);
        Assert.True(here.Has("Logg på"));
        foreach (var browser in new[] { here, there, somewhere }) Assert.Equal("Logg på", (await browser.OpenAsync("/account")).Heading);
        Assert.Null(await Server.ReadAsync(db => db.People.Where(row => row.Id == kari.Id).Select(row => row.ActivatedAt).SingleAsync())); // nothing was activated
    }

    [Fact]
    public async Task R62_Binding_a_factor_ends_the_sessions_in_other_browsers()
    {
        var kari = await WithDeadlineAsync(Now + TimeSpan.FromDays(2));
        using var elsewhere = await SignedInAsync(kari);
        using var browser = await AtTheDoorAsync(kari, app: null);
        using var phone = await browser.EnrolPhoneAsync(Server);
        Assert.Equal("Logg på", (await elsewhere.OpenAsync("/account")).Heading);
        await browser.FinishAsync(stay: false);
        Assert.Equal("Hei, Ola Nordmann", browser.Heading);
    }

    [Fact]
    public async Task R62_Binding_a_code_generator_ends_the_sessions_in_other_browsers_too()
    {
        var kari = await WithDeadlineAsync(Now + TimeSpan.FromDays(2));
        using var elsewhere = await SignedInAsync(kari);
        using var browser = await AtTheDoorAsync(kari, app: null);
        await browser.PressAsync("Neste");
        await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        var seed = await Server.ReadAsync(db => db.Totps.AsNoTracking().SingleAsync(row => row.PersonId == kari.Id));
        var secret = Server.Services.GetRequiredService<Vault>().Open(seed.SealedSeed, "totps.seed", seed.Id.ToString("N"));
        await browser.Fill("Koden fra appen", Totp.CodeFor(secret, Totp.StepAt(Now))).PressAsync("Neste");
        Assert.Equal("Logg på", (await elsewhere.OpenAsync("/account")).Heading);
        await browser.FinishAsync(stay: false);
        Assert.Equal("Hei, Ola Nordmann", browser.Heading);
    }

    // ---- Helpers of the stories

    private DateOnly Today => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Now, Oslo).Date);

    private async Task<Person> WithDeadlineAsync(
        DateTimeOffset deadline, DateTimeOffset? start = null, EnrolmentAccess access = EnrolmentAccess.Open, AfterDeadline after = AfterDeadline.Block)
    {
        var person = await Server.AddPersonAsync("Ola Nordmann", TimeSpan.FromDays(1), after, access);
        await ChangeWaveAsync(person, wave => wave.Change(wave.Name, start ?? Now - TimeSpan.FromDays(30), deadline));
        return person;
    }

    private Task ChangeWaveAsync(Person person, Action<Wave> change) => Server.ChangeAsync(async db => change(await db.Waves.SingleAsync(row => row.Id == person.WaveId)));

    /// <summary>After the password. The account stays in use meanwhile: that is not what most of these stories are about.</summary>
    private async Task<Browser> AtTheDoorAsync(Person person, string? app = "timeliste", string address = "192.0.2.10")
    {
        var browser = new Browser(Server, address: address);
        if (app is null) await browser.OpenAsync("/sign-in");
        else await browser.OpenAppAsync(app);
        await browser.PasswordAsync(person);
        return browser;
    }

    /// <summary>Somebody who works with the password alone.</summary>
    private async Task<Browser> SignedInAsync(Person person)
    {
        var browser = await AtTheDoorAsync(person, app: null);
        if (browser.Heading is Offered) await browser.PressAsync("Ikke nå");
        await browser.PressAsync("Nei");
        Assert.Equal("Hei, Ola Nordmann", browser.Heading);
        return browser;
    }

    private static async Task UsePassAsync(Browser browser, string pass)
    {
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        await browser.Fill("Kode", pass).PressAsync("Neste");
    }

    /// <summary>The form that begins an enrolment, sent although the page does not have it.</summary>
    private static Task ForceAsync(Browser browser)
    {
        var path = $"/enrol/{browser.AttemptId}";
        return browser.Page.Forms.Length > 0
            ? browser.SubmitAsync(browser.Page.Forms[0], forge: request => request.RequestUri = new Uri(path, UriKind.Relative))
            : browser.OpenAsync(path);
    }

    private async Task<string> GivePassAsync(Person person, TimeSpan? lifetime = null)
    {
        var code = Base32.Random(AccessPass.Length);
        var vault = Server.Services.GetRequiredService<Vault>();
        await Server.ChangeAsync(async db =>
        {
            foreach (var older in await db.AccessPasses.Where(row => row.PersonId == person.Id).ToListAsync()) older.Revoke(Now);
            db.AccessPasses.Add(new AccessPass(person.Id, PassModel.HashOf(vault, person.Id, code), lifetime ?? AccessPass.DefaultLifetime, oneTime: true, issuedBy: null, Now));
        });
        return AccessPass.Format(code);
    }

    private Task RemoveFactorsAsync(Person person) => Server.ChangeAsync(async db =>
    {
        foreach (var phone in await db.Phones.Where(row => row.PersonId == person.Id).ToListAsync()) phone.Revoke();
        foreach (var totp in await db.Totps.Where(row => row.PersonId == person.Id).ToListAsync()) totp.Revoke();
        (await db.People.SingleAsync(row => row.Id == person.Id)).RecordRemoval();
    });

    private Task<DateTimeOffset?> PostponedUntilAsync(Person person) => Server.ReadAsync(db => db.People.Where(row => row.Id == person.Id).Select(row => row.EnrolmentPostponedUntil).SingleAsync());

    private Task<int> CountAsync(SecurityEvent what, Guid personId) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == personId));

    private sealed class Disposables : IDisposable
    {
        private readonly List<IDisposable> _all = [];

        public T Add<T>(T one) where T : IDisposable
        {
            _all.Add(one);
            return one;
        }

        public void Dispose() => _all.ForEach(one => one.Dispose());
    }
}
