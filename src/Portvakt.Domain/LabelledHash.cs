using System.Security.Cryptography;
using System.Text;

namespace Portvakt.Domain;

/// <summary><c>H(label, x) = SHA-256(label ‖ 0x00 ‖ x)</c>: a hash made for one purpose never fits another.</summary>
public static class LabelledHash
{
    public static byte[] Of(string label, params ReadOnlySpan<byte[]> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(label));
        hash.AppendData([0]);
        foreach (var part in parts) hash.AppendData(part);
        return hash.GetHashAndReset();
    }
}
