using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Actors;

/// <summary>What a phone was told: HTTP status, the stable code of a problem, and the body.</summary>
public sealed record PhoneAnswer(HttpStatusCode Status, string? Code, JsonObject Body)
{
    public bool Ok => (int)Status is >= 200 and < 300;

    public string Text(string name) => Body[name]!.GetValue<string>();
}

/// <summary>
/// The phone app in C#: a real P-256 device key, a soft passkey, and the wire protocol of docs/protocol.md byte for byte. At the same
/// time the specification of the protocol for whoever writes another app. Every part of what it sends can be bent by an attacker.
/// </summary>
public sealed class Phone : IDisposable
{
    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly bool _hasOwnPasskey;
    private string _nonce = "";

    /// <param name="server">Whose app it is.</param>
    /// <param name="clock">Its own clock, when it goes wrong.</param>
    /// <param name="line">What lies between; nothing unless a test puts something there.</param>
    /// <param name="keychain">The passkey that is there already; otherwise a new one.</param>
    public Phone(PortvaktServer server, TimeProvider? clock = null, HttpMessageHandler? line = null, SoftAuthenticator? keychain = null)
    {
        _http = new HttpClient(line ?? server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        _http.DefaultRequestHeaders.Add("Test-Address", "192.0.2.20");
        _clock = clock ?? server.Clock;
        _hasOwnPasskey = keychain is null;
        Passkey = keychain ?? new SoftAuthenticator(new Uri(PortvaktServer.Origin).Host, PortvaktServer.Origin) { BackupEligible = true, BackupState = true };
        var point = _key.ExportParameters(false).Q;
        Jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) };
        KeyId = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{Jwk["x"]}}","y":"{{Jwk["y"]}}"}""")));
    }

    public SoftAuthenticator Passkey { get; }
    public JsonObject Jwk { get; }
    public string KeyId { get; set; }

    /// <summary>A PIN instead of a passkey.</summary>
    public string? Pin { get; set; }

    public JsonObject? Push { get; set; }

    /// <summary>The app is closed when this says so, in the middle of a request.</summary>
    public CancellationToken Closes { get; set; }
    public byte[] Seed { get; private set; } = [];
    public string Device { get; set; } = "iPhone · Safari";

    /// <summary>Every cookie it was given.</summary>
    public List<string> SetCookies { get; } = [];

    /// <summary>The same phone after its browser has cleared everything: without device key and seed, with what the keychain keeps. This one stays, for whoever tries the old key.</summary>
    public Phone AfterEviction(PortvaktServer server) => new(server, _clock, keychain: Passkey) { Push = Push, Device = Device };

    /// <summary>Scans (or types) a code and goes all the way to bound.</summary>
    public async Task<PhoneAnswer> BindAsync(string code)
    {
        var begun = await BeginAsync(code);
        return begun.Ok ? await FinishAsync(code, begun) : begun;
    }

    public Task<PhoneAnswer> BeginAsync(string code) => PostAsync("/phone/api/binding/begin", new JsonObject { ["code"] = Normalised(code), ["kid"] = KeyId }, proof: false);

    public async Task<PhoneAnswer> FinishAsync(string code, PhoneAnswer begun, Action<JsonObject>? tamper = null, Func<string, string>? bend = null)
    {
        var challenge = Base64Url.DecodeFromChars(begun.Text("challenge"));
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var point = ephemeral.ExportParameters(false).Q;
        var made = Pin is null ? Passkey.Create(LabelledHash.Of("portvakt/enrol/v1", challenge, Encoding.ASCII.GetBytes(KeyId))) : null;
        var statement = new JsonObject
        {
            ["v"] = 1,
            ["aud"] = PortvaktServer.Origin,
            ["codeHash"] = Base64Url.EncodeToString(BindingCode.HashOf(Normalised(code))),
            ["challenge"] = begun.Text("challenge"),
            ["kid"] = KeyId,
            ["passkey"] = made is null ? null : new JsonObject { ["attestationObject"] = Base64Url.EncodeToString(made.AttestationObject), ["clientDataJson"] = Base64Url.EncodeToString(made.ClientDataJson) },
            ["pin"] = Pin is null ? null : PinProof(Pin),
            ["push"] = Push?.DeepClone(),
            ["seedKey"] = Base64Url.EncodeToString([4, .. point.X!, .. point.Y!]),
            ["consent"] = "2026-11",
            ["app"] = "0.1.0",
            ["device"] = Device,
        };
        tamper?.Invoke(statement);
        var jws = Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "portvakt-bind+jws", ["jwk"] = Jwk.DeepClone() }, Encoding.UTF8.GetBytes(statement.ToJsonString()));
        var answer = await PostAsync("/phone/api/binding/finish", new JsonObject { ["jws"] = bend?.Invoke(jws) ?? jws }, proof: false);
        if (answer.Ok) Seed = OpenSeed(answer.Body["seed"]!.AsObject(), ephemeral, challenge);
        return answer;
    }

    /// <summary>Gets the account back with the passkey of the keychain.</summary>
    public async Task<PhoneAnswer> RebindAsync(string? password = null) => await FinishRebindingAsync(await BeginRebindingAsync(), password);

    public Task<PhoneAnswer> BeginRebindingAsync() => PostAsync("/phone/api/rebind/begin", new JsonObject { ["kid"] = KeyId }, proof: false);

    public async Task<PhoneAnswer> FinishRebindingAsync(
        PhoneAnswer begun, string? password = null, SoftAuthenticator? other = null, Action<JsonObject>? tamper = null, Func<string, string>? bend = null, byte[]? signOther = null, string type = "portvakt-rebind+jws")
    {
        var challenge = Base64Url.DecodeFromChars(begun.Text("challenge"));
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var point = ephemeral.ExportParameters(false).Q;
        var assertion = (other ?? Passkey).Get(signOther ?? LabelledHash.Of("portvakt/rebind/v1", challenge, Encoding.ASCII.GetBytes(KeyId)));
        var statement = new JsonObject
        {
            ["v"] = 1,
            ["aud"] = PortvaktServer.Origin,
            ["challenge"] = begun.Text("challenge"),
            ["kid"] = KeyId,
            ["assertion"] = Parts(assertion),
            ["push"] = Push?.DeepClone(),
            ["seedKey"] = Base64Url.EncodeToString([4, .. point.X!, .. point.Y!]),
            ["consent"] = "2026-11",
            ["app"] = "0.1.0",
            ["device"] = Device,
        };
        tamper?.Invoke(statement);
        var jws = Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = type, ["jwk"] = Jwk.DeepClone() }, Encoding.UTF8.GetBytes(statement.ToJsonString()));
        LastRebinding = new JsonObject { ["jws"] = bend?.Invoke(jws) ?? jws, ["password"] = password };
        var answer = await PostAsync("/phone/api/rebind/finish", LastRebinding, proof: false);
        if (answer.Ok) Seed = OpenSeed(answer.Body["seed"]!.AsObject(), ephemeral, challenge);
        return answer;
    }

    /// <summary>What was sent last to get the account back, for attackers that want to send it again.</summary>
    public JsonObject? LastRebinding { get; private set; }

    /// <summary>How the phone is, as the app tells it at every start.</summary>
    public Task<PhoneAnswer> ReportAsync() => PostAsync("/phone/api/report", new JsonObject { ["push"] = Push?.DeepClone(), ["persisted"] = true, ["app"] = "0.1.0" });

    /// <summary>Whatever waits: its id, and the context bytes exactly as they came.</summary>
    public async Task<(string Id, byte[] Context)?> PendingAsync()
    {
        var answer = await GetAsync("/phone/api/pending");
        Assert.True(answer.Ok, $"{answer.Status} {answer.Code}");
        return answer.Body["request"] is JsonObject request ? (request["id"]!.GetValue<string>(), Base64Url.DecodeFromChars(request["context"]!.GetValue<string>())) : null;
    }

    public async Task<PhoneAnswer> ApproveAsync(string number)
    {
        var (id, context) = await PendingAsync() ?? throw new InvalidOperationException("Nothing waits on this phone.");
        return await AnswerAsync(id, context, "approve", number);
    }

    public async Task<PhoneAnswer> DenyAsync(string decision = "cancelled")
    {
        var (id, context) = await PendingAsync() ?? throw new InvalidOperationException("Nothing waits on this phone.");
        return await AnswerAsync(id, context, decision, null);
    }

    public async Task<PhoneAnswer> AnswerAsync(
        string id, byte[] context, string decision, string? number, Action<JsonObject>? tamper = null, Action<JsonObject>? tamperBody = null, Func<byte[], byte[]>? signOther = null, string? pin = null)
    {
        var c = JsonNode.Parse(context)!.AsObject();
        var statement = new JsonObject
        {
            ["v"] = 1,
            ["id"] = id,
            ["aud"] = PortvaktServer.Origin,
            ["ctx"] = Base64Url.EncodeToString(SHA256.HashData(context)),
            ["nonce"] = c["nonce"]!.GetValue<string>(),
            ["decision"] = decision,
            ["num"] = number,
            ["iat"] = _clock.GetUtcNow().ToUnixTimeSeconds(),
        };
        tamper?.Invoke(statement);
        var body = Signed(statement, "portvakt-decision+jws", decision is "approve" ? "portvakt/decision/v1" : null, signOther, pin);
        tamperBody?.Invoke(body);
        return await PostAsync($"/phone/api/approvals/{id}/answer", body);
    }

    /// <summary>The old phone of a move asks for a code.</summary>
    public async Task<PhoneAnswer> BeginMoveAsync(Action<JsonObject>? tamper = null, Func<byte[], byte[]>? signOther = null, string? pin = null, string label = "portvakt/move/v1")
    {
        await MoveAsync(); // brings a nonce
        return await PostAsync("/phone/api/move/begin", MoveBody(new JsonObject { ["v"] = 1, ["step"] = "begin", ["aud"] = PortvaktServer.Origin, ["nonce"] = _nonce, ["jti"] = RandomId.New() }, tamper, signOther, pin, label));
    }

    /// <summary>The number of the new phone, typed on the old one.</summary>
    public async Task<PhoneAnswer> ConfirmMoveAsync(string number, Action<JsonObject>? tamper = null, Func<byte[], byte[]>? signOther = null, string? pin = null)
    {
        var move = (await MoveAsync()).Body["move"]!;
        return await PostAsync("/phone/api/move/confirm", MoveBody(
            new JsonObject { ["v"] = 1, ["step"] = "confirm", ["aud"] = PortvaktServer.Origin, ["id"] = move["id"]!.GetValue<string>(), ["to"] = move["to"]?.GetValue<string>(), ["num"] = number }, tamper, signOther, pin, "portvakt/move/v1"));
    }

    /// <summary>How the move stands, as this phone may know it.</summary>
    public Task<PhoneAnswer> MoveAsync() => GetAsync("/phone/api/move");

    private JsonObject MoveBody(JsonObject statement, Action<JsonObject>? tamper, Func<byte[], byte[]>? signOther, string? pin, string label)
    {
        statement["iat"] = _clock.GetUtcNow().ToUnixTimeSeconds();
        tamper?.Invoke(statement);
        return Signed(statement, "portvakt-move+jws", label, signOther, pin);
    }

    /// <summary>A statement under the device key, with the unlock that its label asks for.</summary>
    private JsonObject Signed(JsonObject statement, string type, string? label, Func<byte[], byte[]>? signOther, string? pin)
    {
        var bytes = Encoding.UTF8.GetBytes(statement.ToJsonString());
        var body = new JsonObject { ["jws"] = Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = type, ["kid"] = KeyId }, bytes) };
        if (label is not null && Pin is not null) body["pin"] = PinProof(pin ?? Pin);
        else if (label is not null)
        {
            var assertion = Passkey.Get(LabelledHash.Of(label, signOther?.Invoke(bytes) ?? bytes));
            body["assertion"] = Parts(assertion);
        }

        return body;
    }

    /// <summary>The six digits the phone shows now; no network needed.</summary>
    public string Code() => Totp.CodeFor(Seed, Totp.StepAt(_clock.GetUtcNow()));

    public Task<PhoneAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null, proof: true);

    public Task<PhoneAnswer> PostAsync(string path, JsonObject body, bool proof = true) => SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(body.ToJsonString()), proof);

    /// <summary>One request exactly as given, for attackers that want to send it again.</summary>
    public async Task<PhoneAnswer> SendOnceAsync(HttpMethod method, string path, byte[]? body, string? proof)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
        }

        if (proof is not null) request.Headers.Add("Portvakt-Proof", proof);
        using var answer = await _http.SendAsync(request, Closes);
        if (answer.Headers.TryGetValues("Portvakt-Nonce", out var nonces)) _nonce = nonces.Single();
        if (answer.Headers.TryGetValues("Set-Cookie", out var cookies)) SetCookies.AddRange(cookies);
        var text = await answer.Content.ReadAsStringAsync();
        var json = text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : [];
        return new PhoneAnswer(answer.StatusCode, json["code"]?.GetValue<string>(), json);
    }

    public string Proof(HttpMethod method, string path, byte[]? body, Action<JsonObject>? tamper = null)
    {
        var payload = new JsonObject
        {
            ["htm"] = method.Method,
            ["htu"] = PortvaktServer.Origin + path,
            ["iat"] = _clock.GetUtcNow().ToUnixTimeSeconds(),
            ["jti"] = RandomId.New(),
            ["nonce"] = _nonce,
        };
        if (body is not null) payload["bh"] = Base64Url.EncodeToString(SHA256.HashData(body));
        tamper?.Invoke(payload);
        return Sign(new JsonObject { ["alg"] = "ES256", ["typ"] = "portvakt-proof+jws", ["kid"] = KeyId }, Encoding.UTF8.GetBytes(payload.ToJsonString()));
    }

    public string Sign(JsonObject header, byte[] payload)
    {
        var text = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{Base64Url.EncodeToString(payload)}";
        return $"{text}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}";
    }

    public void Dispose()
    {
        _http.Dispose();
        _key.Dispose();
        if (_hasOwnPasskey) Passkey.Dispose();
    }

    private async Task<PhoneAnswer> SendAsync(HttpMethod method, string path, byte[]? body, bool proof)
    {
        var answer = await SendOnceAsync(method, path, body, proof ? Proof(method, path, body) : null);
        return proof && answer is { Status: HttpStatusCode.Unauthorized, Code: "nonce" } ? await SendOnceAsync(method, path, body, Proof(method, path, body)) : answer;
    }

    private string PinProof(string pin) => Base64Url.EncodeToString(HMACSHA256.HashData(_key.ExportPkcs8PrivateKey(), Encoding.UTF8.GetBytes(pin)));

    private static JsonObject Parts(MadeAssertion assertion) => new()
    {
        ["credentialId"] = Base64Url.EncodeToString(assertion.CredentialId),
        ["authenticatorData"] = Base64Url.EncodeToString(assertion.AuthenticatorData),
        ["clientDataJson"] = Base64Url.EncodeToString(assertion.ClientDataJson),
        ["signature"] = Base64Url.EncodeToString(assertion.Signature),
    };

    private static string Normalised(string code) => code.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();

    private byte[] OpenSeed(JsonObject seed, ECDiffieHellman mine, byte[] challenge)
    {
        var point = Base64Url.DecodeFromChars(seed["key"]!.GetValue<string>());
        using var theirs = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[1..33], Y = point[33..] } });
        byte[] info = [.. "portvakt/seed/v1"u8, 0, .. Encoding.ASCII.GetBytes(KeyId)];
        using var aes = new AesGcm(HKDF.DeriveKey(HashAlgorithmName.SHA256, mine.DeriveRawSecretAgreement(theirs.PublicKey), 32, challenge, info), 16);
        var box = Base64Url.DecodeFromChars(seed["ciphertext"]!.GetValue<string>());
        var plain = new byte[box.Length - 16];
        aes.Decrypt(Base64Url.DecodeFromChars(seed["iv"]!.GetValue<string>()), box.AsSpan(0, plain.Length), box.AsSpan(plain.Length), plain);
        return plain;
    }
}
