using System.Net;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class MoveOnSqlite(SqliteStage stage) : MoveStories(stage), IClassFixture<SqliteStage>;

public sealed class MoveOnPostgres(PostgresStage stage) : MoveStories(stage), IClassFixture<PostgresStage>;

/// <summary>A new phone while the old one works: one takes the place of the other, in one moment, or nothing happens (R35, R37–R39, R54, R62).</summary>
public abstract class MoveStories(Stage stage)
{
    private static readonly JsonObject Luggage = new() { ["iv"] = "AAECAwQFBgcICQoL", ["sealed"] = "ZGV0dGUgZXIgZm9yc2VnbGV0LCBvZyBpbmdlbiBsZXNlciBkZXQ" };

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task R38_The_old_phone_works_until_the_number_is_typed_and_the_new_one_from_then_on()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var (kari, old) = await Cast.EnrolledAsync(Server);
        using var computer = await SignedInAsync(kari, old);
        var begun = await old.BeginMoveAsync();
        Assert.True(begun.Ok, begun.Code);
        Assert.Equal(HttpStatusCode.NoContent, (await old.PostAsync("/phone/api/move/luggage", Copy(Luggage))).Status);
        Assert.Equal("waiting", State(await old.MoveAsync()));

        using var fresh = new Phone(Server) { Device = "Pixel 9 · Chrome" };
        var presented = await fresh.BeginAsync(begun.Text("code"));
        Assert.True(presented.Body["moves"]!.GetValue<bool>());
        Assert.Equal("connected", State(await old.MoveAsync()));
        Assert.True((await fresh.FinishAsync(begun.Text("code"), presented)).Ok);

        // Bound, and it counts for nothing: the old one answers sign-ins, and keeps the number to itself that it does not know.
        var (seenByOld, seenByNew) = (await old.MoveAsync(), await fresh.MoveAsync());
        Assert.Equal(("number", "number"), (State(seenByOld), State(seenByNew)));
        Assert.Equal("Pixel 9 · Chrome", seenByOld.Body["move"]!["device"]!.GetValue<string>());
        Assert.Null(seenByOld.Body["move"]!["number"]);
        Assert.Null(seenByNew.Body["move"]!["to"]);
        Assert.Equal("unknown-request", (await fresh.GetAsync("/phone/api/move/luggage")).Code);
        using (await SignedInAsync(kari, old)) Assert.Equal(401, (int)(await new Phone(Server).MoveAsync()).Status);
        using var waiting = new Browser(Server);
        await waiting.OpenAppAsync();
        await waiting.PasswordAsync(kari);
        var live = (await old.PendingAsync())!.Value;
        Assert.Null(await fresh.PendingAsync());

        Assert.Equal("moved", (await old.ConfirmMoveAsync(Number(seenByNew))).Text("outcome"));

