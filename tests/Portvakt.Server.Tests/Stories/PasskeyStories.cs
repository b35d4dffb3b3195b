using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class PasskeysOnSqlite(SqliteStage stage) : PasskeyStories(stage), IClassFixture<SqliteStage>;

public sealed class PasskeysOnPostgres(PostgresStage stage) : PasskeyStories(stage), IClassFixture<PostgresStage>;

public sealed class PasskeysOnTwoNodes(TwoNodesStage stage) : PasskeyStories(stage), IClassFixture<TwoNodesStage>;

/// <summary>What the page's script and the browser do with an authenticator, without either.</summary>
public static class PasskeyCast
{
    /// <summary>An authenticator that keeps one passkey for this server.</summary>
    public static SoftAuthenticator NewKey() => new(new Uri(PortvaktServer.Origin).Host, PortvaktServer.Origin) { BackupEligible = true, BackupState = true };

    /// <summary>The form that the script fills in.</summary>
    public static IHtmlFormElement PasskeyForm(this Browser browser) =>
        (IHtmlFormElement?)browser.Page.QuerySelector("form[data-passkey]") ?? throw new InvalidOperationException($"No passkey on “{browser.Heading}” ({browser.Path}): {browser.Text}");

    /// <summary>What the page asks the browser for.</summary>
    public static JsonObject Asked(this Browser browser) => JsonNode.Parse(browser.PasskeyForm().GetAttribute("data-options") ?? throw new InvalidOperationException($"Nothing is asked for: {browser.Text}"))!.AsObject();

    public static byte[] Challenge(this Browser browser) => Base64Url.DecodeFromChars(browser.Asked()["challenge"]!.GetValue<string>());

    /// <summary>Makes a passkey and sends it.</summary>
    public static Task MakePasskeyAsync(this Browser browser, SoftAuthenticator key, string? name = null, Func<MadeCredential, string>? bend = null)
    {
        var asked = browser.Asked();
        Assert.DoesNotContain(Base64Url.EncodeToString(key.CredentialId), asked["excludeCredentials"]!.AsArray().Select(known => known!["id"]!.GetValue<string>()));
        key.UserHandle = Base64Url.DecodeFromChars(asked["user"]!["id"]!.GetValue<string>());
        var made = key.Create(browser.Challenge());
        return browser.SendPasskeyAsync(bend?.Invoke(made) ?? made.ToJson(), name);
    }

    /// <summary>Answers with a passkey.</summary>
    public static Task UsePasskeyAsync(this Browser browser, SoftAuthenticator key) => browser.SendPasskeyAsync(key.Get(browser.Challenge()).ToJson());

    public static Task SendPasskeyAsync(this Browser browser, string? answer, string? name = null) => browser.SubmitAsync(browser.PasskeyForm(), tamper: fields =>
    {
        if (answer is not null) fields["answer"] = answer;
        if (name is not null) fields["name"] = name;
    });

    /// <summary>From the password page to the page that makes a passkey.</summary>
    public static async Task ToPasskeyAsync(this Browser browser, Person person)
    {
        await browser.PasswordAsync(person);
        await browser.PressAsync("Neste");
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "passkey");
        Assert.Equal("Konfigurer en sikkerhetsnøkkel eller passnøkkel", browser.Heading);
    }
}

/// <summary>Passkeys and security keys: made, used beside the password, used alone, demanded, and attacked.</summary>
public abstract class PasskeyStories(Stage stage)
{
    private const string NotUsable = "Denne passnøkkelen kan ikke brukes her.";
    private const string LetIn = "Vil du forbli pålogget?";

    private PortvaktServer Server => stage.Server;

    // ---- Making one

    [Fact]
    public async Task Kari_sets_up_a_passkey_in_the_journey_and_the_application_hears_of_the_strongest_sign_in()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.ToPasskeyAsync(kari);
        Assert.Equal("Passnøkkel på Windows", browser.PasskeyForm().QuerySelector("#name")!.GetAttribute("value"));

        await browser.MakePasskeyAsync(key, name: "  Nøkkel\u202E på ringen ");
        await browser.FinishAsync(stay: false);
        Assert.StartsWith(PortvaktServer.RedirectUri, browser.LeftFor!.ToString(), StringComparison.Ordinal);

