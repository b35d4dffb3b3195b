using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portvakt.Bench.Actors;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Server;
using Portvakt.Server.Hosting;
using Portvakt.Testing;

namespace Portvakt.Bench.Load;

/// <summary>A database of its own with its master key, so many nodes on it as programs of their own, and a push service in this one.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("portvakt-load-").FullName;
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private readonly List<RunningProgram> _nodes = [];
    private readonly string? _databaseName;
    private readonly int[] _ports;
    private int _turn;

    private Installation(string? server, int nodes)
    {
        _ports = [.. Enumerable.Range(0, nodes).Select(_ => RunningProgram.FreePort())];
        if (server is null) return;
        _databaseName = $"portvakt_load_{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        Server = server;
        Database = new NpgsqlConnectionStringBuilder(server) { Database = _databaseName }.ConnectionString;
    }

    /// <summary>Where PostgreSQL is; null: SQLite.</summary>
    public string? Server { get; }

    /// <summary>The database on that server.</summary>
    public string? Database { get; }

    public bool IsPostgres => Server is not null;

    public string Kind => IsPostgres ? "PostgreSQL" : "SQLite";

    /// <summary>How the database is reached without the server.</summary>
    public string Connection => Database ?? new SqliteConnectionStringBuilder { DataSource = Path.Combine(_data, "portvakt.db"), DefaultTimeout = 30 }.ConnectionString;

    public KeyRing Keys { get; } = new();

    /// <summary>The nodes as their people see them: one address, and connections that are dealt to the nodes in turn.</summary>
    public Site Site { get; private set; } = null!;

    /// <summary>What all nodes have computed since they began.</summary>
    public TimeSpan NodesTime => _nodes.Aggregate(TimeSpan.Zero, (sum, node) => sum + node.ProcessorTime);

    /// <summary>Resident memory of all nodes, in bytes.</summary>
    public long Memory => _nodes.Sum(node => node.Memory);

    /// <summary>What the nodes have logged as errors, the innermost cause of each sort once, with how often: for whoever asks why somebody failed.</summary>
    public IEnumerable<string> Faults => _nodes.SelectMany(node => node.Said.Split('\n'))
        .Where(line => line.Contains("\"LogLevel\":\"Error\"", StringComparison.Ordinal) || line.Contains("\"LogLevel\":\"Critical\"", StringComparison.Ordinal))
        .Select(line => JsonNode.Parse(line)!).Select(line => (string?)line["Exception"] ?? (string?)line["Message"] ?? "").Select(Cause)
        .GroupBy(text => text, StringComparer.Ordinal).OrderByDescending(sort => sort.Count()).Select(sort => string.Create(CultureInfo.InvariantCulture, $"{sort.Count(),6}  {sort.Key}"));

    /// <summary>
    /// Until each node has verified the audit log, as it does a minute after its start and then once a day: whoever measures what grows with people would measure that instead.
    /// </summary>
    public async Task UntilVerifiedAsync()
    {
        var clock = Stopwatch.StartNew();
        while (!_nodes.TrueForAll(node => node.Said.Contains("The audit log is whole", StringComparison.Ordinal)))
        {
            if (clock.Elapsed > TimeSpan.FromMinutes(20)) throw new InvalidOperationException($"The audit log was not verified:\n{string.Join('\n', _nodes.Select(node => node.Said))}");
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <param name="postgres">PostgreSQL, where the environment says one is; otherwise SQLite.</param>
    /// <param name="nodes">How many servers.</param>
    public static async Task<Installation> CreateAsync(bool postgres, int nodes = 1)
    {
        var server = postgres ? Environment.GetEnvironmentVariable("PORTVAKT_TEST_POSTGRES") ?? throw new UsageException("PORTVAKT_TEST_POSTGRES does not say where PostgreSQL is; dev.cs starts one.") : null;
        if (nodes > 1 && server is null) throw new UsageException("Several nodes need --database postgres.");
        var installation = new Installation(server, nodes);
        try
        {
            await installation.PrepareAsync();
            return installation;
        }
        catch
        {
            await installation.DisposeAsync();
            throw;
        }
    }

    /// <summary>Does something with the server's own services, in this process, without a server.</summary>
    public async Task WithServicesAsync(Func<IServiceProvider, Task> work)
    {
        await using (var app = PortvaktHost.Build([.. _settings.Select(setting => $"--Portvakt:{setting.Key}={setting.Value}")], builder => builder.Logging.ClearProviders()))
        {
            await work(app.Services);
        }

        SqliteConnection.ClearAllPools();
    }

    /// <summary>Starts all nodes.</summary>
    public async Task StartAsync()
    {
        foreach (var port in _ports)
        {
            var address = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{port}");
            _nodes.Add(await RunningProgram.StartAsync(
                RunningProgram.Server, ["serve"],
                new Dictionary<string, string>(_settings.Select(setting => KeyValuePair.Create($"Portvakt__{setting.Key.Replace(":", "__", StringComparison.Ordinal)}", setting.Value)), StringComparer.Ordinal)
                {
                    ["ASPNETCORE_URLS"] = address,
                    ["ASPNETCORE_ENVIRONMENT"] = "Production",
                    ["Logging__LogLevel__Default"] = "Warning",
                    ["Logging__LogLevel__Portvakt.Server.Audit"] = "Information",
                },
                address + "/health/ready"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Site?.Http.Dispose();
        foreach (var node in _nodes) await node.DisposeAsync();
        if (Site is not null) await Site.PushService.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        if (IsPostgres) await AdministerAsync($"DROP DATABASE IF EXISTS {_databaseName} WITH (FORCE)");
        Directory.Delete(_data, recursive: true);
    }

    private static string Cause(string text)
    {
        var inner = text.LastIndexOf("---> ", StringComparison.Ordinal);
        var line = (inner < 0 ? text : text[(inner + 5)..]).Split('\n')[0].Trim();
        return line.Length > 200 ? line[..200] : line;
    }

    private async Task PrepareAsync()
    {
        if (IsPostgres) await AdministerAsync($"CREATE DATABASE {_databaseName}");
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var address = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{_ports[0]}");
        var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false, ConnectCallback = ConnectAsync }) { Timeout = TimeSpan.FromMinutes(1) };
        Site = new Site(http, address, secret, await FakePushService.StartAsync(TimeProvider.System));
        var parties = Path.Combine(_data, "relying-parties.json");
        await File.WriteAllTextAsync(parties, Site.RelyingParties(secret));
        foreach (var (name, value) in new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Demo"] = "true", // or a push service on this machine could not be called
            ["PublicAddress"] = address,
            ["Organisation"] = "Eksempel kommune",
            ["Helpdesk"] = "Brukerstøtte, telefon 55 50 00 00",
            ["DataDirectory"] = _data,
            ["RelyingPartiesFile"] = parties,
            ["AllowLoopbackPush"] = "true",
            ["PushContact"] = "mailto:it@eksempel.kommune.no",
            ["TrustedProxies:0"] = "127.0.0.1", // people come from many places, as behind a balancer
            ["TrustedProxies:1"] = "::1",
            ["Database"] = Database,
            ["Backplane"] = _ports.Length > 1 ? Environment.GetEnvironmentVariable("PORTVAKT_TEST_REDIS") : null,
        })
        {
            if (value is not null) _settings[name] = value;
        }

        await WithServicesAsync(async services =>
        {
            services.GetRequiredService<Vault>(); // made while the database is new
            await Portvakt.Server.Hosting.Database.MigrateAsync(services, CancellationToken.None);
        });
    }

    /// <summary>A balancer that knows nothing but connections: each goes to the next node, and a request takes whichever is free.</summary>
    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var port = context.DnsEndPoint.Port == _ports[0] ? _ports[(int)((uint)Interlocked.Increment(ref _turn) % _ports.Length)] : context.DnsEndPoint.Port;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AdministerAsync(string statement)
    {
        await using var connection = new NpgsqlConnection(Server);
        await connection.OpenAsync();
#pragma warning disable CA2100 // the name of the database is made here
        await using var command = new NpgsqlCommand(statement, connection);
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