        // The old one is nobody, and so is what came of it.
        Assert.Equal((HttpStatusCode.Unauthorized, "unknown-phone"), await CodeOfAsync(old.MoveAsync()));
        Assert.Equal((HttpStatusCode.Unauthorized, "unknown-phone"), await CodeOfAsync(old.AnswerAsync(live.Id, live.Context, "approve", waiting.MatchingNumber)));
        Assert.Equal(ApprovalState.Superseded, await Server.ReadAsync(db => db.Approvals.Where(row => row.Id == live.Id).Select(row => row.State).SingleAsync()));
        await waiting.ReloadAsync();
        Assert.Equal(HttpStatusCode.Gone, waiting.Status);
        await computer.OpenAsync("/account");
        Assert.Equal("Logg på", computer.Heading);
        Assert.Equal(0, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
        Assert.Null(await Server.ReadAsync(db => db.Phones.Where(row => row.KeyId == old.KeyId).Select(row => row.SealedPush).SingleAsync()));

        // The new one is the phone now, with codes of its own.
        Assert.Equal("done", State(await fresh.MoveAsync()));
        using (await SignedInAsync(kari, fresh)) Assert.Equal([fresh.KeyId], await ActiveAsync(kari));
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(await OpensByCodeAsync(kari, old.Code()));
        Assert.True(await OpensByCodeAsync(kari, fresh.Code()));

        // What was packed is there, once.
        Assert.True(JsonNode.DeepEquals(Luggage, (await fresh.GetAsync("/phone/api/move/luggage")).Body));
        Assert.Equal(HttpStatusCode.NoContent, (await fresh.PostAsync("/phone/api/move/arrived", [])).Status);
        Assert.Equal("unknown-request", (await fresh.GetAsync("/phone/api/move/luggage")).Code);

        // Its owner hears of it, and the log knows.
        Assert.Equal((1, 1), (await CountAsync(SecurityEvent.MoveBegun, kari), await CountAsync(SecurityEvent.PhoneMoved, kari)));
        Assert.Contains("Appen ble flyttet til en ny telefon", await MailAsync(kari), StringComparison.Ordinal);
        Assert.DoesNotContain(begun.Text("code"), Server.Log.All, StringComparison.Ordinal);
        Assert.DoesNotContain(begun.Text("typedCode"), Server.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R38_A_wrong_number_ends_the_move_and_the_old_phone_goes_on()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        Assert.Equal("wrong-number", (await old.ConfirmMoveAsync(number is "55" ? "56" : "55")).Text("outcome"));

        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.ConfirmMoveAsync(number, statement => statement["to"] = fresh.KeyId)));
        Assert.Equal("wrong-number", State(await old.MoveAsync()));
        Assert.Equal((HttpStatusCode.Unauthorized, "unknown-phone"), await CodeOfAsync(fresh.MoveAsync()));
        Assert.Equal([old.KeyId], await ActiveAsync(kari));
        using (await SignedInAsync(kari, old)) Assert.Equal(1, await CountAsync(SecurityEvent.MoveRefused, kari));
        Assert.Contains("fordi tallet var feil", await MailAsync(kari), StringComparison.Ordinal);