        var passkey = await Server.ReadAsync(db => db.Passkeys.SingleAsync(row => row.PersonId == kari.Id));
        Assert.Equal(("Nøkkel på ringen", true, true), (passkey.Name, passkey.BackupEligible, passkey.BackedUp));
        Assert.Equal(key.CredentialId, passkey.CredentialId);
        Assert.Equal((SecondFactorMethod.Passkey, false, AssuranceLevel.PhishingResistant), await LastSessionAsync(kari));
        Assert.Equal(1, await CountAsync(SecurityEvent.PasskeyAdded, kari.Id));
        Assert.Contains("passnøkkel", await Server.ReadAsync(db => db.Mails.Where(row => row.PersonId == kari.Id).Select(row => row.Text).SingleAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_asks_for_an_unlocked_key_of_our_own_address_and_not_for_one_that_is_there_already()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using var browser = await EnrolledBrowserAsync(kari, key);
        await browser.OpenAsync(await AddingAsync(browser, kari));
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "passkey");

        var asked = browser.Asked();
        Assert.Equal(("id.test", "required", "none"), (asked["rp"]!["id"]!.GetValue<string>(), asked["authenticatorSelection"]!["userVerification"]!.GetValue<string>(), asked["attestation"]!.GetValue<string>()));
        Assert.Equal([-7, -257], asked["pubKeyCredParams"]!.AsArray().Select(one => one!["alg"]!.GetValue<int>()));
        Assert.Equal([Base64Url.EncodeToString(key.CredentialId)], asked["excludeCredentials"]!.AsArray().Select(one => one!["id"]!.GetValue<string>()));
        Assert.Equal(Passkey.UserHandleOf(kari.Id), Base64Url.DecodeFromChars(asked["user"]!["id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Without_a_script_there_is_another_method()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.ToPasskeyAsync(kari);
        Assert.Contains("JavaScript", browser.Page.QuerySelector("[data-without]:not([hidden])")!.TextContent, StringComparison.Ordinal);
        Assert.All(browser.Page.QuerySelectorAll("[data-with]"), part => Assert.True(part.HasAttribute("hidden")));
        await browser.PressAsync("Velg en annen metode");
        Assert.Equal("Ytterligere sikkerhetsbekreftelse", browser.Heading);
        await browser.PressAsync("Konfigurer");
        Assert.Equal("Konfigurer mobilappen", browser.Heading);
    }

    [Fact]
    public async Task R33_R40_A_registration_that_is_not_what_was_asked_for_registers_nothing()
    {
        var kari = await Server.AddPersonAsync();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.ToPasskeyAsync(kari);

        // Another origin, another relying party, nobody there, not unlocked, in a frame, and texts that are none.
        foreach (var lie in (Action<SoftAuthenticator>[])
                 [
                     key => key.Origin = "https://id.test.evil.example", key => key.RelyingPartyId = "evil.example", key => key.UserPresent = false, key => key.UserVerified = false,
                     key => key.CrossOrigin = true, key => key.BackupEligible = false,
                 ])
        {
            using var key = PasskeyCast.NewKey();
            lie(key);
            await browser.MakePasskeyAsync(key);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
            Assert.Contains(key.UserVerified ? "kunne ikke settes opp" : "Slå på PIN", browser.Text, StringComparison.Ordinal);
        }

        foreach (var nonsense in new[] { null, "", "{}", "null", "[1]", "{\"type\":\"public-key\"}", "{\"type\":\"public-key\",\"response\":{\"clientDataJSON\":\"!\",\"attestationObject\":\"AA\"}}", new string('[', 3000) })
        {
            await browser.SendPasskeyAsync(nonsense);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        // The challenge of the answer before is gone, and so is one of another attempt.
        using var honest = PasskeyCast.NewKey();
        var old = browser.Challenge();
        await browser.SendPasskeyAsync("{}");
        Assert.NotEqual(old, browser.Challenge());
        await browser.SendPasskeyAsync(honest.Create(old).ToJson());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.False(await Server.ReadAsync(db => db.Passkeys.AnyAsync(row => row.PersonId == kari.Id)));

        await browser.MakePasskeyAsync(honest);
        Assert.True(browser.Has("Fullført"));
    }

    [Fact]
    public async Task R33_The_same_registration_sent_twice_counts_once()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.ToPasskeyAsync(kari);
        var twin = browser.NewTab();
        await twin.OpenAsync(browser.Path);
        Assert.Equal(browser.Challenge(), twin.Challenge()); // one attempt, one challenge: a second window does not void the first
        var answer = key.Create(browser.Challenge()).ToJson();
        await Task.WhenAll(browser.SendPasskeyAsync(answer), twin.SendPasskeyAsync(answer));
        Assert.Equal(1, await Server.ReadAsync(db => db.Passkeys.CountAsync(row => row.PersonId == kari.Id)));
        Assert.Equal(1, await CountAsync(SecurityEvent.PasskeyAdded, kari.Id));
    }

    [Fact]
    public async Task R40_A_credential_id_belongs_to_one_person_on_whatever_device()
    {
        var (ola, phone) = await Cast.EnrolledAsync(Server);
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using (phone)
        using (await EnrolledBrowserAsync(kari, key))
        using (var browser = new Browser(Server))
        {
            var per = await Server.AddPersonAsync("Per Hansen");
            await browser.OpenAppAsync();
            await browser.ToPasskeyAsync(per);
            foreach (var taken in new[] { key.CredentialId, phone.Passkey.CredentialId })
            {
                using var thief = PasskeyCast.NewKey();
                thief.CredentialId = taken;
                await browser.MakePasskeyAsync(thief);
                Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
                Assert.Contains("satt opp fra før", browser.Text, StringComparison.Ordinal);
            }

            Assert.False(await Server.ReadAsync(db => db.Passkeys.AnyAsync(row => row.PersonId == per.Id || row.PersonId == ola.Id)));
        }

        // And a phone cannot bring one along that is a passkey.
        using var other = new Phone(Server);
        other.Passkey.CredentialId = key.CredentialId;
        using var again = new Browser(Server);
        await again.OpenAppAsync();
        await again.PasswordAsync(await Server.AddPersonAsync());
        await again.PressAsync("Neste");
        await again.PressAsync("Konfigurer");
        Assert.Equal("unlock", (await other.BindAsync(again.TypedCode)).Code);
    }

    [Fact]
    public async Task R39_Nobody_has_more_passkeys_than_the_policy_allows()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using var browser = await EnrolledBrowserAsync(kari, key);
        await PolicyAsync(kari, policy => policy.MaximumPasskeys = 1);
        await browser.OpenAsync(await AddingAsync(browser, kari));
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "passkey");
        Assert.Contains("Du kan ikke sette opp flere passnøkler.", browser.Text, StringComparison.Ordinal);
        Assert.Empty(browser.PasskeyForm().GetAttribute("data-options") ?? "");
        await PolicyAsync(kari, policy => policy.MaximumPasskeys = 2);
        await browser.ReloadAsync();
        await PolicyAsync(kari, policy => policy.MaximumPasskeys = 1);
        using var second = PasskeyCast.NewKey();
        await browser.MakePasskeyAsync(second);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        Assert.Equal(1, await Server.ReadAsync(db => db.Passkeys.CountAsync(row => row.PersonId == kari.Id)));
    }

    [Fact]
    public async Task A_second_passkey_is_added_and_both_open()
    {
        var kari = await Server.AddPersonAsync();
        using var first = PasskeyCast.NewKey();
        using var second = PasskeyCast.NewKey();
        using var browser = await EnrolledBrowserAsync(kari, first);
        await browser.OpenAsync(await AddingAsync(browser, kari));
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "passkey");
        await browser.MakePasskeyAsync(second);
        Assert.StartsWith("/account", browser.Path, StringComparison.Ordinal);
        foreach (var key in new[] { first, second })
        {
            using var tomorrow = new Browser(Server);
            await tomorrow.OpenAppAsync();
            await tomorrow.PasswordAsync(kari);
            await tomorrow.UsePasskeyAsync(key);
            Assert.Equal(LetIn, tomorrow.Heading);
        }
    }

