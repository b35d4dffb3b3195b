using System.Net;
using AngleSharp;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;

namespace Portvakt.Server.Tests.Actors;

/// <summary>
/// A person's browser without scripts: keeps cookies, follows redirects within the site, fills in what has a label and presses what has a
/// name. Where a redirect leaves the site it stops and remembers the address.
/// </summary>
public sealed class Browser : IDisposable
{
    private static readonly IBrowsingContext Parser = BrowsingContext.New(Configuration.Default);
    private readonly PortvaktServer _server;
    private readonly HttpClient _http;
    private readonly Dictionary<string, string> _typed = new(StringComparer.Ordinal);

    /// <param name="server">Whom it visits.</param>
    /// <param name="language">What the person reads.</param>
    /// <param name="address">Where it would have come from.</param>
    /// <param name="line">What lies between; nothing unless a test puts something there.</param>
    public Browser(PortvaktServer server, string language = "nb", string address = "192.0.2.10", HttpMessageHandler? line = null)
    {
        _server = server;
        _http = new HttpClient(line ?? server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        _http.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0");
        _http.DefaultRequestHeaders.Add("Test-Address", address);
    }

    public CookieContainer Cookies { get; private set; } = new();

    /// <summary>The window is closed when this says so, in the middle of a request.</summary>
    public CancellationToken Closes { get; set; }

    /// <summary>Path and query of the page that is shown.</summary>
    public string Path { get; private set; } = "/";

    public IHtmlDocument Page { get; private set; } = null!;
    public HttpResponseMessage Answer { get; private set; } = null!;
    public HttpStatusCode Status => Answer.StatusCode;

    /// <summary>Where the site sent the browser, when that was elsewhere.</summary>
    public Uri? LeftFor { get; private set; }

    /// <summary>Every answer on the way to the present page.</summary>
    public List<HttpResponseMessage> Trail { get; } = [];

    /// <summary>Every answer since the browser was opened.</summary>
    public List<HttpResponseMessage> History { get; } = [];

    public string Heading => Page.QuerySelector("h1")?.TextContent.Trim() ?? "";
    public string Text => Page.QuerySelector("main")?.TextContent ?? "";

    /// <summary>The attempt whose page is shown.</summary>
    public string AttemptId => Path.Split('/', '?')[2];

    /// <summary>The number to carry to the phone.</summary>
    public string MatchingNumber => Page.QuerySelector("[data-number]")?.TextContent.Trim() ?? throw new InvalidOperationException($"No number on “{Heading}”: {Text}{Fault}");

    /// <summary>The code under the picture, as it is typed.</summary>
    public string TypedCode => Page.QuerySelector("[data-typed-code]")?.TextContent.Trim() ?? throw new InvalidOperationException($"No code on “{Heading}”: {Text}");

    public string Secret => Page.QuerySelector("[data-secret]")?.TextContent.Replace(" ", "", StringComparison.Ordinal).Trim() ?? throw new InvalidOperationException("No secret.");

    /// <summary>The same cookies in another window.</summary>
    public Browser NewTab(PortvaktServer? server = null) => new(server ?? _server) { Cookies = Cookies };

    public async Task<Browser> OpenAsync(string path)
    {
        await SendAsync(new HttpRequestMessage(HttpMethod.Get, path));
        return this;
    }

    public Task<Browser> ReloadAsync() => OpenAsync(Path);

    public Browser Fill(string label, string value)
    {
        var field = Page.QuerySelectorAll("label").FirstOrDefault(candidate => candidate.TextContent.Trim() == label)?.GetAttribute("for")
            ?? throw new InvalidOperationException($"No field “{label}” on “{Heading}”.{Fault}");
        _typed[Page.GetElementById(field)!.GetAttribute("name")!] = value;
        return this;
    }

    public Browser Choose(string label)
    {
        var field = Page.GetElementById(Page.QuerySelectorAll("label").First(candidate => candidate.TextContent.Trim() == label).GetAttribute("for")!)!;
        _typed[field.GetAttribute("name")!] = field.GetAttribute("value")!;
        return this;
    }

    /// <summary>What the server's log says of its own fault, for a story that ends in one.</summary>
    private string Fault => Status is HttpStatusCode.InternalServerError ? $"\n{_server.Log.LastError}" : "";

    public bool Has(string button) => FindButton(button) is not null;

    public async Task<Browser> PressAsync(string text)
    {
        var button = FindButton(text) ?? throw new InvalidOperationException($"No button “{text}” on “{Heading}” ({Path}): {Text}{Fault}");
        if (button is IHtmlAnchorElement link) return await OpenAsync(link.GetAttribute("href")!);
        if (button.HasAttribute("disabled")) throw new InvalidOperationException($"“{text}” is disabled.");
        await SubmitAsync((IHtmlFormElement)button.Closest("form")!, button);
        return this;
    }

    /// <summary>Sends a form, with or without a button; what was typed goes along.</summary>
    public Task SubmitAsync(IHtmlFormElement form, IElement? button = null, Action<Dictionary<string, string>>? tamper = null, Action<HttpRequestMessage>? forge = null)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var input in form.QuerySelectorAll("input[name], select[name], textarea[name]"))
        {
            var name = input.GetAttribute("name")!;
            if (input is IHtmlInputElement { Type: "radio" or "checkbox", IsChecked: false }) continue;
            fields[name] = input switch
            {
                IHtmlSelectElement select => select.Value ?? "",
                IHtmlTextAreaElement area => area.Value,
                _ => input.GetAttribute("value") ?? "",
            };
        }