        // Another try is another move.
        using var next = new Phone(Server);
        Assert.Equal("moved", (await old.ConfirmMoveAsync(await BoundAsync(old, next))).Text("outcome"));
        Assert.Equal([next.KeyId], await ActiveAsync(kari));
    }

    [Fact]
    public async Task R38_A_new_phone_that_was_removed_again_takes_nobodys_place()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        Assert.Equal(HttpStatusCode.NoContent, (await fresh.PostAsync("/phone/api/remove", [])).Status);
        for (var tries = 0; tries < 6; tries++) Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.ConfirmMoveAsync(number))); // and none of them is a guess
        Assert.Equal([old.KeyId], await ActiveAsync(kari));
        using (await SignedInAsync(kari, old)) Assert.Equal(0, await CountAsync(SecurityEvent.PhoneMoved, kari));
        using var next = new Phone(Server);
        Assert.Equal("moved", (await old.ConfirmMoveAsync(await BoundAsync(old, next))).Text("outcome"));
    }

    [Fact]
    public async Task R54_Numbers_are_not_guessed_move_after_move()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        for (var tries = 0; tries < 5; tries++)
        {
            using var fresh = new Phone(Server);
            var number = await BoundAsync(old, fresh);
            Assert.Equal("wrong-number", (await old.ConfirmMoveAsync(number is "55" ? "56" : "55")).Text("outcome"));
        }

        Assert.Equal((HttpStatusCode.TooManyRequests, "slow-down"), await CodeOfAsync(old.BeginMoveAsync()));
        Assert.Equal([old.KeyId], await ActiveAsync(kari));
    }

    [Fact]
    public async Task The_code_lives_ten_minutes_and_so_does_the_number()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        var begun = await old.BeginMoveAsync();
        await old.PostAsync("/phone/api/move/luggage", Copy(Luggage));
        Server.Clock.Advance(BindingCode.Lifetime - TimeSpan.FromSeconds(1));
        using var fresh = new Phone(Server);
        var presented = await fresh.BeginAsync(begun.Text("typedCode"));
        Assert.True(presented.Ok, presented.Code);
        Server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((HttpStatusCode.Gone, "code-expired"), await CodeOfAsync(fresh.FinishAsync(begun.Text("typedCode"), presented)));
        Assert.Equal((HttpStatusCode.Gone, "code-expired"), await CodeOfAsync(new Phone(Server).BeginAsync((await AfterAsync(old, BindingCode.Lifetime)).Text("code"))));

        using var next = new Phone(Server);
        var number = await BoundAsync(old, next);
        await old.PostAsync("/phone/api/move/luggage", Copy(Luggage));
        Server.Clock.Advance(BindingCode.Lifetime);
        Assert.Equal("over", State(await old.MoveAsync()));
        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.ConfirmMoveAsync(number, statement => statement["to"] = next.KeyId)));
        Assert.Equal([old.KeyId], await ActiveAsync(kari));

        // What lay there is swept away.
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await Server.Services.GetServices<IHostedService>().OfType<Cleanup>().Single().SweepAsync(CancellationToken.None);
        Assert.False(await Server.ReadAsync(db => db.BindingCodes.AnyAsync(row => row.PersonId == kari.Id && row.Luggage != null)));
    }

    [Fact]
    public async Task Whoever_may_not_now_is_told_why_at_each_step()
    {
        foreach (var (code, status, forbid) in new (string, int, Func<Person, Phone, Task>)[]
        {
            ("closed", 403, (kari, _) => Server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock())),
            ("reported", 403, (kari, _) => Server.ChangeAsync(db =>
            {
                db.Cases.Add(new HelpdeskCase(kari.Id, null, null, null, null, Server.Clock.GetUtcNow()));
                return Task.CompletedTask;
            })),
            ("not-allowed", 403, (kari, _) => Server.ChangeAsync(db =>
            {
                db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { ForEnrolment = Methods.Passkey });
                return Task.CompletedTask;
            })),
            ("unknown-phone", 401, async (_, phone) => await phone.PostAsync("/phone/api/remove", [])),
        })
        {
            // Before it begins; before the code is presented; before the new phone is bound; before the number is typed.
            for (var step = 0; step < 4; step++)
            {
                var (kari, old) = await Cast.EnrolledAsync(Server);
                using var fresh = new Phone(Server);
                var begun = step > 0 ? await old.BeginMoveAsync() : null;
                var presented = step > 1 ? await fresh.BeginAsync(begun!.Text("code")) : null;
                if (step > 2) Assert.True((await fresh.FinishAsync(begun!.Text("code"), presented!)).Ok);
                var number = step > 2 ? Number(await fresh.MoveAsync()) : null;
                var id = begun?.Text("id");
                await forbid(kari, old);
                var refused = step switch
                {
                    0 => await old.BeginMoveAsync(),
                    1 => await fresh.BeginAsync(begun!.Text("code")),
                    2 => await fresh.FinishAsync(begun!.Text("code"), presented!),
                    _ when code is "unknown-phone" => await old.PostAsync("/phone/api/move/confirm", []),
                    _ => await old.ConfirmMoveAsync(number!),
                };
                Assert.Equal(step is 0 or 3 ? (status, code) : (410, "code-expired"), ((int)refused.Status, refused.Code));
                if (step is 0 && status is 403) Assert.Equal(code, (await old.MoveAsync()).Text("refusal"));
                Assert.Equal([old.KeyId], await ActiveAsync(kari));
            }
        }
    }

    [Fact]
    public async Task R35_No_move_without_the_unlock_over_this_very_statement()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        var (_, other) = await Cast.EnrolledAsync(Server);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), await CodeOfAsync(old.BeginMoveAsync(signOther: bytes => [.. bytes, 32])));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), await CodeOfAsync(old.BeginMoveAsync(label: "portvakt/decision/v1")));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await CodeOfAsync(old.BeginMoveAsync(statement => statement["aud"] = "https://evil.test")));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await CodeOfAsync(old.BeginMoveAsync(statement => statement["step"] = "confirm")));
        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.BeginMoveAsync(statement => statement["nonce"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
        old.Passkey.UserVerified = false;
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), await CodeOfAsync(old.BeginMoveAsync()));
        old.Passkey.UserVerified = true;

        // What was signed once is worth nothing a second time, under a fresh proof neither; nor in another phone's mouth.
        JsonObject? sent = null;
        Assert.True((await old.BeginMoveAsync(body => sent = Copy(body))).Ok);
        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.BeginMoveAsync(statement => statement["jti"] = sent!["jti"]!.GetValue<string>())));
        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.BeginMoveAsync(statement => statement.Remove("jti"))));

        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        var move = (await old.MoveAsync()).Body["move"]!;
        void Mine(JsonObject statement) => (statement["id"], statement["to"]) = (move["id"]!.GetValue<string>(), move["to"]!.GetValue<string>());
        var theirs = await other.BeginMoveAsync();
        Assert.Equal((HttpStatusCode.NotFound, "unknown-request"), await CodeOfAsync(other.ConfirmMoveAsync(number, Mine)));
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await CodeOfAsync(old.ConfirmMoveAsync(number, statement => statement["to"] = other.KeyId)));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "unlock"), await CodeOfAsync(old.ConfirmMoveAsync(number, signOther: bytes => [.. bytes, 32])));

        // The new phone cannot say it for the old one, and another's move is untouched by what this person does.
        Assert.Equal((HttpStatusCode.NotFound, "unknown-request"), await CodeOfAsync(fresh.ConfirmMoveAsync(number, Mine)));
        await old.PostAsync("/phone/api/move/cancel", []);
        Assert.Equal(("over", "waiting"), (State(await old.MoveAsync()), State(await other.MoveAsync())));
        Assert.Equal([old.KeyId], await ActiveAsync(kari));
        Assert.True((await new Phone(Server).BeginAsync(theirs.Text("code"))).Ok);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task A_picture_photographed_over_the_shoulder_is_void_for_both(bool thiefFirst, bool bound)
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        var begun = await old.BeginMoveAsync();
        await old.PostAsync("/phone/api/move/luggage", Copy(Luggage));
        using var mine = new Phone(Server);
        using var thief = new Phone(Server);
        var (first, second) = thiefFirst ? (thief, mine) : (mine, thief);
        if (bound) Assert.True((await first.BindAsync(begun.Text("code"))).Ok);
        else Assert.True((await first.BeginAsync(begun.Text("code"))).Ok);

        // The thief's phone, bound or not, sees nothing of what the old one packed, and has nobody to type its number.
        if (thiefFirst && bound) Assert.Equal("unknown-request", (await thief.GetAsync("/phone/api/move/luggage")).Code);

        Assert.Equal((HttpStatusCode.Conflict, "code-used-twice"), await CodeOfAsync(second.BeginAsync(begun.Text("code"))));
        Assert.Equal("used-twice", State(await old.MoveAsync()));
        if (bound) Assert.Equal((HttpStatusCode.Unauthorized, "unknown-phone"), await CodeOfAsync(first.MoveAsync()));
        Assert.Equal([old.KeyId], await ActiveAsync(kari));
        Assert.False(await Server.ReadAsync(db => db.BindingCodes.AnyAsync(row => row.PersonId == kari.Id && row.Luggage != null)));
        Assert.Contains("to telefoner brukte samme kode", await MailAsync(kari), StringComparison.Ordinal);
        using (await SignedInAsync(kari, old)) Assert.True((await old.BeginMoveAsync()).Ok);
    }

    [Fact]
    public async Task R39_Five_of_five_phones_are_no_reason_not_to_replace_one()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        await Server.ChangeAsync(db =>
        {
            db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { MaximumPhones = 1 });
            return Task.CompletedTask;
        });
        using var fresh = new Phone(Server);
        Assert.Equal("moved", (await old.ConfirmMoveAsync(await BoundAsync(old, fresh))).Text("outcome"));
        Assert.Equal([fresh.KeyId], await ActiveAsync(kari));
    }

    [Fact]
    public async Task Whoever_administers_types_six_digits()
    {
        var (_, old, desk) = await Cast.AtTheDeskAsync(Server);
        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        Assert.Equal((6, 6), (number.Length, (await old.MoveAsync()).Body["move"]!["digits"]!.GetValue<int>()));
        Assert.Equal("moved", (await old.ConfirmMoveAsync(number)).Text("outcome"));
        await desk.OpenAsync("/administration/people");
        Assert.NotEqual(HttpStatusCode.OK, desk.Path.StartsWith("/administration", StringComparison.Ordinal) ? desk.Status : HttpStatusCode.Found);
        desk.Dispose();
    }

    [Fact]
    public async Task A_phone_with_a_PIN_moves_with_its_PIN()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "pin"), await CodeOfAsync(old.BeginMoveAsync(pin: "0000")));
        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "pin"), await CodeOfAsync(old.ConfirmMoveAsync(number, pin: "0000")));
        Assert.Equal("moved", (await old.ConfirmMoveAsync(number)).Text("outcome"));
        Assert.Equal([fresh.KeyId], await ActiveAsync(kari));

        var (_, locked) = await Cast.EnrolledAsync(Server, new Phone(Server) { Pin = "4711" });
        for (var tries = 0; tries < 4; tries++) await locked.BeginMoveAsync(pin: "0000");
        Assert.Equal((HttpStatusCode.Locked, "pin-locked"), await CodeOfAsync(locked.BeginMoveAsync(pin: "0000")));
        Assert.Equal((HttpStatusCode.Locked, "pin-locked"), await CodeOfAsync(locked.BeginMoveAsync()));
    }

    [Fact]
    public async Task Of_two_moves_of_one_phone_the_newer_stands_and_what_the_older_bound_is_nothing()
    {
        var (kari, old) = await Cast.EnrolledAsync(Server);
        using var first = new Phone(Server);
        await BoundAsync(old, first);
        var begun = await old.BeginMoveAsync();
        Assert.True(begun.Ok, begun.Code);
        Assert.Equal((HttpStatusCode.Unauthorized, "unknown-phone"), await CodeOfAsync(first.MoveAsync()));

        // Both at once: the database lets one live move of a phone stand.
        using var twin = new Phone(Server);
        var both = await Task.WhenAll(old.BeginMoveAsync(), Task.Run(() => old.BeginMoveAsync()));
        Assert.Contains(both, answer => answer.Ok);
        Assert.Equal(1, await Server.ReadAsync(db => db.BindingCodes.CountAsync(row => row.PersonId == kari.Id && row.State == BindingState.Waiting)));
        using var fresh = new Phone(Server);
        var number = await BoundAsync(old, fresh);
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => old.ConfirmMoveAsync(number, statement => statement["to"] = fresh.KeyId)));
        Assert.Single(answers, answer => answer.Ok);
        Assert.Equal([fresh.KeyId], await ActiveAsync(kari));
        Assert.Equal(1, await CountAsync(SecurityEvent.PhoneMoved, kari));
    }

    [Fact]
    public async Task Two_phones_of_one_person_move_side_by_side()
    {
        var (kari, first) = await Cast.EnrolledAsync(Server);
        using var browser = await SignedInAsync(kari, first);
        await browser.OpenAsync("/account/security");
        await browser.PressAsync("Legg til en metode");
        await browser.PressAsync("Konfigurer");
        using var second = new Phone(Server);
        Assert.True((await second.BindAsync(browser.TypedCode)).Ok);
        await browser.ReloadAsync();
        await browser.PressAsync("Neste");
        await second.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");

        using var third = new Phone(Server);
        using var fourth = new Phone(Server);
        var (one, other) = (await BoundAsync(first, third), await BoundAsync(second, fourth));
        var answers = await Task.WhenAll(first.ConfirmMoveAsync(one), second.ConfirmMoveAsync(other));

        // One may have been told to try again: nothing of it was written.
        if (!answers[0].Ok) Assert.Equal("moved", (await first.ConfirmMoveAsync(one)).Text("outcome"));
        if (!answers[1].Ok) Assert.Equal("moved", (await second.ConfirmMoveAsync(other)).Text("outcome"));
        Assert.Equal(((string[])[third.KeyId, fourth.KeyId]).Order(StringComparer.Ordinal), await ActiveAsync(kari));
    }

    [Fact]
    public async Task What_is_packed_has_a_size_and_a_time()
    {
        var (_, old) = await Cast.EnrolledAsync(Server);
        Assert.Equal((HttpStatusCode.Gone, "expired"), await CodeOfAsync(old.PostAsync("/phone/api/move/luggage", Copy(Luggage))));
        Assert.True((await old.BeginMoveAsync()).Ok);
        Assert.Equal((HttpStatusCode.BadRequest, "malformed"), await CodeOfAsync(old.PostAsync("/phone/api/move/luggage", new JsonObject { ["iv"] = "AAECAwQFBgcICQoL", ["sealed"] = new string('A', 60_004) })));
        Assert.Equal(HttpStatusCode.NoContent, (await old.PostAsync("/phone/api/move/luggage", new JsonObject { ["iv"] = "AAECAwQFBgcICQoL", ["sealed"] = new string('A', 60_000) })).Status);
    }

    private async Task<PhoneAnswer> AfterAsync(Phone old, TimeSpan time)
    {
        var begun = await old.BeginMoveAsync();
        Assert.True(begun.Ok, begun.Code);
        Server.Clock.Advance(time);
        return begun;
    }

    /// <summary>From the old phone's code to the number on the new one.</summary>
    private static async Task<string> BoundAsync(Phone old, Phone fresh)
    {
        var begun = await old.BeginMoveAsync();
        Assert.True(begun.Ok, $"{begun.Status} {begun.Code}");
        var bound = await fresh.BindAsync(begun.Text("code"));
        Assert.True(bound.Ok, $"{bound.Status} {bound.Code}");
        return Number(await fresh.MoveAsync());
    }

    private async Task<Browser> SignedInAsync(Person person, Phone phone)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        return browser;
    }

    private async Task<bool> OpensByCodeAsync(Person person, string code)
    {
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        return browser.Heading is "Vil du forbli pålogget?";
    }

    private Task<List<string>> ActiveAsync(Person person) => Server.ReadAsync(async db =>
    {
        var phones = await db.Phones.AsNoTracking().Where(row => row.PersonId == person.Id && row.State == AuthenticatorState.Active).ToListAsync();
        var ids = phones.Select(row => row.Id).ToHashSet();
        Assert.All(await db.Totps.AsNoTracking().Where(row => row.PersonId == person.Id).ToListAsync(), totp => Assert.Equal(ids.Contains(totp.PhoneId!.Value), totp.State is AuthenticatorState.Active));
        return phones.Select(row => row.KeyId).Order(StringComparer.Ordinal).ToList();
    });

    private Task<int> CountAsync(SecurityEvent what, Person person) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == person.Id));

    private Task<string> MailAsync(Person person) => Server.ReadAsync(db => db.Mails.Where(mail => mail.PersonId == person.Id).OrderByDescending(mail => mail.CreatedAt).Select(mail => mail.Text).FirstAsync());

    private static JsonObject Copy(JsonObject body) => body.DeepClone().AsObject();

    private static string? State(PhoneAnswer answer) => answer.Body["move"]?["state"]?.GetValue<string>();

    private static string Number(PhoneAnswer answer) => answer.Body["move"]!["number"]!.GetValue<string>();

    private static async Task<(HttpStatusCode Status, string? Code)> CodeOfAsync(Task<PhoneAnswer> answering)
    {
        var answer = await answering;
        return (answer.Status, answer.Code);
    }
}
