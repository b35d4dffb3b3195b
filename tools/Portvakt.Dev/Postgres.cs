using System.Globalization;
using System.Runtime.InteropServices;

namespace Portvakt.Dev;

/// <summary>A PostgreSQL server for one run of tests or of a measurement: own directory, own port, gone afterwards.</summary>
public sealed class Postgres : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Background _server;

    private Postgres(string directory, Background server, int port)
    {
        (_directory, _server) = (directory, server);
        ConnectionString = $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres";
    }

    public string ConnectionString { get; }

    /// <param name="durable">What was answered has been written to the disk: for figures. Tests do without.</param>
    public static async Task<Postgres> StartAsync(bool durable = false)
    {
        var home = Directory.CreateTempSubdirectory("portvakt-postgres-").FullName;
        var port = Background.FreePort();
        Background? process = null;
        try
        {
            await Step.DoAsync("Starting PostgreSQL", async () =>
            {
                // PostgreSQL refuses to be root.
                string[] asUser = [];
                if (Environment.IsPrivilegedProcess)
                {
                    var user = (await Tool.RunAsync("id", ["postgres"])).ExitCode == 0 ? "postgres" : "nobody";
                    await Tool.QuietAsync("chown", [user, home]);
                    asUser = ["setpriv", $"--reuid={user}", "--clear-groups", "--"];
                }
                string[] Command(string program) => [.. asUser, Find(program)!];

                var data = Path.Combine(home, "data");
                var initdb = Command("initdb");
                await Tool.QuietAsync(initdb[0], [.. initdb[1..], "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], home);
                var postgres = Command("postgres");
                process = Background.Start("PostgreSQL", postgres[0], [.. postgres[1..], "-D", data, "-p", $"{port}", "-h", "127.0.0.1", "-k", "",
                    "-c", "max_connections=1000", .. durable ? (string[])["-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB"] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]],
                    home, [], Path.Combine(home, "log"), PosixSignal.SIGINT); // SIGTERM would wait for clients
                await process.UntilAsync("accept connections", async () => (await Tool.RunAsync(Find("pg_isready")!, ["-q", "-h", "127.0.0.1", "-p", $"{port}"])).ExitCode == 0);
            });
            return new(home, process!, port);
        }
        catch
        {
            if (process is not null) await process.DisposeAsync();
            Directory.Delete(home, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Debian keeps the programs of each version apart and off the path.</summary>
    public static string? Find(string program) =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .OrderByDescending(version => int.TryParse(Path.GetFileName(version), CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Select(version => Path.Combine(version, "bin", program)).FirstOrDefault(File.Exists) ?? Tool.Find(program);
}
