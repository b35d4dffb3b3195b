using System.Security.Cryptography;

namespace Portvakt.Dev;

/// <summary>A Redis server for one test run, as the backplane of several nodes: own port, a password, nothing kept.</summary>
public sealed class Redis : IAsyncDisposable
{
    private readonly string _directory;
    private readonly Background _server;

    private Redis(string directory, Background server, string configuration) => (_directory, _server, Configuration) = (directory, server, configuration);

    /// <summary>As the server's setting <c>Backplane</c> takes it.</summary>
    public string Configuration { get; }

    public static async Task<Redis> StartAsync()
    {
        var home = Directory.CreateTempSubdirectory("portvakt-redis-").FullName;
        var port = Background.FreePort();
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        Background? process = null;
        try
        {
            await Step.DoAsync("Starting Redis", async () =>
            {
                process = Background.Start("Redis", "redis-server",
                    ["--bind", "127.0.0.1", "--port", $"{port}", "--dir", home, "--save", "", "--appendonly", "no", "--requirepass", password], home, [], Path.Combine(home, "log"));
                await process.UntilAsync("accept connections", async () =>
                    (await Tool.RunAsync("redis-cli", ["-h", "127.0.0.1", "-p", $"{port}", "ping"], environment: new(StringComparer.Ordinal) { ["REDISCLI_AUTH"] = password })).Output.Contains("PONG", StringComparison.Ordinal));
            });
            return new(home, process!, $"127.0.0.1:{port},password={password}");
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
}
