using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class AttacksOnSqlite(SqliteStage stage) : AttackStories(stage), IClassFixture<SqliteStage>;

public sealed class AttacksOnPostgres(PostgresStage stage) : AttackStories(stage), IClassFixture<PostgresStage>;

/// <summary>The same stage, other actors. Each story names the requirement it shows.</summary>
public abstract class AttackStories(Stage stage)
{
    private const int Racers = 64;

    private PortvaktServer Server => stage.Server;

    /// <summary>Kari at the second factor, with her phone beside her.</summary>
    private async Task<(Person Kari, Phone Phone, Browser Browser)> AtTheSecondFactorAsync()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        return (kari, phone, browser);
    }

    /// <summary>Kari at the picture.</summary>
    private async Task<(Person Kari, Browser Browser)> AtThePictureAsync()
    {
        var kari = await Server.AddPersonAsync();
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        return (kari, browser);
    }

    private static string Other(string number) => number == "10" ? "11" : "10";

    private Task<ApprovalState> StateOfAsync(string id) => Server.ReadAsync(db => db.Approvals.Where(row => row.Id == id).Select(row => row.State).SingleAsync());

    private Task<int> CountAsync(SecurityEvent what, Guid personId) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == personId));

    // ---- The sign-in transaction

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

    // ---- The signed answer

    [Theory]
    [InlineData("v", "2")]
    [InlineData("id", "\"AAAAAAAAAAAAAAAAAAAAAA\"")]
    [InlineData("aud", "\"https://id.evil\"")]
    [InlineData("ctx", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"")]
    [InlineData("nonce", "\"AAAAAAAAAAAAAAAAAAAAAA\"")]
    [InlineData("decision", "\"Approve\"")]
    [InlineData("decision", "\"approved\"")]
    public async Task R11_An_answer_with_one_field_changed_is_refused_and_the_request_lives_on(string field, string value)
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (id, context) = (await phone.PendingAsync())!.Value;
            var answer = await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber, tamper: statement => statement[field] = JsonNode.Parse(value));
            Assert.False(answer.Ok);
            Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
        }
    }

    [Fact]
    public async Task R11_The_unlock_is_bound_to_the_very_statement_that_was_signed()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (id, context) = (await phone.PendingAsync())!.Value;
            var swapped = await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber, signOther: statement => Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(statement).Replace("approve", "deny", StringComparison.Ordinal)));
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), (swapped.Status, swapped.Code));
            Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
        }
    }

    [Fact]
    public async Task R11_A_signature_for_one_request_never_fits_another()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (first, context) = (await phone.PendingAsync())!.Value;
            Server.Clock.Advance(TimeSpan.FromSeconds(61));
            await browser.ReloadAsync();
            await browser.PressAsync("Send på nytt");
            var (second, _) = (await phone.PendingAsync())!.Value;
            var answer = await phone.AnswerAsync(first, context, "approve", browser.MatchingNumber, tamper: statement => statement["id"] = second);
            Assert.False(answer.Ok);
            Assert.Equal(ApprovalState.Pending, await StateOfAsync(second));
        }
    }

    [Fact]
    public async Task R12_Of_64_answers_at_once_exactly_one_counts_with_exactly_one_audit_row()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            for (var round = 0; round < 3; round++)
            {
                var (id, context) = (await phone.PendingAsync())!.Value;
                var number = browser.MatchingNumber;
                var before = await CountAsync(SecurityEvent.ApprovalApproved, kari.Id) + await CountAsync(SecurityEvent.ApprovalDenied, kari.Id);
                var answers = await Task.WhenAll(Enumerable.Range(0, Racers).Select(racer => Task.Run(() => phone.AnswerAsync(id, context, racer % 2 is 0 ? "approve" : "cancelled", racer % 2 is 0 ? number : null))));
                Assert.Single(answers, answer => answer.Ok);
                Assert.All(answers.Where(answer => !answer.Ok), answer => Assert.True(answer.Code is "answered" or "proof" or "nonce", $"{answer.Status} {answer.Code}"));
                Assert.Equal(before + 1, await CountAsync(SecurityEvent.ApprovalApproved, kari.Id) + await CountAsync(SecurityEvent.ApprovalDenied, kari.Id));
                Assert.NotEqual(ApprovalState.Pending, await StateOfAsync(id));
                if (round is 2 || await StateOfAsync(id) is ApprovalState.Approved) return;
                await browser.ReloadAsync();
                await browser.PressAsync("Send på nytt");
            }
        }
    }

    [Fact]
    public async Task R13_R24_An_answer_counts_one_millisecond_before_the_end_and_not_at_it()
    {
        foreach (var (late, outcome) in new[] { (TimeSpan.FromMilliseconds(-1), true), (TimeSpan.Zero, false) })
        {
            var (_, phone, browser) = await AtTheSecondFactorAsync();
            using (browser)
            {
                var (id, context) = (await phone.PendingAsync())!.Value;
                var expiresAt = await Server.ReadAsync(db => db.Approvals.Where(row => row.Id == id).Select(row => row.ExpiresAt).SingleAsync());
                Server.Clock.Advance(expiresAt - Server.Clock.GetUtcNow() + late);
                var answer = await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber);
                Assert.Equal(outcome, answer.Ok);
                if (!outcome) Assert.Equal((HttpStatusCode.Gone, "expired"), (answer.Status, answer.Code));
                await browser.ReloadAsync();
                Assert.Equal(outcome, browser.Has("Fortsett"));
            }
        }
    }

    [Fact]
    public async Task R14_A_wrong_number_ends_the_request_and_the_right_one_comes_too_late()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (id, context) = (await phone.PendingAsync())!.Value;
            Assert.DoesNotContain(browser.MatchingNumber, Encoding.UTF8.GetString(context).Replace(JsonNode.Parse(context)!["iat"]!.ToString(), "", StringComparison.Ordinal).Replace(JsonNode.Parse(context)!["exp"]!.ToString(), "", StringComparison.Ordinal)
                .Replace(JsonNode.Parse(context)!["nonce"]!.ToString(), "", StringComparison.Ordinal).Replace(id, "", StringComparison.Ordinal).Replace("192.0.2", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.Equal("wrong-number", (await phone.AnswerAsync(id, context, "approve", Other(browser.MatchingNumber))).Text("outcome"));
            Assert.Equal("answered", (await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber)).Code);
            await browser.ReloadAsync();
            Assert.Contains("et annet tall", browser.Text, StringComparison.Ordinal);
            Assert.Equal(1, await CountAsync(SecurityEvent.ApprovalWrongNumber, kari.Id));

            await browser.PressAsync("Send på nytt");
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            Assert.Equal("Vil du forbli pålogget?", browser.Heading);
        }
    }

    [Fact]
    public async Task R16_An_approval_without_the_phones_unlock_is_refused()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            phone.Passkey.UserVerified = false;
            var refused = await phone.ApproveAsync(browser.MatchingNumber);
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), (refused.Status, refused.Code));
            phone.Passkey.UserVerified = true;

            foreach (var bend in new Action<JsonObject>[]
            {
                body => body["assertion"] = null,
                body => body["assertion"]!["signature"] = "AAAA",
                body => body["assertion"]!["credentialId"] = "AAAA",
                body => body["assertion"]!["authenticatorData"] = "not base64!",
                body => body["assertion"] = new JsonObject(),
            })
            {
                var (id, context) = (await phone.PendingAsync())!.Value;
                Assert.Equal("unlock", (await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber, tamperBody: bend)).Code);
            }

            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        }
    }

    [Fact]
    public async Task R19_The_phone_is_told_application_browser_place_and_time()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var context = JsonNode.Parse((await phone.PendingAsync())!.Value.Context)!;
            Assert.Equal("Timeliste", context["application"]!.ToString());
            Assert.Equal("Firefox, Windows", context["browser"]!.ToString());
            Assert.Equal("192.0.2.x", context["address"]!.ToString());
            Assert.Equal(60, context["exp"]!.GetValue<long>() - context["iat"]!.GetValue<long>());
        }
    }

    [Theory]
    [InlineData("10.1.2.3", "nb", "Dette nettverket", "10.1.2.x")]
    [InlineData("192.168.1.9", "en", "This network", "192.168.1.x")]
    [InlineData("fd00:12::1", "nn", "Dette nettverket", "fd00:0012::")]
    [InlineData("203.0.113.77", "nb", null, "203.0.113.x")]
    [InlineData("2001:db8:1:2::7", "en", null, "2001:0db8::")]
    public async Task R19_The_place_is_this_network_or_unknown_and_the_address_is_never_whole(string address, string language, string? place, string coarse)
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var browser = new Browser(Server, language, address);
        await browser.OpenAppAsync();
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (kari.UserName, PortvaktServer.Password));
        var context = (await phone.PendingAsync())!.Value.Context;
        var told = JsonNode.Parse(context)!;
        Assert.Equal((place, coarse), (told["place"]?.ToString(), told["address"]!.ToString()));
        Assert.DoesNotContain(address, Encoding.UTF8.GetString(context), StringComparison.Ordinal);
    }

    [Fact]
    public async Task R21_R103_Without_the_phones_own_signature_nothing_is_answered()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        using (var stranger = new Phone(Server))
        {
            var (id, context) = (await phone.PendingAsync())!.Value;
            var path = $"/phone/api/approvals/{id}/answer";
            var body = Encoding.UTF8.GetBytes("{}");
            Assert.Equal(HttpStatusCode.Unauthorized, (await phone.SendOnceAsync(HttpMethod.Post, path, body, proof: null)).Status);

            // Every id is right, only the key is another.
            stranger.KeyId = phone.KeyId;
            await stranger.GetAsync("/phone/api/pending");
            Assert.Equal("proof", (await stranger.AnswerAsync(id, context, "approve", browser.MatchingNumber)).Code);

            // The browser's own cookies, a form, the wrong verb.
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head, HttpMethod.Put, HttpMethod.Delete })
            {
                await browser.SendAsync(new HttpRequestMessage(method, path));
                Assert.True((int)browser.Status >= 400);
            }

            await browser.SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent([new("decision", "approve")]) });
            Assert.True((int)browser.Status >= 400);
            Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
        }
    }

    [Fact]
    public async Task R22_Another_persons_phone_sees_and_answers_nothing()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (_, other) = await Cast.EnrolledAsync(Server);
            var (id, context) = (await phone.PendingAsync())!.Value;
            Assert.Null(await other.PendingAsync());
            foreach (var decision in new[] { "approve", "cancelled", "not-me" })
            {
                var answer = await other.AnswerAsync(id, context, decision, decision is "approve" ? browser.MatchingNumber : null);
                Assert.Equal((HttpStatusCode.NotFound, "unknown-request"), (answer.Status, answer.Code));
            }

            Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
            await other.PostAsync("/phone/api/remove", []);
            Assert.NotNull(await phone.PendingAsync());
        }
    }

    [Fact]
    public async Task R24_Answers_after_a_newer_request_or_revocation_are_refused()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (old, context) = (await phone.PendingAsync())!.Value;
            var number = browser.MatchingNumber;
            using var second = new Browser(Server);
            await second.OpenAppAsync();
            await second.PasswordAsync(kari);
            Assert.Equal("answered", (await phone.AnswerAsync(old, context, "approve", number)).Code);

            await Server.ChangeAsync(async db => (await db.Phones.SingleAsync(row => row.KeyId == phone.KeyId)).Revoke());
            Assert.Equal("unknown-phone", (await phone.GetAsync("/phone/api/pending")).Code);
        }
    }

    [Fact]
    public async Task A_phone_whose_clock_is_two_days_off_is_told_so_and_changes_nothing()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            foreach (var off in new[] { TimeSpan.FromDays(2), TimeSpan.FromDays(-2) })
            {
                var wrong = new FakeTimeProvider(Server.Clock.GetUtcNow() + off);
                var proof = phone.Proof(HttpMethod.Get, "/phone/api/pending", null, payload => payload["iat"] = wrong.GetUtcNow().ToUnixTimeSeconds());
                Assert.Equal((HttpStatusCode.Unauthorized, "nonce"), ((await phone.SendOnceAsync(HttpMethod.Get, "/phone/api/pending", null, proof)) is var answer ? (answer.Status, answer.Code) : default));
            }

            Assert.NotNull(await phone.PendingAsync());
        }
    }

    [Fact]
    public async Task A_proof_counts_once_for_its_address_method_and_body()
    {
        var (_, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            await phone.PendingAsync();
            var proof = phone.Proof(HttpMethod.Get, "/phone/api/pending", null);
            Assert.True((await phone.SendOnceAsync(HttpMethod.Get, "/phone/api/pending", null, proof)).Ok);
            Assert.Equal("proof", (await phone.SendOnceAsync(HttpMethod.Get, "/phone/api/pending", null, proof)).Code);

            var body = Encoding.UTF8.GetBytes("""{"push":null}""");
            Assert.Equal("proof", (await phone.SendOnceAsync(HttpMethod.Post, "/phone/api/report", body, phone.Proof(HttpMethod.Get, "/phone/api/report", body))).Code);
            Assert.Equal("proof", (await phone.SendOnceAsync(HttpMethod.Post, "/phone/api/report", body, phone.Proof(HttpMethod.Post, "/phone/api/remove", body))).Code);
            Assert.Equal("proof", (await phone.SendOnceAsync(HttpMethod.Post, "/phone/api/report", body, phone.Proof(HttpMethod.Post, "/phone/api/report", [1]))).Code);
            Assert.Equal("proof", (await phone.SendOnceAsync(HttpMethod.Post, "/phone/api/report", body, phone.Proof(HttpMethod.Post, "/phone/api/report", null))).Code);
            Assert.Equal("nonce", (await phone.SendOnceAsync(HttpMethod.Post, "/phone/api/report", body, phone.Proof(HttpMethod.Post, "/phone/api/report", body, payload => payload["nonce"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))).Code);
        }
    }

    [Fact]
    public async Task R18_It_was_not_me_ends_the_sign_in_the_sessions_and_the_pushes()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var signedIn = new Browser(Server);
        await signedIn.OpenAsync("/sign-in");
        await signedIn.PasswordAsync(kari);
        await phone.ApproveAsync(signedIn.MatchingNumber);
        await signedIn.PressAsync("Jeg har godkjent");
        await signedIn.PressAsync("Ja");
        Assert.Equal("Hei, Kari Nordmann", signedIn.Heading);

        using var thief = new Browser(Server, address: "198.51.100.7");
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        Assert.Equal("reported", (await phone.DenyAsync("not-me")).Text("outcome"));

        await thief.ReloadAsync();
        Assert.Equal(HttpStatusCode.Gone, thief.Status);
        Assert.Equal("Påloggingen er stoppet", thief.Heading);
        Assert.Contains("Noen svarte «Det var ikke meg» på telefonen", thief.Text, StringComparison.Ordinal);
        await signedIn.OpenAsync("/account");
        Assert.Equal("Logg på", signedIn.Heading);
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        Assert.Null(await phone.PendingAsync());
        Assert.Equal(1, await CountAsync(SecurityEvent.ApprovalReported, kari.Id));
    }

    [Fact]
    public async Task R17_A_password_alone_makes_the_phone_ring_three_times_and_no_more()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        for (var times = 0; times < 3; times++)
        {
            using var thief = new Browser(Server, address: "198.51.100.9");
            await thief.OpenAppAsync();
            await thief.PasswordAsync(kari);
            Assert.NotEmpty(thief.MatchingNumber);
        }

        await phone.DenyAsync();
        using var fourth = new Browser(Server);
        await fourth.OpenAppAsync();
        await fourth.PasswordAsync(kari);
        Assert.Contains("blir ikke spurt på en stund", fourth.Text, StringComparison.Ordinal);
        Assert.Null(await phone.PendingAsync());
        await fourth.PressAsync("Skriv inn koden fra appen");
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await fourth.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal("Vil du forbli pålogget?", fourth.Heading);

        Server.Clock.Advance(TimeSpan.FromMinutes(10));
        using var later = new Browser(Server);
        await later.OpenAppAsync();
        await later.PasswordAsync(kari);
        Assert.NotEmpty(later.MatchingNumber);
    }

    [Fact]
    public async Task R17_Ten_times_a_day_without_an_approval_and_the_phone_is_left_in_peace()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        for (var times = 0; times < 10; times++)
        {
            using var thief = await AskedAsync();
            Assert.NotEmpty(thief.MatchingNumber);
        }

        using (var eleventh = await AskedAsync())
        {
            Assert.Contains("blir ikke spurt på en stund", eleventh.Text, StringComparison.Ordinal);
            Assert.Null(await phone.PendingAsync());
        }

        // A day after the first one there is room for one again; an approval starts the count over.
        Server.Clock.Advance(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(11 * 10));
        using var owner = await AskedAsync();
        Assert.Equal("approved", (await phone.ApproveAsync(owner.MatchingNumber)).Text("outcome"));
        for (var times = 0; times < 3; times++)
        {
            using var next = await AskedAsync();
            Assert.NotEmpty(next.MatchingNumber);
        }

        async Task<Browser> AskedAsync()
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(11)); // so that three in ten minutes are not what stops it
            var browser = new Browser(Server, address: "198.51.100.10");
            await browser.OpenAppAsync();
            return await browser.PasswordAsync(kari);
        }
    }

    [Fact]
    public async Task R14_Five_wrong_numbers_and_the_phone_is_left_in_peace()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        for (var times = 0; times < 5; times++)
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(4));
            using var thief = new Browser(Server);
            await thief.OpenAppAsync();
            await thief.PasswordAsync(kari);
            Assert.Equal("wrong-number", (await phone.ApproveAsync(Other(thief.MatchingNumber))).Text("outcome"));
        }

        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        using var sixth = new Browser(Server);
        await sixth.OpenAppAsync();
        await sixth.PasswordAsync(kari);
        Assert.Null(await phone.PendingAsync());
    }

    [Fact]
    public async Task R10_A_locked_persons_phone_is_told_that_it_is_over()
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            var (id, context) = (await phone.PendingAsync())!.Value;
            await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock());
            Assert.Equal((HttpStatusCode.Gone, "expired"), ((await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber)) is var answer ? (answer.Status, answer.Code) : default));
            Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
        }
    }

    [Fact]
    public async Task R18_The_test_of_a_new_phone_cannot_sign_anybody_out()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann", TimeSpan.FromDays(5));
        using var home = new Browser(Server);
        await home.OpenAsync("/sign-in");
        await home.PasswordAsync(ola);
        await home.PressAsync("Ikke nå");
        await home.PressAsync("Ja");
        Assert.Equal("Hei, Ola Nordmann", home.Heading);

        using var thief = new Browser(Server);
        using var phone = new Phone(Server);
        await thief.OpenAppAsync("strict"); // "not now" holds for a day, in every browser; an application that asks for two factors asks all the same
        await thief.PasswordAsync(ola);
        await thief.PressAsync("Neste");
        await thief.PressAsync("Konfigurer");
        await phone.BindAsync(thief.TypedCode);
        await thief.ReloadAsync();
        await thief.PressAsync("Neste");
        Assert.Equal("reported", (await phone.DenyAsync("not-me")).Text("outcome"));
        await home.OpenAsync("/account");
        Assert.Equal("Hei, Ola Nordmann", home.Heading);
    }

    // ---- Enrolment

    [Fact]
    public async Task Of_two_enrolments_at_the_same_moment_one_counts()
    {
        var kari = await Server.AddPersonAsync();
        var stages = new List<(Browser Browser, Phone Phone)>();
        for (var tab = 0; tab < 2; tab++)
        {
            var browser = new Browser(Server);
            var phone = new Phone(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.PressAsync("Neste");
            await browser.PressAsync("Konfigurer");
            Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
            stages.Add((browser, phone));
        }

        await Task.WhenAll(stages.Select(stage => Task.Run(() => stage.Browser.PressAsync("Jeg har godkjent"))));
        Assert.Equal(1, await Server.ReadAsync(db => db.Phones.CountAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
        foreach (var (browser, phone) in stages)
        {
            browser.Dispose();
            phone.Dispose();
        }
    }

    [Fact]
    public async Task R30_R101_The_picture_stays_the_same_while_it_lives_and_dies_after_ten_minutes()
    {
        var (_, browser) = await AtThePictureAsync();
        using (browser)
        {
            var code = browser.TypedCode;
            await browser.ReloadAsync();
            Assert.Equal(code, browser.TypedCode);
            using var phone = new Phone(Server);
            Server.Clock.Advance(BindingCode.Lifetime);
            Assert.Equal("code-expired", (await phone.BindAsync(code)).Code);
            await browser.ReloadAsync();
            Assert.Contains("eldre enn ti minutter", browser.Text, StringComparison.Ordinal);
            await browser.PressAsync("Hent ny kode");
            Assert.NotEqual(code, browser.TypedCode);
            Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
        }
    }

    [Fact]
    public async Task R30_A_code_is_void_once_it_was_used_cancelled_or_replaced()
    {
        foreach (var button in new[] { "Hent ny kode", "Velg en annen metode" })
        {
            foreach (var bound in new[] { false, true })
            {
                var (kari, browser) = await AtThePictureAsync();
                using (browser)
                using (var mine = new Phone(Server))
                using (var late = new Phone(Server))
                {
                    var code = browser.TypedCode;
                    if (bound) Assert.True((await mine.BindAsync(code)).Ok);
                    await browser.PressAsync(button);
                    Assert.Equal("code-expired", (await (bound ? late : mine).BindAsync(code)).Code);
                    if (bound) Assert.Equal("unknown-phone", (await mine.GetAsync("/phone/api/pending")).Code);
                    Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == kari.Id && row.State != AuthenticatorState.Revoked)));
                }
            }
        }

        var (_, again) = await AtThePictureAsync();
        using (again)
        using (var thief = new Phone(Server))
        {
            var code = again.TypedCode;
            using var mine = new Phone(Server);
            Assert.True((await mine.BindAsync(code)).Ok);
            await again.ReloadAsync();
            await again.PressAsync("Neste");
            await mine.ApproveAsync(again.MatchingNumber);
            await again.PressAsync("Jeg har godkjent");
            Assert.Equal("code-used", (await thief.BindAsync(code)).Code);
            Assert.True((await mine.GetAsync("/phone/api/pending")).Ok);
        }
    }

    [Fact]
    public async Task However_busy_after_an_hour_the_password_has_to_be_typed_again()
    {
        var (_, browser) = await AtThePictureAsync();
        using (browser)
        {
            var begunAt = await Server.ReadAsync(db => db.SignInAttempts.Where(row => row.Id == browser.AttemptId).Select(row => row.CreatedAt).SingleAsync());
            for (var minutes = 20; minutes < 60; minutes += 20)
            {
                Server.Clock.Advance(begunAt.AddMinutes(minutes) - Server.Clock.GetUtcNow());
                await browser.PressAsync("Velg en annen metode"); // progress: it renews the time limit of half an hour
                await browser.PressAsync("Konfigurer");
                Assert.Equal("Konfigurer mobilappen", browser.Heading);
            }

            Server.Clock.Advance(begunAt + SignInAttempt.LongestLifetime - Server.Clock.GetUtcNow() - TimeSpan.FromMilliseconds(2)); // a click takes one
            await browser.ReloadAsync();
            Assert.Equal("Konfigurer mobilappen", browser.Heading);
            await browser.ReloadAsync();
            Assert.Equal(HttpStatusCode.Gone, browser.Status);
        }
    }

    [Fact]
    public async Task R31_A_second_phone_voids_the_code_for_both_even_after_the_first_was_bound()
    {
        foreach (var boundFirst in new[] { false, true })
        {
            var (kari, browser) = await AtThePictureAsync();
            using (browser)
            using (var mine = new Phone(Server))
            using (var thiefs = new Phone(Server))
            {
                var code = browser.TypedCode;
                Assert.True((boundFirst ? await mine.BindAsync(code) : await mine.BeginAsync(code)).Ok);
                Assert.Equal("code-used-twice", (await thiefs.BindAsync(code)).Code);
                Assert.Equal("code-used-twice", (await mine.BeginAsync(code)).Code);
                Assert.Equal(1, await CountAsync(SecurityEvent.BindingCodeUsedTwice, kari.Id));
                await browser.ReloadAsync();
                Assert.Contains("To telefoner", browser.Text, StringComparison.Ordinal);
                Assert.False(browser.Has("Neste"));
                if (boundFirst) Assert.Equal("unknown-phone", (await mine.GetAsync("/phone/api/pending")).Code);

                await browser.PressAsync("Hent ny kode");
                using var fresh = new Phone(Server);
                Assert.True((await fresh.BindAsync(browser.TypedCode)).Ok);
            }
        }
    }

    [Fact]
    public async Task R31_A_second_phone_during_the_test_approval_voids_the_first_one_too()
    {
        var (kari, browser) = await AtThePictureAsync();
        using (browser)
        using (var mine = new Phone(Server))
        using (var thiefs = new Phone(Server))
        {
            var code = browser.TypedCode;
            await mine.BindAsync(code);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            var number = browser.MatchingNumber;
            var (id, context) = (await mine.PendingAsync())!.Value;
            Assert.Equal("code-used-twice", (await thiefs.BindAsync(code)).Code);
            Assert.Equal("unknown-phone", (await mine.AnswerAsync(id, context, "approve", number)).Code);
            await browser.ReloadAsync();
            Assert.Contains("To telefoner", browser.Text, StringComparison.Ordinal);
            Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
        }
    }

    [Fact]
    public async Task R31_Of_64_phones_at_once_none_gets_in()
    {
        var (kari, browser) = await AtThePictureAsync();
        using (browser)
        {
            var code = browser.TypedCode;
            var phones = Enumerable.Range(0, Racers).Select(_ => new Phone(Server)).ToList();
            var answers = await Task.WhenAll(phones.Select(phone => Task.Run(() => phone.BindAsync(code))));
            Assert.DoesNotContain(answers, answer => answer.Ok);
            Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == kari.Id && row.State != AuthenticatorState.Revoked)));
            await browser.ReloadAsync();
            Assert.Contains("To telefoner", browser.Text, StringComparison.Ordinal);
            phones.ForEach(phone => phone.Dispose());
        }
    }

    [Fact]
    public async Task R33_A_registration_cannot_be_replayed_and_a_failed_one_has_used_up_its_challenge()
    {
        var (_, browser) = await AtThePictureAsync();
        using (browser)
        using (var phone = new Phone(Server))
        {
            var code = browser.TypedCode;
            var begun = await phone.BeginAsync(code);
            string? sent = null;
            Assert.True((await phone.FinishAsync(code, begun, bend: jws => sent = jws)).Ok);
            Assert.False((await phone.PostAsync("/phone/api/binding/finish", new JsonObject { ["jws"] = sent }, proof: false)).Ok);
        }

        var (_, again) = await AtThePictureAsync();
        using (again)
        using (var phone = new Phone(Server))
        {
            var code = again.TypedCode;
            var begun = await phone.BeginAsync(code);
            Assert.Equal("binding", (await phone.FinishAsync(code, begun, statement => statement["aud"] = "https://id.evil")).Code);
            Assert.Equal("code-expired", (await phone.FinishAsync(code, begun)).Code);
            Assert.True((await phone.BindAsync(code)).Ok);
        }
    }

    [Theory]
    [InlineData("aud", "\"https://id.evil\"", "binding")]
    [InlineData("challenge", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "binding")]
    [InlineData("kid", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "binding")]
    [InlineData("passkey", "null", "unlock")]
    [InlineData("passkey", "{}", "unlock")]
    [InlineData("pin", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "unlock")]
    [InlineData("seedKey", "\"AAAA\"", "binding")]
    [InlineData("consent", "\"\"", "binding")]
    [InlineData("codeHash", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"", "unknown-code")]
    [InlineData("v", "2", "malformed")]
    public async Task A_binding_with_one_field_changed_binds_nothing(string field, string value, string code)
    {
        var (kari, browser) = await AtThePictureAsync();
        using (browser)
        using (var phone = new Phone(Server))
        {
            var typed = browser.TypedCode;
            var begun = await phone.BeginAsync(typed);
            Assert.Equal(code, (await phone.FinishAsync(typed, begun, statement => statement[field] = JsonNode.Parse(value))).Code);
            Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == kari.Id)));
        }
    }

    [Fact]
    public async Task A_phone_without_user_verification_or_of_another_origin_cannot_be_bound()
    {
        foreach (var bend in new Action<Phone>[] { phone => phone.Passkey.UserVerified = false, phone => phone.Passkey.Origin = "https://id.evil", phone => phone.Passkey.RelyingPartyId = "id.evil" })
        {
            var (_, browser) = await AtThePictureAsync();
            using (browser)
            using (var phone = new Phone(Server))
            {
                bend(phone);
                Assert.Equal("unlock", (await phone.BindAsync(browser.TypedCode)).Code);
            }
        }
    }

    [Fact]
    public async Task A_bound_phone_counts_for_nothing_until_its_test_is_approved()
    {
        var (kari, browser) = await AtThePictureAsync();
        using (browser)
        using (var phone = new Phone(Server))
        {
            await phone.BindAsync(browser.TypedCode);
            using var elsewhere = new Browser(Server);
            await elsewhere.OpenAppAsync();
            await elsewhere.PasswordAsync(kari);
            Assert.Equal("Mer informasjon kreves", elsewhere.Heading);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            await phone.DenyAsync();
            await browser.ReloadAsync();
            Assert.Contains("avbrutt", browser.Text, StringComparison.Ordinal);
            await browser.PressAsync("Send på nytt");
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            Assert.True(browser.Has("Fullført"));
        }
    }

    [Fact]
    public async Task A_phone_that_was_removed_between_its_test_and_the_next_click_does_not_count()
    {
        var (kari, browser) = await AtThePictureAsync();
        using (browser)
        using (var phone = new Phone(Server))
        {
            await phone.BindAsync(browser.TypedCode);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
            Assert.Equal(HttpStatusCode.NoContent, (await phone.PostAsync("/phone/api/remove", [])).Status);
            await browser.PressAsync("Jeg har godkjent");
            Assert.False(await Server.ReadAsync(db => db.Phones.AnyAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));

            // A new picture, and a phone that stays.
            using var other = new Phone(Server);
            Assert.True((await other.BindAsync(browser.TypedCode)).Ok);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            await other.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            Assert.True(browser.Has("Fullført"));
        }
    }

    [Fact]
    public async Task Guessing_typed_codes_is_slowed_down_before_it_is_worth_it()
    {
        using var server = new Phone(Server);
        PhoneAnswer answer;
        var guesses = 0;
        do
        {
            answer = await server.BeginAsync($"AAAAAAAAAA{(char)('A' + guesses % 26)}{(char)('A' + guesses / 26)}");
            guesses++;
        }
        while (answer.Code is "unknown-code" && guesses < 100);

        Assert.Equal((HttpStatusCode)429, answer.Status);
        Assert.InRange(guesses, 5, 30);
        Server.Clock.Advance(TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task Five_wrong_pins_and_the_phone_is_dead()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        for (var left = 4; left >= 1; left--)
        {
            var wrong = await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber, pin: "0000");
            Assert.Equal(("pin", left), (wrong.Code, wrong.Body["triesLeft"]!.GetValue<int>()));
        }

        Assert.Equal("pin-locked", (await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber, pin: "0000")).Code);
        Assert.Equal("pin-locked", (await phone.AnswerAsync(id, context, "approve", browser.MatchingNumber)).Code);
        Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));
    }

    // ---- Codes and passwords

    [Fact]
    public async Task R49_A_code_counts_once_and_of_12_at_once_one()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var browsers = new List<Browser>();
        for (var index = 0; index < 12; index++)
        {
            var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
            browsers.Add(browser.Fill("Kode", phone.Code()));
        }

        await Task.WhenAll(browsers.Select(browser => Task.Run(() => browser.PressAsync("Bekreft"))));
        Assert.Single(browsers, browser => browser.Heading is "Vil du forbli pålogget?");
        browsers.ForEach(browser => browser.Dispose());
    }

    [Fact]
    public async Task R50_Guessed_codes_are_counted_over_all_browsers_and_stop_at_five()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        HttpStatusCode last = default;
        for (var guess = 0; guess < 7; guess++)
        {
            using var browser = new Browser(Server, address: $"198.51.100.{guess}");
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
            await browser.Fill("Kode", phone.Code() is "000000" ? "000001" : "000000").PressAsync("Bekreft");
            last = browser.Status;
            Assert.Equal(guess < 5 ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.TooManyRequests, last);
        }

        // The right one does not help during the pause, and a right password does not end it (R51).
        using var owner = new Browser(Server);
        await owner.OpenAppAsync();
        await owner.PasswordAsync(kari);
        await owner.OpenAsync($"/sign-in/{owner.AttemptId}/code");
        await owner.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.TooManyRequests, owner.Status);
    }

    [Theory]
    [InlineData("code", "Kode", "000000", "000001")]
    [InlineData("recovery-code", "Gjenopprettingskode", "AAAA-AAAA-AAAA-AA", "AAAA-AAAA-AAAA-AB")]
    public async Task R51_At_the_limit_the_sign_in_is_over_and_its_old_page_leads_nowhere(string page, string label, string guess, string otherGuess)
    {
        var (kari, phone, browser) = await AtTheSecondFactorAsync();
        using (browser)
        {
            await Server.ChangeAsync(db =>
            {
                db.RecoveryCodes.Add(new RecoveryCode(kari.Id, RandomId.Hash(RandomId.New()), Server.Clock.GetUtcNow()));
                return Task.CompletedTask;
            });
            await browser.OpenAsync($"/sign-in/{browser.AttemptId}/{page}");
            for (var times = 0; times < 5; times++)
            {
                await browser.Fill(label, phone.Code() == guess ? otherGuess : guess).PressAsync("Bekreft");
                Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
            }

            await browser.Fill(label, page is "code" ? phone.Code() : guess).PressAsync("Bekreft");
            Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
            var (old, attempt) = (browser.Page.Forms[0], browser.AttemptId);
            await browser.ReloadAsync();
            Assert.Equal(HttpStatusCode.Gone, browser.Status);

            // Waiting does not bring it back, whatever is typed into the page that was left open.
            Server.Clock.Advance(TimeSpan.FromMinutes(16));
            await browser.OpenAsync("/sign-in");
            await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["code"] = phone.Code(), forge: request => request.RequestUri = new Uri($"/sign-in/{attempt}/{page}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Gone, browser.Status);
            Assert.NotNull(old);
            Assert.Equal(1, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id)));
        }
    }

    [Fact]
    public async Task A_source_pays_for_each_try_also_of_one_and_the_same_wrong_password()
    {
        const string address = "203.0.113.201";
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, address: address);
        await browser.OpenAsync("/sign-in");
        for (var times = 0; times < 4; times++) await browser.PasswordAsync(kari, "caps lock was on");
        Assert.Equal((1, 4), (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));

        // Ninety-five tries later the source must wait, whoever it names; the account's own count has not moved.
        await Server.ChangeAsync(db => db.FailureCounts.Where(row => row.Key == $"password:source:{address}").ExecuteUpdateAsync(set => set.SetProperty(row => row.Failures, Throttle.PasswordSource.FreeFailures - 1)));
        await browser.PasswordAsync(kari, "caps lock was on");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        foreach (var password in new[] { "caps lock was on", PortvaktServer.Password })
        {
            await browser.PasswordAsync(kari, password);
            Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        }

        Assert.Equal(1, await FailuresAsync($"password:unfamiliar:{kari.UserName}"));
    }

    [Fact]
    public async Task A_try_that_nobody_looked_at_is_neither_right_nor_wrong_when_the_server_is_busy()
    {
        const string address = "203.0.113.202";
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var browser = new Browser(Server, address: address);
        await browser.OpenAppAsync();
        using var atTheNumber = new Browser(Server);
        await atTheNumber.OpenAppAsync();
        await atTheNumber.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        await using var storm = new Storm(Server);

        (int, int) before;
        var tries = 0;
        do
        {
            Assert.True(tries < 50, "Never busy.");
            before = (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}"));
            await browser.PasswordAsync(kari, $"wrong {tries++}");
            if (browser.Status is HttpStatusCode.TooManyRequests) Server.Clock.Advance(TimeSpan.FromDays(2)); // the hash found time too often
        }
        while (browser.Status is not HttpStatusCode.ServiceUnavailable);
        Assert.Equal(before, (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));
        Assert.Equal("5", browser.Answer.Headers.RetryAfter!.ToString());

        PhoneAnswer answer;
        int pinsBefore;
        do
        {
            pinsBefore = await PinFailuresAsync();
            answer = await phone.AnswerAsync(id, context, "approve", atTheNumber.MatchingNumber, pin: "0000");
            if (answer.Code is "pin") await Server.ChangeAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).ExecuteUpdateAsync(set => set.SetProperty(row => row.PinFailures, 0)));
        }
        while (answer.Code is "pin");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (answer.Status, answer.Code));
        Assert.Equal(pinsBefore, await PinFailuresAsync());

        Task<int> PinFailuresAsync() => Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.PinFailures).SingleAsync());
    }

    [Fact]
    public async Task A_try_that_nobody_looked_at_is_neither_right_nor_wrong_when_the_window_was_closed()
    {
        const string address = "203.0.113.203";
        var (kari, phone) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        using var atTheNumber = new Browser(Server);
        await atTheNumber.OpenAppAsync();
        await atTheNumber.PasswordAsync(kari);
        var (id, context) = (await phone.PendingAsync())!.Value;
        await using var storm = new Storm(Server, depth: 40);

        using var browser = new Browser(Server, address: address);
        await browser.OpenAppAsync();
        await ClosedAsync(
            closes =>
            {
                browser.Closes = closes;
                return browser.PasswordAsync(kari, "wrong, and then gone");
            },
            () => FailuresAsync($"password:source:{address}"));
        Assert.Equal((0, 0), (await FailuresAsync($"password:unfamiliar:{kari.UserName}"), await FailuresAsync($"password:source:{address}")));

        await ClosedAsync(
            closes =>
            {
                phone.Closes = closes;
                return phone.AnswerAsync(id, context, "approve", atTheNumber.MatchingNumber, pin: "0000");
            },
            PinFailuresAsync);
        phone.Closes = default;
        Assert.Equal(0, await PinFailuresAsync());
        Assert.Equal(ApprovalState.Pending, await StateOfAsync(id));

        // Closed when the try has been counted and the secret has not yet been looked at.
        async Task ClosedAsync(Func<CancellationToken, Task> trying, Func<Task<int>> failures)
        {
            using var closing = new CancellationTokenSource();
            var gone = Task.Run(() => trying(closing.Token));
            await PortvaktServer.UntilAsync(async () => await failures() > 0);
            await closing.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
            await Server.IdleAsync();
        }

        Task<int> PinFailuresAsync() => Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.PinFailures).SingleAsync());
    }

    private Task<int> FailuresAsync(string key) => Server.ReadAsync(db => db.FailureCounts.Where(row => row.Key == key).Select(row => row.Failures).SingleOrDefaultAsync());

    [Fact]
    public async Task R52_Strangers_cannot_lock_Kari_out_of_the_browser_she_knows()
    {
        var kari = await Server.AddPersonAsync();
        using var home = new Browser(Server);
        await home.OpenAsync("/sign-in");
        await home.PasswordAsync(kari);
        using var phone = await home.EnrolPhoneAsync(Server);
        await home.FinishAsync();

        HttpStatusCode last = default;
        for (var guess = 0; guess < 13; guess++)
        {
            using var stranger = new Browser(Server, address: $"203.0.113.{guess}");
            await stranger.OpenAsync("/sign-in");
            await stranger.PasswordAsync(kari, $"guess number {guess}");
            last = stranger.Status;
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last);
        await home.OpenAppAsync(extra: "&prompt=login");
        await home.PasswordAsync(kari);
        Assert.Equal("Godkjenn på telefonen", home.Heading);
    }

    [Fact]
    public async Task R52_After_a_burst_of_wrong_passwords_a_school_behind_one_address_gets_in_one_after_another()
    {
        const string school = "198.51.100.77";
        using (var guesser = new Browser(Server, address: school))
        {
            await guesser.OpenAsync("/sign-in");
            await guesser.PasswordAsync(await Server.AddPersonAsync(), "a guess");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, guesser.Status);
        }

        // As if ninety-nine others had come before it, and the pause for the hundredth were over.
        Assert.Equal(1, await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == $"password:source:{school}").ExecuteUpdateAsync(set => set.SetProperty(count => count.Failures, Throttle.PasswordSource.FreeFailures))));
        for (var pupil = 0; pupil < 4; pupil++)
        {
            var kari = await Server.AddPersonAsync();
            using var browser = new Browser(Server, address: school);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            Assert.Equal((pupil, "Mer informasjon kreves"), (pupil, browser.Heading));
        }

        // Whoever guesses on waits as before.
        foreach (var status in new[] { HttpStatusCode.UnprocessableEntity, HttpStatusCode.TooManyRequests })
        {
            using var guesser = new Browser(Server, address: school);
            await guesser.OpenAsync("/sign-in");
            await guesser.PasswordAsync(await Server.AddPersonAsync(), "another guess");
            Assert.Equal(status, guesser.Status);
        }
    }

    [Fact]
    public async Task R52_The_same_wrong_password_again_is_not_another_guess()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server, address: "203.0.113.200");
        await browser.OpenAsync("/sign-in");
        for (var times = 0; times < 15; times++)
        {
            await browser.PasswordAsync(kari, "caps lock was on");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.PasswordAsync(kari);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
    }

    // ---- Sessions, forms

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
