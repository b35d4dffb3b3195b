using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class EvictionOnSqlite(SqliteStage stage) : EvictionStories(stage), IClassFixture<SqliteStage>;

public sealed class EvictionOnPostgres(PostgresStage stage) : EvictionStories(stage), IClassFixture<PostgresStage>;

/// <summary>The phone's browser has cleared what the app had stored; the passkey in the keychain brings the account back, to its owner and to nobody else.</summary>
public abstract class EvictionStories(Stage stage)
{
    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task R38_A_passkey_that_cannot_leave_the_phone_brings_the_account_back_alone()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        await Server.ChangeAsync(async db => (await db.Phones.SingleAsync(row => row.PersonId == kari.Id)).Name = "Karis telefon");
        using var office = await SignedInAsync(kari, old);
        using var anew = old.AfterEviction(Server);
        anew.Device = "Pixel 9 · Chrome";

        var begun = await anew.BeginRebindingAsync();
        Assert.Equal(("Eksempel kommune", "id.test"), (begun.Text("organisation"), begun.Body["relyingParty"]!["id"]!.GetValue<string>()));
        var answer = await anew.FinishRebindingAsync(begun);

        Assert.True(answer.Ok, $"{answer.Status} {answer.Code}");
        Assert.Equal((kari.UserName, "Eksempel kommune"), (answer.Text("account"), answer.Text("organisation")));
        var phones = await PhonesAsync(kari);
        Assert.Equal([AuthenticatorState.Revoked, AuthenticatorState.Active], phones.Select(phone => phone.State));
        Assert.Equal([old.KeyId, anew.KeyId], phones.Select(phone => phone.KeyId));
        Assert.Equal(["Karis telefon", "Karis telefon"], phones.Select(phone => phone.Name));
        Assert.Equal(answer.Text("authenticatorId"), phones[1].Id.ToString("N"));
        Assert.Equal((true, false), (phones[0].CredentialId is null, phones[0].CredentialKey is null)); // what was signed with the old one can still be verified
        Assert.True(await Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id).AllAsync(row => (row.State == AuthenticatorState.Active) == (row.PhoneId == phones[1].Id))));

        // Recorded, told, and every session is over (R37, R62); the browser is reminded that it holds an account, and the server remembers no failure.
        Assert.Equal((1, 1, 0), (await CountAsync(SecurityEvent.PhoneBoundAnew, kari), await CountAsync(SecurityEvent.PhoneKeyReplaced, kari), await CountAsync(SecurityEvent.PhoneBindingAnewRefused, kari)));
        Assert.Contains("Kontoen ble satt opp på nytt i mobilappen, med telefonens passnøkkel.", (await MailsAsync(kari))[^1], StringComparison.Ordinal);
        await office.OpenAsync("/account");
        Assert.Equal("Logg på", office.Heading);
        Assert.StartsWith("__Host-portvakt-app=1;", anew.SetCookies[^1], StringComparison.Ordinal);
        Assert.Empty(await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Failures > 0 && count.Key.StartsWith("rebinding:")).ToListAsync()));

        await OnlyTheNewOneWorksAsync(kari, old, anew);
    }

    [Fact]
    public async Task A_passkey_that_is_copied_to_other_devices_needs_the_password_as_well()
    {
        var (kari, old) = await EnrolledAsync();
        using var anew = old.AfterEviction(Server);
        anew.Device = "Mac · Safari";

        foreach (var nothing in new[] { null, "" }) Is(HttpStatusCode.UnprocessableEntity, "password", await anew.RebindAsync(nothing));
        Assert.Equal((0, 0), (await CountAsync(SecurityEvent.PasswordRejected, kari), await CountAsync(SecurityEvent.PhoneBindingAnewRefused, kari)));
        Is(HttpStatusCode.UnprocessableEntity, "password", await anew.RebindAsync("en blå elefant på taket"));
        Assert.Equal((1, 1), (await CountAsync(SecurityEvent.PasswordRejected, kari), await CountAsync(SecurityEvent.PhoneBindingAnewRefused, kari)));
        Assert.Equal(1, await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == $"password:passkey:{kari.Id:N}").Select(count => count.Failures).SingleAsync()));
        await UntouchedAsync(kari, old);

        var answer = await anew.RebindAsync(PortvaktServer.Password);
        Assert.True(answer.Ok, $"{answer.Status} {answer.Code}");
        Assert.Equal("Mac · Safari", (await PhonesAsync(kari))[1].Name); // it may be another device of hers, or of a thief: she sees which
        await OnlyTheNewOneWorksAsync(kari, old, anew);
    }

    [Fact]
    public async Task R54_Whoever_has_a_copied_passkey_guesses_five_passwords_and_then_waits()
    {
        var (kari, old) = await EnrolledAsync();
        using var thief = old.AfterEviction(Server);
        for (var guess = 0; guess < 5; guess++) Is(HttpStatusCode.UnprocessableEntity, "password", await thief.RebindAsync($"gjetning nummer {guess}"));
        Is(HttpStatusCode.TooManyRequests, "slow-down", await thief.RebindAsync(PortvaktServer.Password));
        Assert.Equal(5, await CountAsync(SecurityEvent.PasswordRejected, kari)); // the sixth was not looked at
        await UntouchedAsync(kari, old);

        Server.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.True((await thief.RebindAsync(PortvaktServer.Password)).Ok);
    }

    [Fact]
    public async Task R54_Of_many_tries_at_once_five_are_looked_at()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        using var liar = new SoftAuthenticator("id.test", PortvaktServer.Origin) { CredentialId = old.Passkey.CredentialId };
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            using var thief = new Phone(Server);
            var begun = await thief.BeginRebindingAsync();
            return await thief.FinishRebindingAsync(begun, other: liar);
        }));
        Assert.Equal((5, 11), (answers.Count(answer => answer.Code is "rebinding"), answers.Count(answer => answer.Code is "slow-down")));
        Assert.Equal(5, await CountAsync(SecurityEvent.PhoneBindingAnewRefused, kari));
        await UntouchedAsync(kari, old);
    }

    [Fact]
    public async Task R53_One_source_that_guesses_is_slowed_down_whatever_it_names()
    {
        await ForgetFailuresAsync();
        using var thief = new Phone(Server);
        var codes = new List<string?>();
        for (var guess = 0; guess < 25; guess++)
        {
            using var nobodys = new SoftAuthenticator("id.test", PortvaktServer.Origin);
            codes.Add((await thief.FinishRebindingAsync(await thief.BeginRebindingAsync(), other: nobodys)).Code);
        }

        Assert.Equal((20, 5), (codes.Count(code => code is "rebinding"), codes.Count(code => code is "slow-down")));
    }

    [Fact]
    public async Task An_operator_can_keep_copied_passkeys_from_bringing_anything_back()
    {
        var (kari, copied) = await EnrolledAsync();
        var (ola, bound) = await EnrolledAsync(synced: false);
        var settings = Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        settings.AllowSyncedRebinding = false;
        try
        {
            using var again = copied.AfterEviction(Server);
            Is(HttpStatusCode.Conflict, "other-way", await again.RebindAsync(PortvaktServer.Password));
            Assert.Equal(0, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.PasswordRejected)));
            await UntouchedAsync(kari, copied);
            using var other = bound.AfterEviction(Server);
            Assert.True((await other.RebindAsync()).Ok); // one that cannot leave the phone still may
            await OnlyTheNewOneWorksAsync(ola, bound, other);
        }
        finally
        {
            settings.AllowSyncedRebinding = true;
        }
    }

    [Fact]
    public async Task A_password_that_proves_nothing_brings_nothing_back()
    {
        // Known to a stranger, or to the helpdesk: it must be changed at the next sign-in.
        var (kari, known) = await EnrolledAsync();
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).MustChangePassword = true);
        using var first = known.AfterEviction(Server);
        Is(HttpStatusCode.Conflict, "other-way", await first.RebindAsync(PortvaktServer.Password));
        await UntouchedAsync(kari, known);

        var (ola, without) = await EnrolledAsync();
        await Server.ReadAsync(db => db.People.Where(row => row.Id == ola.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, (string?)null)));
        using var second = without.AfterEviction(Server);
        Is(HttpStatusCode.Conflict, "other-way", await second.RebindAsync(PortvaktServer.Password));
        Is(HttpStatusCode.Conflict, "other-way", await second.RebindAsync());
        await UntouchedAsync(ola, without);
    }

    [Fact]
    public async Task R40_What_the_passkey_of_this_phone_has_not_signed_for_this_key_brings_nothing_back()
    {
        var (_, olas) = await EnrolledAsync(synced: false);
        var (kari, old) = await EnrolledAsync(synced: false);
        var passkey = old.Passkey;
        using var other = new SoftAuthenticator("id.test", PortvaktServer.Origin) { CredentialId = passkey.CredentialId };
        var tries = new (string What, Func<Phone, PhoneAnswer, byte[], byte[], Task<PhoneAnswer>> Try)[]
        {
            ("another authenticator", (thief, begun, _, _) => thief.FinishRebindingAsync(begun, other: other)),
            ("another person's passkey under this name", (thief, begun, _, _) => thief.FinishRebindingAsync(
                begun, other: olas.Passkey, tamper: statement => statement["assertion"]!["credentialId"] = Base64Url.EncodeToString(passkey.CredentialId))),
            ("another origin", Bent(() => passkey.Origin = "https://id.test.example")),
            ("inside another site's page", Bent(() => (passkey.CrossOrigin, passkey.TopOrigin) = (true, "https://evil.example"))),
            ("another relying party", Bent(() => passkey.RelyingPartyId = "example")),
            ("not unlocked", Bent(() => passkey.UserVerified = false)),
            ("nobody there", Bent(() => passkey.UserPresent = false)),
            ("a flag of backup that has changed", Bent(() => passkey.BackupEligible = true)),
            ("made over another challenge", (thief, begun, _, kid) => thief.FinishRebindingAsync(begun, signOther: LabelledHash.Of("portvakt/rebind/v1", new byte[32], kid))),
            ("made for an approval", (thief, begun, challenge, kid) => thief.FinishRebindingAsync(begun, signOther: LabelledHash.Of("portvakt/decision/v1", challenge, kid))),
            ("made without the key", (thief, begun, challenge, _) => thief.FinishRebindingAsync(begun, signOther: LabelledHash.Of("portvakt/rebind/v1", challenge))),
            ("made for another key", (thief, begun, challenge, _) => thief.FinishRebindingAsync(begun, signOther: LabelledHash.Of("portvakt/rebind/v1", challenge, Encoding.ASCII.GetBytes(olas.KeyId)))),
            ("a new passkey instead of a signature", (thief, begun, challenge, kid) => thief.FinishRebindingAsync(
                begun, tamper: statement => statement["assertion"]!["clientDataJson"] = Base64Url.EncodeToString(passkey.Create(LabelledHash.Of("portvakt/rebind/v1", challenge, kid)).ClientDataJson))),
            ("another audience", (thief, begun, _, _) => thief.FinishRebindingAsync(begun, tamper: statement => statement["aud"] = "https://evil.example")),
            ("another key named", (thief, begun, _, _) => thief.FinishRebindingAsync(begun, tamper: statement => statement["kid"] = old.KeyId)),
            ("a broken signature of the message", (thief, begun, _, _) => thief.FinishRebindingAsync(begun, bend: jws => jws[..^8] + (jws[^8] is 'A' ? 'B' : 'A') + jws[^7..])),
            ("a seed key off the curve", (thief, begun, _, _) => thief.FinishRebindingAsync(begun, tamper: statement => statement["seedKey"] = Base64Url.EncodeToString([4, .. new byte[64]]))),
        };
        foreach (var (what, attempt) in tries)
        {
            await ForgetFailuresAsync();
            using var thief = old.AfterEviction(Server);
            var begun = await thief.BeginRebindingAsync();
            var answer = await attempt(thief, begun, Base64Url.DecodeFromChars(begun.Text("challenge")), Encoding.ASCII.GetBytes(thief.KeyId));
            Assert.Equal((what, HttpStatusCode.UnprocessableEntity, "rebinding"), (what, answer.Status, answer.Code));
        }

        await UntouchedAsync(kari, old);
        using var anew = old.AfterEviction(Server);
        Assert.True((await anew.RebindAsync()).Ok); // it was worth trying

        Func<Phone, PhoneAnswer, byte[], byte[], Task<PhoneAnswer>> Bent(Action bend) => async (thief, begun, _, _) =>
        {
            var (origin, party, cross, top, verified, present, eligible) = (passkey.Origin, passkey.RelyingPartyId, passkey.CrossOrigin, passkey.TopOrigin, passkey.UserVerified, passkey.UserPresent, passkey.BackupEligible);
            bend();
            var said = await thief.FinishRebindingAsync(begun);
            (passkey.Origin, passkey.RelyingPartyId, passkey.CrossOrigin, passkey.TopOrigin, passkey.UserVerified, passkey.UserPresent, passkey.BackupEligible) = (origin, party, cross, top, verified, present, eligible);
            return said;
        };
    }

    [Fact]
    public async Task R33_A_challenge_holds_for_one_key_for_five_minutes_and_once()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        using var phone = old.AfterEviction(Server);
        using var stranger = new Phone(Server);

        Is(HttpStatusCode.Gone, "expired", await phone.FinishRebindingAsync(await stranger.BeginRebindingAsync())); // for another key
        var forged = await phone.BeginRebindingAsync();
        var bytes = Base64Url.DecodeFromChars(forged.Text("challenge"));
        bytes[7] ^= 1; // another time
        forged.Body["challenge"] = Base64Url.EncodeToString(bytes);
        Is(HttpStatusCode.Gone, "expired", await phone.FinishRebindingAsync(forged));

        var late = await phone.BeginRebindingAsync();
        Server.Clock.Advance(TimeSpan.FromMinutes(5));
        Is(HttpStatusCode.Gone, "expired", await phone.FinishRebindingAsync(late));
        await ForgetFailuresAsync();

        // It is gone after the first try, also after one that failed.
        var begun = await phone.BeginRebindingAsync();
        using var liar = new SoftAuthenticator("id.test", PortvaktServer.Origin) { CredentialId = old.Passkey.CredentialId };
        Is(HttpStatusCode.UnprocessableEntity, "rebinding", await phone.FinishRebindingAsync(begun, other: liar));
        Is(HttpStatusCode.Gone, "expired", await phone.FinishRebindingAsync(begun));
        await UntouchedAsync(kari, old);

        begun = await phone.BeginRebindingAsync();
        Server.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromMilliseconds(1));
        Assert.True((await phone.FinishRebindingAsync(begun)).Ok);
        for (var replays = 0; replays < 2; replays++)
            Is(HttpStatusCode.Gone, "expired", await phone.PostAsync("/phone/api/rebind/finish", phone.LastRebinding!.DeepClone().AsObject(), proof: false));
        Is(HttpStatusCode.UnprocessableEntity, "rebinding", await phone.RebindAsync()); // nor is a key bound twice
        Assert.Equal(2, (await PhonesAsync(kari)).Count);
        await OnlyTheNewOneWorksAsync(kari, old, phone);
    }

    [Fact]
    public async Task What_is_not_a_message_of_the_protocol_is_called_so_and_costs_nothing()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        using var phone = old.AfterEviction(Server);
        var begun = await phone.BeginRebindingAsync();
        Is(HttpStatusCode.BadRequest, "malformed", await phone.FinishRebindingAsync(begun, type: "portvakt-bind+jws"));
        foreach (var (member, value) in new (string, JsonNode?)[] { ("v", 2), ("assertion", null), ("challenge", "AAAA"), ("seedKey", "AAAA"), ("consent", ""), ("app", new string('1', 21)) })
            Is(HttpStatusCode.BadRequest, "malformed", await phone.FinishRebindingAsync(begun, tamper: statement => statement[member] = value));
        foreach (var kid in new JsonNode?[] { null, "", new string('A', 42), new string('!', 43) })
            Is(HttpStatusCode.BadRequest, "malformed", await phone.PostAsync("/phone/api/rebind/begin", new JsonObject { ["kid"] = kid }, proof: false));
        Assert.Empty(await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key.StartsWith("rebinding:")).ToListAsync()));
        Assert.True((await phone.FinishRebindingAsync(begun)).Ok); // nor has it used the challenge
        await OnlyTheNewOneWorksAsync(kari, old, phone);
    }

    [Fact]
    public async Task R57_Unknown_dead_and_living_passkeys_are_one_answer_for_whoever_does_not_hold_them()
    {
        var (_, living) = await EnrolledAsync(synced: false);
        var (ola, dead) = await EnrolledAsync(synced: false);
        await RevokeAsync(ola);
        var answers = new List<string>();
        foreach (var credential in new[] { living.Passkey.CredentialId, dead.Passkey.CredentialId, Guid.NewGuid().ToByteArray() })
        {
            using var thief = new Phone(Server);
            using var liar = new SoftAuthenticator("id.test", PortvaktServer.Origin) { CredentialId = credential };
            var answer = await thief.FinishRebindingAsync(await thief.BeginRebindingAsync(), other: liar);
            answer.Body.Remove("traceId");
            answers.Add($"{answer.Status} {answer.Body.ToJsonString()}");
        }

        Assert.Single(answers.Distinct(StringComparer.Ordinal));
        Assert.Contains("rebinding", answers[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("removed in security info", HttpStatusCode.Conflict, "phone-removed")]
    [InlineData("removed in the app", HttpStatusCode.Conflict, "phone-removed")]
    [InlineData("never tested", HttpStatusCode.Conflict, "phone-removed")]
    [InlineData("locked", HttpStatusCode.Forbidden, "account-closed")]
    [InlineData("a case is open", HttpStatusCode.Forbidden, "account-closed")]
    [InlineData("the app is not for this person", HttpStatusCode.Conflict, "other-way")]
    public async Task R10_The_owner_of_the_passkey_is_told_why_nothing_comes_back(string what, HttpStatusCode status, string code)
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        switch (what)
        {
            case "removed in security info":
                await RevokeAsync(kari);
                break;
            case "removed in the app":
                Assert.True((await old.PostAsync("/phone/api/remove", [])).Ok);
                break;
            case "never tested":
                await Server.ReadAsync(db => db.Phones.Where(row => row.PersonId == kari.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.State, AuthenticatorState.Unconfirmed)));
                break;
            case "locked":
                await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock());
                break;
            case "a case is open":
                using (var thief = new Browser(Server))
                {
                    await thief.OpenAppAsync();
                    await thief.PasswordAsync(kari);
                    Assert.Equal("reported", (await old.DenyAsync("not-me")).Text("outcome"));
                }

                break;
            default:
                await Server.ChangeAsync(db =>
                {
                    db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { ForEnrolment = Methods.Passkey });
                    return Task.CompletedTask;
                });
                break;
        }

        var before = await StateAsync(kari);
        using var again = old.AfterEviction(Server);
        Is(status, code, await again.RebindAsync());
        Assert.Equal(before, await StateAsync(kari));
        Assert.Equal(1, await CountAsync(SecurityEvent.PhoneBindingAnewRefused, kari));
        Is(HttpStatusCode.Unauthorized, "unknown-phone", await again.GetAsync("/phone/api/pending"));
    }

    [Fact]
    public async Task R40_A_copy_whose_counter_lags_behind_brings_nothing_back_and_is_noticed()
    {
        await ForgetFailuresAsync();
        using var counting = new SoftAuthenticator("id.test", PortvaktServer.Origin) { Counts = true, SignatureCounter = 7 };
        var (kari, old) = await Cast.EnrolledAsync(Server, new Phone(Server, keychain: counting));
        counting.SignatureCounter = 3;
        using var thief = old.AfterEviction(Server);
        Is(HttpStatusCode.UnprocessableEntity, "rebinding", await thief.RebindAsync());
        Assert.Equal(1, await CountAsync(SecurityEvent.PasskeyCloneSuspected, kari));

        counting.SignatureCounter = 20;
        using var anew = old.AfterEviction(Server);
        Assert.True((await anew.RebindAsync()).Ok);
        Assert.Equal(21, (await PhonesAsync(kari))[1].SignatureCounter);
    }

    [Fact]
    public async Task A_request_that_was_asked_before_is_over_and_the_next_comes_to_the_new_key()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var number = browser.MatchingNumber;
        var (id, context) = (await old.PendingAsync())!.Value;
        using var anew = old.AfterEviction(Server);
        Assert.True((await anew.RebindAsync()).Ok);

        Assert.Equal(ApprovalState.Superseded, await Server.ReadAsync(db => db.Approvals.Where(row => row.Id == id).Select(row => row.State).SingleAsync()));
        Is(HttpStatusCode.Unauthorized, "unknown-phone", await old.AnswerAsync(id, context, "approve", number));
        Assert.Null(await anew.PendingAsync());
        Assert.False((await anew.AnswerAsync(id, context, "approve", number)).Ok);

        await browser.ReloadAsync();
        await browser.PressAsync("Send på nytt");
        Assert.Equal("approved", (await anew.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
    }

    [Fact]
    public async Task R62_What_the_old_key_and_its_codes_have_proven_and_nobody_has_used_yet_opens_nothing_after_it()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using var approved = new Browser(Server);
        await approved.OpenAppAsync();
        await approved.PasswordAsync(kari);
        Assert.Equal("approved", (await old.ApproveAsync(approved.MatchingNumber)).Text("outcome")); // and the button is not pressed yet
        using var proven = new Browser(Server);
        await proven.OpenAppAsync();
        await proven.PasswordAsync(kari);
        await proven.OpenAsync($"/sign-in/{proven.AttemptId}/code");
        await proven.Fill("Kode", old.Code()).PressAsync("Bekreft");
        Assert.Equal("Vil du forbli pålogget?", proven.Heading);

        using var anew = old.AfterEviction(Server);
        Assert.True((await anew.RebindAsync()).Ok);
        await approved.PressAsync("Jeg har godkjent");
        Assert.Equal(HttpStatusCode.Gone, approved.Status);
        await proven.PressAsync("Nei");
        Assert.Equal(HttpStatusCode.Gone, proven.Status);
        Assert.Equal(0, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
    }

    [Fact]
    public async Task R52_Strangers_who_know_the_user_name_alone_cannot_keep_a_copied_passkey_from_bringing_the_account_back()
    {
        var (kari, old) = await EnrolledAsync();
        for (var guess = 0; guess < 10; guess++)
        {
            using var stranger = new Browser(Server, address: $"203.0.113.{guess}");
            await stranger.OpenAsync("/sign-in");
            await stranger.PasswordAsync(kari, $"guess number {guess}");
        }

        using var anew = old.AfterEviction(Server);
        var answer = await anew.RebindAsync(PortvaktServer.Password);
        Assert.True(answer.Ok, $"{answer.Status} {answer.Code}");
        await OnlyTheNewOneWorksAsync(kari, old, anew, forget: true);
    }

    [Fact]
    public async Task R52_A_try_that_came_while_the_source_had_to_wait_is_no_guess_at_the_password()
    {
        var (kari, old) = await EnrolledAsync();
        using var anew = old.AfterEviction(Server);
        Is(HttpStatusCode.UnprocessableEntity, "password", await anew.RebindAsync("feil passord fra samme hus"));
        var until = (Server.Clock.GetUtcNow() + TimeSpan.FromMinutes(1)).ToUnixTimeMilliseconds();
        Assert.Equal(1, await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == "password:source:192.0.2.20").ExecuteUpdateAsync(set => set.SetProperty(count => count.BlockedUntil, until))));
        for (var tries = 0; tries < 5; tries++) Is(HttpStatusCode.TooManyRequests, "slow-down", await anew.RebindAsync(PortvaktServer.Password));
        Server.Clock.Advance(TimeSpan.FromSeconds(61));
        var answer = await anew.RebindAsync(PortvaktServer.Password);
        Assert.True(answer.Ok, $"{answer.Status} {answer.Code}");
        await OnlyTheNewOneWorksAsync(kari, old, anew);
    }

    [Fact]
    public async Task R12_Of_many_who_bring_the_same_account_back_at_once_one_does()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        var phones = Enumerable.Range(0, 4).Select(_ => old.AfterEviction(Server)).ToList();
        var answers = await Task.WhenAll(phones.Select(phone => phone.RebindAsync()));
        Assert.Contains(answers, answer => answer.Ok); // who comes after the first has saved replaces it again, as a lost answer does
        var rows = await PhonesAsync(kari);
        Assert.Equal(answers.Count(answer => answer.Ok) + 1, rows.Count);
        var active = Assert.Single(rows, row => row.State is AuthenticatorState.Active);
        Assert.Single(rows, row => row.CredentialId is not null);
        await OnlyTheNewOneWorksAsync(kari, old, phones.Single(phone => phone.KeyId == active.KeyId));
        phones.ForEach(phone => phone.Dispose());
    }

    [Fact]
    public async Task R39_A_phone_that_comes_back_takes_no_second_place()
    {
        var (kari, old) = await EnrolledAsync(synced: false);
        await Server.ChangeAsync(db =>
        {
            db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { MaximumPhones = 1 });
            return Task.CompletedTask;
        });
        using var first = old.AfterEviction(Server);
        Assert.True((await first.RebindAsync()).Ok);
        using var second = first.AfterEviction(Server); // and again
        Assert.True((await second.RebindAsync()).Ok);
        Assert.Equal(1, (await PhonesAsync(kari)).Count(row => row.State is AuthenticatorState.Active));
        await OnlyTheNewOneWorksAsync(kari, first, second);
    }

    /// <summary>Old key and old codes open nothing, new key and new codes do.</summary>
    private async Task OnlyTheNewOneWorksAsync(Person kari, Phone old, Phone anew, bool forget = false)
    {
        if (forget) await ForgetFailuresAsync();
        Is(HttpStatusCode.Unauthorized, "unknown-phone", await old.GetAsync("/phone/api/pending"));
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        using (await SignedInAsync(kari, anew))
        {
            // The key.
        }

        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(Convert.ToHexString(old.Seed), Convert.ToHexString(anew.Seed));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
        await browser.Fill("Kode", old.Code()).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Kode", anew.Code()).PressAsync("Bekreft");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    /// <summary>Nothing has changed: the old key answers, its codes count.</summary>
    private async Task UntouchedAsync(Person kari, Phone old)
    {
        Assert.Equal(0, await CountAsync(SecurityEvent.PhoneBoundAnew, kari));
        var phone = Assert.Single(await PhonesAsync(kari));
        Assert.Equal((AuthenticatorState.Active, old.KeyId, true), (phone.State, phone.KeyId, phone.CredentialId is not null));
        Assert.True((await old.GetAsync("/phone/api/pending")).Ok);
        Assert.Equal(AuthenticatorState.Active, await Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id).Select(row => row.State).SingleAsync()));
    }

    private async Task<string> StateAsync(Person person) =>
        string.Join(' ', (await PhonesAsync(person)).Select(row => $"{row.KeyId} {row.State} {row.RemovedOnPhoneAt}"))
        + string.Join(' ', await Server.ReadAsync(db => db.Totps.Where(row => row.PersonId == person.Id).OrderBy(row => row.Id).Select(row => row.State).ToListAsync()));

    private async Task<Browser> SignedInAsync(Person kari, Phone phone)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        return browser;
    }

    private async Task<(Person Person, Phone Phone)> EnrolledAsync(bool synced = true)
    {
        await ForgetFailuresAsync();
        var phone = new Phone(Server);
        (phone.Passkey.BackupEligible, phone.Passkey.BackupState) = (synced, synced);
        return await Cast.EnrolledAsync(Server, phone);
    }

    /// <summary>All phones come from one address here, and its count is not what these stories are about.</summary>
    private Task ForgetFailuresAsync() => Server.ReadAsync(db => db.FailureCounts.ExecuteDeleteAsync());

    private Task RevokeAsync(Person person) => Server.ChangeAsync(async db =>
    {
        (await db.Phones.SingleAsync(row => row.PersonId == person.Id)).Revoke();
        (await db.Totps.SingleAsync(row => row.PersonId == person.Id)).Revoke();
    });

    private Task<List<PhoneAuthenticator>> PhonesAsync(Person person) => Server.ReadAsync(db => db.Phones.AsNoTracking().Where(row => row.PersonId == person.Id).OrderBy(row => row.State == AuthenticatorState.Active).ThenBy(row => row.CreatedAt).ToListAsync());

    private Task<int> CountAsync(SecurityEvent what, Person person) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == person.Id));

    private Task<List<string>> MailsAsync(Person person) => Server.ReadAsync(db => db.Mails.Where(mail => mail.PersonId == person.Id).OrderBy(mail => mail.CreatedAt).ThenBy(mail => mail.Id).Select(mail => mail.Text).ToListAsync());

    private static void Is(HttpStatusCode status, string code, PhoneAnswer answer) => Assert.Equal((status, code), (answer.Status, answer.Code));
}