        foreach (var (name, value) in _typed.Where(pair => form.QuerySelector($"[name='{pair.Key}']") is not null)) fields[name] = value;
        if (button?.GetAttribute("name") is { } buttonName) fields[buttonName] = button.GetAttribute("value") ?? "";
        tamper?.Invoke(fields);

        var action = button?.GetAttribute("formaction") ?? form.GetAttribute("action");
        var here = Path.Split('?')[0];
        var target = string.IsNullOrEmpty(action) ? Path : action.StartsWith('?') ? here + action : action;
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new FormUrlEncodedContent(fields) };
        request.Headers.Add("Origin", PortvaktServer.Origin);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        forge?.Invoke(request);
        return SendAsync(request);
    }

    /// <summary>Sends the page's first form that takes a file, with one; boxes are left as they are unless they are ticked here.</summary>
    public Task UploadAsync(string name, byte[] content, string field = "input[type=file]", params string[] ticked)
    {
        var form = Page.QuerySelectorAll<IHtmlFormElement>("form").First(candidate => candidate.QuerySelector(field) is not null);
        var parts = new MultipartFormDataContent();
        foreach (var input in form.QuerySelectorAll("input[type=hidden]")) parts.Add(new StringContent(input.GetAttribute("value") ?? ""), input.GetAttribute("name")!);
        parts.Add(new ByteArrayContent(content), form.QuerySelector("input[type=file]")!.GetAttribute("name")!, name);
        foreach (var box in ticked) parts.Add(new StringContent("true"), box);
        var request = new HttpRequestMessage(HttpMethod.Post, form.GetAttribute("action") is { Length: > 0 } action ? action : Path) { Content = parts };
        request.Headers.Add("Origin", PortvaktServer.Origin);
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        return SendAsync(request);
    }

    public async Task SendAsync(HttpRequestMessage request)
    {
        _server.Clock.Advance(TimeSpan.FromMilliseconds(1)); // between two clicks some time passes, also in a test
        _typed.Clear();
        Trail.Clear();
        LeftFor = null;
        for (var hops = 0; hops < 12; hops++)
        {
            var address = request.RequestUri!.IsAbsoluteUri ? request.RequestUri : new Uri(_http.BaseAddress!, request.RequestUri);
            if (Cookies.GetCookieHeader(address) is { Length: > 0 } cookies) request.Headers.Add("Cookie", cookies);
            Answer = await _http.SendAsync(request, Closes);
            Trail.Add(Answer);
            History.Add(Answer);
            if (Answer.Headers.TryGetValues("Set-Cookie", out var set))
            {
                foreach (var cookie in set) Cookies.SetCookies(address, cookie);
            }

            Path = address.PathAndQuery;
            if (Answer.Headers.Location is not { } location || (int)Answer.StatusCode is < 300 or > 399) break;
            var next = new Uri(address, location);
            if (next.Authority != address.Authority)
            {
                LeftFor = next;
                return;
            }

            request = new HttpRequestMessage(HttpMethod.Get, next);
        }

        var html = await Answer.Content.ReadAsStringAsync();
        Page = (IHtmlDocument)await Parser.OpenAsync(response => response.Content(html).Address(PortvaktServer.Origin + Path));
    }

    /// <summary>A form sent without looking at what comes back: for who sends a million of them.</summary>
    public async Task<HttpStatusCode> KnockAsync(string path, params (string Name, string Value)[] fields)
    {
        var address = new Uri(_http.BaseAddress!, path);
        using var form = new FormUrlEncodedContent([.. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = form };
        request.Headers.Add("Cookie", Cookies.GetCookieHeader(address));
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var answer = await _http.SendAsync(request, Closes);
        return answer.StatusCode;
    }

    public void Dispose() => _http.Dispose();

    private IElement? FindButton(string text) => Page.QuerySelectorAll("button, a").FirstOrDefault(candidate => candidate.TextContent.Trim() == text);
}
