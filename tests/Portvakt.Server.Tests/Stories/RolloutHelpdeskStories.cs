using System.Net;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Administration;
using Portvakt.Server.Data;
using Portvakt.Server.Mails;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutHelpdeskOnSqlite(SqliteStage stage) : RolloutHelpdeskStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutHelpdeskOnPostgres(PostgresStage stage) : RolloutHelpdeskStories(stage), IClassFixture<PostgresStage>;

/// <summary>The people pages: what the helpdesk can do, and what nobody can (R27, R36, R44, R45, R47, R48, R62, R65, R92).</summary>
public abstract partial class RolloutHelpdeskStories(Stage stage)
{
    /// <summary>Each way to change something on a person's page, and what it takes. A new handler must be named here.</summary>
    private static readonly Dictionary<string, Act> Handlers = new(StringComparer.Ordinal)
    {
        ["Issue"] = Act.IssuePass,
        ["AskPass"] = Act.IssuePass,
        ["ConfirmPass"] = Act.IssuePass,
        ["TakePass"] = Act.IssuePass,
        ["EndSessions"] = Act.EndSessions,
        ["EndSession"] = Act.EndSessions,
        ["RemovePhone"] = Act.RemoveFactors,
        ["RemoveCode"] = Act.RemoveFactors,
        ["RemoveMethod"] = Act.RemoveFactors,
        ["RequireEnrolment"] = Act.RemoveFactors,
        ["Term"] = Act.GrantTerms,
        ["EndTerm"] = Act.GrantTerms,
        ["Lock"] = Act.LockAccount,
        ["Unlock"] = Act.LockAccount,
        ["Call"] = Act.CallPhone,
        ["Data"] = Act.ErasePeople,
        ["Erase"] = Act.ErasePeople,
    };

    private PortvaktServer Server => stage.Server;

    private static string PageOf(Person person) => $"/administration/people/{person.UserName}";

    /// <summary>A form of the desk sent to any handler with any fields.</summary>
    private static async Task PostAsync(Browser browser, string path, params (string Name, string Value)[] fields)
    {
        var form = browser.Page.Forms.FirstOrDefault(candidate => candidate.Method is "post") as IHtmlFormElement;
        if (form is null)
        {
            await browser.OpenAsync("/administration/people");
            form = (IHtmlFormElement)browser.Page.Forms.First(candidate => candidate.Method is "post");
        }

        await browser.SubmitAsync(
            form,
            tamper: typed =>
            {
                foreach (var name in typed.Keys.Where(name => name is not "form").ToList()) typed.Remove(name);
                foreach (var (name, value) in fields) typed[name] = value;
            },
            forge: request => request.RequestUri = new Uri(path, UriKind.Relative));
    }

    private static Task DoAsync(Browser browser, Person person, string handler, params (string Name, string Value)[] fields) => PostAsync(browser, $"{PageOf(person)}?handler={handler}", [("reason", "Meldt på telefon"), .. fields]);

    private Task<AuditEvent> LastAsync(SecurityEvent what, Guid personId) => Server.ReadAsync(db => db.AuditEvents.AsNoTracking().Where(row => row.What == what && row.PersonId == personId).OrderByDescending(row => row.Id).FirstAsync());

