using System.Net;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Sessions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class MethodPolicyOnSqlite(SqliteStage stage) : MethodPolicyStories(stage), IClassFixture<SqliteStage>;

public sealed class MethodPolicyOnPostgres(PostgresStage stage) : MethodPolicyStories(stage), IClassFixture<PostgresStage>;

/// <summary>Policies of methods in administration: who they hit, what ends at once, and what the helpdesk sees of each method (R10, R38, R44, R62).</summary>
public abstract class MethodPolicyStories(Stage stage)
{
    private const string New = "/administration/methods/new";

    private PortvaktServer Server => stage.Server;

    private static async Task<Person> InUnitAsync(PortvaktServer server, string unit, params object[] held)
    {
        var person = await server.AddPersonAsync("Ola Hansen");
        await server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == person.Id)).Unit = unit;
            foreach (var row in held) db.Add(((Func<Person, object>)row)(person));
        });
        return person;
    }

    private Func<Person, object> App() => person =>
    {
        var totp = new TotpAuthenticator(person.Id, null, null, Server.Clock.GetUtcNow()) { SealedSeed = [1] };
        totp.Activate();
        return totp;
    };

    private Func<Person, object> Token() => person =>
    {
        var totp = new TotpAuthenticator(person.Id, null, null, Server.Clock.GetUtcNow()) { SealedSeed = [1], SerialNumber = "OATH-4711", Model = "Feitian c200" };
        totp.Activate();
        return totp;
    };

    private Func<Person, object> Key(string name = "Nøkkelen") => person => new Passkey(person.Id, Guid.NewGuid().ToByteArray(), [1], Guid.Empty, 0, false, false, name, Server.Clock.GetUtcNow());

    private Func<Person, object> Mobile() => person =>
    {
        var number = new TelephoneNumber(person.Id, TelephoneKind.Mobile, "+4799887766", null, Server.Clock.GetUtcNow());
        number.Activate(Server.Clock.GetUtcNow());
        return number;
    };

    private static async Task FillAsync(Browser desk, string name, string rule, Action<Dictionary<string, string>>? tamper, params Methods[] use)
    {
        await desk.OpenAsync(New);
        await desk.SubmitAsync((IHtmlFormElement)desk.Page.Forms.First(form => form.QuerySelector("[name=Rule]") is not null), tamper: fields =>
        {
            foreach (var key in fields.Keys.Where(key => key.StartsWith("Use[", StringComparison.Ordinal) || key.StartsWith("Enrol[", StringComparison.Ordinal)).ToList()) fields.Remove(key);
            foreach (var method in use) (fields[$"Use[{method}]"], fields[$"Enrol[{method}]"]) = ("true", "true");
            (fields["Name"], fields["Rule"], fields["Place"]) = (name, rule, "1");
            tamper?.Invoke(fields);
        });
    }

    private static int Effect(Browser desk, string name) => int.Parse(desk.Page.QuerySelector($"[data-effect={name}]")!.TextContent, System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_policy_says_whom_it_hits_before_it_is_saved_and_the_audit_log_who_saved_what()
    {
        var unit = RandomId.New();
        await InUnitAsync(Server, unit);
        await InUnitAsync(Server, unit, App());
        await InUnitAsync(Server, unit, App(), Key());
        await InUnitAsync(Server, unit + "/Under", Token());
        await InUnitAsync(Server, unit, Key());
        await InUnitAsync(Server, "Et annet sted", App());
        var (admin, _, desk) = await Cast.AtTheDeskAsync(Server);
        await FillAsync(desk, "Streng " + unit, $"unit under {unit}", null, Methods.Passkey, Methods.App);
        Assert.Equal((5, 5, 3, 2), (Effect(desk, "people"), Effect(desk, "moving"), Effect(desk, "losing"), Effect(desk, "last")));
        Assert.Contains("trenger et pass", desk.Text, StringComparison.Ordinal);
        Assert.False(await Server.ReadAsync(db => db.MethodPolicies.AnyAsync(row => row.Name == "Streng " + unit))); // a preview writes nothing

        await desk.PressAsync("Lagre");
        Assert.Equal("/administration/methods", desk.Path);
        var policy = await Server.ReadAsync(db => db.MethodPolicies.AsNoTracking().SingleAsync(row => row.Name == "Streng " + unit));
        Assert.Equal((Methods.Passkey | Methods.App, Methods.Passkey | Methods.App, 1), (policy.ForUse, policy.ForEnrolment, policy.Position));
        var row = await Server.ReadAsync(db => db.AuditEvents.AsNoTracking().SingleAsync(one => one.What == SecurityEvent.MethodPolicyChanged && one.Subject == policy.Id.ToString("N")));
        Assert.Equal(admin.Id, row.ActorId);
        Assert.Contains("may be used: App, Passkey", row.Reason, StringComparison.Ordinal);

        // Taken away again: the same people move back, and nobody loses anything.
        await desk.OpenAsync($"/administration/methods/{policy.Id}");
        await desk.PressAsync("Fjern regelen");
        Assert.Equal((5, 0, 0), (Effect(desk, "moving"), Effect(desk, "losing"), Effect(desk, "last")));
        await desk.PressAsync("Lagre");
        Assert.False(await Server.ReadAsync(db => db.MethodPolicies.AnyAsync(one => one.Id == policy.Id)));
        desk.Dispose();
    }

    [Fact]
    public async Task R10_R62_A_stricter_policy_ends_at_once_what_came_of_a_method_that_no_longer_counts()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        using var byCode = new Browser(Server);
        await byCode.OpenAppAsync();
        await byCode.PasswordAsync(kari);
        await byCode.OpenAsync($"/sign-in/{byCode.AttemptId}/code");
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await byCode.SubmitAsync(byCode.Page.Forms[0], tamper: fields => fields["code"] = phone.Code());
        await byCode.PressAsync("Nei");
        using var byPhone = new Browser(Server);
        await byPhone.OpenAppAsync();
        await byPhone.PasswordAsync(kari);
        await phone.ApproveAsync(byPhone.MatchingNumber);
        await byPhone.PressAsync("Jeg har godkjent");
        await byPhone.PressAsync("Nei");
        Assert.True(await IsSignedInAsync(byCode));

        var (_, _, desk) = await Cast.AtTheDeskAsync(Server);
        await FillAsync(desk, RandomId.New(), $"user name is {kari.UserName}", null, Methods.App);
        Assert.Equal((1, 1, 0), (Effect(desk, "people"), Effect(desk, "losing"), Effect(desk, "last")));
        await desk.PressAsync("Lagre");

        Assert.False(await IsSignedInAsync(byCode));
        Assert.True(await IsSignedInAsync(byPhone));
        var session = await Server.ReadAsync(db => db.Sessions.AsNoTracking().SingleAsync(row => row.PersonId == kari.Id && row.Method == SecondFactorMethod.Code));
        await using (var scope = Server.Services.CreateAsyncScope()) Assert.False(await scope.ServiceProvider.GetRequiredService<Rulings>().StillHoldsAsync(SessionHolder.Of(session, kari, anyPolicy: true), CancellationToken.None)); // what tokens are asked
        Assert.Equal(1, await Server.Services.GetRequiredService<OverdueSessions>().EndAsync(CancellationToken.None));
        Assert.NotNull(await Server.ReadAsync(db => db.Sessions.Where(row => row.Id == session.Id).Select(row => row.EndedAt).SingleAsync()));

        // And nobody begins with it again.
        using var next = new Browser(Server);
        await next.OpenAppAsync();
        await next.PasswordAsync(kari);
        await next.OpenAsync($"/sign-in/{next.AttemptId}/code");
        Assert.EndsWith("/second-factor", next.Path, StringComparison.Ordinal);
        desk.Dispose();
    }

    [Fact]
    public async Task Only_an_administrator_changes_policies_within_ten_minutes_and_never_locks_the_own_desk()
    {
        foreach (var role in new[] { Role.Auditor, Role.Helpdesk, Role.RolloutManager })
        {
            var (_, _, other) = await Cast.AtTheDeskAsync(Server, role);
            foreach (var path in new[] { "/administration/methods", New })
            {
                await other.OpenAsync(path);
                Assert.Equal(HttpStatusCode.Forbidden, other.Status);
            }

            other.Dispose();
        }

        var (admin, _, part) = await Cast.AtTheDeskAsync(Server, Role.Administrator, unit: "Skole");
        await part.OpenAsync(New);
        Assert.Equal(HttpStatusCode.Forbidden, part.Status);
        part.Dispose();

        var (ada, _, desk) = await Cast.AtTheDeskAsync(Server);
        await FillAsync(desk, "Bare koder", $"user name is {ada.UserName}", null, Methods.Code);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        Assert.Contains("ikke åpne administrasjonen", desk.Text, StringComparison.Ordinal);
        foreach (var (name, value) in new[] { ("Rule", ""), ("Rule", "unit er X"), ("Name", ""), ("MaximumPhones", "6"), ("MaximumPhones", "0"), ("Place", "99"), ("Pass", "Alt"), ("Use[AccessPass]", "true"), ("Use[3]", "true"), ("Use[Alt]", "true") })
        {
            await FillAsync(desk, RandomId.New(), "unit is Ingen", fields => fields[name] = value, Methods.App);
            Assert.True(desk.Page.QuerySelector("#problem") is not null && desk.Status is HttpStatusCode.UnprocessableEntity, $"{name}={value}: {desk.Status}");
        }

        await FillAsync(desk, RandomId.New(), "unit is Ingen", null, Methods.RecoveryCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);

        // Nothing of the entity can be posted beside the form, and an old page saves nothing.
        await FillAsync(desk, "Fra skjemaet", "unit is Ingen", fields => (fields["Id"], fields["Version"], fields["CreatedAt"]) = (Guid.NewGuid().ToString(), "7", "2020-01-01"), Methods.App);
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        await desk.PressAsync("Lagre");
        Assert.Equal(HttpStatusCode.Forbidden, desk.Status);
        Assert.False(await Server.ReadAsync(db => db.MethodPolicies.AnyAsync(row => row.Name == "Fra skjemaet")));
        Assert.NotEqual(admin.Id, ada.Id);
        desk.Dispose();
    }

    [Fact]
    public async Task R29_R44_The_helpdesk_sees_every_method_and_the_last_one_taken_away_leaves_none()
    {
        var unit = RandomId.New();
        var ola = await InUnitAsync(Server, unit, Token(), Key("Blå nøkkel"), Mobile());
        await Server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == ola.Id)).RecordEnrolment(Server.Clock.GetUtcNow());
            db.RecoveryCodes.Add(new RecoveryCode(ola.Id, Guid.NewGuid().ToByteArray(), Server.Clock.GetUtcNow()));
            db.MethodPolicies.Add(new MethodPolicy("Regel " + unit, $"unit is {unit}", Server.Clock.GetUtcNow()));
        });
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk);
        var page = $"/administration/people/{ola.UserName}";
        await desk.OpenAsync(page);
        foreach (var shown in new[] { "OATH-4711", "Feitian c200", "Klokke: Riktig.", "Blå nøkkel", TelephoneNumber.Masked("+4799887766"), "Regel " + unit }) Assert.Contains(shown, desk.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("+4799887766", desk.Text, StringComparison.Ordinal);

        for (var left = 3; left > 0; left--)
        {
            Assert.True(await Server.ReadAsync(db => db.People.Where(row => row.Id == ola.Id && !row.NeedsPass && row.EnrolledAt != null).AnyAsync()), $"{left} left");
            await desk.OpenAsync(page);
            var form = (IHtmlFormElement)desk.Page.QuerySelector("form[action*='RemoveMethod'], form[action*='RemoveCode']")!;
            await desk.SubmitAsync(form, tamper: fields => fields["reason"] = "Mistet");
            Assert.Equal(HttpStatusCode.OK, desk.Status);
        }

        var after = await Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == ola.Id));
        Assert.Equal((true, null), (after.NeedsPass, after.EnrolledAt));
        Assert.Equal(0, await Server.ReadAsync(db => db.RecoveryCodes.CountAsync(row => row.PersonId == ola.Id)));
        var told = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == ola.Id && row.Reason == "Mistet").OrderBy(row => row.Id).Select(row => row.What).ToListAsync());
        Assert.Equal([SecurityEvent.TokenRemoved, SecurityEvent.PasskeyRemoved, SecurityEvent.TelephoneRemoved], told.Where(what => what is not SecurityEvent.SessionEnded));
        desk.Dispose();
    }

    private static async Task<bool> IsSignedInAsync(Browser browser) => (await browser.OpenAsync("/account")).Heading.StartsWith("Hei", StringComparison.Ordinal);
}
