using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Portvakt.Bench.Load;

/// <summary>
/// What a hundred thousand people hold, without keeping it: every key comes of the secret of this run, the person's number and a purpose, when it is needed.
/// </summary>
internal sealed class KeyRing
{
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);

    /// <summary>The device key of the person's phone.</summary>
    public ECDsa Device(int person) => ECDsa.Create(PointOf("device", person));

    /// <summary>The key of the passkey on that phone.</summary>
    public ECDsa Passkey(int person) => ECDsa.Create(PointOf("passkey", person));

    public byte[] CredentialId(int person) => Bytes("credential", person);

    /// <summary>The key of the push subscription of the phone's browser.</summary>
    public ECDiffieHellman Push(int person) => ECDiffieHellman.Create(PointOf("push", person));

    public byte[] PushAuth(int person) => Bytes("push auth", person)[..16];

    /// <summary>What the push service knows the subscription by.</summary>
    public string PushId(int person) => Base64Url.EncodeToString(Bytes("push id", person).AsSpan(0, 16));

    /// <summary>The cookie of a browser that the person has signed in with before.</summary>
    public string Browser(int person) => Base64Url.EncodeToString(Bytes("browser", person));

    /// <summary>A private key of P-256: the top bit is taken off, so that it is below the order of the curve.</summary>
    private ECParameters PointOf(string purpose, int person)
    {
        var number = Bytes(purpose, person);
        number[0] &= 0x7F;
        return new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = number };
    }

    private byte[] Bytes(string purpose, int person) => HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{purpose}\0{person}")));
}
