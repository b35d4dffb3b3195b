using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Testing;

namespace Portvakt.Bench.Actors;

/// <summary>
/// The phone app as far as a sign-in needs it: a device key, a passkey and a push subscription that are real, and docs/protocol.md, sections 2 to 4. All that
/// can go wrong is played by the phone of the tests.
/// </summary>
public sealed class Phone : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _origin;
    private readonly ECDsa _key;
    private readonly SoftAuthenticator _passkey;
    private readonly FakePushSubscription _push;
    private readonly JsonObject _jwk;
    private readonly string _keyId;
    private string _nonce = "";

    /// <param name="http">Kept connections.</param>
    /// <param name="origin">The server's public address.</param>
    /// <param name="push">Its browser's subscription.</param>
    /// <param name="key">The device key of a phone that is bound already; otherwise a new one. Disposed with the phone.</param>
    /// <param name="passkey">The passkey of such a phone. Disposed with it.</param>
    public Phone(HttpClient http, string origin, FakePushSubscription push, ECDsa? key = null, SoftAuthenticator? passkey = null)
    {
        (_http, _origin, _push) = (http, origin, push);
        _key = key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _passkey = passkey ?? new SoftAuthenticator(new Uri(origin).Host, origin) { BackupEligible = true, BackupState = true };
        var point = _key.ExportParameters(false).Q;
        var (x, y) = (Base64Url.EncodeToString(point.X), Base64Url.EncodeToString(point.Y));
        _jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = x, ["y"] = y };
        _keyId = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""")));
    }

    /// <summary>From the typed code to bound.</summary>
    public async Task BindAsync(string typed)
    {
        var code = typed.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
        var begun = await SendAsync(HttpMethod.Post, "/phone/api/binding/begin", new JsonObject { ["code"] = code, ["kid"] = _keyId }, proves: false);
        var challenge = (string)begun["challenge"]!;
        var made = _passkey.Create(LabelledHash.Of("portvakt/enrol/v1", Base64Url.DecodeFromChars(challenge), Encoding.ASCII.GetBytes(_keyId)));
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var point = ephemeral.ExportParameters(false).Q;
        var statement = new JsonObject
        {
            ["v"] = 1,
            ["aud"] = _origin,
            ["codeHash"] = Base64Url.EncodeToString(BindingCode.HashOf(code)),
            ["challenge"] = challenge,
            ["kid"] = _keyId,
            ["passkey"] = new JsonObject { ["attestationObject"] = Base64Url.EncodeToString(made.AttestationObject), ["clientDataJson"] = Base64Url.EncodeToString(made.ClientDataJson) },
            ["pin"] = null,
            ["push"] = new JsonObject { ["endpoint"] = _push.Endpoint.AbsoluteUri, ["p256dh"] = _push.P256dh, ["auth"] = _push.Auth },
            ["seedKey"] = Base64Url.EncodeToString([4, .. point.X!, .. point.Y!]),
            ["consent"] = "2026-11",
            ["app"] = "0.1.0",
            ["device"] = "iPhone · Safari",
        };
        var jws = Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "portvakt-bind+jws", ["jwk"] = _jwk.DeepClone() }, Encoding.UTF8.GetBytes(statement.ToJsonString()));
        await SendAsync(HttpMethod.Post, "/phone/api/binding/finish", new JsonObject { ["jws"] = jws }, proves: false);
    }

    /// <summary>The notification arrives.</summary>
    public Task RingAsync() => _push.NextMessageAsync();

    /// <summary>What waits to be answered: its id and its context, to the byte.</summary>
    public async Task<(string Id, byte[] Context)> PendingAsync()
    {
        var answer = await SendAsync(HttpMethod.Get, "/phone/api/pending", null, proves: true);
        var request = answer["request"]?.AsObject() ?? throw new InvalidOperationException("Nothing waits on this phone.");
        return ((string)request["id"]!, Base64Url.DecodeFromChars((string)request["context"]!));
    }

    /// <summary>The number was typed and the phone unlocked: signed by the device key, and again by the passkey.</summary>
    public async Task ApproveAsync((string Id, byte[] Context) request, string number)
    {
        var statement = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["v"] = 1,
            ["id"] = request.Id,
            ["aud"] = _origin,
            ["ctx"] = Base64Url.EncodeToString(SHA256.HashData(request.Context)),
            ["nonce"] = (string)JsonNode.Parse(request.Context)!["nonce"]!,
            ["decision"] = "approve",
            ["num"] = number,
            ["iat"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
        }.ToJsonString());
        var unlocked = _passkey.Get(LabelledHash.Of("portvakt/decision/v1", statement));
        var answer = await SendAsync(HttpMethod.Post, $"/phone/api/approvals/{request.Id}/answer", new JsonObject
        {
            ["jws"] = Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "portvakt-decision+jws", ["kid"] = _keyId }, statement),
            ["assertion"] = new JsonObject
            {
                ["credentialId"] = Base64Url.EncodeToString(unlocked.CredentialId),
                ["authenticatorData"] = Base64Url.EncodeToString(unlocked.AuthenticatorData),
                ["clientDataJson"] = Base64Url.EncodeToString(unlocked.ClientDataJson),
                ["signature"] = Base64Url.EncodeToString(unlocked.Signature),
            },
        }, proves: true);
        if ((string?)answer["outcome"] is not "approved") throw new InvalidOperationException(answer.ToJsonString());
    }

    public void Dispose()
    {
        _key.Dispose();
        _passkey.Dispose();
    }

    private async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? message, bool proves)
    {
        var body = message is null ? null : Encoding.UTF8.GetBytes(message.ToJsonString());
        for (var again = false; ; again = true)
        {
            using var request = new HttpRequestMessage(method, _origin + path);
            if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            if (proves) request.Headers.Add("Portvakt-Proof", Proof(method, path, body));
            using var answer = await _http.SendAsync(request);
            if (answer.Headers.TryGetValues("Portvakt-Nonce", out var nonces)) _nonce = nonces.Single();
            if (proves && !again && answer.StatusCode is HttpStatusCode.Unauthorized) continue; // the nonce was too old, or there was none yet
            var text = await answer.Content.ReadAsStringAsync();
            return answer.IsSuccessStatusCode ? JsonNode.Parse(text)!.AsObject() : throw new UnexpectedAnswerException($"{method} {path}", answer.StatusCode, text, answer.Headers.RetryAfter?.Delta);
        }
    }

    private string Proof(HttpMethod method, string path, byte[]? body)
    {
        var payload = new JsonObject
        {
            ["htm"] = method.Method,
            ["htu"] = _origin + path,
            ["iat"] = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
            ["jti"] = RandomId.New(),
            ["nonce"] = _nonce,
        };
        if (body is not null) payload["bh"] = Base64Url.EncodeToString(SHA256.HashData(body));
        return Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "portvakt-proof+jws", ["kid"] = _keyId }, Encoding.UTF8.GetBytes(payload.ToJsonString()));
    }

    private string Sign(JsonObject header, byte[] payload)
    {
        var text = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64Url.EncodeToString(payload)}";
        return $"{text}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }
}
