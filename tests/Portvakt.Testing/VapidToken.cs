using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Portvakt.Testing;

/// <summary>The push service's side of RFC 8292.</summary>
public static class VapidToken
{
    /// <summary>Why the value of an <c>Authorization</c> header is refused; null if it is not.</summary>
    /// <param name="authorization">The header's value.</param>
    /// <param name="service">The push service's own address.</param>
    /// <param name="applicationServerKey">The key the subscription is bound to, if it is.</param>
    /// <param name="now">By the push service's clock.</param>
    public static string? Refuse(string authorization, Uri service, string? applicationServerKey, DateTimeOffset now)
    {
        if (!authorization.StartsWith("vapid ", StringComparison.OrdinalIgnoreCase))
            return "no VAPID authorization";
        var parameters = authorization["vapid ".Length..].Split(',', StringSplitOptions.TrimEntries)
            .Select(parameter => parameter.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[^1], StringComparer.Ordinal);
        if (!parameters.TryGetValue("t", out var token) || !parameters.TryGetValue("k", out var key) || token.Split('.') is not [var header, var claims, var signature])
            return "t or k is missing";
        if (applicationServerKey is not null && !string.Equals(key, applicationServerKey, StringComparison.Ordinal))
            return "not the key of the subscription";

        var point = Base64Url.DecodeFromChars(key);
        if (point.Length != 65 || point[0] != 0x04)
            return "k is not an uncompressed point";
        using var verifier = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = point[1..33], Y = point[33..] },
        });
        if (!verifier.VerifyData(Encoding.ASCII.GetBytes($"{header}.{claims}"), Base64Url.DecodeFromChars(signature), HashAlgorithmName.SHA256))
            return "the signature is wrong";

        using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(header));
        if (head.RootElement.GetProperty("alg").GetString() is not "ES256")
            return "alg is not ES256";
        using var body = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
        if (!string.Equals(body.RootElement.GetProperty("aud").GetString(), service.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal))
            return "aud is not this push service";
        var expiresAt = DateTimeOffset.FromUnixTimeSeconds(body.RootElement.GetProperty("exp").GetInt64());
        if (expiresAt <= now)
            return "the token has expired";
        if (expiresAt > now.AddHours(24))
            return "the token lives for more than 24 hours";
        return body.RootElement.GetProperty("sub").GetString() is { } sub
            && (sub.StartsWith("mailto:", StringComparison.Ordinal) || sub.StartsWith("https://", StringComparison.Ordinal))
                ? null
                : "sub is not a contact";
    }
}
