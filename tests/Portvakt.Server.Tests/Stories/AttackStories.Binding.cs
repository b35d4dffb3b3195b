using System.Net;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>Phones that are bound: codes used twice, guessed or over, and what is bound with them.</summary>
public abstract partial class AttackStories
{
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
}
