using System.Formats.Cbor;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Portvakt.WebAuthn;

/// <summary>A credential public key: a COSE_Key (RFC 9052, RFC 9053) as section 6.5.1.1 narrows it. It has its
/// algorithm, the parameters that algorithm needs, and nothing else.</summary>
internal sealed class CosePublicKey : IDisposable
{
    // Labels of RFC 9052 table 4 and RFC 9053 tables 18 and 19, RFC 8230 table 4 for RSA.
    private const int KeyType = 1, AlgorithmLabel = 3, Curve = -1, X = -2, Y = -3, Modulus = -1, Exponent = -2;
    private const int KeyTypeEC2 = 2, KeyTypeRsa = 3;

    // Below 2048 bits RSA is forgeable, above 8192 a hostile key only costs time.
    private const int MinimumModulusBits = 2048, MaximumModulusBits = 8192;

    private readonly AsymmetricAlgorithm key;
    private readonly HashAlgorithmName hash;

    private CosePublicKey(CoseAlgorithm algorithm, AsymmetricAlgorithm key, HashAlgorithmName hash)
    {
        Algorithm = algorithm;
        this.key = key;
        this.hash = hash;
    }

    public CoseAlgorithm Algorithm { get; }

    /// <summary>Reads and checks a key.</summary>
    /// <returns><see cref="Refusal.None"/>, <see cref="Refusal.UnsupportedAlgorithm"/> or <see cref="Refusal.PublicKey"/>.</returns>
    public static Refusal TryRead(ReadOnlyMemory<byte> cose, out CosePublicKey key)
    {
        key = null!;
        try
        {
            // The canonical order puts kty and alg first and, within the form below, leaves one order for the rest.
            var reader = new CborReader(cose, CborConformanceMode.Ctap2Canonical);
            reader.ReadStartMap();
            if (reader.ReadInt32() is not KeyType)
                return Refusal.PublicKey;
            var keyType = reader.ReadInt32();
            if (reader.ReadInt32() is not AlgorithmLabel)
                return Refusal.PublicKey;
            var algorithm = reader.ReadInt32();
            EllipticCurve? curve;
            switch ((CoseAlgorithm)algorithm)
            {
                case CoseAlgorithm.ES256: curve = EllipticCurve.P256; break;
                case CoseAlgorithm.ES384: curve = EllipticCurve.P384; break;
                case CoseAlgorithm.ES512: curve = EllipticCurve.P521; break;
                case CoseAlgorithm.RS256: curve = null; break;
                default: return Refusal.UnsupportedAlgorithm;
            }
            if (keyType != (curve is null ? KeyTypeRsa : KeyTypeEC2))
                return Refusal.PublicKey;
            var read = curve is null ? ReadRsa(reader) : ReadEllipticCurve(reader, curve, (CoseAlgorithm)algorithm);
            if (read is null)
                return Refusal.PublicKey;
            key = read;
            return Refusal.None;
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException or CryptographicException)
        {
            return Refusal.PublicKey; // how the reader and the key import say that the bytes are no key
        }
    }

    /// <summary>Whether <paramref name="signature"/> is over authenticator data and client data hash, one after the other.</summary>
    public bool Verify(ReadOnlySpan<byte> authenticatorData, ReadOnlySpan<byte> clientDataHash, ReadOnlySpan<byte> signature)
    {
        byte[] signed = [.. authenticatorData, .. clientDataHash];
        try
        {
            return key switch
            {
                ECDsa ecdsa => ecdsa.VerifyData(signed, signature, hash, DSASignatureFormat.Rfc3279DerSequence),
                RSA rsa => rsa.VerifyData(signed, signature, hash, RSASignaturePadding.Pkcs1),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            return false; // a signature that is not even of the right form
        }
    }

    public void Dispose() => key.Dispose();

    private static CosePublicKey? ReadEllipticCurve(CborReader reader, EllipticCurve curve, CoseAlgorithm algorithm)
    {
        if (reader.ReadInt32() is not Curve || reader.ReadInt32() != curve.CoseId)
            return null;
        if (reader.ReadInt32() is not X)
            return null;
        var x = reader.ReadByteString();
        if (reader.ReadInt32() is not Y)
            return null;
        var y = reader.ReadByteString(); // a compressed point has a boolean here, which section 5.8.5 forbids
        if (!IsAtEnd(reader) || !curve.Contains(x, y))
            return null;
        return new(algorithm, ECDsa.Create(new ECParameters { Curve = curve.Named, Q = new ECPoint { X = x, Y = y } }), curve.Hash);
    }

    private static CosePublicKey? ReadRsa(CborReader reader)
    {
        if (reader.ReadInt32() is not Modulus)
            return null;
        var modulus = reader.ReadByteString();
        if (reader.ReadInt32() is not Exponent)
            return null;
        var exponent = reader.ReadByteString();
        if (!IsAtEnd(reader))
            return null;
        // RFC 8230 section 4: as few bytes as the number needs. An even modulus or exponent is no RSA key.
        if (modulus is not [not 0, ..] || exponent is not [not 0, ..] || exponent.Length > 4
            || (modulus[^1] & 1) is 0 || (exponent[^1] & 1) is 0 || exponent is [1])
            return null;
        var bits = ((modulus.Length - 1) * 8) + BitOperations.Log2(modulus[0]) + 1;
        if (bits is < MinimumModulusBits or > MaximumModulusBits)
            return null;
        return new(CoseAlgorithm.RS256, RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent }), HashAlgorithmName.SHA256);
    }

    /// <summary>No further member, which the reader complains of by itself, and nothing after the map.</summary>
    private static bool IsAtEnd(CborReader reader)
    {
        reader.ReadEndMap();
        return reader.BytesRemaining is 0;
    }

    /// <summary>A curve of FIPS 186-4, D.1.2: y² = x³ - 3x + b over the integers modulo p.</summary>
    private sealed class EllipticCurve(ECCurve named, int coseId, int length, HashAlgorithmName hash, string p, string b)
    {
        public static readonly EllipticCurve P256 = new(
            ECCurve.NamedCurves.nistP256, 1, 32, HashAlgorithmName.SHA256,
            "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF",
            "5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B");

        public static readonly EllipticCurve P384 = new(
            ECCurve.NamedCurves.nistP384, 2, 48, HashAlgorithmName.SHA384,
            "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFFFF0000000000000000FFFFFFFF",
            "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF");

        public static readonly EllipticCurve P521 = new(
            ECCurve.NamedCurves.nistP521, 3, 66, HashAlgorithmName.SHA512,
            "1FF" + new string('F', 128),
            "051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00");

        private readonly BigInteger prime = Parse(p);
        private readonly BigInteger constant = Parse(b);

        public ECCurve Named => named;
        public int CoseId => coseId;
        public HashAlgorithmName Hash => hash;

        /// <summary>Whether (x, y), each in the full length of the field, is a point of the curve. Not left to the platform:
        /// some check when a key is imported, some when it is used, and an invalid point must not be stored.</summary>
        public bool Contains(ReadOnlySpan<byte> xBytes, ReadOnlySpan<byte> yBytes)
        {
            if (xBytes.Length != length || yBytes.Length != length)
                return false;
            var x = new BigInteger(xBytes, isUnsigned: true, isBigEndian: true);
            var y = new BigInteger(yBytes, isUnsigned: true, isBigEndian: true);
            return x < prime && y < prime && (((y * y) - (((x * x) - 3) * x) - constant) % prime).IsZero;
        }

        private static BigInteger Parse(string hexadecimal) =>
            BigInteger.Parse("0" + hexadecimal, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
