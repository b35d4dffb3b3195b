using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>Steps, sessions and forms: skipped, stolen, of another browser or another site.</summary>
public abstract partial class AttackStories
{
    [Fact]
    public async Task R1_A_step_cannot_be_skipped_repeated_or_taken_from_an_old_tab()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        var attempt = browser.AttemptId;
        string[] pages =
        [
            $"/sign-in/{attempt}/second-factor", $"/sign-in/{attempt}/code", $"/sign-in/{attempt}/recovery-code", $"/sign-in/{attempt}/stay", $"/sign-in/{attempt}/blocked", $"/enrol/{attempt}",
            $"/enrol/{attempt}/method", $"/enrol/{attempt}/phone", $"/enrol/{attempt}/code", $"/enrol/{attempt}/test", $"/enrol/{attempt}/backup", $"/enrol/{attempt}/done",
        ];
        foreach (var page in pages)
        {
            await browser.OpenAsync(page);
            Assert.Equal($"/sign-in/{attempt}", browser.Path);
        }

        // With a valid form of the page before, sent to each page after it, with every handler: nothing moves.
        foreach (var page in pages)
        {
            foreach (var handler in new[] { "", "?handler=Later", "?handler=Finish", "?handler=Codes", "?handler=Again", "?handler=Renew" })
            {
                await browser.OpenAsync($"/sign-in/{attempt}");
                await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["stay"] = "yes", forge: request => request.RequestUri = new Uri(page + handler, UriKind.Relative));
                Assert.Equal($"/sign-in/{attempt}", browser.Path);
            }
        }

        await browser.OpenAsync($"/sign-in/{attempt}");
        await browser.PasswordAsync(kari);
        Assert.Equal($"/enrol/{attempt}", browser.Path);

        // The password page of an old tab, sent again.
        await browser.OpenAsync($"/sign-in/{attempt}");
        Assert.Equal($"/enrol/{attempt}", browser.Path);
        Assert.Equal(0, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id)));
    }

    [Fact]
    public async Task R2_R3_No_field_header_or_detour_makes_the_second_factor_go_away()
    {
        var (kari, _, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var attempt = browser.AttemptId;
            foreach (var header in new[] { "X-Forwarded-For", "X-Real-IP", "X-Original-URL", "Forwarded", "X-MFA-Verified", "X-Skip-Otp" })
            {
                await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => { fields["acr"] = "aal1"; fields["step"] = "Finish"; fields["HasAuthenticator"] = "false"; }, forge: request => request.Headers.TryAddWithoutValidation(header, "127.0.0.1"));
                Assert.Equal("Godkjenn på telefonen", browser.Heading);
            }

            foreach (var detour in new[] { $"/sign-in/{attempt}", $"/sign-in/{attempt}/code", $"/sign-in/{attempt}/stay", $"/enrol/{attempt}", $"/enrol/{attempt}/method", "/sign-in/over" })
            {
                await browser.OpenAsync(detour);
                await browser.OpenAsync($"/sign-in/{attempt}/stay");
                Assert.Equal("Godkjenn på telefonen", browser.Heading);
            }

            await browser.OpenAsync("/account");
            Assert.Equal("Logg på", browser.Heading);
            Assert.Equal(1, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id)));
        }
    }

    [Fact]
    public async Task R4_A_phone_removed_by_itself_does_not_open_the_door_to_the_password_alone()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Assert.Equal(HttpStatusCode.NoContent, (await phone.PostAsync("/phone/api/remove", [])).Status);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal("Skriv inn koden", browser.Heading);
        Assert.Equal("unknown-phone", (await phone.GetAsync("/phone/api/pending")).Code);
    }

    [Fact]
    public async Task R6_Approving_one_tab_leaves_the_other_waiting()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var first = new Browser(Server);
        await first.OpenAppAsync();
        using var second = first.NewTab();
        await second.OpenAppAsync();
        await first.PasswordAsync(kari);
        await second.PasswordAsync(kari);

        // The newer request is the one that lives.
        Assert.Equal("approved", (await phone.ApproveAsync(second.MatchingNumber)).Text("outcome"));
        await first.ReloadAsync();
        Assert.False(first.Has("Fortsett"));
        await second.PressAsync("Jeg har godkjent");
        await second.PressAsync("Nei");
        Assert.Equal("app.test", second.LeftFor?.Host);
        await first.ReloadAsync();
        Assert.Equal("Godkjenn på telefonen", first.Heading);
    }

    [Fact]
    public async Task R8_Every_sign_in_has_a_new_session_and_the_old_one_is_dead_at_once()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync();
        var old = browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))["__Host-portvakt-session"]!.Value;

        await browser.OpenAppAsync(extra: "&prompt=login");
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.NotEqual(old, browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))["__Host-portvakt-session"]!.Value);

        using var thief = new Browser(Server);
        thief.Cookies.Add(new Cookie("__Host-portvakt-session", old, "/", "id.test") { Secure = true });
        await thief.OpenAsync("/account");
        Assert.Equal("Logg på", thief.Heading);
    }

    [Fact]
    public async Task R9_No_address_of_the_journey_works_in_another_browser()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            using var other = new Browser(Server);
            await other.OpenAsync("/sign-in");
            foreach (var path in new[] { browser.Path, $"/sign-in/{browser.AttemptId}", $"/sign-in/{browser.AttemptId}/stay", $"/approvals/{browser.AttemptId}/wait", $"/sign-in/over?was={browser.AttemptId}" })
            {
                await other.OpenAsync(path);
                Assert.DoesNotContain(browser.MatchingNumber, other.Text, StringComparison.Ordinal);
                Assert.True(other.Status is HttpStatusCode.Gone or HttpStatusCode.NotFound, $"{path}: {other.Status}");
            }

            // Approved by Kari, who thinks of her own browser; the thief's copy of the address gains nothing.
            await phone.ApproveAsync(browser.MatchingNumber);
            await other.OpenAsync(browser.Path);
            Assert.Equal(HttpStatusCode.Gone, other.Status);
            Assert.NotEqual(kari.Id, Guid.Empty);
        }
    }

    [Fact]
    public async Task R10_A_lock_bites_at_the_next_step_whichever_it_is()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            await phone.ApproveAsync(browser.MatchingNumber);
            await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock());
            await browser.PressAsync("Jeg har godkjent");
            Assert.Equal(HttpStatusCode.Gone, browser.Status);
        }
    }

    [Fact]
    public async Task R60_R105_A_session_ends_on_the_server_whatever_the_cookie_says()
    {
        foreach (var (stay, advance, alive) in new[]
        {
            (false, TimeSpan.FromMinutes(59), true), (false, TimeSpan.FromMinutes(61), false),
            (true, TimeSpan.FromDays(29), true), (true, TimeSpan.FromDays(30), false),
        })
        {
            var kari = await Server.AddPersonAsync();
            using var browser = new Browser(Server);
            await browser.OpenAsync("/sign-in");
            await browser.PasswordAsync(kari);
            using var phone = await browser.EnrolPhoneAsync(Server);
            await browser.FinishAsync(stay);
            var cookie = browser.Cookies.GetCookies(new Uri(PortvaktServer.Origin))["__Host-portvakt-session"]!.Value;
            Server.Clock.Advance(advance);
            using var keeper = new Browser(Server);
            keeper.Cookies.Add(new Cookie("__Host-portvakt-session", cookie, "/", "id.test") { Secure = true });
            await keeper.OpenAsync("/account");
            Assert.Equal(alive ? "Hei, Kari Nordmann" : "Logg på", keeper.Heading);
        }
    }

    [Fact]
    public async Task R60_Nobody_who_said_no_stays_longer_than_a_day_however_busy()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(kari);
        using var phone = await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        for (var hours = 0; hours < 24; hours++)
        {
            Assert.Equal("Hei, Kari Nordmann", browser.Heading);
            Server.Clock.Advance(TimeSpan.FromMinutes(59.9));
            await browser.OpenAsync("/account");
        }

        Server.Clock.Advance(TimeSpan.FromMinutes(10));
        await browser.OpenAsync("/account");
        Assert.Equal("Logg på", browser.Heading);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    [InlineData("Origin", "https://evil.test")]
    [InlineData("Origin", "null")]
    public async Task R83_A_form_of_another_site_does_nothing_even_with_the_right_token(string header, string value)
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        var before = browser.Path;
        browser.Fill("Brukernavn", kari.UserName).Fill("Passord", PortvaktServer.Password);
        await browser.SubmitAsync(browser.Page.Forms[0], forge: request =>
        {
            request.Headers.Remove("Sec-Fetch-Site");
            request.Headers.Remove(header);
            request.Headers.Add(header, value);
        });
        Assert.Equal(HttpStatusCode.Forbidden, browser.Status);
        await browser.OpenAsync(before);
        Assert.Equal("Logg på", browser.Heading);
    }

    [Fact]
    public async Task R83_A_form_without_the_token_is_refused()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        browser.Fill("Brukernavn", kari.UserName).Fill("Passord", PortvaktServer.Password);
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields.Remove("form"));
        Assert.Equal(HttpStatusCode.BadRequest, browser.Status);
    }

    [Fact]
    public async Task R90_Names_of_people_and_devices_are_text_and_nothing_else()
    {
        var kari = await Server.AddPersonAsync("Kari <script>alert(1)</script> Nordmann");
        using var browser = new Browser(Server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        using var phone = new Phone(Server) { Device = "\"><img src=x onerror=alert(1)>\u202e\u0000" };
        Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
        await browser.ReloadAsync();
        Assert.Empty(browser.Page.QuerySelectorAll("main img, main script:not([nonce])"));
        Assert.Contains("<img src=x onerror=alert(1)>", browser.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', browser.Text);
        await browser.PressAsync("Neste");
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.FinishAsync();
        Assert.Contains("<script>", browser.Heading, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R104_An_approval_for_one_person_never_opens_anothers_session()
    {
        var (_, karisPhone, karisBrowser) = await AtTheSecondFactorAsync();
        var (ola, _, olasBrowser) = await AtTheSecondFactorAsync();
        using (karisBrowser)
        using (olasBrowser)
        {
            await karisPhone.ApproveAsync(karisBrowser.MatchingNumber);
            await olasBrowser.PressAsync("Jeg har godkjent");
            Assert.Equal("Godkjenn på telefonen", olasBrowser.Heading);
            await olasBrowser.OpenAsync($"/sign-in/{karisBrowser.AttemptId}/second-factor");
            Assert.Equal(HttpStatusCode.Gone, olasBrowser.Status);
            Assert.Equal(1, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == ola.Id)));
        }
    }
}