    private Task<Person> ReadAsync(Person person) => Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == person.Id));

    private async Task<Person> BlockedAsync() => await Server.AddPersonAsync("Ola Hansen", after: AfterDeadline.Block);

    // ---- Passes

    private Task<List<string>> MailsOfAsync(Person person) => Server.ReadAsync(db => db.Mails.Where(mail => mail.PersonId == person.Id).OrderBy(mail => mail.CreatedAt).Select(mail => mail.Kind).ToListAsync());

    [Fact]
    public async Task R27_R28_A_pass_is_shown_once_and_opens_enrolment_after_the_deadline()
    {
        var ola = await BlockedAsync();
        var (helper, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await desk.OpenAsync(PageOf(ola));
        await desk.Fill("Begrunnelse", "Legitimert i skranken").PressAsync("Gi passet");
        Assert.Equal(HttpStatusCode.OK, desk.Status);
        var code = desk.Page.QuerySelector("[data-pass]")!.TextContent;
        Assert.Matches("^[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}$", code);
        Assert.True(desk.Answer.Headers.CacheControl!.NoStore);

        // Never again: not on the page, in no log, in no row of the audit log, and stored as a keyed hash.
        await desk.OpenAsync(PageOf(ola));
        Assert.DoesNotContain(code, desk.Page.DocumentElement.OuterHtml, StringComparison.Ordinal);
        Assert.DoesNotContain(code, Server.Log.All, StringComparison.Ordinal);
        Assert.Equal(["PassIssued"], await MailsOfAsync(ola)); // R37: its owner hears of it, without the code
        Assert.False(await Server.ReadAsync(db => db.Mails.AnyAsync(mail => mail.Text.Contains(code))));
        var issued = await LastAsync(SecurityEvent.PassIssued, ola.Id);
        Assert.Equal((helper.Id, "Legitimert i skranken"), (issued.ActorId!.Value, issued.Reason));
        var pass = await Server.ReadAsync(db => db.AccessPasses.AsNoTracking().SingleAsync(row => row.PersonId == ola.Id));
        Assert.Equal((true, AccessPass.DefaultLifetime, 32), (pass.OneTime, pass.ExpiresAt - pass.CreatedAt, pass.Hash.Length));

        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        Assert.EndsWith("/blocked", browser.Path, StringComparison.Ordinal);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["pass"] = code.ToLowerInvariant());
        await browser.EnrolPhoneAsync(Server);
        await browser.FinishAsync(stay: false);
        Assert.NotNull(browser.LeftFor);
        Assert.True((await ReadAsync(ola)).IsEnrolled);

        using var thief = new Browser(Server, address: "198.51.100.7");
        Assert.False(await Server.ReadAsync(async db => (await db.AccessPasses.SingleAsync(row => row.PersonId == ola.Id)).IsLive(Server.Clock.GetUtcNow())));
        desk.Dispose();
    }

    [Fact]
    public async Task R27_A_new_pass_overrides_the_old_and_its_life_has_limits()
    {
        var ola = await BlockedAsync();
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await DoAsync(desk, ola, "Issue", ("minutes", "43200"), ("reusable", "true"));
        Assert.Equal(HttpStatusCode.OK, desk.Status);
        await DoAsync(desk, ola, "Issue", ("minutes", "10"));
        var passes = await Server.ReadAsync(db => db.AccessPasses.AsNoTracking().Where(row => row.PersonId == ola.Id).OrderBy(row => row.CreatedAt).ToListAsync());
        Assert.Equal((false, true), (passes[0].OneTime, passes[0].RevokedAt is not null));
        Assert.Equal((true, true), (passes[1].OneTime, passes[1].RevokedAt is null));
        foreach (var minutes in new[] { "9", "0", "-60", "43201", "2147483647", "x" })
        {
            await DoAsync(desk, ola, "Issue", ("minutes", minutes));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        }

        await PostAsync(desk, $"{PageOf(ola)}?handler=Issue", ("minutes", "60"), ("reason", " "));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status); // no reason, no pass
        Assert.Equal(2, await Server.ReadAsync(db => db.AccessPasses.CountAsync(row => row.PersonId == ola.Id)));
        await DoAsync(desk, ola, "TakePass", ("id", passes[1].Id.ToString()));
        Assert.False(await Server.ReadAsync(db => db.AccessPasses.AnyAsync(row => row.PersonId == ola.Id && row.RevokedAt == null)));

        var (kari, _) = await Cast.EnrolledAsync(Server);
        await DoAsync(desk, kari, "Issue", ("minutes", "60"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status); // who has two factors needs none
        desk.Dispose();
    }

    [Fact]
    public async Task R44_An_administrator_gets_a_pass_from_two_people_and_from_nobody_alone()
    {
        var (ada, _, adasDesk) = await Cast.AtTheDeskAsync(Server);
        var (_, _, first) = await Cast.AtTheDeskAsync(Server);
        var (_, _, second) = await Cast.AtTheDeskAsync(Server);
        var phone = await Server.ReadAsync(db => db.Phones.Where(row => row.PersonId == ada.Id).Select(row => row.Id).SingleAsync());
        foreach (var handler in new[] { "Issue", "RemovePhone", "RequireEnrolment" })
        {
            await DoAsync(first, ada, handler, ("minutes", "60"), ("id", phone.ToString()));
            Assert.Equal(HttpStatusCode.Forbidden, first.Status);
            Assert.Contains("en annen administrator", first.Text, StringComparison.Ordinal);
        }

        await DoAsync(first, ada, "AskPass");
        Assert.Null(first.Page.QuerySelector("[data-pass]"));
        var id = await Server.ReadAsync(db => db.AccessPasses.Where(row => row.PersonId == ada.Id).Select(row => row.Id).SingleAsync());
        await DoAsync(first, ada, "ConfirmPass", ("id", id.ToString()));
        Assert.Equal(HttpStatusCode.Forbidden, first.Status);
        await DoAsync(adasDesk, ada, "ConfirmPass", ("id", id.ToString()));
        Assert.Equal(HttpStatusCode.Forbidden, adasDesk.Status);
        Assert.True((await ReadAsync(ada)).IsEnrolled);

        await DoAsync(second, ada, "ConfirmPass", ("id", id.ToString()));
        Assert.Equal(HttpStatusCode.OK, second.Status);
        Assert.NotNull(second.Page.QuerySelector("[data-pass]"));
        Assert.False((await ReadAsync(ada)).IsEnrolled);
        await adasDesk.OpenAsync("/administration/people");
        Assert.Equal("Logg på", adasDesk.Heading);
        adasDesk.Dispose();
        first.Dispose();
        second.Dispose();
    }

    // ---- Who may what

    [Fact]
    public void R36_Every_handler_of_a_person_is_in_the_matrix() =>
        Assert.Equal(Handlers.Keys.Order(StringComparer.Ordinal), HandlersOf(typeof(PersonModel)).Order(StringComparer.Ordinal));

    private static IEnumerable<string> HandlersOf(Type page) => page.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        .Where(method => method.Name.StartsWith("OnPost", StringComparison.Ordinal)).Select(method => method.Name["OnPost".Length..].Replace("Async", "", StringComparison.Ordinal));

    [Fact]
    public async Task R44_The_role_matrix_holds_through_the_pages()
    {
        foreach (var role in Enum.GetValues<Role>())
        {
            var (self, _, desk) = await Cast.AtTheDeskAsync(Server, role);
            var higher = await Server.AddPersonAsync();
            await Server.ChangeAsync(db =>
            {
                if (role < Role.Administrator) db.RoleAssignments.Add(new RoleAssignment(higher.Id, role + 1, null, null, Server.Clock.GetUtcNow()));
                return Task.CompletedTask;
            });
            foreach (var (handler, act) in Handlers)
            {
                var allowed = Authority.Allows([new RoleAssignment(self.Id, role, null, null, Server.Clock.GetUtcNow())], act);
                (string, string)[] fields = [("id", Guid.NewGuid().ToString()), ("minutes", "60"), ("kind", "Extension"), ("until", "2026-12-01")];
                var person = await Server.AddPersonAsync();
                await DoAsync(desk, person, handler, fields);
                Assert.True(allowed == (desk.Status is not HttpStatusCode.Forbidden), $"{role} {handler}: {desk.Status}");
                await DoAsync(desk, self, handler, fields);
                Assert.True(desk.Status is HttpStatusCode.Forbidden, $"{role} {handler} on oneself: {desk.Status}");
                if (role < Role.Administrator)
                {
                    await DoAsync(desk, higher, handler, fields);
                    Assert.True(desk.Status is HttpStatusCode.Forbidden, $"{role} {handler} on a higher role: {desk.Status}");
                }
            }

            desk.Dispose();
        }
    }

    [Fact]
    public async Task R44_R47_Who_has_a_unit_sees_and_changes_nobody_else()
    {
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, "Skole");
        var mine = await Server.AddPersonAsync("Inger Innenfor");
        var other = await Server.AddPersonAsync("Unni Utenfor");
        await Server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == mine.Id)).Unit = "Skole/Nord";
            (await db.People.SingleAsync(row => row.Id == other.Id)).Unit = "Skolebygg";
        });
        await desk.OpenAsync($"/administration/people?q={mine.UserName}");
        Assert.Contains("Inger Innenfor", desk.Text, StringComparison.Ordinal);
        await desk.OpenAsync($"/administration/people?q={other.UserName}");
        Assert.DoesNotContain("Unni Utenfor", desk.Text, StringComparison.Ordinal);
        await desk.OpenAsync(PageOf(other));
        Assert.Equal(HttpStatusCode.NotFound, desk.Status);
        foreach (var handler in Handlers.Keys)
        {
            await DoAsync(desk, other, handler, ("minutes", "60"));
            Assert.Equal(HttpStatusCode.NotFound, desk.Status);
        }

        await DoAsync(desk, mine, "Lock");
        Assert.Equal(PersonState.Locked, (await ReadAsync(mine)).State);
        desk.Dispose();
    }

    [Fact]
    public async Task R36_R48_Nothing_is_changed_later_than_ten_minutes_after_the_phone_was_asked()
    {
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server);
        var kari = await Server.AddPersonAsync();
        await desk.OpenAsync(PageOf(kari));
        Server.Clock.Advance(TimeSpan.FromMinutes(10));
        var paths = Handlers.Keys.Select(handler => $"{PageOf(kari)}?handler={handler}")
            .Concat(HandlersOf(typeof(PeopleModel)).Select(handler => $"/administration/people?handler={handler}")).Concat(HandlersOf(typeof(CasesModel)).Select(handler => $"/administration/cases?handler={handler}")).ToList();
        Assert.True(paths.Count >= 18);
        foreach (var path in paths)
        {
            await PostAsync(desk, path, ("reason", "x"), ("minutes", "60"), ("confirm", kari.UserName));
            Assert.Equal((HttpStatusCode.Forbidden, "Bekreft med telefonen først"), (desk.Status, desk.Heading));
        }

        Assert.Equal(0, await Server.ReadAsync(db => db.AccessPasses.CountAsync(row => row.PersonId == kari.Id)));
        Assert.Equal(PersonState.Active, (await ReadAsync(kari)).State);
        desk.Dispose();
    }

    [Fact]
    public async Task R47_No_field_of_a_person_can_be_posted_and_no_id_of_somebody_else_is_taken()
    {
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server);
        var kari = await Server.AddPersonAsync();
        var (ola, _) = await Cast.EnrolledAsync(Server);
        var before = await ReadAsync(kari);
        var fields = typeof(Person).GetProperties().Select(property => (property.Name, property.Name switch { "Id" => Guid.NewGuid().ToString(), "State" => "Locked", "EnrolledAt" or "ActivatedAt" or "LastSignInAt" => "2026-01-01", _ => "true" })).ToArray();
        fields = [.. fields, .. fields.Select(field => ($"Target.{field.Name}", field.Item2))];
        foreach (var handler in Handlers.Keys.Except(["Lock", "RequireEnrolment", "Issue", "Erase"]))
        {
            await DoAsync(desk, kari, handler, fields);
            var after = await ReadAsync(kari);
            Assert.All(typeof(Person).GetProperties().Where(property => property.Name is not ("Version" or "Attributes")), property => Assert.Equal(property.GetValue(before), property.GetValue(after)));
        }

        var phone = await Server.ReadAsync(db => db.Phones.Where(row => row.PersonId == ola.Id).Select(row => row.Id).SingleAsync());
        var session = await Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == ola.Id).Select(row => row.Id).FirstAsync());
        foreach (var (handler, id) in new[] { ("RemovePhone", phone.ToString()), ("RemoveCode", phone.ToString()), ("RemoveMethod", phone.ToString()), ("EndSession", session), ("TakePass", phone.ToString()), ("EndTerm", phone.ToString()) })
        {
            await DoAsync(desk, kari, handler, ("id", id));
            Assert.Equal(HttpStatusCode.NotFound, desk.Status);
        }

        Assert.True((await ReadAsync(ola)).IsEnrolled);
        desk.Dispose();
    }

    // ---- The desk itself

    [Fact]
    public async Task R15_R48_The_desk_opens_with_six_digits_on_the_phone_closes_after_a_quarter_of_an_hour_and_is_never_kept_open()
    {
        var (ada, phone, desk) = await Cast.AtTheDeskAsync(Server);
        Assert.Equal("Personer", desk.Heading);
        Assert.DoesNotContain(desk.History, answer => answer.RequestMessage!.RequestUri!.AbsolutePath.EndsWith("/stay", StringComparison.Ordinal));
        Assert.Equal(6, await Server.ReadAsync(db => db.Approvals.Where(row => row.PersonId == ada.Id).OrderByDescending(row => row.CreatedAt).Select(row => row.Digits).FirstAsync()));
        Server.Clock.Advance(TimeSpan.FromMinutes(14));
        await desk.ReloadAsync();
        Assert.Equal("Personer", desk.Heading);
        Server.Clock.Advance(TimeSpan.FromMinutes(15));
        foreach (var address in new[] { "/administration/people", "/administration/people", "/account", "/administration/people" })
        {
            // The second look, or a detour, opens it as little as the first.
            await desk.OpenAsync(address);
            Assert.Equal("Logg på", desk.Heading);
        }

        // A code of the app is a second factor elsewhere; it does not open the desk.
        using var codes = new Browser(Server);
        await codes.OpenAsync("/administration/people");
        await codes.PasswordAsync(ada);
        await codes.OpenAsync($"/sign-in/{codes.AttemptId}/code");
        await codes.SubmitAsync(codes.Page.Forms[0], tamper: fields => fields["code"] = phone.Code());
        Assert.NotEqual("Personer", codes.Heading);
        await codes.OpenAsync("/administration/people");
        Assert.Equal("Logg på", codes.Heading);
        desk.Dispose();
    }

    [Fact]
    public async Task R15_Whoever_has_a_role_types_six_digits_also_in_the_test_of_a_new_phone()
    {
        var ada = await Server.AddPersonAsync();
        await Server.ChangeAsync(db =>
        {
            db.RoleAssignments.Add(new RoleAssignment(ada.Id, Role.Helpdesk, null, null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        using var browser = new Browser(Server);
        await browser.OpenAsync("/administration/people");
        await browser.PasswordAsync(ada);
        await browser.EnrolPhoneAsync(Server);
        Assert.All(await Server.ReadAsync(db => db.Approvals.Where(row => row.PersonId == ada.Id).Select(row => row.Digits).ToListAsync()), digits => Assert.Equal(6, digits));
    }

    [Fact]
    public async Task R27_A_pass_that_is_taken_back_or_overridden_closes_what_it_has_opened()
    {
        foreach (var handler in new[] { "TakePass", "Issue" })
        {
            var ola = await BlockedAsync();
            var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
            await DoAsync(desk, ola, "Issue", ("minutes", "60"));
            var code = desk.Page.QuerySelector("[data-pass]")!.TextContent;
            var pass = await Server.ReadAsync(db => db.AccessPasses.Where(row => row.PersonId == ola.Id).Select(row => row.Id).SingleAsync());
            using var stranger = new Browser(Server);
            await stranger.OpenAppAsync();
            await stranger.PasswordAsync(ola);
            await stranger.OpenAsync($"/sign-in/{stranger.AttemptId}/pass");
            await stranger.Fill("Kode", code).PressAsync("Neste");
            await stranger.PressAsync("Neste");
            await stranger.PressAsync("Konfigurer");
            Assert.Equal("Konfigurer mobilappen", stranger.Heading);

            await DoAsync(desk, ola, handler, ("id", pass.ToString()), ("minutes", "60"));
            await stranger.ReloadAsync();
            Assert.EndsWith("/blocked", stranger.Path, StringComparison.Ordinal);
            desk.Dispose();
        }
    }

    [Fact]
    public async Task R45_The_callers_phone_says_who_is_calling_and_signs_nobody_in()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var sessions = await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id));
        var (helper, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await desk.OpenAsync(PageOf(kari));
        await desk.PressAsync("Spør telefonen til personen");
        var call = desk.Path;
        var (_, context) = (await phone.PendingAsync())!.Value;
        var shown = JsonNode.Parse(context)!;
        Assert.Equal(("caller", helper.DisplayName), (shown["purpose"]!.GetValue<string>(), shown["application"]!.GetValue<string>()));
        Assert.Equal("approved", (await phone.ApproveAsync(desk.MatchingNumber)).Text("outcome"));
        await desk.ReloadAsync();
        Assert.Contains("telefonen sier det", desk.Text, StringComparison.Ordinal);
        Assert.Equal(sessions, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id)));
        Assert.Equal(helper.Id, (await LastAsync(SecurityEvent.CallerAsked, kari.Id)).ActorId);

        var (_, _, other) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await other.OpenAsync(call);
        Assert.Equal(HttpStatusCode.NotFound, other.Status);

        await DoAsync(desk, kari, "Call");
        await phone.DenyAsync("not-me");
        await desk.ReloadAsync();
        Assert.Contains("Det er ikke meg", desk.Text, StringComparison.Ordinal);
        await DoAsync(desk, kari, "Call");
        var number = desk.MatchingNumber;
        Assert.Equal("wrong-number", (await phone.ApproveAsync(number == "10" ? "11" : "10")).Text("outcome"));
        await DoAsync(desk, kari, "Call");
        Assert.Equal(HttpStatusCode.TooManyRequests, desk.Status);
        desk.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task R17_R45_Callers_and_sign_ins_are_counted_apart_and_what_the_one_approves_frees_nothing_of_the_other()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        for (var calls = 0; calls < 3; calls++)
        {
            await DoAsync(desk, kari, "Call");
            await phone.DenyAsync();
        }

        // Three calls, and a sign-in is asked all the same. What it approves makes no room for a fourth call.
        Server.Clock.Advance(TimeSpan.FromMinutes(5));
        using var owner = await AskedAsync();
        Assert.Equal("approved", (await phone.ApproveAsync(owner.MatchingNumber)).Text("outcome"));
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await DoAsync(desk, kari, "Call");
        Assert.Equal(HttpStatusCode.TooManyRequests, desk.Status);

        Server.Clock.Advance(TimeSpan.FromMinutes(3));
        for (var times = 0; times < 3; times++)
        {
            using var thief = await AskedAsync();
            Assert.NotEmpty(thief.MatchingNumber);
        }

        // The calls are ten minutes ago. That the caller was the person says nothing about who signs in.
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var (_, _, colleague) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await DoAsync(colleague, kari, "Call");
        Assert.Equal("approved", (await phone.ApproveAsync(colleague.MatchingNumber)).Text("outcome"));
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using var fourth = await AskedAsync();
        Assert.Contains("blir ikke spurt på en stund", fourth.Text, StringComparison.Ordinal);
        Assert.Null(await phone.PendingAsync());
        desk.Dispose();
        colleague.Dispose();

        async Task<Browser> AskedAsync()
        {
            var browser = new Browser(Server, address: "198.51.100.11");
            await browser.OpenAppAsync();
            return await browser.PasswordAsync(kari);
        }
    }

    // ---- What the helpdesk does all day

    [Fact]
    public async Task R62_R65_Sessions_end_one_by_one_or_all_and_a_lock_ends_them_too()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var browsers = new List<Browser>();
        for (var count = 0; count < 2; count++)
        {
            var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            await browser.PressAsync("Nei");
            browsers.Add(browser);
        }

        var (helper, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await desk.OpenAsync(PageOf(kari));
        await desk.PressAsync("Logg av der");
        var signedIn = 0;
        foreach (var browser in browsers)
        {
            await browser.OpenAsync("/account");
            if (browser.Heading != "Logg på") signedIn++;
        }

        Assert.Equal(1, signedIn);
        await DoAsync(desk, kari, "EndSessions");
        Assert.Equal(0, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
        Assert.Equal(helper.Id, (await LastAsync(SecurityEvent.SessionEnded, kari.Id)).ActorId);
        Assert.Equal("Meldt på telefon", (await LastAsync(SecurityEvent.SignedOutEverywhere, kari.Id)).Reason);

        await DoAsync(desk, kari, "Lock");
        await browsers[0].OpenAppAsync();
        await browsers[0].PasswordAsync(kari);
        Assert.Equal("Logg på", browsers[0].Heading);
        await DoAsync(desk, kari, "Unlock");
        Assert.Equal(PersonState.Active, (await ReadAsync(kari)).State);
        desk.Dispose();
        browsers.ForEach(browser => browser.Dispose());
    }

    [Fact]
    public async Task R29_A_lost_phone_is_removed_with_its_codes_and_the_password_alone_brings_nothing_back()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        await desk.OpenAsync(PageOf(kari));
        await desk.Fill("Begrunnelse", "Mistet på bussen").PressAsync("Fjern telefonen");
        var after = await ReadAsync(kari);
        Assert.Equal((false, true), (after.IsEnrolled, after.NeedsPass));
        Assert.Equal("unknown-phone", (await phone.GetAsync("/phone/api/pending")).Code);
        Assert.False(await Server.ReadAsync(db => db.Totps.AnyAsync(row => row.PersonId == kari.Id && row.State != AuthenticatorState.Revoked)));
        Assert.False(await Server.ReadAsync(db => db.RecoveryCodes.AnyAsync(row => row.PersonId == kari.Id)));
        Assert.Equal("Mistet på bussen", (await LastAsync(SecurityEvent.PhoneRemoved, kari.Id)).Reason);
        Assert.Contains("MethodRemoved", await MailsOfAsync(kari)); // R37: also when somebody else did it
        using var thief = new Browser(Server);
        await thief.OpenAppAsync();
        await thief.PasswordAsync(kari);
        Assert.EndsWith("/blocked", thief.Path, StringComparison.Ordinal);
        desk.Dispose();
    }

    [Fact]
    public async Task A_person_is_exempt_or_extended_until_the_end_of_a_day_of_the_organisation_and_that_can_be_ended()
    {
        var ola = await BlockedAsync();
        var (manager, _, desk) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager);
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Server.Clock.GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo")).DateTime);
        await DoAsync(desk, ola, "Term", ("kind", "Extension"), ("until", today.AddDays(5).ToString("yyyy-MM-dd", null)));
        var term = await Server.ReadAsync(db => db.PersonalTerms.AsNoTracking().SingleAsync(row => row.PersonId == ola.Id));
        Assert.Equal((EnrolmentRule.StartOf(today.AddDays(6), TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo")), manager.Id, "Meldt på telefon"), (term.Until, term.AuthorId, term.Reason));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        Assert.True(browser.Has("Ikke nå"));

        foreach (var until in new[] { today.AddDays(-1).ToString("yyyy-MM-dd", null), today.AddDays(367).ToString("yyyy-MM-dd", null), "", "i morgen" })
        {
            await DoAsync(desk, ola, "Term", ("kind", "Exemption"), ("until", until));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        }

        await DoAsync(desk, ola, "EndTerm", ("id", term.Id.ToString()));
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        Assert.EndsWith("/blocked", browser.Path, StringComparison.Ordinal);
        desk.Dispose();
    }

    [Fact]
    public async Task R18_A_case_is_closed_with_a_note_by_somebody_else()
    {
        var (kari, _) = await Cast.EnrolledAsync(Server);
        var (helper, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: "/administration/people");
        var mine = new HelpdeskCase(helper.Id, null, "Timeliste", "192.0.2.x", "Firefox", Server.Clock.GetUtcNow());
        var found = new HelpdeskCase(kari.Id, null, "<script>alert(1)</script>", "192.0.2.x", "Firefox", Server.Clock.GetUtcNow());
        await Server.ChangeAsync(async db =>
        {
            db.Cases.AddRange(mine, found);
            (await db.People.SingleAsync(person => person.Id == kari.Id)).Phone = "+47 900 00 001";
        });
        await desk.OpenAsync("/administration/cases");
        Assert.Contains("+47 900 00 001", desk.Text, StringComparison.Ordinal); // whom to ring, and where
        Assert.Contains("<script>alert(1)</script>", desk.Text, StringComparison.Ordinal); // as text (R90)
        Assert.Empty(desk.Page.QuerySelectorAll("main script"));
        await PostAsync(desk, $"/administration/cases?handler=Close&id={found.Id}", ("note", ""));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        await PostAsync(desk, $"/administration/cases?handler=Close&id={mine.Id}", ("note", "bare tull"));
        Assert.Equal(HttpStatusCode.Forbidden, desk.Status);
        await PostAsync(desk, $"/administration/cases?handler=Close&id={found.Id}", ("note", "Hun trykket feil"));
        var after = await Server.ReadAsync(db => db.Cases.AsNoTracking().SingleAsync(row => row.Id == found.Id));
        Assert.Equal((helper.Id, "Hun trykket feil"), (after.ClosedBy!.Value, after.Note));
        Assert.Equal(helper.Id, (await LastAsync(SecurityEvent.CaseClosed, kari.Id)).ActorId);
        desk.Dispose();
    }

    [Fact]
    public async Task R89_People_are_found_by_words_and_states_and_the_list_is_a_file_that_computes_nothing()
    {
        var ola = await Server.AddPersonAsync("Ærlig Øyvindsen", after: AfterDeadline.Block);
        var unit = "Enhet" + ola.UserName;
        await Server.ChangeAsync(async db =>
        {
            var row = await db.People.SingleAsync(person => person.Id == ola.Id);
            (row.Unit, row.DisplayName) = (unit + "/Nord", "=HYPERLINK(\"x\") Øyvindsen");
        });
        var (ada, _, desk) = await Cast.AtTheDeskAsync(Server);
        foreach (var (query, found) in new[] { ($"q=ØYVINDSEN+{ola.UserName}", 1), ($"unit={unit}", 1), ($"unit={unit}&state=overdue", 1), ($"unit={unit}&state=not-begun", 1), ($"unit={unit}&state=Enrolled", 0), ($"unit={unit}&state=stuck", 0), ($"unit={unit}&wave={ola.WaveId}", 1), ($"unit={unit}&wave=none", 0), ($"unit={unit}&step=SetUpPhone", 0), ($"unit={unit}&trouble=NoAnswer", 0), ($"unit={unit}&state=exempt", 0), ($"unit={unit}&state=extended", 0), ($"unit={unit}&state=locked", 0), ($"unit={unit}&state=needs-pass", 0), ($"unit={unit}&state=never-used", 0), ("q=%25", 0), ($"unit={unit}&page=99", 1) })
        {
            await desk.OpenAsync($"/administration/people?{query}");
            Assert.True(desk.Text.Contains($"Personer: {found}", StringComparison.Ordinal), $"{query}: {desk.Text}");
        }

        await desk.OpenAsync($"/administration/people?unit={unit}");
        await desk.PressAsync("Last ned listen (CSV)");
        Assert.Equal("text/csv", desk.Answer.Content.Headers.ContentType!.MediaType);
        var lines = (await desk.Answer.Content.ReadAsStringAsync()).TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains("\"'=HYPERLINK(\"\"x\"\") Øyvindsen\"", lines[1], StringComparison.Ordinal);
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.PeopleExported && row.ActorId == ada.Id)));
        desk.Dispose();
    }

    // ---- Personal data

    [Fact]
    public async Task R92_A_person_reads_what_is_known_and_is_erased_without_a_trace()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        await Server.ChangeAsync(async db =>
        {
            var row = await db.People.SingleAsync(person => person.Id == kari.Id);
            (row.DisplayName, row.Phone) = ("Spormerke Nordmann", "+4799988777");
            db.PersonalTerms.Add(new PersonalTerm(PersonalTermKind.Extension, kari.Id, Server.Clock.GetUtcNow().AddDays(3), "Spormerke er syk", kari.Id, Server.Clock.GetUtcNow()));
            db.Mails.Add(new Mail { Id = Guid.NewGuid(), PersonId = kari.Id, Recipient = kari.Email!, Kind = "test", Language = "nb", Subject = "Spormerke", Text = "Hei", CreatedAt = Server.Clock.GetUtcNow(), NextTryAt = Server.Clock.GetUtcNow() });
        });
        using var own = new Browser(Server);
        await own.OpenAppAsync();
        await own.PasswordAsync(kari);
        await phone.ApproveAsync(own.MatchingNumber);
        await own.PressAsync("Jeg har godkjent");
        await own.PressAsync("Nei");
        await own.OpenAsync("/account/data");
        await own.PressAsync("Last ned filen");
        var text = await own.Answer.Content.ReadAsStringAsync();
        Assert.Contains("Spormerke Nordmann", text, StringComparison.Ordinal);
        Assert.DoesNotContain("argon2", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hash", text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("seed", text, StringComparison.OrdinalIgnoreCase);

        var (ada, _, desk) = await Cast.AtTheDeskAsync(Server);

        // What others were told of her names her too: "it wasn't me" to the helpdesk, and the alarm of an account for the worst day.
        await using (var told = Server.Services.CreateAsyncScope())
        {
            var (inside, outbox, now) = (told.ServiceProvider.GetRequiredService<PortvaktDb>(), told.ServiceProvider.GetRequiredService<Outbox>(), Server.Clock.GetUtcNow());
            var row = await inside.People.SingleAsync(person => person.Id == kari.Id);
            var opened = new HelpdeskCase(kari.Id, null, null, "198.51.100.x", "Firefox, Windows", now);
            inside.Cases.Add(opened);
            await outbox.TellOfCaseAsync(opened, row, TestContext.Current.CancellationToken);
            await outbox.AlarmAsync(row, new DefaultHttpContext(), now, TestContext.Current.CancellationToken);
            await inside.SaveChangesAsync();
        }

        foreach (var kind in new[] { MailKind.NotMeAlert, MailKind.BreakGlassAlarm }) Assert.True(await Server.ReadAsync(db => db.Mails.AnyAsync(mail => mail.Kind == kind.ToString() && mail.Text.Contains("Spormerke"))));
        await DoAsync(desk, kari, "Data");
        Assert.Contains("Spormerke Nordmann", await desk.Answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await desk.OpenAsync(PageOf(kari));
        await DoAsync(desk, kari, "Erase", ("confirm", "noen.andre"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        await DoAsync(desk, kari, "Erase", ("confirm", kari.UserName));
        Assert.Equal("Personer", desk.Heading);

        // Every text of every table, in whatever database.
        await using var scope = Server.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var looked = 0;
        foreach (var entity in db.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties().Where(property => property.ClrType == typeof(string)))
            {
                foreach (var trace in new[] { "spormerke", kari.UserName, "99988777" })
                {
                    var pattern = $"%{trace}%";
#pragma warning disable EF1002, EF1003 // names of our own tables, no text of strangers
                    var count = await db.Database.SqlQueryRaw<int>($"SELECT COUNT(*) AS \"Value\" FROM {entity.GetTableName()} WHERE LOWER({property.GetColumnName()}) LIKE {{0}}", pattern).SingleAsync();
#pragma warning restore EF1002, EF1003
                    Assert.True(count is 0, $"{entity.GetTableName()}.{property.GetColumnName()} still knows {trace}");
                    looked++;
                }
            }
        }

        Assert.True(looked > 200);
        var rows = await db.AuditEvents.AsNoTracking().Where(row => row.PersonId == kari.Id).OrderBy(row => row.Id).ToListAsync();
        Assert.True(rows.Count > 10);
        Assert.All(rows.SkipLast(1), row => Assert.True(row is { Address: null, Reason: null, Blind: null, Commitment.Length: 32 }));
        Assert.Equal((SecurityEvent.PersonErased, ada.Id), (rows[^1].What, rows[^1].ActorId!.Value));
        desk.Dispose();
    }

    // ---- The first administrator

    [Fact]
    public async Task R46_A_fresh_server_has_no_account_and_a_token_makes_the_first_administrator_once()
    {
        await using var fresh = await PortvaktServer.StartAsync(Server.Services.GetRequiredService<Microsoft.Extensions.Options.IOptions<Hosting.PortvaktSettings>>().Value.UsesPostgres ? DatabaseKind.Postgres : DatabaseKind.Sqlite);
        Assert.Equal(0, await fresh.ReadAsync(db => db.People.CountAsync()));
        using var early = new Browser(fresh);
        await early.OpenAsync("/administration/first");
        Assert.Equal(HttpStatusCode.NotFound, early.Status);

        var old = await TokenAsync(fresh);
        var token = await TokenAsync(fresh); // the next start
        Assert.DoesNotContain(token, fresh.Log.All, StringComparison.Ordinal);
        using var browser = new Browser(fresh);
        await MakeAsync(browser, old, "ada");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await MakeAsync(browser, token, "ada", password: "passord");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);

        // Eight at once: one wins.
        var racers = Enumerable.Range(0, 8).Select(index => new Browser(fresh, address: $"192.0.2.{100 + index}")).ToList();
        await Task.WhenAll(racers.Select((racer, index) => MakeAsync(racer, token, $"ada{index}")));
        Assert.Equal(1, await fresh.ReadAsync(db => db.People.CountAsync()));
        Assert.Equal(1, await fresh.ReadAsync(db => db.RoleAssignments.CountAsync(row => row.Role == Role.Administrator)));
        Assert.Equal(1, await fresh.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.FirstAdministratorMade)));
        await MakeAsync(browser, token, "again", open: false);
        Assert.Equal(HttpStatusCode.NotFound, browser.Status);

        // The sign-in leads through enrolment, and there is no way around it.
        var winner = racers.Single(racer => racer.Heading == "Logg på");
        var ada = await fresh.ReadAsync(db => db.People.AsNoTracking().SingleAsync());
        await winner.PasswordAsync(ada, "en blå hval i fjorden");
        Assert.False(winner.Has("Ikke nå"));
        await winner.EnrolPhoneAsync(fresh);
        await winner.PressAsync("Fullført");
        await winner.PressAsync("Ferdig");
        Assert.Equal("Personer", winner.Heading);
        Assert.Equal("", await AnnouncedAsync(fresh)); // the next start has nothing to print
        racers.ForEach(racer => racer.Dispose());
    }

    [Fact]
    public async Task R46_The_token_lives_an_hour_and_cannot_be_guessed()
    {
        await using var fresh = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        var token = await TokenAsync(fresh);
        using var guesser = new Browser(fresh, address: "198.51.100.9");
        for (var tries = 0; tries < 20; tries++) await MakeAsync(guesser, $"guess{tries}", "mallory");
        await MakeAsync(guesser, token, "mallory");
        Assert.Equal(HttpStatusCode.TooManyRequests, guesser.Status);
        Assert.Equal(0, await fresh.ReadAsync(db => db.People.CountAsync()));
        using var late = new Browser(fresh);
        await late.OpenAsync("/administration/first");
        fresh.Clock.Advance(TimeSpan.FromHours(1));
        await MakeAsync(late, token, "ada", open: false);
        Assert.Equal(HttpStatusCode.NotFound, late.Status);
    }

    private static async Task<string> AnnouncedAsync(PortvaktServer server)
    {
        await using var output = new StringWriter();
        await FirstToken.AnnounceAsync(server.Services, output, CancellationToken.None);
        return output.ToString();
    }

    private static async Task<string> TokenAsync(PortvaktServer server) => Printed().Match(await AnnouncedAsync(server)).Groups[1].Value;

    private static async Task MakeAsync(Browser browser, string token, string userName, string password = "en blå hval i fjorden", bool open = true)
    {
        if (open) await browser.OpenAsync("/administration/first");
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["token"], fields["userName"], fields["name"], fields["password"]) = (token, userName, "Ada Administrator", password), forge: request => request.RequestUri = new Uri("/administration/first", UriKind.Relative));
    }

    [GeneratedRegex(@"https://id\.test/administration/first before \d\d:\d\d and type this token: ([\w-]{43})\s*$")]
    private static partial Regex Printed();
}
