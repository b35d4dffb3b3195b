using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Portvakt.WebPush;

/// <summary>The key by which push services know this server (RFC 8292): P-256, for signing only.</summary>
/// <remarks>
/// Browsers bind their subscriptions to it: a new key orphans every one of them. Keep it with the database's backup.
/// Safe to use from many threads.
/// </remarks>
public sealed class VapidKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly Lock _signing = new(); // ECDsa does not promise to be thread-safe, and a token is signed once in twelve hours

    private VapidKey(ECDsa key, byte[] publicKey) =>
        (_key, PublicKey, ApplicationServerKey) = (key, publicKey, Base64Url.EncodeToString(publicKey));

    /// <summary>65 bytes, an uncompressed point.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>The public key in base64url without padding: <c>applicationServerKey</c> of the browser's <c>subscribe</c>, <c>k</c> of the header.</summary>
    public string ApplicationServerKey { get; }

    /// <summary>A new key.</summary>
    public static VapidKey Create() => From(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A kept key, as <see cref="ExportPkcs8"/> wrote it.</summary>
    /// <exception cref="CryptographicException">Not a PKCS #8 key, or not one on P-256.</exception>
    public static VapidKey FromPkcs8(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return From(key);
        }
        catch (CryptographicException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The private key in PKCS #8, not encrypted: the caller protects it.</summary>
    public byte[] ExportPkcs8() => _key.ExportPkcs8PrivateKey();

    /// <summary>A signed token (RFC 8292, section 2): a JWT with ES256 that says to whom, until when, and who answers for it.</summary>
    /// <param name="audience">Origin of the push resource.</param>
    /// <param name="subject">Whom the push service can write to.</param>
    /// <param name="expiresAt">At most 24 h ahead, or the push service refuses it.</param>
    public string Token(string audience, VapidSubject subject, DateTimeOffset expiresAt)
    {
        var signed = Base64Url.EncodeToString("""{"typ":"JWT","alg":"ES256"}"""u8) + "." + Base64Url.EncodeToString(Claims(audience, subject, expiresAt));
        byte[] signature;
        lock (_signing)
            signature = _key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return signed + "." + Base64Url.EncodeToString(signature);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    private static VapidKey From(ECDsa key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        // The point tells more surely than the curve's name, which platforms spell differently.
        if (key.KeySize != 256 || P256.Encode(parameters.Q) is not { } point || !P256.IsPoint(point))
            throw new CryptographicException("A VAPID key is a key on the curve P-256.");
        return new VapidKey(key, point);
    }

    private static byte[] Claims(string audience, VapidSubject subject, DateTimeOffset expiresAt)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("aud", audience);
            json.WriteNumber("exp", expiresAt.ToUnixTimeSeconds());
            json.WriteString("sub", subject.ToString());
            json.WriteEndObject();
        }

        return stream.ToArray();
    }
}
