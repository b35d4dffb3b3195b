using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Portvakt.Bench.Floor;

/// <summary>JSON Web Tokens (RFC 7519) under ES256, written by hand: one signature each and no object that is not needed.</summary>
internal sealed class Tokens(string issuer, TimeProvider clock) : IDisposable
{
    private const int SignatureLength = 64;
    private static readonly byte[] AccessHeader = Header("at+jwt"u8);
    private static readonly byte[] IdentityHeader = Header("JWT"u8);
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>An access token (RFC 9068).</summary>
    public byte[] Access(string subject, string client, string scope) => Sign(AccessHeader, subject, issuer, client, scope, null);

    /// <summary>An id token (OpenID Connect Core 1.0, section 2).</summary>
    public byte[] Identity(string subject, string client, string nonce) => Sign(IdentityHeader, subject, client, client, null, nonce);

    public void Dispose() => _key.Dispose();

    private byte[] Sign(byte[] header, string subject, string audience, string client, string? scope, string? nonce)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var payload = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            json.WriteString("iss"u8, issuer);
            json.WriteString("sub"u8, subject);
            json.WriteString("aud"u8, audience);
            json.WriteString("client_id"u8, client);
            json.WriteString("jti"u8, Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)));
            json.WriteNumber("iat"u8, now);
            json.WriteNumber("exp"u8, now + 300);
            if (scope is not null) json.WriteString("scope"u8, scope);
            if (nonce is not null) json.WriteString("nonce"u8, nonce);
            json.WriteEndObject();
        }

        var length = header.Length + 1 + Base64Url.GetEncodedLength(payload.WrittenCount);
        var token = new byte[length + 1 + Base64Url.GetEncodedLength(SignatureLength)];
        header.CopyTo(token, 0);
        token[header.Length] = (byte)'.';
        Base64Url.EncodeToUtf8(payload.WrittenSpan, token.AsSpan(header.Length + 1));
        Span<byte> signature = stackalloc byte[SignatureLength];
        if (!_key.TrySignData(token.AsSpan(0, length), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out _)) throw new InvalidOperationException("Not signed.");
        token[length] = (byte)'.';
        Base64Url.EncodeToUtf8(signature, token.AsSpan(length + 1));
        return token;
    }

    private static byte[] Header(ReadOnlySpan<byte> type) => Base64Url.EncodeToUtf8([.. "{\"alg\":\"ES256\",\"kid\":\"floor\",\"typ\":\""u8, .. type, .. "\"}"u8]);
}