    // ---- Beside the password

    [Fact]
    public async Task Kari_signs_in_with_the_password_and_the_passkey()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        key.Counts = true;
        using (await EnrolledBrowserAsync(kari, key))
        using (var browser = new Browser(Server))
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            Assert.Equal("Bruk passnøkkelen", browser.Heading);
            Assert.Equal([Base64Url.EncodeToString(key.CredentialId)], browser.Asked()["allowCredentials"]!.AsArray().Select(one => one!["id"]!.GetValue<string>()));
            key.BackupState = false;
            await browser.UsePasskeyAsync(key);
            await browser.PressAsync("Nei");
            Assert.NotNull(browser.LeftFor);
        }

        Assert.Equal((SecondFactorMethod.Passkey, false, AssuranceLevel.PhishingResistant), await LastSessionAsync(kari));
        var passkey = await Server.ReadAsync(db => db.Passkeys.SingleAsync(row => row.PersonId == kari.Id));
        Assert.Equal((1L, false), (passkey.SignatureCounter, passkey.BackedUp));
        Assert.NotNull(passkey.LastUsedAt);
    }

    [Fact]
    public async Task R40_An_assertion_that_is_not_what_was_asked_for_opens_nothing()
    {
        var (kari, per) = (await Server.AddPersonAsync(), await Server.AddPersonAsync("Per Hansen"));
        using var key = PasskeyCast.NewKey();
        using var others = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        (await EnrolledBrowserAsync(per, others)).Dispose();

        foreach (var (name, lie) in new (string, Func<SoftAuthenticator, byte[], MadeAssertion>)[]
                 {
                     ("another origin", (mine, challenge) => { mine.Origin = "https://id.test.evil.example"; return mine.Get(challenge); }),
                     ("another relying party", (mine, challenge) => { mine.RelyingPartyId = "evil.example"; return mine.Get(challenge); }),
                     ("not unlocked", (mine, challenge) => { mine.UserVerified = false; return mine.Get(challenge); }),
                     ("nobody there", (mine, challenge) => { mine.UserPresent = false; return mine.Get(challenge); }),
                     ("in a frame", (mine, challenge) => { mine.CrossOrigin = true; return mine.Get(challenge); }),
                     ("another challenge", (mine, _) => mine.Get(RandomNumberGenerator.GetBytes(32))),
                     ("not as it was made", (mine, challenge) => { mine.BackupEligible = mine.BackupState = false; return mine.Get(challenge); }),
                     ("another signature", (mine, challenge) => mine.Get(challenge) with { Signature = others.Get(challenge).Signature }),
                     ("another's passkey", (_, challenge) => others.Get(challenge)),
                     ("another's passkey under her name", (_, challenge) => others.Get(challenge) with { CredentialId = key.CredentialId }),
                     ("another's user handle", (mine, challenge) => mine.Get(challenge) with { UserHandle = others.UserHandle }),
                     ("a registration", (mine, challenge) => mine.Get(challenge) with { ClientDataJson = mine.ClientData("webauthn.create", challenge) }),
                 })
        {
            using var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            var (origin, relyingParty) = (key.Origin, key.RelyingPartyId);
            await browser.SendPasskeyAsync(lie(key, browser.Challenge()).ToJson());
            Assert.True(browser.Status is HttpStatusCode.UnprocessableEntity && browser.Heading is "Bruk passnøkkelen", name);
            Assert.Contains(name is "not unlocked" ? "Nøkkelen bekreftet ikke" : NotUsable, browser.Text, StringComparison.Ordinal);
            (key.Origin, key.RelyingPartyId, key.UserVerified, key.UserPresent, key.CrossOrigin, key.BackupEligible, key.BackupState) = (origin, relyingParty, true, true, false, true, true);
            await browser.UsePasskeyAsync(key); // and the honest one still does, also after a failure: the page has a new challenge
            Assert.Equal(LetIn, browser.Heading);
        }
    }

    [Fact]
    public async Task R40_A_counter_that_goes_back_is_refused_and_remembered()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        key.Counts = true;
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        key.SignatureCounter = 41;
        await browser.UsePasskeyAsync(key);
        Assert.Equal(LetIn, browser.Heading);

        using var copy = new Browser(Server);
        await copy.OpenAppAsync();
        await copy.PasswordAsync(kari);
        key.SignatureCounter = 41; // the copy was made before the last use, and says 42 once more
        await copy.UsePasskeyAsync(key);
        Assert.Contains(NotUsable, copy.Text, StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync(SecurityEvent.PasskeyCloneSuspected, kari.Id));
        Assert.Contains("there may be a copy of it", Server.Log.All, StringComparison.Ordinal);
        Assert.Equal(42, await Server.ReadAsync(db => db.Passkeys.Where(row => row.PersonId == kari.Id).Select(row => row.SignatureCounter).SingleAsync()));
    }

    [Fact]
    public async Task R33_An_answer_counts_once_also_when_it_comes_twice_at_once_or_too_late()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        using var twin = browser.NewTab();
        await twin.OpenAsync(browser.Path);
        var answer = key.Get(browser.Challenge()).ToJson();
        var before = await CountAsync(SecurityEvent.SecondFactorVerified, kari.Id);
        await Task.WhenAll(browser.SendPasskeyAsync(answer), twin.SendPasskeyAsync(answer));
        Assert.Equal(before + 1, await CountAsync(SecurityEvent.SecondFactorVerified, kari.Id));

        // The same answer in another attempt, and in the same one long after its page was shown.
        using var again = new Browser(Server);
        await again.OpenAppAsync();
        await again.PasswordAsync(kari);
        await again.SendPasskeyAsync(answer);
        Assert.Contains(NotUsable, again.Text, StringComparison.Ordinal);
        var stale = again.Challenge();
        await again.SendPasskeyAsync("{}");
        await again.SendPasskeyAsync(key.Get(stale).ToJson());
        Assert.Contains(NotUsable, again.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R50_R51_Failures_of_a_passkey_are_counted_over_all_browsers_and_end_the_sign_in()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        for (var tries = 0; tries < Throttle.SecondFactor.FreeFailures; tries++)
        {
            await browser.SendPasskeyAsync("{}");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.UsePasskeyAsync(key);
        Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        await browser.ReloadAsync();
        Assert.StartsWith("/sign-in/over", browser.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R48_The_desk_opens_with_a_passkey_as_it_does_with_the_phone()
    {
        var ada = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(ada, key)).Dispose();
        await Server.ChangeAsync(db =>
        {
            db.RoleAssignments.Add(new RoleAssignment(ada.Id, Role.Helpdesk, null, null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        using var browser = new Browser(Server);
        await browser.OpenAsync("/administration/people");
        await browser.PasswordAsync(ada);
        await browser.UsePasskeyAsync(key);
        Assert.Equal("Personer", browser.Heading);
    }

    // ---- Instead of the password

    [Fact]
    public async Task R25_A_passkey_is_the_whole_sign_in_and_the_tokens_say_so()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync(extra: "&acr_values=phr");
        Assert.Contains("webauthn", browser.Page.QuerySelector("#user")!.GetAttribute("autocomplete"), StringComparison.Ordinal);
        Assert.True(browser.PasskeyForm().HasAttribute("data-conditional"));
        Assert.Empty(browser.Asked()["allowCredentials"]!.AsArray()); // nobody has said who it is
        await browser.UsePasskeyAsync(key);
        Assert.Equal(LetIn, browser.Heading);
        await browser.PressAsync("Ja");
        Assert.StartsWith(PortvaktServer.RedirectUri, browser.LeftFor!.ToString(), StringComparison.Ordinal);
        Assert.Equal((SecondFactorMethod.Passkey, true, AssuranceLevel.PhishingResistant), await LastSessionAsync(kari));
        Assert.Equal(["pop", "user", "mfa"], AuthenticationMethods.Of(SecondFactorMethod.Passkey, withoutPassword: true));

        // The next application asks for nothing.
        await browser.OpenAppAsync("strict");
        Assert.StartsWith("https://pay.test/cb", browser.LeftFor!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task R57_Whatever_is_wrong_with_a_passkey_that_comes_alone_the_sentence_is_the_same()
    {
        var (kari, locked, refused) = (await Server.AddPersonAsync(), await Server.AddPersonAsync("Per Hansen"), await Server.AddPersonAsync("Ola Nordmann"));
        using var key = PasskeyCast.NewKey();
        using var lockedKey = PasskeyCast.NewKey();
        using var refusedKey = PasskeyCast.NewKey();
        using var unknown = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        (await EnrolledBrowserAsync(locked, lockedKey)).Dispose();
        (await EnrolledBrowserAsync(refused, refusedKey)).Dispose();
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == locked.Id)).Lock());
        await PolicyAsync(refused, policy => policy.ForUse = Methods.App | Methods.Code);
        unknown.UserHandle = key.UserHandle;

        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        foreach (var answer in new Func<byte[], string>[]
                 {
                     challenge => unknown.Get(challenge).ToJson(), // no such passkey
                     challenge => lockedKey.Get(challenge).ToJson(), // a closed account
                     challenge => refusedKey.Get(challenge).ToJson(), // a policy without passkeys
                     challenge => (key.Get(challenge) with { UserHandle = null }).ToJson(), // says not whose it is
                     challenge => (key.Get(challenge) with { UserHandle = lockedKey.UserHandle }).ToJson(), // says it is another's
                     challenge => (key.Get(challenge) with { UserHandle = [] }).ToJson(),
                     challenge => (key.Get(challenge) with { Signature = unknown.Get(challenge).Signature }).ToJson(),
                     challenge => { key.UserVerified = false; var answer = key.Get(challenge).ToJson(); key.UserVerified = true; return answer; },
                     _ => key.Get(RandomNumberGenerator.GetBytes(32)).ToJson(),
                     _ => "{}",
                 })
        {
            await browser.SendPasskeyAsync(answer(browser.Challenge()));
            Assert.Equal((HttpStatusCode.UnprocessableEntity, "Logg på med passnøkkel"), (browser.Status, browser.Heading));
            Assert.Equal($"{NotUsable} Prøv en annen, eller velg en annen metode.", browser.Page.QuerySelector("[role=alert]")!.TextContent.Trim());
        }

        Assert.Null((await Server.ReadAsync(db => db.SignInAttempts.AsNoTracking().SingleAsync(row => row.Id == browser.AttemptId))).PersonId);
        await browser.PressAsync("Logg på med passord i stedet");
        Assert.Equal("Logg på", browser.Heading);
        await browser.UsePasskeyAsync(key);
        Assert.Equal(LetIn, browser.Heading);
    }

    [Fact]
    public async Task R52_Passkeys_that_come_alone_are_counted_by_where_they_come_from()
    {
        using var browser = new Browser(Server, address: "198.51.100.77");
        await browser.OpenAppAsync();
        for (var tries = 0; tries < Throttle.PasswordSource.FreeFailures; tries++)
        {
            await browser.SendPasskeyAsync("{}");
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.SendPasskeyAsync("{}");
        Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        Assert.NotNull(browser.Answer.Headers.RetryAfter);
        Assert.Null((await Server.ReadAsync(db => db.SignInAttempts.SingleAsync(row => row.Id == browser.AttemptId))).Challenge); // gone whatever came of it (R33)
    }

    [Fact]
    public async Task R18_What_a_stranger_knows_is_changed_also_after_a_sign_in_without_it()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        (await EnrolledBrowserAsync(kari, key)).Dispose();
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).MustChangePassword = true);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.UsePasskeyAsync(key);
        await browser.Fill("Nytt passord", "tre små kaker under senga").PressAsync("Lagre passordet");
        Assert.Equal(LetIn, browser.Heading);
    }

    // ---- Nothing else

    [Fact]
    public async Task R25_Where_only_a_passkey_counts_password_and_phone_open_nothing()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var key = PasskeyCast.NewKey();
        using (phone)
        {
            using var adds = new Browser(Server);
            await adds.OpenAsync("/account");
            await adds.SignInToTheDeskAsync(kari, phone);
            await adds.PressAsync("Nei");
            await adds.OpenAsync(await AddingAsync(adds, kari));
            await adds.SubmitAsync(adds.Page.Forms[0], tamper: fields => fields["method"] = "passkey");
            await adds.MakePasskeyAsync(key);

            using var before = new Browser(Server);
            await before.OpenAppAsync();
            await before.PasswordAsync(kari);
            await before.OpenAsync($"/sign-in/{before.AttemptId}/second-factor");
            var number = before.MatchingNumber; // the phone is asked, and then the policy changes

            await PolicyAsync(kari, policy => policy.ForUse = Methods.Passkey);
            await phone.ApproveAsync(number);
            await before.SubmitAsync((IHtmlFormElement)before.Page.QuerySelector("main form")!);
            Assert.Equal("Bruk passnøkkelen", before.Heading);
            foreach (var page in new[] { "second-factor", "code", "recovery-code" })
            {
                await before.OpenAsync($"/sign-in/{before.AttemptId}/{page}");
                Assert.Equal("Bruk passnøkkelen", before.Heading);
                Assert.Null(before.Page.QuerySelector(".pv-other"));
            }

            await before.UsePasskeyAsync(key);
            Assert.Equal(LetIn, before.Heading);
        }
    }

    [Fact]
    public async Task R25_Where_only_a_passkey_counts_and_there_is_none_a_pass_opens_the_way_to_one_and_to_nothing_else()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        phone.Dispose();
        await PolicyAsync(kari, policy => policy.ForUse = Methods.Passkey);
        using var key = PasskeyCast.NewKey();
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal("Du trenger hjelp for å komme inn", browser.Heading);

        var code = Base32.Random(AccessPass.Length);
        await Server.ChangeAsync(db =>
        {
            db.AccessPasses.Add(new AccessPass(kari.Id, PassModel.HashOf(Server.Services.GetRequiredService<Vault>(), kari.Id, code), AccessPass.DefaultLifetime, oneTime: true, issuedBy: null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["pass"] = code);
        await browser.PressAsync("Neste");
        Assert.Equal(["passkey"], browser.Page.QuerySelectorAll("#method option").Select(option => option.GetAttribute("value")));
        foreach (var other in new[] { ("app", "notifications"), ("app", "code"), ("token", "") })
        {
            await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["method"], fields["use"]) = other);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        await browser.PressAsync("Konfigurer");
        await browser.MakePasskeyAsync(key);
        await browser.FinishAsync(stay: false);
        Assert.NotNull(browser.LeftFor);
    }

    [Fact]
    public async Task An_application_that_asks_for_a_passkey_gets_one_from_who_has_it_and_from_who_has_not()
    {
        // Who has none proves what there is, and sets one up.
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var key = PasskeyCast.NewKey();
        using (phone)
        {
            using var browser = new Browser(Server);
            await browser.OpenAppAsync(extra: "&acr_values=phr");
            await browser.PasswordAsync(kari);
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            Assert.Equal(["passkey"], browser.Page.QuerySelectorAll("#method option").Select(option => option.GetAttribute("value")));
            await browser.PressAsync("Konfigurer");
            await browser.MakePasskeyAsync(key);
            await browser.FinishAsync(stay: false);
            Assert.NotNull(browser.LeftFor);
            Assert.Equal((SecondFactorMethod.Passkey, false, AssuranceLevel.PhishingResistant), await LastSessionAsync(kari));

            // Who has one is asked for it and for nothing else.
            using var tomorrow = new Browser(Server);
            await tomorrow.OpenAppAsync(extra: "&acr_values=phr");
            await tomorrow.PasswordAsync(kari);
            Assert.Equal("Bruk passnøkkelen", tomorrow.Heading);
            await tomorrow.OpenAsync($"/sign-in/{tomorrow.AttemptId}/second-factor");
            Assert.Equal("Bruk passnøkkelen", tomorrow.Heading);
            await tomorrow.UsePasskeyAsync(key);
            Assert.Equal(LetIn, tomorrow.Heading);
        }
    }

    // ---- A second opinion

    [Fact]
    public async Task Another_implementation_asks_for_the_same_and_believes_the_same_answers()
    {
        var kari = await Server.AddPersonAsync();
        using var key = PasskeyCast.NewKey();
        using var browser = await EnrolledBrowserAsync(kari, key);
        await browser.OpenAsync(await AddingAsync(browser, kari));
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "passkey");
        var creation = browser.Asked();
        var theirs = await Peers.AskAsync("webauthn-options.mjs", new
        {
            relyingPartyId = "id.test",
            organisation = "Eksempel kommune",
            userId = Base64Url.EncodeToString(Passkey.UserHandleOf(kari.Id)),
            userName = kari.UserName,
            displayName = kari.DisplayName,
            challenge = creation["challenge"]!.GetValue<string>(),
            known = new[] { Base64Url.EncodeToString(key.CredentialId) },
        });
        Same(theirs.GetProperty("creation"), creation);

        using var tomorrow = new Browser(Server);
        await tomorrow.OpenAppAsync();
        await tomorrow.PasswordAsync(kari);
        var request = tomorrow.Asked();
        var expected = JsonNode.Parse(theirs.GetProperty("request").GetRawText())!.AsObject();
        expected["challenge"] = request["challenge"]!.GetValue<string>();
        Same(JsonSerializer.SerializeToElement(expected), request);

        using var second = PasskeyCast.NewKey();
        var verdicts = await Peers.AskAsync("webauthn.mjs", new[]
        {
            Question("registration", second.Create(browser.Challenge()).ToJson(), creation),
            Question("authentication", key.Get(tomorrow.Challenge()).ToJson(), request),
        });
        Assert.All(verdicts.EnumerateArray(), verdict => Assert.True(verdict.GetProperty("verified").GetBoolean(), verdict.ToString()));

        object Question(string kind, string answer, JsonObject asked) => new
        {
            kind,
            response = JsonNode.Parse(answer),
            challenge = asked["challenge"]!.GetValue<string>(),
            origins = new[] { PortvaktServer.Origin },
            relyingPartyId = "id.test",
            requireUserVerification = true,
            credential = new { id = Base64Url.EncodeToString(key.CredentialId), publicKey = Base64Url.EncodeToString(key.PublicKey), counter = 0 },
        };

        // Ours says nothing of a time limit, extensions or hints: the browser's own do.
        static void Same(JsonElement theirs, JsonObject ours)
        {
            var other = JsonNode.Parse(theirs.GetRawText())!.AsObject();
            foreach (var extra in new[] { "timeout", "extensions", "hints" }) other.Remove(extra);
            Assert.True(JsonNode.DeepEquals(other, ours), $"{other}\n{ours}");
        }
    }

    [Fact]
    public async Task A_password_manager_is_told_where_passkeys_are_looked_after()
    {
        using var browser = new Browser(Server);
        await browser.OpenAsync("/.well-known/passkey-endpoints");
        Assert.Equal("""{"enroll":"https://id.test/account/security","manage":"https://id.test/account/security"}""", await browser.Answer.Content.ReadAsStringAsync());
    }

    // ---- What the stories need

    /// <summary>Has a passkey and nothing else, and is signed in in this browser.</summary>
    private async Task<Browser> EnrolledBrowserAsync(Person person, SoftAuthenticator key)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.ToPasskeyAsync(person);
        await browser.MakePasskeyAsync(key);
        await browser.FinishAsync(stay: false);
        Assert.NotNull(browser.LeftFor);
        return browser;
    }

    /// <summary>Begins to add a method, as the account's page does.</summary>
    private async Task<string> AddingAsync(Browser browser, Person person)
    {
        var attempt = await Server.ReadAsync(async db =>
        {
            var session = await db.Sessions.Where(row => row.PersonId == person.Id && row.EndedAt == null).OrderByDescending(row => row.AuthenticatedAt).FirstAsync();
            var before = await db.SignInAttempts.Where(row => row.SessionId == session.Id).OrderByDescending(row => row.CreatedAt).FirstAsync();
            var begun = new SignInAttempt(before.BrowserHash, new SignInRequest(ReturnPath: "/account", Assurance: AssuranceLevel.Aal2, Adds: true), Server.Clock.GetUtcNow());
            begun.ContinueFrom(session);
            db.SignInAttempts.Add(begun);
            await db.SaveChangesAsync();
            return begun;
        });
        Assert.NotEmpty(browser.History);
        return SignInJourney.ResumeAddress(attempt.Id);
    }

    private Task PolicyAsync(Person person, Action<MethodPolicy> change) => Server.ChangeAsync(async db =>
    {
        var rule = $"user name is {person.UserName}";
        if (await db.MethodPolicies.SingleOrDefaultAsync(row => row.Rule == rule) is not { } policy) db.MethodPolicies.Add(policy = new MethodPolicy(person.UserName, rule, Server.Clock.GetUtcNow()));
        change(policy);
    });

    private Task<(SecondFactorMethod? Method, bool WithoutPassword, AssuranceLevel Assurance)> LastSessionAsync(Person person) => Server.ReadAsync(async db =>
    {
        var session = await db.Sessions.Where(row => row.PersonId == person.Id && row.EndedAt == null).OrderByDescending(row => row.AuthenticatedAt).FirstAsync();
        return (session.Method, session.WithoutPassword, session.Assurance);
    });

    private Task<int> CountAsync(SecurityEvent what, Guid personId) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == personId));
}
