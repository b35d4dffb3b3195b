using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Portvakt.WebPush;

/// <summary>Points of the curve P-256 in the uncompressed form 0x04 ‖ X ‖ Y (SEC 1, section 2.3.3), as Web Push carries them.</summary>
internal static class P256
{
    public const int PointLength = 65;
    public const int SharedSecretLength = 32;

    private const int CoordinateLength = 32;
    private const byte Uncompressed = 0x04;

    // FIPS 186-5 / SP 800-186, section 3.2.1.3: y² = x³ − 3x + b (mod p). The leading 0 keeps the hexadecimal positive.
    private static readonly BigInteger Prime = Hex("0ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    private static readonly BigInteger B = Hex("05ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");

    /// <summary>
    /// Checked here and not by the platform, because platforms differ in what they check when a key is imported, and a point
    /// off the curve would leak our private key bit by bit (invalid curve attack). The cofactor is 1: on the curve is enough.
    /// </summary>
    public static bool IsPoint(ReadOnlySpan<byte> point)
    {
        if (point.Length != PointLength || point[0] != Uncompressed)
            return false;

        var x = new BigInteger(point.Slice(1, CoordinateLength), isUnsigned: true, isBigEndian: true);
        var y = new BigInteger(point[(1 + CoordinateLength)..], isUnsigned: true, isBigEndian: true);
        return x < Prime && y < Prime && ((y * y) - (x * x * x) + (3 * x) - B) % Prime == 0;
    }

    public static byte[] Encode(ECPoint point) => [Uncompressed, .. point.X!, .. point.Y!];

    public static ECParameters Decode(ReadOnlySpan<byte> point) => new()
    {
        Curve = ECCurve.NamedCurves.nistP256,
        Q = new ECPoint { X = point.Slice(1, CoordinateLength).ToArray(), Y = point[(1 + CoordinateLength)..].ToArray() },
    };

    private static BigInteger Hex(string digits) => BigInteger.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
