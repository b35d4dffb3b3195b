using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portvakt.Bench.Actors;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Server;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Testing;

namespace Portvakt.Bench.Cost;

/// <summary>The server and the floor as programs of their own, a push service in this one, and people who have a password and nothing else.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("portvakt-cost-").FullName;
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private readonly string _server = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RunningProgram.FreePort()}");
    private RunningProgram? _floorProgram;
    private RunningProgram? _serverProgram;

    private Stage()
    {
    }

    public string Secret { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
    public string ServerAddress => _server;
    public string FloorAddress { get; } = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RunningProgram.FreePort()}");
    public RunningProgram Server => _serverProgram ?? throw new InvalidOperationException("The server has not been started.");
    public RunningProgram Floor => _floorProgram ?? throw new InvalidOperationException("The floor has not been started.");
    public FakePushService PushService { get; private set; } = null!;

    /// <summary>For all browsers and applications.</summary>
    public HttpClient Http { get; } = Site.NewHttp();

    /// <summary>The server as its people see it.</summary>
    public Site Site => new(Http, _server, Secret, PushService);

    /// <param name="more">Settings besides, such as another database.</param>
    public static async Task<Stage> OpenAsync(IReadOnlyDictionary<string, string>? more = null)
    {
        var stage = new Stage();
        foreach (var (name, value) in more ?? new Dictionary<string, string>(StringComparer.Ordinal)) stage._settings[name] = value;
        try
        {
            await stage.PrepareAsync();
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the server, if it runs, and starts it on the same database.</summary>
    public async Task RestartServerAsync()
    {
        if (_serverProgram is not null) await _serverProgram.DisposeAsync();
        _serverProgram = await StartNodeAsync(_server);
    }

    /// <summary>A server with these settings that listens here, whatever its public address says. It belongs to the caller.</summary>
    public Task<RunningProgram> StartNodeAsync(string address) =>
        RunningProgram.StartAsync(
            RunningProgram.Server, ["serve"],
            new Dictionary<string, string>(_settings.Select(setting => KeyValuePair.Create($"Portvakt__{setting.Key}", setting.Value)), StringComparer.Ordinal)
            {
                ["ASPNETCORE_URLS"] = address,
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
            },
            address + "/health/ready");

    /// <summary>Starts the floor with the documents of the server that runs.</summary>
    public async Task StartFloorAsync()
    {
        await File.WriteAllBytesAsync(Path.Combine(_data, "discovery.json"), await Http.GetByteArrayAsync(_server + "/.well-known/openid-configuration"));
        await File.WriteAllBytesAsync(Path.Combine(_data, "jwks.json"), await Http.GetByteArrayAsync(_server + "/.well-known/jwks.json"));
        _floorProgram = await RunningProgram.StartAsync(
            RunningProgram.FileOf("bench/Floor", "Portvakt.Bench.Floor.dll"), [new Uri(FloorAddress).Port.ToString(CultureInfo.InvariantCulture), _data, Secret],
            new Dictionary<string, string>(StringComparer.Ordinal), FloorAddress + "/.well-known/jwks.json");
    }

    /// <summary>Where a file of this run may lie; it goes when the run ends.</summary>
    public string PathOf(string file) => Path.Combine(_data, file);

    /// <summary>A key that the server's own password hash can be made with here.</summary>
    public Vault NewVault() => Vault.Open(Path.Combine(_data, "bench.key"), mayCreate: true);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (_floorProgram is not null) await _floorProgram.DisposeAsync();
        if (_serverProgram is not null) await _serverProgram.DisposeAsync();
        if (PushService is not null) await PushService.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private async Task PrepareAsync()
    {
        PushService = await FakePushService.StartAsync(TimeProvider.System);
        var parties = Path.Combine(_data, "relying-parties.json");
        await File.WriteAllTextAsync(parties, Site.RelyingParties(Secret));
        foreach (var (name, value) in new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Demo"] = "true", // or a push service on this machine could not be called
            ["PublicAddress"] = _server,
            ["Organisation"] = "Eksempel kommune",
            ["Helpdesk"] = "Brukerstøtte, telefon 55 50 00 00",
            ["DataDirectory"] = _data,
            ["RelyingPartiesFile"] = parties,
            ["ApprovalLifetime"] = "00:05:00", // a busy machine is no reason to fail
            ["AllowLoopbackPush"] = "true",
            ["PushContact"] = "mailto:it@eksempel.kommune.no",
        }) _settings[name] = value;
    }

    /// <summary>A new database with so many people, who must enrol at their first sign-in.</summary>
    public async Task<IReadOnlyList<string>> FillAsync(int people)
    {
        await using (var app = PortvaktHost.Build([.. _settings.Select(setting => $"--Portvakt:{setting.Key}={setting.Value}")], builder => builder.Logging.ClearProviders()))
        {
            await Database.MigrateAsync(app.Services, CancellationToken.None);
            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
            var wave = new Wave("Alle", now.AddDays(-30), now.AddDays(-1), now) { AfterDeadline = AfterDeadline.EnrolNow, Access = EnrolmentAccess.Open };
            var hash = await app.Services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(Site.Password)!, CancellationToken.None);
            db.Waves.Add(wave);
            for (var number = 0; number < people; number++)
            {
                var person = new Person(UserName.Parse(Name(number)), $"Kari Nordmann {number}", now) { Email = $"{Name(number)}@eksempel.kommune.no" };
                person.SetPassword(hash);
                person.RecordUseElsewhere(now.AddDays(-1));
                person.JoinWave(wave.Id, byName: true);
                db.People.Add(person);
            }

            await db.SaveChangesAsync();
        }

        SqliteConnection.ClearAllPools();
        return [.. Enumerable.Range(0, people).Select(Name)];

        static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"kari{number}");
    }
}
