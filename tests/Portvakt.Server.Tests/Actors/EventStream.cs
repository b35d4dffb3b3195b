using System.Net.ServerSentEvents;

namespace Portvakt.Server.Tests.Actors;

/// <summary>What a waiting page or app hears: server-sent events, signs of life left out.</summary>
public sealed class EventStream : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly HttpResponseMessage _answer;
    private readonly IAsyncEnumerator<SseItem<string>> _items;

    private EventStream(HttpClient http, HttpResponseMessage answer, Stream stream) =>
        (_http, _answer, _items) = (http, answer, SseParser.Create(stream).EnumerateAsync().GetAsyncEnumerator());

    public static async Task<EventStream> OpenAsync(PortvaktServer server, string path, string header, string value)
    {
        var http = new HttpClient(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add(header, value);
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        return new EventStream(http, answer, await answer.Content.ReadAsStreamAsync());
    }

    /// <summary>The page that a browser shows, which has told nothing of what it shows: the first event says how things stand.</summary>
    public static Task<EventStream> OfPageAsync(PortvaktServer server, Browser browser) =>
        OpenAsync(server, $"/approvals/{browser.AttemptId}/wait", "Cookie", browser.Cookies.GetCookieHeader(new Uri(PortvaktServer.Origin)));

    /// <summary>The visible app of a phone.</summary>
    public static async Task<EventStream> OfPhoneAsync(PortvaktServer server, Phone phone, string path = "/phone/api/events")
    {
        await phone.PendingAsync(); // brings a nonce
        return await OpenAsync(server, path, "Portvakt-Proof", phone.Proof(HttpMethod.Get, path, null));
    }

    /// <summary>The page that lists what was signed out, told what it shows.</summary>
    public static Task<EventStream> OfSignOutAsync(PortvaktServer server, Browser browser) =>
        OpenAsync(server, $"{browser.Path}/wait?state={browser.Page.QuerySelector("[data-state]")?.GetAttribute("data-state")}", "Cookie", browser.Cookies.GetCookieHeader(new Uri(PortvaktServer.Origin)));

    public string? Header(string name) => _answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    /// <summary>Until the next sign of life.</summary>
    public async Task SignOfLifeAsync()
    {
        while (await _items.MoveNextAsync())
        {
            if (_items.Current.EventType is "ping") return;
        }

        throw new InvalidOperationException("The stream has ended.");
    }

    /// <summary>Name and text of the next one.</summary>
    public async Task<(string Name, string Text)> NextAsync()
    {
        while (await _items.MoveNextAsync())
        {
            if (_items.Current.EventType is not "ping") return (_items.Current.EventType, _items.Current.Data);
        }

        throw new InvalidOperationException("The stream has ended.");
    }

    public async ValueTask DisposeAsync()
    {
        _answer.Dispose(); // ends a read that is under way, too
        _http.Dispose();
        await Task.CompletedTask;
    }
}
