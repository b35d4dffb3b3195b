using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Portvakt.WebPush;

/// <summary>Message encryption for Web Push (RFC 8291) with the content coding aes128gcm (RFC 8188): one record, padded to a constant length.</summary>
public static class PushEncryption
{
    /// <summary>What the plaintext is padded to, in bytes and counting the delimiter: 358 bytes on the wire, whatever is said.</summary>
    public const int DefaultPaddedLength = 256;

    /// <summary>The longest padded plaintext that every push service must take: 4096 bytes on the wire (RFC 8030, section 7.2).</summary>
    public const int MaxPaddedLength = RecordSize - HeaderLength - TagLength;

    private const int RecordSize = 4096;
    private const int SaltLength = 16;
    private const int HeaderLength = SaltLength + sizeof(uint) + sizeof(byte) + P256.PointLength;
    private const int TagLength = 16;
    private const int KeyLength = 16;
    private const int NonceLength = 12;
    private const byte LastRecordDelimiter = 0x02;

    /// <summary>Encrypts one message, with a key and a salt that are used for it only.</summary>
    /// <param name="subscription">Who shall read it.</param>
    /// <param name="plaintext">At most <paramref name="paddedLength"/> − 1 bytes.</param>
    /// <param name="paddedLength">Length before encryption, in bytes; the body is 102 bytes longer. Equal for all messages, so that the length tells nothing.</param>
    /// <returns>The body of the request to the push service.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The plaintext does not fit, or the padded length exceeds <see cref="MaxPaddedLength"/>.</exception>
    public static byte[] Encrypt(PushSubscription subscription, ReadOnlySpan<byte> plaintext, int paddedLength = DefaultPaddedLength)
    {
        using var key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Span<byte> salt = stackalloc byte[SaltLength];
        RandomNumberGenerator.Fill(salt);
        return Encrypt(subscription, plaintext, paddedLength, key, salt);
    }

    /// <summary>For the vector of RFC 8291, section 5: a key and salt used twice would give both messages away, so this is not public.</summary>
    internal static byte[] Encrypt(
        PushSubscription subscription, ReadOnlySpan<byte> plaintext, int paddedLength, ECDiffieHellman key, ReadOnlySpan<byte> salt)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(paddedLength, MaxPaddedLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(plaintext.Length, paddedLength, nameof(plaintext));

        var ourPoint = P256.Encode(key.ExportParameters(includePrivateParameters: false).Q);
        Span<byte> contentKey = stackalloc byte[KeyLength];
        Span<byte> nonce = stackalloc byte[NonceLength];
        DeriveContentKey(subscription, key, ourPoint, salt, contentKey, nonce);

        // RFC 8188, section 2: plaintext, delimiter, zeros.
        var padded = new byte[paddedLength];
        plaintext.CopyTo(padded);
        padded[plaintext.Length] = LastRecordDelimiter;

        // RFC 8188, section 2.1: salt, record size, length of the key id, key id (here our public key), then the only record.
        var body = new byte[HeaderLength + paddedLength + TagLength];
        salt.CopyTo(body);
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(SaltLength), RecordSize);
        body[SaltLength + sizeof(uint)] = P256.PointLength;
        ourPoint.CopyTo(body, HeaderLength - P256.PointLength);

        using var aes = new AesGcm(contentKey, TagLength);
        aes.Encrypt(nonce, padded, body.AsSpan(HeaderLength, paddedLength), body.AsSpan(HeaderLength + paddedLength));

        CryptographicOperations.ZeroMemory(contentKey);
        CryptographicOperations.ZeroMemory(padded);
        return body;
    }

    // RFC 8291, section 3.4.
    private static void DeriveContentKey(
        PushSubscription subscription, ECDiffieHellman key, byte[] ourPoint, ReadOnlySpan<byte> salt, Span<byte> contentKey, Span<byte> nonce)
    {
        using var theirs = ECDiffieHellman.Create(P256.Decode(subscription.P256dh.Span));

        // The raw secret keeps its leading zeros: without them one message in 256 could not be read.
        var sharedSecret = key.DeriveRawSecretAgreement(theirs.PublicKey);
        Span<byte> inputKey = stackalloc byte[P256.SharedSecretLength];
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256, sharedSecret, inputKey, subscription.Auth.Span,
            [.. "WebPush: info\0"u8, .. subscription.P256dh.Span, .. ourPoint]);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, contentKey, salt, "Content-Encoding: aes128gcm\0"u8);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, nonce, salt, "Content-Encoding: nonce\0"u8);

        CryptographicOperations.ZeroMemory(sharedSecret);
        CryptographicOperations.ZeroMemory(inputKey);
    }
}
