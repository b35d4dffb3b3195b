using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Portvakt.Domain;

/// <summary>Identifiers and secrets that nobody can guess, as base64url text without padding.</summary>
public static class RandomId
{
    private const int LongestOnStack = 256;

    /// <summary>128 bits, 22 characters: names a thing that is also protected in another way.</summary>
    public static string New() => OfBytes(stackalloc byte[16]);

    /// <summary>256 bits, 43 characters: whoever holds it is believed (session, browser, code). Stored only as SHA-256.</summary>
    public static string NewSecret() => OfBytes(stackalloc byte[32]);

    /// <summary>What is stored of a secret made here. It has 256 bits, so a fast hash is enough.</summary>
    public static byte[] Hash(ReadOnlySpan<char> secret)
    {
        var hash = new byte[SHA256.HashSizeInBytes];
        Hash(secret, hash);
        return hash;
    }

    /// <summary>Whether what was stored is of this secret. In constant time.</summary>
    public static bool IsHashOf(ReadOnlySpan<byte> stored, ReadOnlySpan<char> secret)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(secret, hash);
        return CryptographicOperations.FixedTimeEquals(hash, stored);
    }

    private static void Hash(ReadOnlySpan<char> secret, Span<byte> hash)
    {
        var most = Encoding.UTF8.GetMaxByteCount(secret.Length);
        var bytes = most <= LongestOnStack ? stackalloc byte[LongestOnStack] : new byte[most];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(secret, bytes)], hash);
    }

    private static string OfBytes(Span<byte> bytes)
    {
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
