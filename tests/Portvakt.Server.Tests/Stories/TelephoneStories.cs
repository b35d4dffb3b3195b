using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class TelephonesOnSqlite(TelephoneSqliteStage stage) : TelephoneStories(stage), IClassFixture<TelephoneSqliteStage>;

public sealed class TelephonesOnPostgres(TelephonePostgresStage stage) : TelephoneStories(stage), IClassFixture<TelephonePostgresStage>;

/// <summary>Codes over the telephone network: how they help, and how they must not.</summary>
public abstract class TelephoneStories(TelephoneStage stage)
{
    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task Kari_sets_up_her_telephone_by_text_and_signs_in_with_it()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        var row = await NumberAsync(kari);
        Assert.Equal((number, TelephoneKind.Mobile, AuthenticatorState.Active), (row.Number, row.Kind, row.State));
        Assert.Contains("Et telefonnummer", await Server.ReadAsync(db => db.Mails.Where(mail => mail.PersonId == kari.Id && mail.Kind == "MethodAdded").Select(mail => mail.Text).SingleAsync()), StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync(kari, SecurityEvent.TelephoneAdded));

        // Looking sends nothing, however often; the number before the second factor is two digits.
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.ReloadAsync();
        Assert.Equal("Få en kode på SMS", browser.Heading);
        Assert.DoesNotContain(number[3..9], browser.Page.DocumentElement.OuterHtml, StringComparison.Ordinal);
        Assert.Contains($"•••{number[^2..]}", browser.Text, StringComparison.Ordinal);
        await stage.SentAsync(number);
        Assert.Equal(1, stage.HeardBy(number));

        await browser.PressAsync("Send kode");
        Assert.Equal("Skriv inn koden", browser.Heading);
        Assert.Contains($"•••{number[^2..]}", browser.Text, StringComparison.Ordinal);
        var code = await stage.CodeAsync(number);
        var heard = stage.Gateway.Heard.Last(message => message.Number == number);
        Assert.Equal(("text", "Bearer of-the-gateway", $"{code} er koden din for Eksempel kommune. Ikke si den til noen, uansett hvem som spør."), (heard.How, heard.Key, heard.Text));
        await browser.Fill("Kode", $"{code[..3]} {code[3..]}").PressAsync("Bekreft");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        Assert.Equal(SecondFactorMethod.Text, await Server.ReadAsync(db => db.Sessions.Where(session => session.PersonId == kari.Id).OrderByDescending(session => session.SecondFactorAt).Select(session => session.Method).FirstAsync()));

        // The code is nowhere any more, and never was in the log.
        Assert.DoesNotContain(code, Server.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain("of-the-gateway", Server.Log.All, StringComparison.Ordinal);
        Assert.False(await Server.ReadAsync(db => db.TelephoneMessages.AnyAsync(message => message.Number == number && message.SealedCode != null)));
    }

