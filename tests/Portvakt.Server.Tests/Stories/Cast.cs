using Portvakt.Domain.People;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>A stage per database: the same stories are told on both.</summary>
public sealed class SqliteStage : Stage
{
    public SqliteStage() : base(DatabaseKind.Sqlite) { }
}

/// <summary>As <see cref="SqliteStage"/>.</summary>
public sealed class PostgresStage : Stage
{
    public PostgresStage() : base(DatabaseKind.Postgres) { }
}

/// <summary>As <see cref="SqliteStage"/>, and push services may be on this machine, which the settings refuse outside the demo.</summary>
public sealed class SqliteLoopbackStage : Stage
{
    public SqliteLoopbackStage() : base(DatabaseKind.Sqlite, settings => settings.AllowLoopbackPush = true) { }
}

/// <summary>As <see cref="SqliteLoopbackStage"/>.</summary>
public sealed class PostgresLoopbackStage : Stage
{
    public PostgresLoopbackStage() : base(DatabaseKind.Postgres, settings => settings.AllowLoopbackPush = true) { }
}

/// <summary>
/// In truth two servers on one PostgreSQL and, where the tests have a Redis, with a backplane; every request of whoever visits it meets one of the two. Told here: the journey,
/// the attacks on it, passkeys, security info. Not: eviction, which bends a setting of the one running server; broken database, sign-out and audit, which start and
/// restart servers of their own; statements, which count those of one; and administration, the move to a new phone, passes and telephones, for the time that it would take.
/// </summary>
public sealed class TwoNodesStage : Stage
{
    public TwoNodesStage() : base(DatabaseKind.Postgres, nodes: 2) { }
}

/// <summary>One server, many people: each story brings a person of its own.</summary>
public abstract class Stage(DatabaseKind kind, Action<PortvaktSettings>? bend = null, int nodes = 1) : IAsyncLifetime
{
    private PortvaktServer? _server;

    public PortvaktServer Server
    {
        get
        {
            Assert.SkipWhen(_server is null, PortvaktServer.NoPostgres);
            return _server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!PortvaktServer.Has(kind)) return;
        var settings = new Dictionary<string, string?> { ["Portvakt:AllowPinUnlock"] = "true", ["Portvakt:HelpdeskMail"] = "hjelp@eksempel.no" };
        if (nodes > 1) settings["Portvakt:Backplane"] = RedisWire.RedisItself;
        _server = await PortvaktServer.StartAsync(kind, settings, bend: bend);
        if (nodes > 1) await _server.ScatterAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

/// <summary>What stories do again and again.</summary>
public static class Cast
{
    /// <summary>The relying party sends the browser; it ends at the password page.</summary>
    public static Task<Browser> OpenAppAsync(this Browser browser, string client = "timeliste", string extra = "", string scope = "openid profile") => browser.OpenAsync(
        $"/connect/authorize?client_id={client}&response_type=code&redirect_uri={Uri.EscapeDataString(client is "strict" ? "https://pay.test/cb" : PortvaktServer.RedirectUri)}"
        + $"&scope={Uri.EscapeDataString(scope)}&state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256{extra}");

    public static Task<Browser> PasswordAsync(this Browser browser, Person person, string? password = null) =>
        browser.Fill("Brukernavn", person.UserName).Fill("Passord", password ?? PortvaktServer.Password).PressAsync("Logg på");

    /// <summary>From the password page to a bound, tested phone and the backup page.</summary>
    public static async Task<Phone> EnrolPhoneAsync(this Browser browser, PortvaktServer server, Phone? phone = null)
    {
        phone ??= new Phone(server);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        var bound = await phone.BindAsync(browser.TypedCode);
        Assert.True(bound.Ok, $"{bound.Status} {bound.Code}");
        await browser.ReloadAsync();
        await browser.PressAsync("Neste");
        var answer = await phone.ApproveAsync(browser.MatchingNumber);
        Assert.Equal("approved", answer.Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        return phone;
    }

    /// <summary>The end of the enrolment: finished, stay signed in or not, done.</summary>
    public static async Task<Browser> FinishAsync(this Browser browser, bool stay = true)
    {
        await browser.PressAsync("Fullført");
        await browser.PressAsync(stay ? "Ja" : "Nei");
        return await browser.PressAsync("Ferdig");
    }

    /// <summary>Somebody with a role of administration, signed in a moment ago with the phone, looking at a page of it.</summary>
    public static async Task<(Person Person, Phone Phone, Browser Browser)> AtTheDeskAsync(
        PortvaktServer server, Role role = Role.Administrator, string? unit = null, string path = "/administration/people")
    {
        var (person, phone) = await EnrolledAsync(server);
        await server.ChangeAsync(db =>
        {
            db.RoleAssignments.Add(new RoleAssignment(person.Id, role, unit, null, server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        var browser = new Browser(server);
        await browser.OpenAsync(path);
        await browser.SignInToTheDeskAsync(person, phone);
        return (person, phone, browser);
    }

    /// <summary>From the password page back to the page of administration.</summary>
    public static async Task<Browser> SignInToTheDeskAsync(this Browser browser, Person person, Phone phone)
    {
        await browser.PasswordAsync(person);
        var answer = await phone.ApproveAsync(browser.MatchingNumber);
        Assert.Equal("approved", answer.Text("outcome"));
        return await browser.PressAsync("Jeg har godkjent");
    }

    /// <summary>A person who has enrolled, with the phone in hand and nobody signed in.</summary>
    public static async Task<(Person Person, Phone Phone)> EnrolledAsync(PortvaktServer server, Phone? phone = null)
    {
        var person = await server.AddPersonAsync();
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        phone = await browser.EnrolPhoneAsync(server, phone);
        await browser.FinishAsync(stay: false);
        return (person, phone);
    }
}
