using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>The answer of the phone: forged, bent, repeated, late, another's; and the phone left in peace.</summary>
public abstract partial class AttackStories
{
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
}
