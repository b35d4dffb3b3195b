// The floor: what an OpenID provider cannot do without, on bare Kestrel, and nothing else. No framework, no pages, no people. `bench cost` drives
// it beside the server in the same run; the distance between the two is what the server's own machinery costs.
//
//   discovery, JWKS      bytes handed over at start, with length and tag                       no signature, nothing stored
//   client credentials   form read, secret compared (one SHA-256), one ES256 signature         nothing stored
//   authorize            session found in memory (one SHA-256), one code                       one durable commit
//   code to token        code used up, PKCE (one SHA-256), two ES256 signatures                one durable commit
//   refresh              token replaced where the old one was the good one, two signatures     one durable commit
//
// Durable: SQLite, journal WAL, synchronous=FULL, answered after the commit. One writer commits for everybody who waits.

using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Portvakt.Bench.Floor;

if (args is not [var portText, var folder, var secret])
{
    Console.WriteLine("The floor is started by bench cost: PORT FOLDER SECRET. The folder holds discovery.json and jwks.json, as the server sends them.");
    return 2;
}

var clock = TimeProvider.System;
var issuer = $"http://localhost:{portText}";
var (discovery, keySet) = (new Document(File.ReadAllBytes(Path.Combine(folder, "discovery.json"))), new Document(File.ReadAllBytes(Path.Combine(folder, "jwks.json"))));
var secretHash = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
var sessions = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
using var tokens = new Tokens(issuer, clock);
await using var ledger = new Ledger(Path.Combine(folder, "floor.db"));

var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.ListenLocalhost(int.Parse(portText, CultureInfo.InvariantCulture));
});
var app = builder.Build();
app.Run(http => http.Request.Path.Value switch
{
    "/.well-known/openid-configuration" => discovery.SendAsync(http),
    "/.well-known/jwks.json" => keySet.SendAsync(http),
    "/connect/authorize" => AuthorizeAsync(http),
    "/connect/token" => TokenAsync(http),
    "/session" => SignInAsync(http),
    _ => RefuseAsync(http, StatusCodes.Status404NotFound, "not_found"),
});
await app.StartAsync();
await await Task.WhenAny(app.WaitForShutdownAsync(), ledger.Writing); // a writer that broke ends the program: nobody would be answered any more
return 0;

// Somebody is signed in already; how, is not the floor's business.
Task SignInAsync(HttpContext http)
{
    var cookie = NewSecret();
    sessions[Hash(cookie)] = NewSecret();
    http.Response.Cookies.Append("session", cookie, new CookieOptions { HttpOnly = true });
    return http.Response.CompleteAsync();
}

async Task AuthorizeAsync(HttpContext http)
{
    var query = http.Request.Query;
    if (http.Request.Cookies["session"] is not { } cookie || !sessions.TryGetValue(Hash(cookie), out var session)
        || query["response_type"] != "code" || query["code_challenge_method"] != "S256" || query["code_challenge"].ToString() is not { Length: 43 } challenge)
    {
        await RefuseAsync(http, StatusCodes.Status400BadRequest, "invalid_request");
        return;
    }

    var code = NewSecret();
    var redirect = query["redirect_uri"].ToString();
    var row = new CodeRow(Hash(code), session, challenge, redirect, query["nonce"].ToString(), query["scope"].ToString());
    var expires = clock.GetUtcNow().ToUnixTimeSeconds() + 60;
    await ledger.CommitAsync(rows => rows.AddCode(row, expires));
    http.Response.StatusCode = StatusCodes.Status303SeeOther;
    http.Response.Headers.Location = $"{redirect}?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}&iss={Uri.EscapeDataString(issuer)}";
}

async Task TokenAsync(HttpContext http)
{
    var form = await http.Request.ReadFormAsync();
    if (!CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(form["client_secret"].ToString())), secretHash))
    {
        await RefuseAsync(http, StatusCodes.Status401Unauthorized, "invalid_client");
        return;
    }

    var client = form["client_id"].ToString();
    switch (form["grant_type"].ToString())
    {
        case "client_credentials":
            await AnswerAsync(http, tokens.Access(client, client, "api"), null, null);
            return;
        case "authorization_code":
            var (codeHash, now, family, first) = (Hash(form["code"].ToString()), clock.GetUtcNow().ToUnixTimeSeconds(), NewSecret(), NewSecret());
            var code = await ledger.CommitAsync(rows => rows.UseCode(codeHash, now, family, Hash(first)));
            var proof = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
            if (code is null || code.Challenge != proof || code.RedirectUri != form["redirect_uri"]) break;
            await AnswerAsync(http, tokens.Access(code.Session, client, code.Scope), tokens.Identity(code.Session, client, code.Nonce), code.MayRefresh ? $"{family}.{first}" : null);
            return;
        case "refresh_token":
            if (form["refresh_token"].ToString().Split('.') is not [var id, var old]) break;
            var next = NewSecret();
            if (await ledger.CommitAsync(rows => rows.Rotate(id, Hash(old), Hash(next))) is not { } session) break;
            await AnswerAsync(http, tokens.Access(session, client, "openid offline_access"), tokens.Identity(session, client, ""), $"{id}.{next}");
            return;
        default:
            break;
    }

    await RefuseAsync(http, StatusCodes.Status400BadRequest, "invalid_grant");
}

static Task AnswerAsync(HttpContext http, byte[] access, byte[]? identity, string? refresh)
{
    var body = new ArrayBufferWriter<byte>(2048);
    using (var json = new Utf8JsonWriter(body))
    {
        json.WriteStartObject();
        json.WriteString("access_token"u8, access);
        json.WriteString("token_type"u8, "Bearer"u8);
        json.WriteNumber("expires_in"u8, 300);
        if (identity is not null) json.WriteString("id_token"u8, identity);
        if (refresh is not null) json.WriteString("refresh_token"u8, refresh);
        json.WriteEndObject();
    }

    http.Response.ContentType = "application/json";
    http.Response.ContentLength = body.WrittenCount;
    http.Response.Headers.CacheControl = "no-store";
    return http.Response.Body.WriteAsync(body.WrittenMemory).AsTask();
}

static Task RefuseAsync(HttpContext http, int status, string error)
{
    http.Response.StatusCode = status;
    return http.Response.WriteAsync(error);
}

static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

static string Hash(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));
