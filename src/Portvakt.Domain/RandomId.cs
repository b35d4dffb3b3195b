using System.Buffers.Text;
using System.Security.Cryptography;

namespace Portvakt.Domain;

/// <summary>Identifiers and secrets that nobody can guess, as base64url text without padding.</summary>
public static class RandomId
{
    /// <summary>128 bits, 22 characters: names a thing that is also protected in another way.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    /// <summary>256 bits, 43 characters: whoever holds it is believed (session, browser, code). Stored only as SHA-256.</summary>
    public static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>What is stored of a secret made here. It has 256 bits, so a fast hash is enough.</summary>
    public static byte[] Hash(string secret) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret));
}
