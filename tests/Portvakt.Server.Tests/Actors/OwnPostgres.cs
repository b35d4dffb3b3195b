using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Portvakt.Server.Tests.Actors;

/// <summary>A PostgreSQL server of a test's own, which may be stopped as hard as one likes and followed by another. Unlike the one that all tests share it writes to the disk.</summary>
public sealed class OwnPostgres : IAsyncDisposable
{
    public const string NoPrograms = "The programs of PostgreSQL are not installed.";
    private readonly string _home;
    private readonly int _port;

    private OwnPostgres(string home, int port) => (_home, _port) = (home, port);

    /// <summary>Whether there are programs to run it with, which CI does not do without.</summary>
    public static bool IsInstalled => Find("pg_ctl") is not null || (Environment.GetEnvironmentVariable("CI") is "true" ? throw new InvalidOperationException(NoPrograms) : false);

    /// <summary>The database in it, as Npgsql takes it.</summary>
    public string Database => $"Host=127.0.0.1;Port={_port.ToString(CultureInfo.InvariantCulture)};Username=postgres;Database=postgres";

    private string Data => Path.Combine(_home, "data");

    public static async Task<OwnPostgres> StartAsync()
    {
        var server = await NewAsync();
        await server.RunAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions");
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Another server that follows this one and is ready to take its place.</summary>
    public async Task<OwnPostgres> FollowedAsync()
    {
        var follower = await NewAsync();
        await follower.RunAsync("pg_basebackup", "-D", follower.Data, "-h", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "--no-sync");
        await follower.StartAgainAsync();
        return follower;
    }

    public Task StartAgainAsync() => RunAsync("pg_ctl", "-s", "-w", "-D", Data, "-l", Path.Combine(_home, "log"), "-o", $"-p {_port.ToString(CultureInfo.InvariantCulture)} -h 127.0.0.1 -k '' -c max_connections=60", "start");

    /// <param name="mode"><c>fast</c>: as an operator stops it; <c>immediate</c>: as if the machine had lost its power.</param>
    public Task StopAsync(string mode) => RunAsync("pg_ctl", "-s", "-w", "-D", Data, "-m", mode, "stop");

    /// <summary>From a follower to the one that is written to.</summary>
    public Task PromoteAsync() => RunAsync("pg_ctl", "-s", "-w", "-D", Data, "promote");

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid"))) await StopAsync("immediate");
        Directory.Delete(_home, recursive: true);
    }

    private static async Task<OwnPostgres> NewAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = new OwnPostgres(Directory.CreateTempSubdirectory("portvakt-own-postgres").FullName, ((IPEndPoint)listener.LocalEndpoint).Port);
        if (Environment.IsPrivilegedProcess) await ProcessAsync("chown", ["postgres", server._home], server._home);
        return server;
    }

    /// <summary>PostgreSQL refuses to be root.</summary>
    private Task RunAsync(string program, params string[] arguments) =>
        Environment.IsPrivilegedProcess ? ProcessAsync("setpriv", ["--reuid=postgres", "--clear-groups", "--", Find(program)!, .. arguments], _home) : ProcessAsync(Find(program)!, arguments, _home);

    private static async Task ProcessAsync(string program, string[] arguments, string folder)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder })!; // what it says is not read: the server that it leaves behind would hold the line
        await process.WaitForExitAsync();
        if (process.ExitCode is not 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode.ToString(CultureInfo.InvariantCulture)}.");
    }

    /// <summary>Debian keeps the programs of each version apart and off the path.</summary>
    private static string? Find(string program) =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")) : [])
        .Concat(Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator) ?? []).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
