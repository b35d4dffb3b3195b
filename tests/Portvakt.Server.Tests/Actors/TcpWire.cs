using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portvakt.Server.Tests.Actors;

/// <summary>The wire between the servers and something they need: it can be cut, held so that nothing passes, and mended.</summary>
public abstract class TcpWire : IAsyncDisposable
{
    private readonly ConcurrentDictionary<TcpClient, Task> _lines = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private volatile TaskCompletionSource? _held;

    /// <param name="cut">Nothing listens at the other end until <see cref="Mend"/>.</param>
    protected TcpWire(bool cut)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Dispose();
        if (!cut) Mend();
    }

    /// <summary>Where the servers find the near end, on this machine.</summary>
    protected int Port { get; }

    /// <summary>What lies at the far end.</summary>
    protected abstract (string Host, int Port) Far { get; }

    public void Mend()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
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
        GC.SuppressFinalize(this);
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
                var (host, port) = Far;
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
