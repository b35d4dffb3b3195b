using System.Net;
using System.Reflection;
using System.Text;
using AngleSharp.Html.Dom;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Account;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class SecurityInfoOnSqlite(SqliteStage stage) : SecurityInfoStories(stage), IClassFixture<SqliteStage>;

public sealed class SecurityInfoOnPostgres(PostgresStage stage) : SecurityInfoStories(stage), IClassFixture<PostgresStage>;

public sealed class SecurityInfoOnTwoNodes(TwoNodesStage stage) : SecurityInfoStories(stage), IClassFixture<TwoNodesStage>;

/// <summary>Security info: what people change about how they sign in, and what nobody can change for them (R18, R35–R39, R42, R47, R62, R65, R92).</summary>
public abstract class SecurityInfoStories(Stage stage)
{
    private const string Title = "Sikkerhetsinformasjon";
    private const string ConfirmFirst = "Logg på en gang til først";

    /// <summary>Each way to post to the page, and whether it needs a fresh second factor. A new handler must be named here.</summary>
    private static readonly Dictionary<string, bool> Handlers = new(StringComparer.Ordinal)
    {
        ["Rename"] = true,
        ["Remove"] = true,
        ["Prefer"] = true,
        ["Codes"] = true,
        ["Download"] = true,
        ["Add"] = false, // the journey that begins asks for the factor: R35_… below
        ["Confirm"] = false,
        ["End"] = false,
        ["Everywhere"] = false,
        ["NotMe"] = false,
    };

    private PortvaktServer Server => stage.Server;

    private async Task<Browser> SignedInAsync(Person person, Phone phone)
    {
        var browser = new Browser(Server);
        await browser.OpenAsync(SecurityModel.Address);
        await browser.PasswordAsync(person);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal(Title, browser.Heading);
        return browser;
    }

