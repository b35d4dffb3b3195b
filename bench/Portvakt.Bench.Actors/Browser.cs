using System.Net;
using System.Text;

namespace Portvakt.Bench.Actors;

/// <summary>A person's browser, as far as the server can tell: cookies, forms with their token, and the stream of a waiting page.</summary>
/// <param name="http">Kept connections.</param>
/// <param name="origin">The server's public address.</param>
/// <param name="address">Where it is, as a trusted proxy would say; null: here, and no proxy says anything.</param>
public sealed class Browser(HttpClient http, string origin, string? address = null) : IDisposable
{
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);
    private HttpResponseMessage? _stream;
    private StreamReader? _events;

    /// <summary>The page that is shown.</summary>
    public string Page { get; private set; } = "";

    /// <summary>Path and query of that page.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Where the last answer sends the browser, not followed yet; null when it was a page.</summary>
    public string? Next { get; private set; }

    public string CookieHeader => string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));

    /// <summary>A cookie that it was given before this began.</summary>
    public void Keep(string cookie, string value) => _cookies[cookie] = value;

    /// <summary>Signed out, and still the same browser.</summary>
    public void Forget(string cookie) => _cookies.Remove(cookie);

    public async Task GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, origin + path);
        await SendAsync(request, path);
    }

    /// <summary>Sends a form of the page with what was typed.</summary>
    public async Task PostAsync(string query, params (string Name, string Value)[] fields)
    {
        var path = Path.Split('?')[0] + query;
        using var request = new HttpRequestMessage(HttpMethod.Post, origin + path)
        {
            Content = new FormUrlEncodedContent([.. fields.Select(field => KeyValuePair.Create(field.Name, field.Value)), KeyValuePair.Create("form", Between("name=\"form\" type=\"hidden\" value=\"", "\""))]),
        };
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        await SendAsync(request, path);
    }

    /// <summary>Goes where it was sent, until there is a page or the way leaves the site.</summary>
    public async Task FollowAsync()
    {
        for (var hops = 0; Next is { } next && next.StartsWith('/'); hops++)
        {
            if (hops > 10) throw new InvalidOperationException($"Sent around in circles: {next}");
            await GetAsync(next);
        }
    }

    /// <summary>Opens the stream of the waiting page, and hears that it stands.</summary>
    public Task ListenAsync() => ListenAsync($"{Between("data-wait=\"", "\"")}?state={Uri.EscapeDataString(WebUtility.HtmlDecode(Between("data-state=\"", "\"")))}");

    /// <summary>Opens a stream that would be a waiting page's.</summary>
    public async Task ListenAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, origin + path);
        request.Headers.Add("Cookie", CookieHeader);
        SayWhere(request);
        request.Headers.Accept.ParseAdd("text/event-stream");
        _stream = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (!_stream.IsSuccessStatusCode) throw new UnexpectedAnswerException(path, _stream.StatusCode, "");
        _events = new StreamReader(await _stream.Content.ReadAsStreamAsync(), Encoding.UTF8);
        await HearAsync("ping");
    }

    /// <summary>Waits for an event of the stream.</summary>
    public async Task HearAsync(string kind)
    {
        while (await _events!.ReadLineAsync() is { } line)
        {
            if (line == $"event: {kind}") return;
        }

        throw new InvalidOperationException($"The stream ended without “{kind}”.");
    }

    /// <summary>The page is left; its stream ends.</summary>
    public void StopListening()
    {
        _events?.Dispose();
        _stream?.Dispose();
        (_events, _stream) = (null, null);
    }

    /// <summary>What stands on the page between two marks.</summary>
    public string Between(string before, string after)
    {
        var from = Page.IndexOf(before, StringComparison.Ordinal);
        if (from < 0) throw new InvalidOperationException($"No {before} on {Path}:\n{Page}");
        from += before.Length;
        return Page[from..Page.IndexOf(after, from, StringComparison.Ordinal)];
    }

    public void Dispose() => StopListening();

    private void SayWhere(HttpRequestMessage request)
    {
        if (address is not null) request.Headers.Add("X-Forwarded-For", address);
    }

    private async Task SendAsync(HttpRequestMessage request, string path)
    {
        if (_cookies.Count > 0) request.Headers.Add("Cookie", CookieHeader);
        SayWhere(request);
        request.Headers.UserAgent.ParseAdd("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0");
        request.Headers.AcceptLanguage.ParseAdd("nb");
        using var answer = await http.SendAsync(request);
        if (answer.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set)
            {
                var (name, value) = cookie.Split(';')[0].Split('=', 2) is [var left, var right] ? (left, right) : throw new InvalidOperationException(cookie);
                if (value.Length > 0) _cookies[name] = value;
                else _cookies.Remove(name);
            }
        }

        var text = await answer.Content.ReadAsStringAsync();
        if ((int)answer.StatusCode >= 400) throw new UnexpectedAnswerException($"{request.Method} {path}", answer.StatusCode, text, answer.Headers.RetryAfter?.Delta);
        Next = answer.Headers.Location?.OriginalString;
        if (Next is null) (Path, Page) = (path, text);
        else if (Next.StartsWith(origin, StringComparison.Ordinal)) Next = Next[origin.Length..];
    }
}
