using System.Net;
using System.Net.Sockets;

namespace Portvakt.Bench.Phone;

/// <summary>
/// Stands before the server and counts what passes, in both directions: also what a service worker fetches, of which no browser
/// tells its page, and what the application asks the server behind the person's back.
/// </summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private Task _accepting = Task.CompletedTask;
    private long _bytes;
    private long _requests;

    /// <summary>Since the beginning: HTTP requests, and bytes both ways with all headers (HTTP/1.1, without TLS).</summary>
    public (long Requests, long Bytes) Passed => (Interlocked.Read(ref _requests), Interlocked.Read(ref _bytes));

    /// <summary>Listens, and answers with the port to call instead of <paramref name="port"/>.</summary>
    public int LeadTo(int port)
    {
        _listener.Start();
        _accepting = AcceptAsync(port);
        return ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _closing.Dispose();
    }

    private async Task AcceptAsync(int port)
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_closing.Token), port);
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private async Task ServeAsync(TcpClient caller, int port)
    {
        using var browser = caller;
        using var server = new TcpClient { NoDelay = true };
        browser.NoDelay = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, port, _closing.Token);
            await await Task.WhenAny(CopyAsync(browser, server, isRequest: true), CopyAsync(server, browser, isRequest: false));
        }
        catch (Exception end) when (end is IOException or SocketException or OperationCanceledException)
        {
            // Either side hung up, as if the wire were not there.
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to, bool isRequest)
    {
        var end = " HTTP/1.1\r\n"u8.ToArray(); // of a request line: neither headers nor our bodies contain it
        var (source, target, buffer, seen) = (from.GetStream(), to.GetStream(), new byte[16384], 0);
        while (await source.ReadAsync(buffer, _closing.Token) is > 0 and var count)
        {
            Interlocked.Add(ref _bytes, count);
            for (var at = 0; isRequest && at < count; at++)
            {
                seen = buffer[at] == end[seen] ? seen + 1 : buffer[at] == end[0] ? 1 : 0;
                if (seen < end.Length) continue;
                Interlocked.Increment(ref _requests);
                seen = 0;
            }

            await target.WriteAsync(buffer.AsMemory(0, count), _closing.Token);
        }
    }
}
