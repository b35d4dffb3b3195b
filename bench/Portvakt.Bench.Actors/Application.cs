using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;

namespace Portvakt.Bench.Actors;

/// <summary>A relying party and a browser that is signed in: the same requests for the server and for the floor. Every answer is looked at.</summary>
/// <param name="http">Kept connections.</param>
/// <param name="address">Who is asked.</param>
/// <param name="secret">Of both clients.</param>
/// <param name="cookies">What the signed-in browser sends.</param>
public sealed class Application(HttpClient http, string address, string secret, string cookies)
{
    public const string Verifier = "a-verifier-of-at-least-forty-three-characters-0123456789";
    private static readonly string Challenge = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));
    private string _refresh = "";

    /// <summary>The last good answer of the token endpoint.</summary>
    public JsonElement Tokens { get; private set; }

    /// <summary>An authorization request (OpenID Connect Core 1.0, section 3.1.2.1).</summary>
    public static string Request(string scope = "openid profile") =>
        $"/connect/authorize?client_id={Site.ClientId}&response_type=code&redirect_uri={Uri.EscapeDataString(Site.RedirectUri)}&scope={Uri.EscapeDataString(scope)}&state=s1&nonce=n1&code_challenge={Challenge}&code_challenge_method=S256";

    public async Task GetAsync(string path)
    {
        using var answer = await http.GetAsync(address + path);
        if (!answer.IsSuccessStatusCode || (await answer.Content.ReadAsByteArrayAsync()).Length is 0) throw new InvalidOperationException($"{path}: {answer.StatusCode}");
    }

    public Task ClientCredentialsAsync() => TokenAsync(Site.JobId, ("grant_type", "client_credentials"), ("scope", "api"));

    /// <summary>A signed-in browser brings a code, and the code a token.</summary>
    public async Task CodeFlowAsync(string scope = "openid profile")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address + Request(scope));
        request.Headers.Add("Cookie", cookies);
        using var answer = await http.SendAsync(request);
        await RedeemAsync(answer.Headers.Location?.OriginalString ?? throw new InvalidOperationException($"No code: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}"));
    }

    /// <summary>The code in the address that the browser was sent to.</summary>
    public async Task RedeemAsync(string location, string verifier = Verifier)
    {
        var code = QueryHelpers.ParseQuery(location[(location.IndexOf('?', StringComparison.Ordinal) + 1)..]).TryGetValue("code", out var found) ? found.ToString() : throw new InvalidOperationException($"No code: {location}");
        await TokenAsync(Site.ClientId, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Site.RedirectUri), ("code_verifier", verifier));
    }

    /// <summary>Each time with the token that came of the last time.</summary>
    public Task RefreshAsync() => TokenAsync(Site.ClientId, ("grant_type", "refresh_token"), ("refresh_token", _refresh));

    private async Task TokenAsync(string client, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("client_id", client), KeyValuePair.Create("client_secret", secret), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        using var answer = await http.PostAsync(address + "/connect/token", form);
        if (answer.StatusCode is not HttpStatusCode.OK) throw new UnexpectedAnswerException("POST /connect/token", answer.StatusCode, await answer.Content.ReadAsStringAsync());
        using var body = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
        if (!body.RootElement.TryGetProperty("access_token", out _)) throw new InvalidOperationException($"No token: {answer.StatusCode} {body.RootElement}");
        if (client is Site.ClientId && !body.RootElement.TryGetProperty("id_token", out _)) throw new InvalidOperationException($"No id token: {body.RootElement}");
        if (body.RootElement.TryGetProperty("refresh_token", out var refresh)) _refresh = refresh.GetString()!;
        Tokens = body.RootElement.Clone();
    }
}
