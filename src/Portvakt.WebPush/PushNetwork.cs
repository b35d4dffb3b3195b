using System.Net;
using System.Net.Sockets;

namespace Portvakt.WebPush;

/// <summary>Thrown through HttpClient, which knows no other way to tell that a connection was not wanted.</summary>
internal sealed class AddressNotPublicException(string host) : IOException($"Not all addresses of {host} are public.");

/// <summary>The only way out to a push service: name look-up and connection, and between them the check that the address may be called.</summary>
/// <param name="Resolve">Name to addresses.</param>
/// <param name="Connect">Connects to one of the addresses; the tests count the calls.</param>
internal sealed record PushNetwork(
    Func<string, CancellationToken, Task<IPAddress[]>> Resolve,
    Func<IPAddress[], int, CancellationToken, Task<Stream>> Connect)
{
    /// <summary>One message may take this long, from the look-up of the name to the end of the answer.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(5);

    /// <summary>What we read of an answer; the rest is not waited for.</summary>
    public const int MaxAnswerLength = 4096;

    public static PushNetwork Real { get; } = new(Dns.GetHostAddressesAsync, ConnectAsync);

    public SocketsHttpHandler CreateHandler(PushEndpointPolicy policy) => new()
    {
        AllowAutoRedirect = false, // a redirect leads past the allow-list
        UseProxy = false, // so does a proxy from the environment, and it would look the name up itself
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null, // our trace ids are not for strangers
        ConnectTimeout = TimeLimit, // the attempt outlives the request that began it
        MaxResponseHeadersLength = 16, // KiB
        MaxResponseDrainSize = MaxAnswerLength,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // then the name is looked up and judged again
        EnableMultipleHttp2Connections = true,
        ConnectCallback = async (context, cancellation) =>
            await ConnectCheckedAsync(policy, context.DnsEndPoint.Host, context.DnsEndPoint.Port, cancellation),
    };

    // The addresses that were judged are the addresses that are called: no second look-up that could answer otherwise
    // (DNS rebinding). One address that is not public condemns the name: an honest service has none.
    private async Task<Stream> ConnectCheckedAsync(PushEndpointPolicy policy, string host, int port, CancellationToken cancellation)
    {
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Resolve(host, cancellation);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.HostNotFound);
        if (!Array.TrueForAll(addresses, address => policy.Admits(host, address)))
            throw new AddressNotPublicException(host);

        // IPv4 first: where IPv6 is half set up its packets vanish, and the time for one message would pass in waiting.
        // Where there is no IPv4 the attempt fails at once.
        Array.Sort(addresses, (a, b) => a.AddressFamily.CompareTo(b.AddressFamily));
        return await Connect(addresses, port, cancellation);
    }

    private static async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellation)
    {
        // One socket cannot speak both families; the constructor without a family gives one that can.
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
