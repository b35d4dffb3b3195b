using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Portvakt.Domain;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.Actors;

public enum DatabaseKind
{
    Sqlite,
    Postgres,
}

/// <summary>The whole server in this process, on a database of its own, with a clock that stands still until a test moves it.</summary>
public sealed class PortvaktServer : IAsyncDisposable
{
    public const string Origin = "https://id.test";
    public const string Password = "en grønn elefant på taket";
    public const string RedirectUri = "https://app.test/signin-oidc";

    private const string Clients = $$"""
        [{ "client_id": "timeliste", "client_name": "Timeliste", "client_secret": "a-secret-that-a-machine-chose-0123456789", "redirect_uris": ["{{RedirectUri}}"] },
         { "client_id": "strict", "client_name": "Lønn", "client_secret": "another-secret-that-a-machine-chose-01234", "redirect_uris": ["https://pay.test/cb"], "default_acr_values": ["urn:portvakt:aal2"] }]
        """;

    private readonly string _folder;
    private readonly Dictionary<string, string?> _settings = new(StringComparer.Ordinal);
    private WebApplication _app = null!;
    private Action<IServiceCollection>? _services;
    private Action<PortvaktSettings>? _bend;
    private bool _onSocket;
    private int _people;
    private int _working;
    private PortvaktServer? _second;
    private int _requests = -1;

    private PortvaktServer(string folder, FakeTimeProvider clock) => (_folder, Clock) = (folder, clock);

    public FakeTimeProvider Clock { get; }

    /// <summary>Whether the files and the clock are another server's.</summary>
    public bool IsGuest { get; private init; }

    /// <summary>The port on this machine of a server that was started on a socket.</summary>
    public int Port => new Uri(_app.Urls.Single()).Port;

    public IServiceProvider Services => _app.Services;

    /// <summary>Every line the server has logged.</summary>
    public LogLines Log { get; private init; } = new();

