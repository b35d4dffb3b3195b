using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>R88 on the wire: bytes over a socket, as no browser would send them.</summary>
public sealed class WireTests(WireTests.OnASocket wire) : IClassFixture<WireTests.OnASocket>
{
    private const string Begin = "POST /phone/api/binding/begin HTTP/1.1\r\nHost: id.test\r\nContent-Type: application/json\r\nConnection: close\r\n";

    [Fact]
    public async Task The_limits_are_as_set()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        var limits = server.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        Assert.Equal(64 * 1024, limits.MaxRequestBodySize);
        Assert.Equal(TimeSpan.FromSeconds(15), limits.RequestHeadersTimeout);
        Assert.Equal(20_000, limits.MaxConcurrentConnections);
        Assert.Equal((240, TimeSpan.FromSeconds(5)), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod));
        Assert.Equal((240, TimeSpan.FromSeconds(5)), (limits.MinResponseDataRate!.BytesPerSecond, limits.MinResponseDataRate.GracePeriod));
        Assert.Equal((8 * 1024, 32 * 1024, 100), (limits.MaxRequestLineSize, limits.MaxRequestHeadersTotalSize, limits.MaxRequestHeaderCount));
        Assert.InRange(limits.KeepAliveTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(130));
    }

    [Fact]
    public async Task An_honest_request_is_answered_with_the_time_and_a_nonce()
    {
        var answer = await AskAsync($"{Begin}Content-Length: 2\r\n\r\n{{}}");
        Assert.Equal(400, answer.Status);
        Assert.Contains("\r\nPortvakt-Nonce: ", answer.Head, StringComparison.Ordinal);
        Assert.Contains("\r\nDate: ", answer.Head, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\nServer:", answer.Head, StringComparison.Ordinal);
        Assert.Equal(200, (await AskAsync("GET /health/live HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\n\r\n")).Status);
    }

    [Fact]
    public async Task A_phone_gets_time_and_nonce_also_with_a_fault_of_ours()
    {
        await using var broken = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, onSocket: true);
        await broken.ReadAsync(async db =>
        {
            await using var command = Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.GetDbConnection(db.Database).CreateCommand();
            await Microsoft.EntityFrameworkCore.RelationalDatabaseFacadeExtensions.OpenConnectionAsync(db.Database);
            command.CommandText = "DROP TABLE failure_counts";
            return await command.ExecuteNonQueryAsync();
        });
        var body = $$"""{"code":"ABCDEFGHIJKL","kid":"{{new string('A', 43)}}"}""";
        var answer = await AskAsync($"{Begin}Content-Length: {body.Length}\r\n\r\n{body}", broken.Port);
        Assert.Equal(500, answer.Status);
        Assert.Contains("\"unavailable\"", answer.Body, StringComparison.Ordinal);
        Assert.Matches("\r\nPortvakt-Nonce: [A-Za-z0-9_-]{32}\r\n", answer.Head);
        Assert.Matches("\r\nDate: [^\r]+ GMT\r\n", answer.Head);
    }

    public static TheoryData<string, int, string> TooMuch => new()
    {
        { "a request line of 9 KiB", 414, $"GET /{new string('a', 9 * 1024)} HTTP/1.1\r\nHost: id.test\r\n\r\n" },
        { "a header of 40 KiB", 431, $"GET / HTTP/1.1\r\nHost: id.test\r\nX: {new string('a', 40 * 1024)}\r\n\r\n" },
        { "a cookie of 40 KiB", 431, $"GET / HTTP/1.1\r\nHost: id.test\r\nCookie: {new string('a', 40 * 1024)}\r\n\r\n" },
        { "101 headers", 431, $"GET / HTTP/1.1\r\nHost: id.test\r\n{string.Concat(Enumerable.Range(0, 101).Select(index => $"X-{index}: 1\r\n"))}\r\n" },
        { "a body that says it is over 64 KiB", 413, $"{Begin}Content-Length: 65537\r\n\r\n" },
        { "a body that says it is enormous", 413, $"{Begin}Content-Length: 9223372036854775807\r\n\r\n" },
        { "a form that says it is over 64 KiB", 400, "POST /sign-out HTTP/1.1\r\nHost: id.test\r\nX-Forwarded-Proto: https\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 65537\r\n\r\n" },
        { "a body over 64 KiB in pieces", 413, $"{Begin}Transfer-Encoding: chunked\r\n\r\n{string.Concat(Enumerable.Repeat($"4000\r\n{new string(' ', 0x4000)}\r\n", 5))}0\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(TooMuch))]
    public async Task Too_much_is_refused(string what, int status, string request)
    {
        var answer = await AskAsync(request);
        Assert.True(status == answer.Status, $"{what}: {answer.Head}");
    }

    /// <summary>Two readers could see different requests in each of these (CVE-2025-55315 and its kin, RFC 9112, section 11.2).</summary>
    public static TheoryData<string, string> Ambiguous => new()
    {
        { "two lengths", $"{Begin}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}" },
        { "a list of lengths", $"{Begin}Content-Length: 2, 2\r\n\r\n{{}}" },
        { "length and chunks", $"{Begin}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "chunks and length", $"{Begin}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "a negative length", $"{Begin}Content-Length: -2\r\n\r\n{{}}" },
        { "a hexadecimal length", $"{Begin}Content-Length: 0x2\r\n\r\n{{}}" },
        { "an unknown coding", $"{Begin}Transfer-Encoding: xchunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "chunked not last", $"{Begin}Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "chunked twice", $"{Begin}Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "a space before the colon", $"{Begin}Transfer-Encoding : chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "a folded header", $"{Begin}Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "a bare CR in a header", $"{Begin}X: a\rContent-Length: 2\r\n\r\n{{}}" },
        { "a NUL in a header", $"{Begin}X: a\0b\r\nContent-Length: 2\r\n\r\n{{}}" },
        { "a header without a name", $"{Begin}: a\r\nContent-Length: 2\r\n\r\n{{}}" },
        { "a chunk extension with a bare LF", $"{Begin}Transfer-Encoding: chunked\r\n\r\n2;\n{{}}\r\n0\r\n\r\n" },
        { "a chunk extension with a bare CR", $"{Begin}Transfer-Encoding: chunked\r\n\r\n2;a\rb\r\n{{}}\r\n0\r\n\r\n" },
        { "a chunk size that ends in LF", $"{Begin}Transfer-Encoding: chunked\r\n\r\n2\n{{}}\r\n0\r\n\r\n" },
        { "a chunk longer than it says", $"{Begin}Transfer-Encoding: chunked\r\n\r\n1\r\n{{}}\r\n0\r\n\r\n" },
        { "a negative chunk", $"{Begin}Transfer-Encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n" },
        { "a chunk size beyond counting", $"{Begin}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF2\r\n{{}}\r\n0\r\n\r\n" },
        { "chunks in HTTP/1.0", $"{Begin.Replace("1.1", "1.0", StringComparison.Ordinal)}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n" },
        { "no host", "GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n" },
        { "two hosts", "GET /health/live HTTP/1.1\r\nHost: id.test\r\nHost: evil.test\r\nConnection: close\r\n\r\n" },
        { "another host in the line", "GET http://evil.test/health/live HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\n\r\n" },
        { "no version", "GET /health/live\r\nHost: id.test\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Ambiguous))]
    public async Task What_two_readers_could_read_differently_is_refused_and_the_line_is_cut(string what, string request)
    {
        // Behind it another request, as a smuggler would place it: nobody may answer that one.
        var answer = await AskAsync(request.Replace("Connection: close\r\n", "", StringComparison.Ordinal) + "GET /health/live HTTP/1.1\r\nHost: id.test\r\n\r\n");
        var isOverflow = what is "a chunk size beyond counting" && answer.Status is 500; // Kestrel calls that one a fault of reading; refused and cut it is
        Assert.True(answer.Status is 400 or 411 or 501 or 505 || isOverflow, $"{what}: {answer.Head}");
        Assert.DoesNotContain("HTTP/1.1 200", answer.Head + answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_dawdles_is_cut_off()
    {
        // All three at once: the waiting is real, Kestrel has a clock of its own.
        var headers = AskAsync("GET / HTTP/1.1\r\nHost: id.test\r\nX: ");
        var body = AskAsync($"{Begin}Content-Length: 50000\r\n\r\n{{");
        var silent = AskAsync("");
        Assert.Equal(408, (await headers).Status);
        Assert.Equal(408, (await body).Status);
        Assert.Equal(0, (await silent).Status); // not a word, so not a word in return
    }

    [Fact]
    public async Task More_connections_than_allowed_are_closed_at_once()
    {
        await using var small = await PortvaktServer.StartAsync(
            DatabaseKind.Sqlite, services: services => services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.MaxConcurrentConnections = 2), onSocket: true);
        using (var first = await ConnectAsync(small.Port))
        using (var second = await ConnectAsync(small.Port))
        {
            await AliveAsync(first);
            await AliveAsync(second);
            using var third = await ConnectAsync(small.Port);
            Assert.Equal(0, await ReadAsync(third, new byte[1]));
            await AliveAsync(first);
        }

        // Room again when they have gone.
        await PortvaktServer.UntilAsync(async () => (await AskAsync("GET /health/live HTTP/1.1\r\nHost: id.test\r\nConnection: close\r\n\r\n", small.Port)).Status is 200);

        static async Task AliveAsync(TcpClient client)
        {
            await client.GetStream().WriteAsync("GET /health/live HTTP/1.1\r\nHost: id.test\r\n\r\n"u8.ToArray());
            var buffer = new byte[4096];
            var text = "";
            while (!text.EndsWith("ok\r\n0\r\n\r\n", StringComparison.Ordinal) && !text.EndsWith("\r\n\r\nok", StringComparison.Ordinal))
            {
                var read = await ReadAsync(client, buffer);
                Assert.True(read > 0);
                text += Encoding.ASCII.GetString(buffer, 0, read);
            }
        }
    }

    private async Task<Heard> AskAsync(string request, int? port = null)
    {
        using var client = await ConnectAsync(port ?? wire.Server.Port);
        var heard = new MemoryStream();
        try
        {
            await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
            var buffer = new byte[8192];
            int read;
            while ((read = await ReadAsync(client, buffer)) > 0) heard.Write(buffer, 0, read);
        }
        catch (IOException)
        {
            // Cut while we were speaking; what had been said before counts.
        }

        var text = Encoding.Latin1.GetString(heard.ToArray());
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var status = text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;
        return new Heard(status, end < 0 ? text : text[..(end + 2)], end < 0 ? "" : text[(end + 4)..]);
    }

    private static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Zero at the end, also at one that was cut.</summary>
    private static async Task<int> ReadAsync(TcpClient client, byte[] buffer)
    {
        try
        {
            return await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private sealed record Heard(int Status, string Head, string Body);

    /// <summary>The server on a socket; its patience is that of a test.</summary>
    public sealed class OnASocket : IAsyncLifetime
    {
        public PortvaktServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await PortvaktServer.StartAsync(
            DatabaseKind.Sqlite,
            new Dictionary<string, string?> { ["Portvakt:TrustedProxies:0"] = "192.0.2.1" },
            services: services => services.PostConfigure<KestrelServerOptions>(kestrel =>
            {
                kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1);
                kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(1);
                kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.5));
            }),
            onSocket: true);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
