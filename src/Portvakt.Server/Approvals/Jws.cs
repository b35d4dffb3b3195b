using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Portvakt.Server.Approvals;

/// <summary>
/// A JWS in compact form (RFC 7515) of the kind phones send: ES256 and nothing else, one fixed <c>typ</c> per message, no <c>crit</c>.
/// The payload stays the bytes that were signed.
/// </summary>
public sealed class Jws
{
    private const int MaximumLength = 48 * 1024;
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };
    private readonly byte[] _signed;
    private readonly byte[] _signature;

    private Jws(JsonElement header, byte[] payload, byte[] signed, byte[] signature) =>
        (Header, Payload, _signed, _signature) = (header, payload, signed, signature);

    public JsonElement Header { get; }
    public byte[] Payload { get; }

    /// <summary>Reads without believing: nothing is verified yet. Null for whatever is not exactly of this form.</summary>
    public static Jws? Read(string? text, string type)
    {
        if (text is null || text.Length > MaximumLength) return null;
        var parts = text.Split('.');
        if (parts is not [var header, var payload, var signature]) return null;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(header), Strict);
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object || Text(root, "alg") is not "ES256" || Text(root, "typ") != type || root.TryGetProperty("crit", out _)) return null;
            var signatureBytes = Base64Url.DecodeFromChars(signature);
            return signatureBytes.Length is 64 ? new Jws(root.Clone(), Base64Url.DecodeFromChars(payload), Encoding.ASCII.GetBytes($"{header}.{payload}"), signatureBytes) : null;
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return null; // a stranger's text: whatever it is, it is no JWS
        }
    }

    public bool Verify(ECDsa key) => key.VerifyData(_signed, _signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    public string? HeaderText(string name) => Text(Header, name);

    /// <summary>The payload as a message; null when it is not one.</summary>
    public T? Message<T>() where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(Payload, PhoneJson.Options);
        }
        catch (JsonException)
        {
            return null; // signed, but not this message
        }
    }

    internal static string? Text(JsonElement element, string name)
    {
        try
        {
            return element.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // text that is not Unicode, for instance half a surrogate pair
        }
    }
}

/// <summary>A P-256 public key of a phone, as a JWK (RFC 7517) and as we store it.</summary>
public static class DeviceKey
{
    /// <summary>The key of a JWK header; null when it is not a point on P-256. The caller disposes it.</summary>
    public static ECDsa? FromJwk(JsonElement header)
    {
        if (!header.TryGetProperty("jwk", out var jwk) || jwk.ValueKind is not JsonValueKind.Object) return null;
        if (Member("kty") is not "EC" || Member("crv") is not "P-256" || Coordinate("x") is not { } x || Coordinate("y") is not { } y) return null;
        if (jwk.TryGetProperty("d", out _)) return null; // a private key has no business here
        try
        {
            // The import checks that the point lies on the curve.
            return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        }
        catch (CryptographicException)
        {
            return null; // two numbers, but no point on the curve
        }

        string? Member(string name) => Jws.Text(jwk, name);

        byte[]? Coordinate(string name)
        {
            if (Member(name) is not { Length: 43 } text) return null;
            try
            {
                return Base64Url.DecodeFromChars(text);
            }
            catch (FormatException)
            {
                return null; // not base64url
            }
        }
    }

    /// <summary>RFC 7638 thumbprint.</summary>
    public static string Thumbprint(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var json = $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(point.X)}}","y":"{{Base64Url.EncodeToString(point.Y)}}"}""";
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(json)));
    }

    /// <summary>Whether the phone with this key, as it is stored, has signed it.</summary>
    public static bool HasSigned(byte[] subjectPublicKeyInfo, Jws jws)
    {
        var name = Convert.ToBase64String(subjectPublicKeyInfo);
        var key = Imported.Take(name) ?? Import(subjectPublicKeyInfo);
        try
        {
            return jws.Verify(key);
        }
        finally
        {
            Imported.Keep(name, key);
        }
    }

    private static ECDsa Import(byte[] subjectPublicKeyInfo)
    {
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        return key;
    }

    /// <summary>
    /// Keys by what they were made of. An import looks whether the point is on the curve, which takes longer than to verify a signature, and a phone signs three times in one sign-in.
    /// A key belongs to whoever took it until it is given back: no two threads use one. Two generations bound how many there are.
    /// </summary>
    private static class Imported
    {
        private const int Generation = 512; // some seconds of a crowd's sign-ins
        private static readonly Lock Gate = new();
        private static Dictionary<string, ECDsa> _young = new(StringComparer.Ordinal), _old = new(StringComparer.Ordinal);

        public static ECDsa? Take(string name)
        {
            lock (Gate) return _young.Remove(name, out var key) || _old.Remove(name, out key) ? key : null;
        }

        public static void Keep(string name, ECDsa key)
        {
            lock (Gate)
            {
                if (_young.Count is Generation)
                {
                    foreach (var unused in _old.Values) unused.Dispose();
                    (_old, _young) = (_young, new(StringComparer.Ordinal));
                }

                if (!_young.TryAdd(name, key)) key.Dispose(); // another thread needed one of its own meanwhile
            }
        }
    }
}

/// <summary>JSON as phones and server speak it.</summary>
public static class PhoneJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { MaxDepth = 16, AllowDuplicateProperties = false };
}