    /// <param name="kind">Which database.</param>
    /// <param name="settings">In addition, or instead.</param>
    /// <param name="services">In addition.</param>
    /// <param name="bend">For what the settings themselves refuse outside the demo, such as a push service on this machine.</param>
    /// <param name="onSocket">Kestrel on this machine instead of a server without a wire.</param>
    /// <param name="now">Where the clock stands at the beginning.</param>
    public static async Task<PortvaktServer> StartAsync(
        DatabaseKind kind, Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null, Action<PortvaktSettings>? bend = null, bool onSocket = false, DateTimeOffset? now = null)
    {
        var server = new PortvaktServer(Directory.CreateTempSubdirectory("portvakt-server").FullName, new FakeTimeProvider(now ?? new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero)))
        {
            _services = services,
            _bend = bend,
            _onSocket = onSocket,
        };
        await File.WriteAllTextAsync(Path.Combine(server._folder, "clients.json"), Clients);
        foreach (var (name, value) in new Dictionary<string, string?>
        {
            ["PublicAddress"] = Origin,
            ["Organisation"] = "Eksempel kommune",
            ["DataDirectory"] = server._folder,
            ["PushContact"] = "mailto:it@eksempel.no",
            ["RelyingPartiesFile"] = Path.Combine(server._folder, "clients.json"),
            ["MigrateAtStart"] = "true",
            ["Database"] = kind is DatabaseKind.Postgres && settings?.ContainsKey("Portvakt:Database") is not true ? await NewPostgresDatabaseAsync() : null,
        }) server._settings[$"Portvakt:{name}"] = value;
        foreach (var (name, value) in settings ?? []) server._settings[name] = value;
        await server.StartAsync();
        return server;
    }

    /// <summary>The same database and keys under a new process: what a restart is to those outside.</summary>
    public async Task RestartAsync()
    {
        if (_second is not null) await _second.RestartAsync();
        await _app.DisposeAsync();
        await StartAsync();
    }

    /// <summary>
    /// From here on this is two nodes on one database, and requests are scattered between them: the n-th goes to the node that the n-th figure of the Thue-Morse sequence
    /// says, which is even-handed and never repeats itself, so that no step of a journey always meets the same node.
    /// </summary>
    public async Task ScatterAsync()
    {
        _second = new PortvaktServer(_folder, Clock) { IsGuest = true, _services = _services, _bend = _bend, Log = Log };
        foreach (var (name, value) in _settings) _second._settings[name] = value;
        await _second.StartAsync();
    }

    /// <summary>Another server on the same database, with the same master key and settings.</summary>
    public async Task<PortvaktServer> BesideAsync()
    {
        var other = new PortvaktServer(_folder, Clock) { IsGuest = true, _services = _services, _bend = _bend };
        foreach (var (name, value) in _settings) other._settings[name] = value;
        await other.StartAsync();
        return other;
    }

    /// <summary>This one, and the other where requests are scattered.</summary>
    public IReadOnlyList<PortvaktServer> Nodes => _second is null ? [this] : [this, _second];

    public HttpMessageHandler Handler() => _second is null ? OwnHandler() : new Scattering(this, _second);

    private HttpMessageHandler OwnHandler() => ((TestServer)_app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>()).CreateHandler();

    public async Task<Person> AddPersonAsync(
        string name = "Kari Nordmann", TimeSpan? deadlineIn = null, AfterDeadline after = AfterDeadline.EnrolNow, EnrolmentAccess access = EnrolmentAccess.Open)
    {
        await using var scope = Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = Clock.GetUtcNow();
        var userName = UserName.Parse($"{name.Split(' ')[0]}{Interlocked.Increment(ref _people).ToString(CultureInfo.InvariantCulture)}");
        var person = new Person(userName, name, now) { Email = $"{userName}@eksempel.no" };
        person.SetPassword(await Services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(Password)!, CancellationToken.None));
        person.RecordUseElsewhere(now - TimeSpan.FromDays(1)); // an account in use: its password may enrol (R29)
        var wave = new Wave(RandomId.New(), now - TimeSpan.FromDays(30), now + (deadlineIn ?? TimeSpan.FromDays(-1)), now) { AfterDeadline = after, Access = access };
        db.Waves.Add(wave);
        person.JoinWave(wave.Id, byName: true);
        db.People.Add(person);
        await db.SaveChangesAsync();
        return person;
    }

    public async Task<T> ReadAsync<T>(Func<PortvaktDb, Task<T>> query)
    {
        await using var scope = Services.CreateAsyncScope();
        return await query(scope.ServiceProvider.GetRequiredService<PortvaktDb>());
    }

    public async Task ChangeAsync(Func<PortvaktDb, Task> change)
    {
        await using var scope = Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        await change(db);
        await db.SaveChangesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_second is not null) await _second.DisposeAsync();
        await _app.DisposeAsync();
        if (!IsGuest) Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Where the tests' PostgreSQL listens; null when none is configured, which CI does not accept.</summary>
    public static string? PostgresConnection => Environment.GetEnvironmentVariable("PORTVAKT_TEST_POSTGRES") is { Length: > 0 } text ? text : null;

    public const string NoPostgres = "No PostgreSQL is configured (PORTVAKT_TEST_POSTGRES); `dotnet run dev.cs test` starts one.";

    /// <summary>Whether the tests have such a database. Without PostgreSQL they are skipped; never silently in CI.</summary>
    public static bool Has(DatabaseKind kind)
    {
        if (kind is DatabaseKind.Sqlite || PostgresConnection is not null) return true;
        return Environment.GetEnvironmentVariable("CI") is not "true" ? false : throw new InvalidOperationException("PORTVAKT_TEST_POSTGRES is not set.");
    }

    /// <summary>Until no request is being worked on, also none whose caller has gone.</summary>
    public Task IdleAsync() => UntilAsync(() => Task.FromResult(Volatile.Read(ref _working) is 0 && (_second is null || Volatile.Read(ref _second._working) is 0)));

    /// <summary>Until it is so; for what happens in the background, with an end.</summary>
    public static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        for (var tries = 0; !await isSo(); tries++)
        {
            Assert.True(tries < 1000, "It never became so.");
            await Task.Delay(20);
        }
    }

    private async Task StartAsync()
    {
        _app = PortvaktHost.Build([], builder =>
        {
            if (_onSocket) builder.WebHost.UseUrls("http://127.0.0.1:0");
            else builder.WebHost.UseTestServer();
            builder.Configuration.AddInMemoryCollection(_settings);
            builder.Services.AddSingleton<TimeProvider>(Clock);
            _services?.Invoke(builder.Services);
            builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter>(new AddressFilter(this))); // outermost: whatever else looks at addresses comes after the wire
            builder.Logging.ClearProviders().AddProvider(Log);
        }, Path.Combine(Repository(), "src", "Portvakt.Server"));
        _bend?.Invoke(_app.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value);
        await PortvaktHost.PrepareAsync(_app, CancellationToken.None);
        await _app.StartAsync();
    }

    /// <summary>The root of the checkout, from wherever the tests run.</summary>
    public static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "global.json"))) folder = folder.Parent;
        return folder.FullName;
    }

    /// <summary>An empty database at the tests' PostgreSQL, as Npgsql takes it.</summary>
    public static async Task<string> NewPostgresDatabaseAsync()
    {
        var name = $"portvakt_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(PostgresConnection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync();
        // Many servers share one PostgreSQL, and after a race each would hold what it needed then for minutes.
        return new NpgsqlConnectionStringBuilder(PostgresConnection) { Database = name, ConnectionIdleLifetime = 15, ConnectionPruningInterval = 5 }.ConnectionString;
    }

    /// <summary>A balancer without any memory. A stream stays where it was opened.</summary>
    private sealed class Scattering(PortvaktServer first, PortvaktServer second) : HttpMessageHandler
    {
        private readonly HttpMessageInvoker[] _lines = [new(first.OwnHandler()), new(second.OwnHandler())];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            _lines[System.Numerics.BitOperations.PopCount((uint)Interlocked.Increment(ref first._requests)) % 2].SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing) Array.ForEach(_lines, line => line.Dispose());
            base.Dispose(disposing);
        }
    }

    /// <summary>The test server has no sockets; a header of the actor says where it would have come from.</summary>
    private sealed class AddressFilter(PortvaktServer server) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (http, rest) =>
            {
                http.Connection.RemoteIpAddress = IPAddress.TryParse(http.Request.Headers["Test-Address"], out var address) ? address : IPAddress.Parse("192.0.2.1");
                Interlocked.Increment(ref server._working);
                try
                {
                    await rest(http);
                }
                finally
                {
                    Interlocked.Decrement(ref server._working);
                }
            });
            next(app);
        };
    }
}

/// <summary>Keeps what was logged, so that a test can look for what must never stand there.</summary>
public sealed class LogLines : ILoggerProvider
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

    public string? LastError => _lines.LastOrDefault(line => line.StartsWith("Error ", StringComparison.Ordinal));

    public string All => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        // Nothing to close.
    }

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) lines._lines.Enqueue($"{logLevel} {category} {formatter(state, exception)} {exception}");
        }
    }
}
