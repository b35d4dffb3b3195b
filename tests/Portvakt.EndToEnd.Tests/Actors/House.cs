using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Playwright;
using Portvakt.Testing;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>A person of the organisation, freshly added, with a password and nothing else.</summary>
public sealed record Employee(string UserName, string Name, string Password);

/// <summary>
/// Everything that runs: the server and the application as programs of their own, a push service, and one browser for all
/// computers. Phones bring their own browser. One house serves a whole test run; the people in it are fresh for each test.
/// </summary>
public sealed class House : IAsyncDisposable
{
    public const string Organisation = "Eksempel kommune";

    private readonly string _data = Directory.CreateTempSubdirectory("portvakt-end-to-end-").FullName;
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private RunningProgram? _server;
    private RunningProgram? _application;
    private RunningProgram? _second;
    private IBrowser? _computers;
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, Lazy<Task<string>>> _waves = new(StringComparer.Ordinal);
    private int _people;

    private House()
    {
    }

    /// <summary>Origin of the server, without a slash at the end.</summary>
    public string Server { get; private set; } = "";

    /// <summary>Origin of the sample application.</summary>
    public string Application { get; private set; } = "";

    /// <summary>Origin of the second application: the same program, as Reiseregning.</summary>
    public string SecondApplication { get; private set; } = "";

    public FakePushService PushService { get; private set; } = null!;
    public IPlaywright Playwright { get; private set; } = null!;
    public RunningProgram ServerProgram => _server!;

    /// <summary>The browser of all computers; each computer is a context of its own.</summary>
    public IBrowser Computers => _computers!;

    /// <summary>Debian's Chromium; <c>PORTVAKT_CHROMIUM</c> names another.</summary>
    public static string Chromium => Environment.GetEnvironmentVariable("PORTVAKT_CHROMIUM") is { Length: > 0 } path ? path : "/usr/bin/chromium";

    /// <param name="relay">Puts something before the server: given the server's port, answers with the port to call. Nothing, unless said.</param>
    public static async Task<House> OpenAsync(Func<int, int>? relay = null)
    {
        var house = new House();
        try
        {
            await house.StartAsync(relay);
            return house;
        }
        catch
        {
            await house.DisposeAsync();
            throw;
        }
    }

