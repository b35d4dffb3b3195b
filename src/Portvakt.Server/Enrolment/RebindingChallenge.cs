using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Portvakt.Domain;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Enrolment;

/// <summary>
/// What the passkey of a phone signs to bind a new device key: a time, something random, and a MAC over both and over the key's thumbprint. Whoever asks for one leaves nothing behind in
/// the database; that it counts once is remembered when it is used.
/// </summary>
public static class RebindingChallenge
{
    public const int Length = 32;
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private const int TimeLength = 8;
    private const int StampLength = 16;

    public static byte[] Make(Vault vault, string keyId, DateTimeOffset now)
    {
        var challenge = new byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(challenge, now.ToUnixTimeMilliseconds());
        RandomNumberGenerator.Fill(challenge.AsSpan(TimeLength, StampLength - TimeLength));
        Mac(vault, challenge.AsSpan(0, StampLength), keyId).CopyTo(challenge.AsSpan(StampLength));
        return challenge;
    }

    /// <summary>Whether it is one of ours, for this key, and not over.</summary>
    public static bool Holds(Vault vault, ReadOnlySpan<byte> challenge, string keyId, DateTimeOffset now)
    {
        if (challenge.Length is not Length || !CryptographicOperations.FixedTimeEquals(challenge[StampLength..], Mac(vault, challenge[..StampLength], keyId))) return false;
        var age = now.ToUnixTimeMilliseconds() - BinaryPrimitives.ReadInt64BigEndian(challenge);
        return age >= -1000 && age < Lifetime.TotalMilliseconds; // another server's clock may be a moment ahead
    }

    private static ReadOnlySpan<byte> Mac(Vault vault, ReadOnlySpan<byte> stamp, string keyId) =>
        HMACSHA256.HashData(vault.NonceKey, LabelledHash.Of("portvakt/rebind-challenge/v1", stamp.ToArray(), Encoding.ASCII.GetBytes(keyId))).AsSpan(0, Length - StampLength);
}