    private async Task<(Person Person, Phone Phone, Browser Browser)> KariAsync()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        return (kari, phone, await SignedInAsync(kari, phone));
    }

    /// <summary>Any handler with any fields, through a form of the page.</summary>
    private static Task PostAsync(Browser browser, string handler, params (string Name, string Value)[] fields) => browser.SubmitAsync(
        (IHtmlFormElement)browser.Page.Forms.First(form => form.QuerySelector("input[name=form]") is not null),
        tamper: typed =>
        {
            foreach (var name in typed.Keys.Where(name => name is not "form").ToList()) typed.Remove(name);
            foreach (var (name, value) in fields) typed[name] = value;
        },
        forge: request => request.RequestUri = new Uri($"{SecurityModel.Address}?handler={handler}", UriKind.Relative));

    /// <summary>Another authenticator app, added in security info; answers with its secret.</summary>
    private async Task<byte[]> AddAppAsync(Browser browser)
    {
        await browser.OpenAsync(SecurityModel.Address);
        await browser.PressAsync("Legg til en metode");
        await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        var secret = Decode(browser.Secret);
        await browser.Fill("Koden fra appen", CodeOf(secret)).PressAsync("Neste");
        Assert.Equal(Title, browser.Heading);
        return secret;
    }

    private string CodeOf(byte[] secret) => Totp.CodeFor(secret, Totp.StepAt(Server.Clock.GetUtcNow()));

    private static byte[] Decode(string base32)
    {
        var (bits, value, bytes) = (0, 0, new List<byte>());
        foreach (var letter in base32)
        {
            (value, bits) = ((value << 5) | "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), bits + 5);
            if (bits < 8) continue;
            bits -= 8;
            bytes.Add((byte)(value >> bits));
            value &= (1 << bits) - 1;
        }

        return [.. bytes];
    }

    private Task<Guid> PhoneIdAsync(Person person) => Server.ReadAsync(db => db.Phones.Where(row => row.PersonId == person.Id && row.State == AuthenticatorState.Active).Select(row => row.Id).FirstAsync());

    private Task<Guid> AppIdAsync(Person person) => Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == person.Id && row.PhoneId == null && row.State == AuthenticatorState.Active).Select(row => row.Id).FirstAsync());

    /// <summary>The session that began last.</summary>
    private Task<string> NewestSessionAsync(Person person) => Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == person.Id).OrderByDescending(row => row.AuthenticatedAt).Select(row => row.Id).FirstAsync());

    private Task<List<string>> LiveAsync(Person person) => Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == person.Id && row.EndedAt == null).OrderBy(row => row.Id).Select(row => row.Id).ToListAsync());

    private Task<Methods> HeldAsync(Person person) => Server.ReadAsync(async db => (await PersonMethods.LoadAsync(db, person.Id, CancellationToken.None)).HeldWithout(null));

    private Task<int> CountAsync(SecurityEvent what, Person person) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == person.Id));

    private Task<string> MailsAsync(Person person) => Server.ReadAsync(async db => string.Join('\n', await db.Mails.Where(mail => mail.PersonId == person.Id).OrderBy(mail => mail.Id).Select(mail => mail.Text).ToListAsync()));

    private async Task<bool> IsSignedInAsync(Browser browser) => (await browser.OpenAsync("/account")).Heading.StartsWith("Hei", StringComparison.Ordinal);

    [Fact]
    public async Task Times_are_those_of_the_organisation_as_a_sentence_has_them()
    {
        var (_, _, browser) = await KariAsync();
        await browser.OpenAsync(SecurityModel.Address);
        var there = TimeZoneInfo.ConvertTime(Server.Clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo"));
        Assert.Contains(there.ToString("d. MMMM yyyy 'kl.' HH:mm", Localisation.CultureOf("nb")), browser.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R35_R37_R38_Kari_adds_an_app_names_it_sets_it_first_removes_it_and_keeps_the_last()
    {
        var (kari, _, browser) = await KariAsync();
        Assert.NotNull(browser.Page.QuerySelector("li[data-kind=app] [data-last]")); // the page says why, before anybody tries
        await AddAppAsync(browser);
        Assert.Null(browser.Page.QuerySelector("[data-last]"));
        var app = await AppIdAsync(kari);

        await browser.SubmitAsync((IHtmlFormElement)browser.Page.QuerySelector("li[data-kind=code] form[action$=Rename]")!, tamper: fields => fields["name"] = "Job\u202ebappen\n");
        Assert.Contains("Det nye navnet er lagret.", browser.Text, StringComparison.Ordinal);
        Assert.Equal("Jobbappen", browser.Page.QuerySelector("li[data-kind=code] strong")!.TextContent);
        await browser.SubmitAsync((IHtmlFormElement)browser.Page.QuerySelector("li[data-kind=code] form[action$=Rename]")!, tamper: fields => fields["name"] = "  ");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "Jobbappen"), (browser.Status, browser.Page.QuerySelector("li[data-kind=code] strong")!.TextContent));

        Assert.Contains("Godkjenn på telefonen", browser.Page.QuerySelector("[data-first]")!.TextContent, StringComparison.Ordinal);
        await PostAsync(browser, "Prefer", ("method", "Code"));
        Assert.Contains("Skriv inn koden fra appen", browser.Page.QuerySelector("[data-first]")!.TextContent, StringComparison.Ordinal);
        using (var next = new Browser(Server))
        {
            await next.OpenAppAsync();
            await next.PasswordAsync(kari);
            Assert.EndsWith("/code", next.Path, StringComparison.Ordinal);
        }

        foreach (var wrong in new[] { "Passkey", "None", "AccessPass", "RecoveryCode", "3", "App, Code" })
        {
            await PostAsync(browser, "Prefer", ("method", wrong));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.OpenAsync(SecurityModel.Address);
        await browser.SubmitAsync((IHtmlFormElement)browser.Page.QuerySelector("li[data-kind=code] form[action$=Remove]")!);
        Assert.Contains("Den er fjernet.", browser.Text, StringComparison.Ordinal);
        Assert.Equal(AuthenticatorState.Revoked, await Server.ReadAsync(db => db.Totps.Where(row => row.Id == app).Select(row => row.State).SingleAsync()));

        // A form that the page does not offer: refused, with what to do.
        await PostAsync(browser, "Remove", ("id", (await PhoneIdAsync(kari)).ToString()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.Contains("Legg til en annen først", browser.Page.QuerySelector("#problem")!.TextContent, StringComparison.Ordinal);
        Assert.Equal(Methods.App | Methods.Code, await HeldAsync(kari));

        // Every change has its row and its mail, once.
        foreach (var what in new[] { SecurityEvent.MethodRenamed, SecurityEvent.PreferredMethodChanged, SecurityEvent.TotpRemoved }) Assert.Equal(1, await CountAsync(what, kari));
        var mails = await MailsAsync(kari);
        foreach (var sentence in new[] { "En måte å logge på fikk nytt navn", "Du blir spurt om en annen metode først", "En autentiseringsapp" }) Assert.Contains(sentence, mails, StringComparison.Ordinal);
        browser.Dispose();
    }

    [Fact]
    public async Task R36_Every_handler_that_changes_a_method_refuses_without_a_fresh_second_factor()
    {
        var names = typeof(SecurityModel).GetMethods(BindingFlags.Public | BindingFlags.Instance).Where(method => method.Name.StartsWith("OnPost", StringComparison.Ordinal))
            .Select(method => method.Name["OnPost".Length..].Replace("Async", "", StringComparison.Ordinal));
        Assert.Equal(Handlers.Keys.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));

        var (kari, _, stale) = await KariAsync();
        await AddAppAsync(stale);
        var weak = await Server.AddPersonAsync("Ola Nordmann", deadlineIn: TimeSpan.FromDays(9));
        using var oneFactor = new Browser(Server);
        await oneFactor.OpenAsync(SecurityModel.Address);
        await oneFactor.PasswordAsync(weak);
        await oneFactor.PressAsync("Ikke nå");
        await oneFactor.PressAsync("Nei");
        Assert.Equal(Title, oneFactor.Heading);
        Assert.Contains("men ikke endre noe", oneFactor.Text, StringComparison.Ordinal);
        Assert.Empty(oneFactor.Page.QuerySelectorAll("details"));

        Server.Clock.Advance(SignInAttempt.Freshness);
        var app = await AppIdAsync(kari);
        foreach (var handler in Handlers.Where(row => row.Value).Select(row => row.Key))
        {
            foreach (var browser in new[] { stale, oneFactor })
            {
                await browser.OpenAsync(SecurityModel.Address);
                await PostAsync(browser, handler, ("id", app.ToString()), ("name", "Tyvens"), ("method", "Code"), ("box", "AA"));
                Assert.Equal((HttpStatusCode.Forbidden, ConfirmFirst), (browser.Status, browser.Heading));
            }
        }

        Assert.Equal((0, 0, 0, 0), (await CountAsync(SecurityEvent.MethodRenamed, kari), await CountAsync(SecurityEvent.TotpRemoved, kari), await CountAsync(SecurityEvent.PreferredMethodChanged, kari), await CountAsync(SecurityEvent.RecoveryCodesIssued, kari)));
        stale.Dispose();
    }

    [Fact]
    public async Task R35_R36_The_second_factor_counts_for_ten_minutes_to_the_millisecond_and_once_more_after_it()
    {
        var (kari, phone, browser) = await KariAsync();
        var proven = await Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == kari.Id && row.EndedAt == null).MaxAsync(row => row.SecondFactorAt));
        var id = await PhoneIdAsync(kari);
        Server.Clock.SetUtcNow(proven!.Value + SignInAttempt.Freshness - TimeSpan.FromMilliseconds(2)); // a click takes one
        await PostAsync(browser, "Rename", ("id", id.ToString()), ("name", "I tide"));
        Assert.Equal(Title, browser.Heading);
        await PostAsync(browser, "Rename", ("id", id.ToString()), ("name", "For sent"));
        Assert.Equal(ConfirmFirst, browser.Heading);

        // Adding asks for the factor in the journey, before anything can be chosen.
        using (var adding = browser.NewTab())
        {
            await adding.OpenAsync(SecurityModel.Address);
            await adding.PressAsync("Legg til en metode");
            Assert.EndsWith("/second-factor", adding.Path, StringComparison.Ordinal);
            await adding.OpenAsync($"/enrol/{adding.AttemptId}/method");
            Assert.EndsWith("/second-factor", adding.Path, StringComparison.Ordinal);
        }

        await browser.PressAsync("Logg på");
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal(Title, browser.Heading);
        await PostAsync(browser, "Rename", ("id", id.ToString()), ("name", "Nå"));
        Assert.Equal("Nå", await Server.ReadAsync(db => db.Phones.Where(row => row.Id == id).Select(row => row.Name).SingleAsync()));
        browser.Dispose();
    }

    [Fact]
    public async Task R36_Changes_are_slowed_down_like_a_sign_in()
    {
        var (kari, _, browser) = await KariAsync();
        var id = (await PhoneIdAsync(kari)).ToString();
        for (var change = 0; change < Throttle.MethodChanges.FreeFailures; change++) await PostAsync(browser, "Rename", ("id", id), ("name", $"Nummer {change}"));
        await PostAsync(browser, "Rename", ("id", id), ("name", "For mange"));
        Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        Assert.NotNull(browser.Answer.Headers.RetryAfter);
        Assert.Equal($"Nummer {Throttle.MethodChanges.FreeFailures - 1}", await Server.ReadAsync(db => db.Phones.Where(row => row.PersonId == kari.Id).Select(row => row.Name).SingleAsync()));
        browser.Dispose();
    }

    [Fact]
    public async Task R47_The_ids_of_somebody_else_are_no_ids_and_no_field_of_a_person_can_be_posted()
    {
        var (kari, _, browser) = await KariAsync();
        var (ola, olasPhone, olas) = await KariAsync();
        await AddAppAsync(olas);
        var before = await Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == kari.Id));
        var olasSignIn = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == ola.Id && row.What == SecurityEvent.SessionIssued).Select(row => row.Id).FirstAsync());
        foreach (var id in new[] { await PhoneIdAsync(ola), await AppIdAsync(ola), Guid.Empty })
        {
            foreach (var handler in new[] { "Remove", "Rename" })
            {
                await browser.OpenAsync(SecurityModel.Address);
                await PostAsync(browser, handler, ("id", id.ToString()), ("name", "Min"), ("PersonId", ola.Id.ToString()));
                Assert.Equal(HttpStatusCode.NotFound, browser.Status);
            }
        }

        await browser.OpenAsync(SecurityModel.Address);
        await PostAsync(browser, "NotMe", ("id", olasSignIn.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(HttpStatusCode.NotFound, browser.Status);
        Assert.Equal(Methods.App | Methods.Code, await HeldAsync(ola));
        Assert.True(await IsSignedInAsync(olas));

        await browser.OpenAsync(SecurityModel.Address);
        foreach (var prefix in new[] { "", "Ruling.Person.", "SignedIn.Person." })
            await PostAsync(browser, "Prefer", [("method", "Code"), .. typeof(Person).GetProperties().Select(property => (prefix + property.Name, property.Name is "State" ? "Locked" : "2026-01-01"))]);
        var after = await Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == kari.Id));
        Assert.Equal(Methods.Code, after.PreferredMethod);
        Assert.All(typeof(Person).GetProperties().Where(property => property.Name is not ("Version" or "Attributes" or "PreferredMethod")), property => Assert.Equal(property.GetValue(before), property.GetValue(after)));
        olasPhone.Dispose();
        olas.Dispose();
        browser.Dispose();
    }

    [Fact]
    public async Task R38_Of_two_who_remove_the_last_two_methods_at_once_one_is_refused()
    {
        var (kari, _, browser) = await KariAsync();
        for (var round = 0; round < 5; round++)
        {
            await AddAppAsync(browser);
            var (phone, app) = (await PhoneIdAsync(kari), await AppIdAsync(kari));
            using var one = browser.NewTab();
            using var other = browser.NewTab();
            await one.OpenAsync(SecurityModel.Address);
            await other.OpenAsync(SecurityModel.Address);
            await Task.WhenAll(PostAsync(one, "Remove", ("id", phone.ToString())), PostAsync(other, "Remove", ("id", app.ToString())));
            var held = await HeldAsync(kari);
            Assert.True((held & MethodOrder.Primary) is not Methods.None, $"Round {round}: nothing is left.");
            Assert.Equal(1, await CountAsync(SecurityEvent.PhoneRemoved, kari) + await CountAsync(SecurityEvent.TotpRemoved, kari) - round);
            if (!held.HasFlag(Methods.App)) break; // the phone lost this round
        }

        browser.Dispose();
    }

    [Fact]
    public async Task R62_Removing_the_phone_ends_what_came_of_it_and_who_is_half_way_begins_again()
    {
        var (kari, phone, thief) = await KariAsync();
        var secret = await AddAppAsync(thief);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using var halfWay = new Browser(Server);
        await halfWay.OpenAppAsync();
        await halfWay.PasswordAsync(kari);
        Assert.Equal("approved", (await phone.ApproveAsync(halfWay.MatchingNumber)).Text("outcome")); // and the button is not pressed yet

        using var here = new Browser(Server);
        await here.OpenAsync(SecurityModel.Address);
        await here.PasswordAsync(kari);
        await here.OpenAsync($"/sign-in/{here.AttemptId}/code");
        await here.SubmitAsync(here.Page.Forms[0], tamper: fields => fields["code"] = CodeOf(secret));
        await here.PressAsync("Nei");
        await here.SubmitAsync((IHtmlFormElement)here.Page.QuerySelector("li[data-kind=app] form[action$=Remove]")!);
        Assert.Contains("Den er fjernet.", here.Text, StringComparison.Ordinal);

        Assert.Equal(Methods.Code, await HeldAsync(kari));
        Assert.False(await IsSignedInAsync(thief));
        Assert.True(await IsSignedInAsync(here));
        await halfWay.PressAsync("Jeg har godkjent");
        Assert.StartsWith("/sign-in/over", halfWay.Path, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await phone.GetAsync("/phone/api/pending")).Status);
        Assert.True(await Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id && row.PhoneId != null).AllAsync(row => row.State == AuthenticatorState.Revoked)));
        thief.Dispose();
    }

    [Theory]
    [InlineData("everywhere")]
    [InlineData("helpdesk")]
    [InlineData("this one")]
    [InlineData("this one, by the helpdesk")]
    [InlineData("sign-out")]
    public async Task R62_What_was_half_way_when_everything_was_signed_out_leads_to_no_method_and_no_session(string by)
    {
        var (kari, phone, stolen) = await KariAsync();
        var id = await NewestSessionAsync(kari);
        await stolen.PressAsync("Legg til en metode");
        Assert.Equal("Ytterligere sikkerhetsbekreftelse", stolen.Heading);

        if (by is "everywhere")
        {
            using var owner = await SignedInAsync(kari, phone);
            await PostAsync(owner, "Everywhere");
        }
        else if (by is "this one")
        {
            using var owner = await SignedInAsync(kari, phone);
            await PostAsync(owner, "End", ("id", id));
        }
        else if (by is "sign-out")
        {
            using var tab = stolen.NewTab();
            await tab.OpenAsync("/sign-out");
            await tab.PressAsync("Logg av");
        }
        else
        {
            var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: $"/administration/people/{kari.UserName}");
            var action = by is "helpdesk" ? "?handler=EndSessions" : $"?handler=EndSession&id={id}";
            await desk.SubmitAsync((IHtmlFormElement)desk.Page.Forms.First(form => form.GetAttribute("action") == action), tamper: fields => fields["reason"] = "Mistet maskin");
            Assert.Equal(HttpStatusCode.OK, desk.Status);
            desk.Dispose();
        }

        Assert.False(await Server.ReadAsync(db => db.Sessions.AnyAsync(row => row.Id == id && row.EndedAt == null)));
        await stolen.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        Assert.Equal(HttpStatusCode.Gone, stolen.Status);
        Assert.Equal(1, await Server.ReadAsync(db => db.Totps.CountAsync(row => row.PersonId == kari.Id)));
        stolen.Dispose();
    }

    [Fact]
    public async Task R62_A_session_that_was_ended_while_a_method_was_set_up_comes_back_neither_by_the_page_nor_at_the_end()
    {
        var (kari, phone, stolen) = await KariAsync();
        var id = await NewestSessionAsync(kari);
        var session = await Server.ReadAsync(db => db.Sessions.AsNoTracking().SingleAsync(row => row.Id == id));
        await stolen.PressAsync("Legg til en metode");
        await stolen.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        var secret = Decode(stolen.Secret);
        using var owner = await SignedInAsync(kari, phone);
        await PostAsync(owner, "End", ("id", session.Id));
        var live = await LiveAsync(kari);

        await stolen.Fill("Koden fra appen", CodeOf(secret)).PressAsync("Neste");
        Assert.Equal(HttpStatusCode.Gone, stolen.Status);
        Assert.Equal(Methods.App | Methods.Code, await HeldAsync(kari));
        Assert.Equal(1, await Server.ReadAsync(db => db.Totps.CountAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
        Assert.Equal(live, await LiveAsync(kari));

        // And if it was ended between the last question and the last save: what adds to a session makes none.
        await using var scope = Server.Services.CreateAsyncScope();
        var adding = new SignInAttempt(new byte[32], new SignInRequest(Adds: true), Server.Clock.GetUtcNow());
        adding.ContinueFrom(session);
        var person = await scope.ServiceProvider.GetRequiredService<PortvaktDb>().People.SingleAsync(row => row.Id == kari.Id);
        Assert.False(await scope.ServiceProvider.GetRequiredService<SessionIssuer>().IssueAsync(new DefaultHttpContext(), adding, person, SignInStep.Finish));
        Assert.Equal(live, await LiveAsync(kari));
        stolen.Dispose();
    }

    [Fact]
    public async Task R62_Of_two_who_choose_a_new_password_with_both_factors_proven_the_first_puts_the_other_out()
    {
        var (kari, phone, elsewhere) = await KariAsync();
        using var home = elsewhere;
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).MustChangePassword = true);
        using var owner = await AtTheNewPasswordAsync();
        using var thief = await AtTheNewPasswordAsync();
        using var typed = new Browser(Server);
        await typed.OpenAppAsync();
        await typed.PasswordAsync(kari); // the old one, and no second factor yet
        await owner.Fill("Nytt passord", "tre små kaker under senga").PressAsync("Lagre passordet");
        Assert.Equal("Vil du forbli pålogget?", owner.Heading);

        foreach (var other in new[] { thief, typed })
        {
            await other.ReloadAsync();
            Assert.Equal(HttpStatusCode.Gone, other.Status);
        }

        await owner.PressAsync("Nei");
        Assert.Equal("app.test", owner.LeftFor?.Host);
        Assert.Single(await LiveAsync(kari));

        async Task<Browser> AtTheNewPasswordAsync()
        {
            var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            Assert.EndsWith("/new-password", browser.Path, StringComparison.Ordinal);
            return browser;
        }
    }

    [Fact]
    public async Task R92_The_seed_of_a_phone_that_was_removed_is_kept_for_a_day_at_most_and_a_token_of_plastic_stays()
    {
        var (kari, _, browser) = await KariAsync();
        await AddAppAsync(browser);
        var token = new TotpAuthenticator(kari.Id, phoneId: null, attemptId: null, Server.Clock.GetUtcNow()) { SerialNumber = $"S-{kari.UserName}" };
        token.Revoke();
        await Server.ChangeAsync(db =>
        {
            db.Totps.Add(token);
            return Task.CompletedTask;
        });
        await PostAsync(browser, "Remove", ("id", (await PhoneIdAsync(kari)).ToString()));
        Assert.Equal(2, await Server.ReadAsync(db => db.Totps.CountAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Revoked)));

        Server.Clock.Advance(TimeSpan.FromDays(2));
        await ActivatorUtilities.CreateInstance<Cleanup>(Server.Services).SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal([token.Id], await Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Revoked).Select(row => row.Id).ToListAsync()));
        Assert.Equal(Methods.Code, await HeldAsync(kari));
        browser.Dispose();
    }

    [Fact]
    public async Task R62_Whoever_came_in_with_the_old_password_goes_out_when_a_new_one_is_chosen()
    {
        var (kari, phone, elsewhere) = await KariAsync();
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).MustChangePassword = true);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.Fill("Nytt passord", "tre små kaker under senga").PressAsync("Lagre passordet");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        await elsewhere.OpenAsync("/account");
        Assert.StartsWith("/sign-in", elsewhere.Path, StringComparison.Ordinal);
        await browser.OpenAsync("/account");
        Assert.Equal("/account", browser.Path);
        elsewhere.Dispose();
    }

    [Fact]
    public async Task R18_A_sign_in_that_was_not_hers_has_the_consequences_of_the_answer_on_the_phone()
    {
        var (kari, phone, thief) = await KariAsync();
        using var here = await SignedInAsync(kari, phone);
        var thiefs = here.Page.QuerySelectorAll("[data-activity] li[data-event=SessionIssued] form");
        Assert.True(thiefs.Length > 0);
        Assert.Contains("Firefox, Windows, 192.0.2.x", here.Page.QuerySelector("[data-activity]")!.TextContent, StringComparison.Ordinal);
        await here.SubmitAsync((IHtmlFormElement)thiefs[0]);
        Assert.Equal("Du er logget av overalt", here.Heading);
        Assert.False(await IsSignedInAsync(here));
        Assert.False(await IsSignedInAsync(thief));
        var found = await Server.ReadAsync(db => db.Cases.AsNoTracking().SingleAsync(row => row.PersonId == kari.Id));
        Assert.Equal(((string?)"Firefox, Windows", (string?)"192.0.2.x", (DateTimeOffset?)null), (found.Browser, found.Address, found.ClosedAt));
        Assert.True(await Server.ReadAsync(db => db.People.Where(row => row.Id == kari.Id).Select(row => row.MustChangePassword).SingleAsync()));
        Assert.Equal(1, await CountAsync(SecurityEvent.SignInDisowned, kari));
        Assert.True(await Server.ReadAsync(db => db.Mails.AnyAsync(mail => mail.PersonId == kari.Id && mail.Kind == "NotMe")));
        Assert.True(await Server.ReadAsync(db => db.Mails.AnyAsync(mail => mail.Kind == "NotMeAlert" && mail.OnceKey == $"not-me-alert:{found.Id:N}")));

        // No sign-in with the password alone makes her phone ring until the helpdesk has closed the case.
        using var stranger = new Browser(Server);
        await stranger.OpenAppAsync();
        await stranger.PasswordAsync(kari);
        Assert.Null(await phone.PendingAsync());
        thief.Dispose();
    }

    [Fact]
    public async Task R42_Recovery_codes_are_shown_once_fetched_by_who_made_them_and_replaced_as_a_set()
    {
        var (kari, phone, browser) = await KariAsync();
        Assert.Contains("Du har ingen gjenopprettingskoder", browser.Text, StringComparison.Ordinal);
        await browser.PressAsync("Lag gjenopprettingskoder");
        var codes = browser.Page.QuerySelectorAll(".pv-codes code").Select(code => code.TextContent).ToList();
        Assert.Equal(10, codes.Distinct().Count());
        Assert.True(browser.Answer.Headers.CacheControl!.NoStore);
        var box = browser.Page.QuerySelector("input[name=box]")!.GetAttribute("value")!;
        await PostAsync(browser, "Download", ("box", box));
        var file = await browser.Answer.Content.ReadAsStringAsync();
        Assert.All(codes, code => Assert.Contains(code, file, StringComparison.Ordinal));
        Assert.Contains(kari.UserName, file, StringComparison.Ordinal);

        // Shown once; nobody else's box opens; a set that was replaced is not handed out.
        await browser.OpenAsync(SecurityModel.Address);
        Assert.DoesNotContain(codes[0], browser.Page.DocumentElement.OuterHtml, StringComparison.Ordinal);
        Assert.DoesNotContain(codes[0], Server.Log.All, StringComparison.Ordinal);
        var (_, olasPhone, olas) = await KariAsync();
        await PostAsync(olas, "Download", ("box", box));
        Assert.Equal(Title, olas.Heading);
        await PostAsync(browser, "Codes");
        var newer = browser.Page.QuerySelectorAll(".pv-codes code").Select(code => code.TextContent).ToList();
        await PostAsync(browser, "Download", ("box", box));
        Assert.Equal(Title, browser.Heading);
        Assert.Equal((10, 2), (await Server.ReadAsync(db => db.RecoveryCodes.CountAsync(row => row.PersonId == kari.Id)), await CountAsync(SecurityEvent.RecoveryCodesIssued, kari)));
        Assert.Contains("Det ble laget nye gjenopprettingskoder", await MailsAsync(kari), StringComparison.Ordinal);

        // The last but three: a mail at three, a warning at the door and on the page.
        for (var used = 0; used < 8; used++)
        {
            using var next = new Browser(Server);
            await next.OpenAsync(SecurityModel.Address);
            await next.PasswordAsync(kari);
            await next.OpenAsync($"/sign-in/{next.AttemptId}/recovery-code");
            await next.Fill("Gjenopprettingskode", codes[used]).PressAsync("Bekreft");
            Assert.EndsWith("/recovery-code", next.Path, StringComparison.Ordinal); // the old set is dead
            await next.Fill("Gjenopprettingskode", newer[used]).PressAsync("Bekreft");
            Assert.EndsWith("/stay", next.Path, StringComparison.Ordinal);
            Assert.Equal(used >= 6, next.Text.Contains("noen få gjenopprettingskoder", StringComparison.Ordinal));
            await next.PressAsync("Nei");
            Assert.Equal(used >= 6, next.Text.Contains("noen få gjenopprettingskoder", StringComparison.Ordinal));
        }

        Assert.Equal(1, await CountAsync(SecurityEvent.RecoveryCodesLow, kari));
        Assert.Single((await MailsAsync(kari)).Split('\n'), line => line.Contains("Bare tre gjenopprettingskoder", StringComparison.Ordinal));
        foreach (var one in new IDisposable[] { phone, olasPhone, olas, browser }) one.Dispose();
    }

    [Fact]
    public async Task R39_No_more_phones_than_policy_allows_however_many_pictures_are_open()
    {
        var (kari, _, browser) = await KariAsync();
        await Server.ChangeAsync(db =>
        {
            db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { MaximumPhones = 2 });
            return Task.CompletedTask;
        });
        using var other = browser.NewTab();
        foreach (var tab in new[] { browser, other })
        {
            await tab.OpenAsync(SecurityModel.Address);
            await tab.PressAsync("Legg til en metode");
            await tab.PressAsync("Konfigurer");
        }

        // Both are bound while there was room for one, and come to the last place at once.
        using var second = new Phone(Server);
        using var third = new Phone(Server);
        foreach (var (tab, phone) in new[] { (browser, second), (other, third) })
        {
            Assert.True((await phone.BindAsync(tab.TypedCode)).Ok);
            await tab.ReloadAsync();
            await tab.PressAsync("Neste");
            Assert.Equal("approved", (await phone.ApproveAsync(tab.MatchingNumber)).Text("outcome"));
        }

        await Task.WhenAll(browser.PressAsync("Jeg har godkjent"), other.PressAsync("Jeg har godkjent"));
        foreach (var tab in new[] { browser, other })
        {
            if (tab.Has("Jeg har godkjent")) await tab.PressAsync("Jeg har godkjent");
        }

        Assert.Equal(2, await Server.ReadAsync(db => db.Phones.CountAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
        await browser.OpenAsync(SecurityModel.Address);
        await browser.PressAsync("Legg til en metode");
        await browser.PressAsync("Konfigurer");
        Assert.Contains("Du har 2 telefoner med appen fra før", browser.Text, StringComparison.Ordinal);
        Assert.Null(browser.Page.QuerySelector("[data-typed-code]"));
        browser.Dispose();
    }

    [Fact]
    public async Task R92_What_is_known_of_passkeys_and_telephones_is_given_out_and_erased()
    {
        var kari = await Server.AddPersonAsync();
        var now = Server.Clock.GetUtcNow();
        await Server.ChangeAsync(db =>
        {
            var number = new TelephoneNumber(kari.Id, TelephoneKind.Mobile, "+4799887766", null, now);
            number.Activate(now);
            db.AddRange(number, new Passkey(kari.Id, Guid.NewGuid().ToByteArray(), [1], Guid.Empty, 0, false, false, "Nøkkelknippet", now));
            return Task.CompletedTask;
        });
        var file = Encoding.UTF8.GetString(await Server.ReadAsync(db => PersonalData.ExportAsync(db, kari.Id, CancellationToken.None)));
        Assert.Contains("Nøkkelknippet", file, StringComparison.Ordinal);
        Assert.Contains("4799887766", file, StringComparison.Ordinal);
        await Server.ReadAsync(async db =>
        {
            await PersonalData.EraseAsync(db, await db.People.SingleAsync(row => row.Id == kari.Id), new DefaultHttpContext(), Guid.NewGuid(), "Sluttet", now);
            Assert.False(await db.Passkeys.AnyAsync(row => row.PersonId == kari.Id) || await db.TelephoneNumbers.AnyAsync(row => row.PersonId == kari.Id));
            return true;
        });
    }
}
