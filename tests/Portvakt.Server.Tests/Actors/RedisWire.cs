using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portvakt.Server.Tests.Actors;

/// <summary>The wire between the servers and the tests' Redis: it can be cut, held so that nothing passes, and mended.</summary>
public sealed class RedisWire : IAsyncDisposable
{
    public const string NoRedis = "No Redis is configured (PORTVAKT_TEST_REDIS, like 127.0.0.1:6379,password=…); `dotnet run dev.cs test` starts one.";

    private readonly ConcurrentDictionary<TcpClient, Task> _lines = new();
    private readonly int _port;
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private volatile TaskCompletionSource? _held;

    /// <param name="cut">Nothing listens at the other end until <see cref="Mend"/>.</param>
    public RedisWire(bool cut = false)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Dispose();
        if (!cut) Mend();
    }

    /// <summary>The tests' Redis itself, as the setting takes it; null when none is configured, which CI does not accept.</summary>
    public static string? RedisItself
    {
        get
        {
            if (Environment.GetEnvironmentVariable("PORTVAKT_TEST_REDIS") is { Length: > 0 } text) return text;
            return Environment.GetEnvironmentVariable("CI") is not "true" ? null : throw new InvalidOperationException("PORTVAKT_TEST_REDIS is not set.");
        }
    }

    /// <summary>Redis at the end of this wire, as the setting takes it.</summary>
    public string Configuration => string.Join(',', RedisItself!.Split(',').Select((part, index) => index is 0 ? $"127.0.0.1:{_port}" : part));

    public void Mend()
    {
        _listener = new TcpListener(IPAddress.Loopback, _port);
        _listener.Start();
        _accepting = AcceptAsync(_listener);
    }

    public async Task CutAsync()
    {
        _listener?.Dispose();
        await _accepting;
        foreach (var line in _lines.Keys) line.Close();
        await Task.WhenAll(_lines.Values);
    }

    /// <summary>Connections stand, and nothing comes through any more.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => Interlocked.Exchange(ref _held, null)?.SetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await CutAsync();
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptTcpClientAsync();
                near.LingerState = new LingerOption(true, 0);
                _lines[near] = CarryAsync(near);
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // The wire was cut.
        }
    }

    private async Task CarryAsync(TcpClient near)
    {
        await Task.Yield();
        using (near)
        {
            using var far = new TcpClient();
            try
            {
                var (host, port) = RedisItself!.Split(',')[0].Split(':') is [var name, var number] ? (name, int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)) : throw new InvalidOperationException(NoRedis);
                await far.ConnectAsync(host, port);
                await await Task.WhenAny(CopyAsync(near.GetStream(), far.GetStream()), CopyAsync(far.GetStream(), near.GetStream()));
            }
            catch (Exception ended) when (ended is IOException or SocketException or ObjectDisposedException)
            {
                // One of the two hung up.
            }
        }

        _lines.TryRemove(near, out _);
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer) is > 0 and var count)
        {
            if (_held is { } held) await held.Task;
            await to.WriteAsync(buffer.AsMemory(0, count));
        }
    }
}
