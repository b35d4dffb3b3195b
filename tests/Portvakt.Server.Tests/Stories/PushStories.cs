using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Approvals;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class PushOnSqlite(SqliteLoopbackStage stage) : PushStories(stage), IClassFixture<SqliteLoopbackStage>;

public sealed class PushOnPostgres(PostgresLoopbackStage stage) : PushStories(stage), IClassFixture<PostgresLoopbackStage>;

/// <summary>R20, R23: what the server hands to a push service, read with the phone's key; and a push service that is no help.</summary>
public abstract class PushStories(Stage stage)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task R20_A_push_carries_an_opaque_id_and_a_neutral_text_and_nothing_else()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, phone, browserOfPhone) = await EnrolledAsync(service);
        var phoneId = await Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.Id).SingleAsync());
        var pushes = new List<ReceivedPush>();
        foreach (var (language, text) in new[] { ("nb", "Åpne appen for å se forespørselen."), ("nn", "Opne appen for å sjå førespurnaden."), ("en", "Open the app to see the request.") })
        {
            foreach (var client in new[] { "timeliste", "strict" })
            {
                Server.Clock.Advance(TimeSpan.FromMinutes(11));
                using var browser = new Browser(Server, language, address: "10.77.88.99");
                await browser.OpenAppAsync(client);
                await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (kari.UserName, PortvaktServer.Password));
                var push = await browserOfPhone.NextMessageAsync();
                pushes.Add(push);

                var (id, _) = (await phone.PendingAsync())!.Value;
                var expected = new JsonObject
                {
                    ["web_push"] = 8030,
                    ["notification"] = new JsonObject { ["title"] = "Portvakt", ["body"] = text, ["navigate"] = $"{PortvaktServer.Origin}/phone/#r={id}", ["lang"] = language, ["silent"] = false },
                    ["id"] = id,
                };
                Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(push.Plaintext)), push.Text);

                // Said a second time without knowing the form: no number, no name, no application, no place, also not on the envelope.
                var rest = JsonNode.Parse(push.Plaintext)!.ToJsonString(Readable).Replace(id, "", StringComparison.Ordinal).Replace("8030", "", StringComparison.Ordinal);
                Assert.DoesNotContain(rest, char.IsDigit);
                var envelope = string.Join('\n', push.Headers.Where(header => header.Key is not ("Authorization" or "Topic" or "Host")).Select(header => $"{header.Key}: {header.Value}"));
                foreach (var secret in new[] { "Kari", "Nordmann", kari.UserName, "Timeliste", "Lønn", "Firefox", "Windows", "Eksempel", "10.77", "nettverk", "network", phoneId.ToString("N"), phone.KeyId })
                {
                    Assert.DoesNotContain(secret, rest, StringComparison.OrdinalIgnoreCase);
                    Assert.DoesNotContain(secret, envelope, StringComparison.OrdinalIgnoreCase);
                }

                // It lives as long as the request, at once, and a newer one takes its place (RFC 8030, section 5).
                Assert.Equal((60, "high"), (push.Ttl, push.Urgency));
            }
        }

        var topic = Assert.Single(pushes.Select(push => push.Topic).Distinct());
        Assert.Matches("^[A-Za-z0-9_-]{24}$", topic);
        Assert.DoesNotContain(phoneId.ToString("N"), topic, StringComparison.OrdinalIgnoreCase);
        Assert.Single(pushes.Select(push => push.Body.Length).Distinct()); // nor does the length tell
        Assert.Equal(pushes.Count, pushes.Select(push => Convert.ToHexString(push.Body)).Distinct().Count());
    }

    [Fact]
    public async Task R37_Rollout_The_other_phones_are_told_that_something_changed_and_not_what()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, phone, subscription) = await EnrolledAsync(service);
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(person => person.Id == kari.Id)).Language = "nn");
        var others = await SecondPhoneAsync(kari, service);
        using (var browser = new Browser(Server))
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
        }

        var (mine, theirs) = (await subscription.NextMessageAsync(), await others.NextMessageAsync()); // a request rings both

        // Taken off the phone in hand: the other one hears of it.
        Assert.Equal(204, (int)(await phone.PostAsync("/phone/api/remove", [])).Status);
        var notice = await others.NextMessageAsync();
        var expected = new JsonObject
        {
            ["web_push"] = 8030,
            ["notification"] = new JsonObject { ["title"] = "Portvakt", ["body"] = "Pålogginga di er endra. Les e-posten om det.", ["navigate"] = $"{PortvaktServer.Origin}/phone/", ["lang"] = "nn", ["silent"] = false },
            ["id"] = "",
        };
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(notice.Plaintext)), notice.Text);
        Assert.NotEqual(theirs.Topic, notice.Topic); // it does not take the place of a request that has not arrived yet
        Assert.Equal(("normal", theirs.Body.Length), (notice.Urgency, notice.Body.Length));
        Assert.InRange(notice.Ttl, 604_700, 604_800);

        // What administration does is told as well.
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: $"/administration/people/{kari.UserName}");
        var id = await Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.Id).SingleAsync());
        var remove = desk.Page.QuerySelectorAll("form[action*='handler=RemovePhone']").OfType<IHtmlFormElement>().Single(form => form.OuterHtml.Contains(id.ToString(), StringComparison.Ordinal));
        await desk.SubmitAsync(remove, tamper: fields => fields["reason"] = "mistet");
        desk.Dispose();
        await others.NextMessageAsync();
        Assert.Equal((2, 3), (subscription.Messages.Count, others.Messages.Count)); // the test of the enrolment and the request; the request and two notices
        Assert.NotEqual(mine.Topic, theirs.Topic);
        Assert.Equal(2, await Server.ReadAsync(db => db.Mails.CountAsync(mail => mail.PersonId == kari.Id && mail.Kind == "MethodRemoved")));
    }

    [Theory]
    [InlineData("500")]
    [InlineData("403")]
    [InlineData("413")]
    [InlineData("429")]
    [InlineData("404")]
    [InlineData("410")]
    [InlineData("hangs")]
    [InlineData("away")]
    public async Task R23_A_push_service_that_fails_costs_the_ring_and_not_the_sign_in(string how)
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, phone, _) = await EnrolledAsync(service);
        service.Answer = how switch
        {
            "500" => FakePushAnswer.ServerError,
            "403" => FakePushAnswer.Forbidden,
            "413" => FakePushAnswer.TooLarge,
            "429" => FakePushAnswer.TooManyRequests("30"),
            "404" => FakePushAnswer.NotFound,
            "410" => FakePushAnswer.Gone,
            _ => FakePushAnswer.Hang,
        };
        if (how is "away") await service.DisposeAsync();

        // The server's clock stands still: whatever page is shown now has not waited for anybody's time limit.
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal("Godkjenn på telefonen", browser.Heading);
        if (how is not "away") await service.NextArrivalAsync();

        // Nothing weaker opens by itself; whoever opens the app finds the request there.
        await browser.ReloadAsync();
        Assert.Equal("Godkjenn på telefonen", browser.Heading);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);

        if (how is "404" or "410")
        {
            await PortvaktServer.UntilAsync(async () => !await HasSubscriptionAsync(phone)); // not rung again, until the app brings a new one
            Assert.Equal("missing", (await phone.PostAsync("/phone/api/report", new JsonObject { ["push"] = null, ["persisted"] = true, ["app"] = "0.1.0" })).Text("push"));
        }
        else
        {
            Assert.True(await HasSubscriptionAsync(phone));
        }
    }

    [Fact]
    public async Task R23_One_push_that_hangs_keeps_nobody_elses_phone_from_ringing()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, _, _) = await EnrolledAsync(service);
        var (ola, _, olasBrowser) = await EnrolledAsync(service);
        service.AnswerNext(FakePushAnswer.Hang);
        using var first = new Browser(Server);
        await first.OpenAppAsync();
        await first.PasswordAsync(kari);
        await service.NextArrivalAsync();

        using var second = new Browser(Server);
        await second.OpenAppAsync();
        await second.PasswordAsync(ola);
        Assert.Contains("8030", (await olasBrowser.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R23_One_push_that_hangs_keeps_the_persons_other_phone_from_nothing()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, _, first) = await EnrolledAsync(service);
        var second = await SecondPhoneAsync(kari, service);
        service.AnswerNext(FakePushAnswer.Hang); // whichever is rung first
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var rung = await await Task.WhenAny(first.NextMessageAsync(), second.NextMessageAsync());
        Assert.Contains("8030", rung.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R37_The_other_phones_are_told_when_one_is_bound_anew_and_its_old_subscription_is_gone()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, old, _) = await EnrolledAsync(service);
        var others = await SecondPhoneAsync(kari, service);
        using var anew = old.AfterEviction(Server);
        var subscription = service.Subscribe(Server.Services.GetRequiredService<PushDelivery>().ApplicationServerKey);
        anew.Push = new JsonObject { ["endpoint"] = subscription.Endpoint.ToString(), ["p256dh"] = subscription.P256dh, ["auth"] = subscription.Auth };
        Assert.True((await anew.RebindAsync(PortvaktServer.Password)).Ok);

        Assert.Contains("\"id\":\"\"", (await others.NextMessageAsync()).Text, StringComparison.Ordinal); // a notice: nothing to answer
        Assert.Equal((false, true), (await HasSubscriptionAsync(old), await HasSubscriptionAsync(anew)));
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Contains((await anew.PendingAsync())!.Value.Id, (await subscription.NextMessageAsync()).Text, StringComparison.Ordinal);
    }

    /// <summary>Another phone of the same person, as if it had been bound before.</summary>
    private async Task<FakePushSubscription> SecondPhoneAsync(Person person, FakePushService service)
    {
        var delivery = Server.Services.GetRequiredService<PushDelivery>();
        var browser = service.Subscribe(delivery.ApplicationServerKey);
        var keys = delivery.Accept(new PushKeys(browser.Endpoint.ToString(), browser.P256dh, browser.Auth));
        var phone = new PhoneAuthenticator(person.Id, $"second-{Guid.NewGuid():N}", [1, 2, 3], PhoneUnlock.Pin, "Nettbrett", "1", "0.1.0", Server.Clock.GetUtcNow());
        phone.Activate();
        phone.SetPush(delivery.Seal(phone.Id, keys!));
        await Server.ChangeAsync(db =>
        {
            db.Phones.Add(phone);
            return Task.CompletedTask;
        });
        return browser;
    }

    private Task<bool> HasSubscriptionAsync(Phone phone) => Server.ReadAsync(db => db.Phones.AnyAsync(row => row.KeyId == phone.KeyId && row.SealedPush != null));

    /// <summary>A phone that can be rung; the test of its enrolment has rung it once.</summary>
    private async Task<(Person Person, Phone Phone, FakePushSubscription Browser)> EnrolledAsync(FakePushService service)
    {
        var subscription = service.Subscribe(Server.Services.GetRequiredService<PushDelivery>().ApplicationServerKey);
        var (person, phone) = await Cast.EnrolledAsync(
            Server, new Phone(Server) { Push = new JsonObject { ["endpoint"] = subscription.Endpoint.ToString(), ["p256dh"] = subscription.P256dh, ["auth"] = subscription.Auth } });
        await service.NextArrivalAsync();
        await subscription.NextMessageAsync();
        return (person, phone, subscription);
    }
}
