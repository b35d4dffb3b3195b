using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>Keeps cookies and follows nothing by itself; knows how an application begins, ends and redeems a sign-in.</summary>
public sealed class Browser : IDisposable
{
    public const string Verifier = "a-verifier-of-at-least-forty-three-characters-0123456789";
    private readonly ProviderHost _host;
    private readonly HttpClient _http;
    private readonly CookieContainer _cookies = new();

    public Browser(ProviderHost host)
    {
        _host = host;
        _http = host.NewClient();
    }

    public static string Challenge { get; } = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>An authorization request of <see cref="ProviderHost.ClientId"/>; a null value leaves a parameter out.</summary>
    public static string Request(params (string Name, string? Value)[] changes)
    {
        var parameters = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["client_id"] = ProviderHost.ClientId,
            ["redirect_uri"] = ProviderHost.RedirectUri,
            ["response_type"] = "code",
            ["scope"] = "openid profile email offline_access",
            ["state"] = "st",
            ["nonce"] = "no",
            ["code_challenge"] = Challenge,
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes) parameters[name] = value;
        return QueryHelpers.AddQueryString("/connect/authorize", parameters.Where(pair => pair.Value is not null));
    }

    public async Task<Answer> SendAsync(HttpMethod method, string address, HttpContent? content = null, string? bearer = null)
    {
        using var message = new HttpRequestMessage(method, new Uri(_http.BaseAddress!, address)) { Content = content };
        // Secure cookies travel over http://localhost as well, as in a browser.
        var jar = new UriBuilder(message.RequestUri!) { Scheme = "https" }.Uri;
        if (_cookies.GetCookieHeader(jar) is { Length: > 0 } cookies) message.Headers.Add("Cookie", cookies);
        if (bearer is not null) message.Headers.Authorization = new("Bearer", bearer);
        using var response = await _http.SendAsync(message);
        if (response.Headers.TryGetValues("Set-Cookie", out var set))
        {
            foreach (var cookie in set) _cookies.SetCookies(jar, cookie);
        }

        return new Answer(response, await response.Content.ReadAsStringAsync());
    }

    public Task<Answer> GetAsync(string address, string? bearer = null) => SendAsync(HttpMethod.Get, address, bearer: bearer);

    public Task<Answer> PostAsync(string address, params (string Name, string Value)[] form) =>
        SendAsync(HttpMethod.Post, address, new FormUrlEncodedContent(form.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))));

    /// <summary>Sends the request, signs in where asked, and returns what the application gets.</summary>
    public async Task<Answer> SignInAsync(string? request = null, Guid? person = null, SecondFactorMethod? method = SecondFactorMethod.Phone)
    {
        var page = await GetAsync(request ?? Request());
        Assert.True(page.IsSignInPage, $"Expected the sign-in page, not {page}");
        return await FinishAsync(page, person, method);
    }

    public async Task<Answer> FinishAsync(Answer page, Guid? person = null, SecondFactorMethod? method = SecondFactorMethod.Phone)
    {
        var back = await PostAsync($"/test/sign-in/{page.AttemptId}?person={person ?? _host.Kari}{(method is null ? "" : $"&method={method}")}");
        return await GetAsync(back.Location!);
    }

    /// <summary>A signed-in browser's tokens, from start to end.</summary>
    public async Task<Tokens> GetTokensAsync(string? request = null, SecondFactorMethod? method = SecondFactorMethod.Phone)
    {
        var answer = await SignInAsync(request, method: method);
        Assert.True(answer.Code is not null, answer.ToString());
        var token = await RedeemAsync(answer.Code!);
        Assert.Equal(HttpStatusCode.OK, token.Status);
        return new Tokens(token.Json);
    }

    public Task<Answer> RedeemAsync(string code, params (string Name, string Value)[] changes) => TokenAsync([
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", ProviderHost.RedirectUri), ("code_verifier", Verifier), .. changes]);

    public Task<Answer> RefreshAsync(string token, params (string Name, string Value)[] changes) => TokenAsync([("grant_type", "refresh_token"), ("refresh_token", token), .. changes]);

    /// <summary>Later values win, empty ones leave the parameter out; the client is the usual one unless said otherwise.</summary>
    public Task<Answer> TokenAsync((string Name, string Value)[] parameters)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["client_id"] = ProviderHost.ClientId, ["client_secret"] = ProviderHost.ClientSecret };
        foreach (var (name, value) in parameters) form[name] = value;
        return PostAsync("/connect/token", [.. form.Where(pair => pair.Value.Length > 0).Select(pair => (pair.Key, pair.Value))]);
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>An answer, read before it was thrown away.</summary>
public sealed class Answer(HttpResponseMessage response, string body)
{
    public HttpStatusCode Status { get; } = response.StatusCode;
    public string? Location { get; } = response.Headers.Location?.OriginalString;
    public string Body { get; } = body;
    public string? CacheControl { get; } = response.Headers.CacheControl?.ToString();
    public string? ETag { get; } = response.Headers.ETag?.Tag;
    public long? Length { get; } = response.Content.Headers.ContentLength;
    public string WwwAuthenticate { get; } = response.Headers.WwwAuthenticate.ToString();

    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();
    public bool IsSignInPage => Status is HttpStatusCode.SeeOther && Location?.StartsWith("/sign-in/", StringComparison.Ordinal) is true;
    public string AttemptId => Location!["/sign-in/".Length..];

    public string? Code => Parameter("code");
    public string? Error => Location is not null ? Parameter("error") : Body.StartsWith('{') ? (string?)Json["error"] : null;

    public string? Parameter(string name) =>
        Location?.IndexOf('?', StringComparison.Ordinal) is { } at and >= 0 && QueryHelpers.ParseQuery(Location[at..]).TryGetValue(name, out var value) ? (string?)value : null;

    public override string ToString() => $"{(int)Status} {Location} {Body}";
}

/// <summary>What the token endpoint gave.</summary>
public sealed record Tokens(JsonObject Json)
{
    public string Access => (string)Json["access_token"]!;
    public string Id => (string)Json["id_token"]!;
    public string? Refresh => (string?)Json["refresh_token"];
    public JsonObject IdClaims => Part(Id, 1);
    public JsonObject AccessClaims => Part(Access, 1);

    public static JsonObject Part(string token, int index) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[index]))!.AsObject();
}