    /// <param name="name">Full name.</param>
    /// <param name="deadline">From when nobody gets in without a second factor; by default yesterday, so that it must be done now.</param>
    public async Task<Employee> AddAsync(string name = "Kari Nordmann", DateTimeOffset? deadline = null)
    {
        var number = Interlocked.Increment(ref _people);
        var employee = new Employee(
            string.Create(CultureInfo.InvariantCulture, $"{name.Split(' ')[0].ToLowerInvariant()}{number}"), name,
            string.Join('-', Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 5))));
        var now = TimeProvider.System.GetUtcNow();
        await RunningProgram.RunAsync(
            Portvakt,
            [
                "people", "add", employee.UserName, "--name", name, "--email", $"{employee.UserName}@eksempel.kommune.no",
                "--wave", await WaveAsync(deadline ?? now.AddDays(-1)), "--last-used", now.AddDays(-1).ToString("O"), "--password-stdin",
            ],
            _settings, employee.Password + "\n");
        return employee;
    }

    /// <summary>Brings in the demo's people, and answers with the administrator among them. For a house of one's own: it must be empty.</summary>
    public async Task<Employee> FillAsync()
    {
        var admin = new Employee("admin", "Demo-administrator", string.Join('-', Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 5))));
        await RunningProgram.RunAsync(Portvakt, ["demo-people", "--password-stdin"], _settings, admin.Password + "\n");
        return admin;
    }

    /// <summary>The wave with the deadline of this day; made once.</summary>
    private Task<string> WaveAsync(DateTimeOffset deadline) => _waves.GetOrAdd(deadline.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), new Lazy<Task<string>>(async () =>
    {
        var name = deadline.ToString("O");
        await RunningProgram.RunAsync(
            Portvakt,
            ["waves", "add", name, "--from", deadline.AddDays(-30).ToString("O"), "--deadline", name, "--after-deadline", "EnrolNow"],
            _settings);
        return name;
    })).Value;

    /// <summary>Ends the server, if it runs, and starts it on the same data.</summary>
    public async Task RestartServerAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _server = await RunningProgram.StartAsync(Portvakt, ["serve"], _settings, Server + "/health/ready");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_computers is not null) await _computers.DisposeAsync();
        Playwright?.Dispose();
        if (_application is not null) await _application.DisposeAsync();
        if (_second is not null) await _second.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        if (PushService is not null) await PushService.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private async Task StartAsync(Func<int, int>? relay)
    {
        var port = RunningProgram.FreePort();
        Server = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{relay?.Invoke(port) ?? port}");
        Application = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RunningProgram.FreePort()}");
        SecondApplication = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RunningProgram.FreePort()}");
        PushService = await FakePushService.StartAsync(TimeProvider.System);

        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var parties = Path.Combine(_data, "relying-parties.json");
        await File.WriteAllTextAsync(parties, JsonSerializer.Serialize(new
        {
            relying_parties = new[] { ("timeliste", "Timeliste", Application), ("reiseregning", "Reiseregning", SecondApplication) }.Select(app => new
            {
                client_id = app.Item1,
                client_name = app.Item2,
                client_secret = secret,
                redirect_uris = new[] { app.Item3 + "/signin-oidc" },
                post_logout_redirect_uris = new[] { app.Item3 + "/signout-callback-oidc" },
                backchannel_logout_uri = app.Item3 + "/backchannel-logout",
            }),
        }));

        foreach (var (name, value) in new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_URLS"] = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}"),
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Portvakt__Demo"] = "true",
            ["Portvakt__PublicAddress"] = Server,
            ["Portvakt__Organisation"] = Organisation,
            ["Portvakt__Helpdesk"] = "Brukerstøtte, telefon 55 50 00 00",
            ["Portvakt__DataDirectory"] = _data,
            ["Portvakt__RelyingPartiesFile"] = parties,
            ["Portvakt__ApprovalLifetime"] = "00:03:00", // a slow machine is no reason to fail
            ["Portvakt__AllowPinUnlock"] = "true",
            ["Portvakt__AllowLoopbackPush"] = "true",
            ["Portvakt__PushContact"] = "mailto:it@eksempel.kommune.no",
            ["Portvakt__Texts__Address"] = Server + "/demo/telephone", // the demo's own provider, which shows what it was given
            ["Portvakt__Texts__Body"] = """{"how":"SMS","number":"{number}","text":"{text}"}""",
            ["Portvakt__Calls__Address"] = Server + "/demo/telephone",
            ["Portvakt__Calls__Body"] = """{"how":"call","number":"{number}","text":"{text}"}""",
        }) _settings[name] = value;

        await RunningProgram.RunAsync(Portvakt, ["migrate"], _settings);
        await RestartServerAsync();
        _application = await StartApplicationAsync("timeliste", Application, secret);
        _second = await StartApplicationAsync("reiseregning", SecondApplication, secret);

        Playwright = await Microsoft.Playwright.Playwright.CreateAsync();
        _computers = await Playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Chromium, Args = Flags });
    }

    private Task<RunningProgram> StartApplicationAsync(string name, string address, string secret) => RunningProgram.StartAsync(
        RunningProgram.FileOf("samples/Portvakt.SampleApp", "portvakt-sample-app.dll"), [],
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_URLS"] = address,
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["Authority"] = Server,
            ["ClientId"] = name,
            ["ClientSecret"] = secret,
            ["App"] = name,
        },
        address + "/");

    /// <summary>Nothing of the browser's own goes out; containers have no sandbox and little shared memory.</summary>
    internal static readonly string[] Flags =
        ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    private static string Portvakt => RunningProgram.FileOf("src/Portvakt.Server", "portvakt.dll");
}
