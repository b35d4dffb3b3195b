using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Approvals;

/// <summary>Nonces for the proofs of phones (docs/protocol.md section 3): time and a MAC, so that nothing needs to be remembered.</summary>
public sealed class PhoneNonces(Vault vault, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    public string New()
    {
        Span<byte> nonce = stackalloc byte[24];
        BinaryPrimitives.WriteInt64BigEndian(nonce, clock.GetUtcNow().ToUnixTimeMilliseconds());
        Mac(nonce[..8]).AsSpan(0, 16).CopyTo(nonce[8..]);
        return Base64Url.EncodeToString(nonce);
    }

    /// <summary>Whether it is ours, from this node or another one, and young enough.</summary>
    public bool IsFresh(string? nonce)
    {
        if (nonce is not { Length: 32 } || PhoneEndpoints.Bytes(nonce) is not { Length: 24 } bytes) return false;
        if (!CryptographicOperations.FixedTimeEquals(bytes.AsSpan(8), Mac(bytes.AsSpan(0, 8)).AsSpan(0, 16))) return false;
        var age = clock.GetUtcNow().ToUnixTimeMilliseconds() - BinaryPrimitives.ReadInt64BigEndian(bytes);
        return age >= -1000 && age < Lifetime.TotalMilliseconds; // another node's clock may be a moment ahead
    }

    private byte[] Mac(ReadOnlySpan<byte> time) => HMACSHA256.HashData(vault.NonceKey, time);
}
