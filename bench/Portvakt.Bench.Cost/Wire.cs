using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portvakt.Bench.Cost;

/// <summary>Bytes as they come down the wire: status line, headers and body, brotli where there is brotli.</summary>
internal static class Wire
{
    /// <summary>What a page costs a browser that has nothing yet, and one that has kept what it may keep.</summary>
    public static async Task<(int First, int After)> OfPageAsync(string origin, string path, string cookies)
    {
        var page = await GetAsync(origin, path, cookies);
        var (first, after) = (page.Length, page.Length);

        // Everything of ours that a page wears has its version in the address.
        var worn = page.Split('"').Where(text => text.StartsWith('/') && text.Contains("?v=", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).ToList();
        if (worn.Count is 0) throw new InvalidOperationException($"{path} wears nothing.");
        foreach (var part in worn)
        {
            var answer = await GetAsync(origin, part, cookies);
            first += answer.Length;
            if (!answer.Contains("immutable", StringComparison.Ordinal)) after += answer.Length;
        }

        return (first, after);
    }

    private static async Task<string> GetAsync(string origin, string path, string cookies)
    {
        using var line = new TcpClient();
        await line.ConnectAsync(IPAddress.Loopback, new Uri(origin).Port);
        await using var stream = line.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {new Uri(origin).Authority}\r\nCookie: {cookies}\r\nAccept-Language: nb\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n"));
        using var all = new MemoryStream();
        await stream.CopyToAsync(all);
        var answer = Encoding.Latin1.GetString(all.ToArray()); // one letter for each byte
        return answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? answer : throw new InvalidOperationException($"{path}: {answer}");
    }
}