    [Fact]
    public async Task Kari_sets_up_the_office_phone_and_is_called_there()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = await AtTheSetUpAsync(kari, "office");
        Assert.Contains("Det er ikke registrert noen kontortelefon", browser.Text, StringComparison.Ordinal);
        Assert.False(browser.Has("Ring meg"));

        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).OfficePhone = "22 10 20 30");
        await browser.ReloadAsync();
        await browser.SubmitAsync(browser.Page.Forms[0], FindButton(browser, "Send"), fields => fields["number"] = "+4741111111"); // the organisation says which number, nobody else
        var code = await stage.CodeAsync("+4722102030");
        var heard = stage.Gateway.Heard.Last(message => message.Number == "+4722102030");
        Assert.Equal(("call", "nb"), (heard.How, heard.Key));
        Assert.Equal(2, heard.Text.Split(string.Join(", ", code.AsEnumerable())).Length - 1);
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        await browser.FinishAsync(stay: false);

        using var later = new Browser(Server);
        await later.OpenAppAsync();
        await later.PasswordAsync(kari);
        Assert.Equal("Få en kode i en samtale", later.Heading);
        await later.OpenAsync($"/sign-in/{later.AttemptId}/text"); // an office phone takes none
        Assert.Equal("Få en kode i en samtale", later.Heading);
        await later.PressAsync("Ring meg");
        Server.Clock.Advance(TimeSpan.FromSeconds(2));
        await later.Fill("Kode", await stage.CodeAsync("+4722102030")).PressAsync("Bekreft");
        await later.PressAsync("Nei");
        Assert.Equal("app.test", later.LeftFor?.Host);
    }

    [Fact]
    public async Task A_new_number_takes_the_place_of_the_old_one()
    {
        var (first, second) = (stage.NewNumber(), stage.NewNumber());
        var kari = await EnrolledByTextAsync(first);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Send kode");
        await browser.Fill("Kode", await stage.CodeAsync(first)).PressAsync("Bekreft");
        await browser.PressAsync("Nei");

        // By the way that the account page takes: an attempt that adds.
        var attempt = await AddingAsync(browser, kari);
        await browser.OpenAsync($"/enrol/{attempt}/method");
        await browser.Fill("Hvordan skal vi kontakte deg?", "telephone").PressAsync("Konfigurer");
        await browser.Fill("Telefonnummer", second).PressAsync("Send kode");
        await browser.Fill("Kode", await stage.CodeAsync(second)).PressAsync("Bekreft");
        Assert.Equal(second, (await NumberAsync(kari)).Number);
    }

    [Fact]
    public async Task A_mistyped_number_is_changed_and_its_code_counts_for_nothing()
    {
        var (wrong, right) = (stage.NewNumber(), stage.NewNumber());
        var kari = await Server.AddPersonAsync();
        using var browser = await AtTheSetUpAsync(kari);
        await browser.Fill("Telefonnummer", wrong[3..]).PressAsync("Send kode");
        var old = await stage.CodeAsync(wrong);
        await browser.PressAsync("Bruk et annet nummer");
        await browser.Fill("Telefonnummer", right).PressAsync("Send kode");
        var code = await stage.CodeAsync(right);
        if (old != code)
        {
            await browser.Fill("Kode", old).PressAsync("Bekreft");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.Fill("Kode", code).PressAsync("Bekreft");
        Assert.Equal(right, (await NumberAsync(kari)).Number);
    }

    [Fact]
    public async Task Five_guesses_end_the_attempt_and_the_right_code_is_then_not_looked_at()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari);
        var code = await stage.CodeAsync(number);
        var wrong = code is "000000" ? "111111" : "000000";
        for (var guess = 0; guess < 5; guess++)
        {
            await browser.Fill("Kode", wrong).PressAsync("Bekreft");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.Fill("Kode", code).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        await browser.ReloadAsync();
        Assert.StartsWith("/sign-in/over", browser.Path, StringComparison.Ordinal);

        // A new sign-in does not wash it away.
        using var again = await AskedAsync(kari);
        await again.Fill("Kode", await stage.CodeAsync(number)).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.TooManyRequests, again.Status);
        Assert.Equal(5, await CountAsync(kari, SecurityEvent.SecondFactorRejected));
    }

    [Fact]
    public async Task The_code_of_another_attempt_opens_nothing()
    {
        var (karis, mallorys) = (stage.NewNumber(), stage.NewNumber());
        var (kari, mallory) = (await EnrolledByTextAsync(karis), await EnrolledByTextAsync(mallorys));
        using var owner = await AskedAsync(kari);
        List<string> codes = [await stage.CodeAsync(karis)]; // before the next one is asked for: two at once may be sent in either order
        using var thief = await AskedAsync(kari); // knows the password, and has talked the code out of Kari
        codes.Add(await stage.CodeAsync(karis));
        using var other = await AskedAsync(mallory);
        var own = await stage.CodeAsync(mallorys);
        Assert.Equal(3, codes.Append(own).Distinct().Count());

        await thief.Fill("Kode", codes[0]).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, thief.Status);
        await thief.Fill("Kode", own).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, thief.Status);
        await owner.Fill("Kode", codes[0]).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.OK, owner.Status);
        Assert.EndsWith("/stay", owner.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_counts_once()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari);
        var code = await stage.CodeAsync(number);
        using var tab = browser.NewTab();
        await tab.OpenAsync(browser.Path);
        await Task.WhenAll(browser.Fill("Kode", code).PressAsync("Bekreft"), tab.Fill("Kode", code).PressAsync("Bekreft"));
        Assert.Equal(1, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.SecondFactorVerified)));

        // And the code that was used opens no later sign-in.
        using var later = await AskedAsync(kari);
        await stage.SentAsync(number);
        await later.Fill("Kode", code).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, later.Status);
    }

    [Fact]
    public async Task Only_the_newest_code_counts()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari);
        var first = await stage.CodeAsync(number);
        await browser.PressAsync("Send på nytt");
        var second = await stage.CodeAsync(number);
        Assert.NotEqual(first, second);
        await browser.Fill("Kode", first).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Kode", second).PressAsync("Bekreft");
        Assert.EndsWith("/stay", browser.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_code_is_over_after_ten_minutes()
    {
        var number = stage.NewNumber();
        var kari = await Server.AddPersonAsync();
        using var browser = await AtTheSetUpAsync(kari);
        await browser.Fill("Telefonnummer", number).PressAsync("Send kode");
        var code = await stage.CodeAsync(number);
        Server.Clock.Advance(TelephoneMessage.Lifetime);
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.False(await Server.ReadAsync(db => db.TelephoneNumbers.AnyAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
    }

    [Fact]
    public async Task A_flood_of_messages_stops_at_three_also_when_all_are_asked_for_at_once()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        var before = await MessagesAsync(kari);
        var windows = new List<Browser>();
        for (var window = 0; window < 8; window++)
        {
            var browser = new Browser(Server, address: $"198.51.100.{window}");
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            windows.Add(browser);
        }

        await Task.WhenAll(windows.Select(browser => browser.PressAsync("Send kode")));
        Assert.Equal(before + 3, await MessagesAsync(kari));
        var refused = windows.Where(browser => browser.Status is HttpStatusCode.TooManyRequests).ToList();
        Assert.Equal(5, refused.Count);
        Assert.All(refused, browser => Assert.Contains("Det er bedt om for mange koder. Prøv igjen etter", browser.Text, StringComparison.Ordinal));
        await stage.SentAsync(number);
        Assert.Equal(1 + 3, stage.HeardBy(number));

        Server.Clock.Advance(TimeSpan.FromMinutes(9));
        await refused[0].PressAsync("Send kode");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused[0].Status);
        windows.ForEach(browser => browser.Dispose());
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        using var patient = await AskedAsync(kari);
        Assert.Equal(HttpStatusCode.OK, patient.Status);
        Assert.Equal(before + 4, await MessagesAsync(kari));
    }

    [Fact]
    public async Task Ten_codes_a_day_and_no_more()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        for (var sent = 1; sent < 10; sent++)
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(15));
            using var browser = await AskedAsync(kari);
            Assert.Equal(HttpStatusCode.OK, browser.Status);
        }

        Server.Clock.Advance(TimeSpan.FromMinutes(15));
        using var refused = await AskedAsync(kari);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Status);
        Assert.Equal(10, await MessagesAsync(kari));
        Server.Clock.Advance(TimeSpan.FromHours(22));
        using var tomorrow = await AskedAsync(kari);
        Assert.Equal(HttpStatusCode.OK, tomorrow.Status);
    }

    [Fact]
    public async Task Many_accounts_cannot_flood_one_telephone()
    {
        var number = stage.NewNumber();
        for (var person = 0; person < 6; person++)
        {
            using var browser = await AtTheSetUpAsync(await Server.AddPersonAsync());
            await browser.Fill("Telefonnummer", number).PressAsync("Send kode");
            Assert.Equal(person < 5 ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, browser.Status);
        }

        await stage.SentAsync(number);
        Assert.Equal(5, stage.HeardBy(number));
    }

    [Fact]
    public async Task A_country_has_a_limit_for_all_people_together()
    {
        var settings = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        settings.TelephoneCountries.AddRange(["47", "46"]);
        settings.TelephoneDailyLimit = 2;
        try
        {
            for (var person = 0; person < 3; person++)
            {
                using var browser = await AtTheSetUpAsync(await Server.AddPersonAsync());
                await browser.Fill("Telefonnummer", $"+46 70 174 06 0{person + 5}").PressAsync("Send kode");
                Assert.Equal(person < 2 ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests, browser.Status);
                if (person is 2) Assert.Contains("Det kan ikke sendes flere koder i dag.", browser.Text, StringComparison.Ordinal);
            }
        }
        finally
        {
            settings.TelephoneCountries.Clear();
            settings.TelephoneDailyLimit = 1000;
        }
    }

    [Theory]
    [InlineData("+46 70 174 06 05", "text", "begynner med +47")]
    [InlineData("0046701740605", "call", "begynner med +47")]
    [InlineData("+881 6 1234 5678", "call", "")] // satellite
    [InlineData("829 12 345", "call", "tjenestenumre")] // premium rate
    [InlineData("810 12 345", "call", "tjenestenumre")] // shared cost
    [InlineData("800 12 345", "call", "tjenestenumre")] // free for the caller, which is us
    [InlineData("22 10 20 31", "text", "tar ikke imot SMS")]
    [InlineData("22 10 20 31 x17", "call", "ikke et telefonnummer")]
    [InlineData("112", "call", "ikke et telefonnummer")]
    [InlineData("kari@eksempel.no", "text", "ikke et telefonnummer")]
    [InlineData("+4740000000\r\nBcc: +4741111111", "text", "ikke et telefonnummer")]
    [InlineData("", "text", "ikke et telefonnummer")]
    public async Task What_is_not_an_ordinary_number_of_the_country_is_not_called(string typed, string how, string sentence)
    {
        var kari = await Server.AddPersonAsync();
        using var browser = await AtTheSetUpAsync(kari);
        await browser.SubmitAsync(browser.Page.Forms[0], FindButton(browser, "Send"), fields => (fields["number"], fields["how"]) = (typed, how));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.Contains(sentence, browser.Text, StringComparison.Ordinal);
        Assert.Equal(0, await MessagesAsync(kari));
    }

    [Fact]
    public async Task A_number_whose_country_is_no_longer_called_gets_no_more_codes()
    {
        var settings = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        settings.TelephoneCountries.Add("45");
        try
        {
            using var browser = await AskedAsync(kari);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
            Assert.Contains("begynner med +45", browser.Text, StringComparison.Ordinal);
        }
        finally
        {
            settings.TelephoneCountries.Clear();
        }
    }

    [Fact]
    public async Task A_gateway_that_is_away_for_a_while_costs_a_while()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari, gatewaySays: StatusCodes.Status503ServiceUnavailable);
        Assert.Equal(MessageState.Waiting, (await MessageAsync(kari)).State);
        Assert.Equal("status 503", (await MessageAsync(kari)).Problem);
        Server.Clock.Advance(TimeSpan.FromSeconds(5));
        var code = await stage.CodeAsync(number);
        Assert.Equal((MessageState.Accepted, 2), ((await MessageAsync(kari)).State, (await MessageAsync(kari)).Tries));
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        Assert.EndsWith("/stay", browser.Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StatusCodes.Status401Unauthorized)]
    [InlineData(StatusCodes.Status400BadRequest)]
    [InlineData(StatusCodes.Status307TemporaryRedirect)] // a code is not carried to wherever an answer points
    public async Task A_gateway_that_refuses_is_told_of_and_not_asked_again(int status)
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari, gatewaySays: status);
        await browser.ReloadAsync();
        Assert.Contains("Vi nådde ikke nummeret.", browser.Text, StringComparison.Ordinal);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await stage.SentAsync(number);
        Assert.Equal(2, stage.HeardBy(number)); // of which one at the set-up
        Assert.Null((await MessageAsync(kari)).SealedCode);
    }

    [Fact]
    public async Task A_code_that_no_gateway_took_in_time_is_given_up()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari, gatewaySays: StatusCodes.Status500InternalServerError);
        Server.Clock.Advance(TelephoneMessage.Lifetime);
        await stage.SentAsync(number);
        Assert.Equal(MessageState.Failed, (await MessageAsync(kari)).State);
        Assert.Null((await MessageAsync(kari)).SealedCode);
        Assert.Equal(2, stage.HeardBy(number));
    }

    [Fact]
    public async Task What_became_of_a_text_is_told_to_who_waits_and_to_the_helpdesk_and_opens_nothing()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari);
        var code = await stage.CodeAsync(number);
        Assert.Equal(HttpStatusCode.NoContent, await ReportAsync("texts", Texts(number, "enroute")));
        await browser.ReloadAsync();
        Assert.Contains("Vi sender en kode til", browser.Text, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.NoContent, await ReportAsync("texts", Texts(number, "Undelivered")));
        await browser.ReloadAsync();
        Assert.Contains("Vi nådde ikke nummeret.", browser.Text, StringComparison.Ordinal);
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: $"/administration/people/{kari.UserName}");
        Assert.Contains("kom ikke frem. report: Undelivered", desk.Text, StringComparison.Ordinal);
        desk.Dispose();

        // It arrived after all; and what comes late changes that no more.
        Assert.Equal(HttpStatusCode.NoContent, await ReportAsync("texts", $"[{Texts(number, "delivered")}]"));
        Assert.Equal(HttpStatusCode.NoContent, await ReportAsync("texts", Texts(number, "failed")));
        await browser.ReloadAsync();
        Assert.Contains("Koden har kommet frem til", browser.Text, StringComparison.Ordinal);
        Assert.Equal((MessageState.Delivered, (string?)null), ((await MessageAsync(kari)).State, (await MessageAsync(kari)).Problem));
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        Assert.EndsWith("/stay", browser.Path, StringComparison.Ordinal);
        Assert.DoesNotContain(TelephoneStage.ReportKey, Server.Log.All, StringComparison.Ordinal);

        static string Escaped(string text) => System.Text.Json.JsonSerializer.Serialize(text);
        string Texts(string to, string state) => $$"""{"message":{"reference":{{Escaped(stage.Gateway.Ids[to])}},"state":{{Escaped(state)}} } }""";
    }

    [Fact]
    public async Task A_provider_that_has_ids_of_its_own_is_understood_by_them()
    {
        var kari = await Server.AddPersonAsync();
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).OfficePhone = "22 10 20 44");
        using var browser = await AtTheSetUpAsync(kari, "office");
        await browser.PressAsync("Ring meg");
        await stage.SentAsync("+4722102044");
        var id = stage.Gateway.Ids["+4722102044"];
        Assert.Equal(id, (await MessageAsync(kari)).GatewayId);
        Assert.Equal(HttpStatusCode.NoContent, await FormAsync(("CallSid", id), ("CallStatus", "busy")));
        Assert.Equal((MessageState.Failed, "report: busy"), ((await MessageAsync(kari)).State, (await MessageAsync(kari)).Problem));
        Assert.Equal(HttpStatusCode.NotFound, await FormAsync(("CallSid", "CA-of-another"), ("CallStatus", "busy")));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await FormAsync(("CallSid", id)));

        Task<HttpStatusCode> FormAsync(params (string Name, string Value)[] fields) => SendReportAsync("calls", new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));
    }

    [Fact]
    public async Task A_report_of_a_stranger_or_of_another_shape_changes_nothing()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        using var browser = await AskedAsync(kari);
        await stage.SentAsync(number);
        var failed = $$"""{"message":{"reference":"{{stage.Gateway.Ids[number]}}","state":"failed"} }""";
        Assert.Equal(HttpStatusCode.NotFound, await ReportAsync("texts", failed, key: TelephoneStage.ReportKey + "x"));
        Assert.Equal(HttpStatusCode.NotFound, await ReportAsync("letters", failed));
        Assert.Equal(HttpStatusCode.NotFound, await ReportAsync("calls", $$"""{"CallSid":"{{stage.Gateway.Ids[number]}}","CallStatus":"busy"}""")); // a text is no call
        Assert.Equal(HttpStatusCode.BadRequest, await ReportAsync("texts", "delivered"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ReportAsync("texts", "{}"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ReportAsync("texts", "[]"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ReportAsync("texts", """{"message":{"reference":null,"state":["failed"]}}"""));
        foreach (var id in new[] { "\\u0000", "CA\\u0000-1", "CA\\n1", "\\ud800" })
        {
            Assert.Equal((id, HttpStatusCode.UnprocessableEntity), (id, await ReportAsync("calls", $$"""{"CallSid":"{{id}}","CallStatus":"busy"}""")));
            Assert.Equal((id, HttpStatusCode.UnprocessableEntity), (id, await ReportAsync("texts", $$"""{"message":{"reference":"{{id}}","state":"failed"} }""")));
        }

        Assert.Equal(HttpStatusCode.UnprocessableEntity, await ReportAsync("texts", """{"message":{"reference":"1","state":"\ud800"}}"""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await SendReportAsync("calls", new StringContent("CallSid=CA%01&CallStatus=busy", System.Text.Encoding.ASCII, "application/x-www-form-urlencoded")));
        foreach (var form in new[] { "CallSid=CA%00&CallStatus=busy", string.Concat(Enumerable.Repeat("a=&", 2000)) })
            Assert.Equal(HttpStatusCode.BadRequest, await SendReportAsync("calls", new StringContent(form, System.Text.Encoding.ASCII, "application/x-www-form-urlencoded")));
        Assert.Equal(HttpStatusCode.BadRequest, await ReportAsync("texts", new string('[', 60)));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await ReportAsync("texts", new string(' ', 17 * 1024)));
        Assert.Equal(MessageState.Accepted, (await MessageAsync(kari)).State);
    }

    [Fact]
    public async Task Another_persons_telephone_is_no_telephone()
    {
        var (karis, olas) = (stage.NewNumber(), stage.NewNumber());
        var (kari, ola) = (await EnrolledByTextAsync(karis), await EnrolledByTextAsync(olas));
        var id = (await NumberAsync(ola)).Id;
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.SubmitAsync(browser.Page.Forms[0], FindButton(browser, "Send"), fields => fields["number"] = id.ToString());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await stage.SentAsync(olas);
        Assert.Equal(1, stage.HeardBy(olas));
    }

    [Fact]
    public async Task Where_no_gateway_is_configured_there_is_no_telephone()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        var settings = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        var (texts, calls) = (settings.Texts, settings.Calls);
        (settings.Texts, settings.Calls) = (null, null);
        try
        {
            using var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(await Server.AddPersonAsync());
            await browser.PressAsync("Neste");
            Assert.DoesNotContain("Godkjenningstelefon", browser.Text, StringComparison.Ordinal);
            await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "telephone");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);

            // Who holds a number has nothing to sign in with, and no password alone opens what had a second factor.
            using var later = new Browser(Server);
            await later.OpenAppAsync();
            await later.PasswordAsync(kari);
            await later.OpenAsync($"/sign-in/{later.AttemptId}/text");
            Assert.DoesNotContain("SMS", later.Text, StringComparison.Ordinal);
            Assert.Null(later.LeftFor);
        }
        finally
        {
            (settings.Texts, settings.Calls) = (texts, calls);
        }
    }

    [Fact]
    public async Task What_is_known_of_a_telephone_is_given_out_and_erased_with_the_person()
    {
        var number = stage.NewNumber();
        var kari = await EnrolledByTextAsync(number);
        var export = System.Text.Encoding.UTF8.GetString(await Server.ReadAsync(db => PersonalData.ExportAsync(db, kari.Id, CancellationToken.None)));
        Assert.Equal(2, export.Split(number[1..]).Length - 1); // the number, and the one message to it
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Loopback } };
        await Server.ChangeAsync(async db => await PersonalData.EraseAsync(db, await db.People.SingleAsync(row => row.Id == kari.Id), http, kari.Id, "Sluttet", Server.Clock.GetUtcNow()));
        Assert.False(await Server.ReadAsync(db => db.TelephoneNumbers.AnyAsync(row => row.PersonId == kari.Id)));
        Assert.False(await Server.ReadAsync(db => db.TelephoneMessages.AnyAsync(row => row.PersonId == kari.Id || row.Number == number)));
    }

    private async Task<Person> EnrolledByTextAsync(string number)
    {
        var person = await Server.AddPersonAsync();
        using var browser = await AtTheSetUpAsync(person);
        await browser.Fill("Telefonnummer", number).PressAsync("Send kode");
        await browser.Fill("Kode", await stage.CodeAsync(number)).PressAsync("Bekreft");
        await browser.FinishAsync(stay: false);
        return person;
    }

    private async Task<Browser> AtTheSetUpAsync(Person person, string method = "telephone")
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        await browser.PressAsync("Neste");
        await browser.Fill("Hvordan skal vi kontakte deg?", method).PressAsync("Konfigurer");
        Assert.Equal(method is "office" ? "Kontortelefon" : "Godkjenningstelefon", browser.Heading);
        return browser;
    }

    /// <summary>At the second factor, and a code has been asked for.</summary>
    private async Task<Browser> AskedAsync(Person person, int gatewaySays = StatusCodes.Status202Accepted)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        stage.Gateway.Status = gatewaySays;
        try
        {
            await browser.PressAsync("Send kode");
            if (gatewaySays is not StatusCodes.Status202Accepted)
            {
                await PortvaktServer.UntilAsync(async () =>
                {
                    await Server.Services.GetRequiredService<Telephones.TelephoneSender>().SendDueAsync(CancellationToken.None);
                    return await MessageAsync(person) is { Tries: 1, State: not MessageState.Sending };
                });
            }
        }
        finally
        {
            stage.Gateway.Status = StatusCodes.Status202Accepted;
        }

        return browser;
    }

    private Task<HttpStatusCode> ReportAsync(string way, string json, string key = TelephoneStage.ReportKey) => SendReportAsync(way, new StringContent(json, System.Text.Encoding.UTF8, "application/json"), key);

    private async Task<HttpStatusCode> SendReportAsync(string way, HttpContent content, string key = TelephoneStage.ReportKey)
    {
        using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var answer = await http.PostAsync($"/telephone/reports/{way}/{key}", content);
        return answer.StatusCode;
    }

    private async Task<string> AddingAsync(Browser browser, Person person)
    {
        var session = await Server.ReadAsync(db => db.Sessions.AsNoTracking().Where(row => row.PersonId == person.Id).OrderByDescending(row => row.SecondFactorAt).FirstAsync());
        await browser.OpenAppAsync(); // for the browser's own mark on an attempt, which the account page would set as well
        var attempt = "";
        await Server.ChangeAsync(async db =>
        {
            var browserHash = await db.SignInAttempts.Where(row => row.PersonId == person.Id).OrderByDescending(row => row.CreatedAt).Select(row => row.BrowserHash).FirstAsync();
            var adding = new SignInAttempt(browserHash, new SignInRequest(ReturnPath: "/account", Assurance: AssuranceLevel.Aal2, Adds: true), Server.Clock.GetUtcNow());
            adding.ContinueFrom(session);
            db.SignInAttempts.Add(adding);
            attempt = adding.Id;
        });
        return attempt;
    }

    private static AngleSharp.Dom.IElement FindButton(Browser browser, string handler) => browser.Page.QuerySelector($"button[formaction='?handler={handler}']")!;

    private Task<TelephoneNumber> NumberAsync(Person person) => Server.ReadAsync(db => db.TelephoneNumbers.AsNoTracking().SingleAsync(row => row.PersonId == person.Id && row.State == AuthenticatorState.Active));

    private Task<TelephoneMessage> MessageAsync(Person person) => Server.ReadAsync(db => db.TelephoneMessages.AsNoTracking().Where(row => row.PersonId == person.Id).OrderByDescending(row => row.CreatedAt).FirstAsync());

    private Task<int> MessagesAsync(Person person) => Server.ReadAsync(db => db.TelephoneMessages.CountAsync(row => row.PersonId == person.Id));

    private Task<int> CountAsync(Person person, SecurityEvent what) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == person.Id && row.What == what));
}

/// <summary>The demo's own provider is there in the demo and nowhere else.</summary>
public sealed class DemoTelephoneTests
{
    [Fact]
    public async Task The_demo_shows_what_would_have_been_sent()
    {
        await using var demo = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new() { ["Portvakt:Demo"] = "true", ["Portvakt:PublicAddress"] = "http://localhost" });
        using var http = new HttpClient(demo.Handler()) { BaseAddress = new Uri("http://localhost") };
        using var taken = await http.PostAsJsonAsync("/demo/telephone", new { how = "SMS", number = "+4790000000", text = "123456 er koden din" });
        Assert.Equal(HttpStatusCode.NoContent, taken.StatusCode);
        Assert.Contains("123456 er koden din", await http.GetStringAsync("/demo/telephone"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_the_demo_it_does_not_exist()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        using var http = new HttpClient(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/demo/telephone")).StatusCode);
    }
}
