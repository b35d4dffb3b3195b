using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

/// <summary>R87: a key that is not a point on the curve never gets as far as our private key.</summary>
public sealed class PushSubscriptionTests
{
    private const string Endpoint = "https://fcm.googleapis.com/fcm/send/abc";

    private static readonly BigInteger Prime = BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;
    private static readonly byte[] Auth = new byte[16];
    private static readonly byte[] Good = Convert.FromHexString( // the generator of P-256
        "04" + "6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296" + "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5");

    public static TheoryData<string, byte[]> BadKeys => new()
    {
        { "nothing", [] },
        { "one byte", [0x04] },
        { "infinity", [0x00] },
        { "one byte short", Good[..64] },
        { "one byte long", [.. Good, 0x00] },
        { "no prefix", Good[1..] },
        { "zeros", new byte[65] },
        { "prefix and zeros", [0x04, .. new byte[64]] },
        { "prefix and ones", [0x04, .. Enumerable.Repeat((byte)0xff, 64)] },
        { "compressed, even", [0x02, .. Good[1..33]] },
        { "compressed, odd", [0x03, .. Good[1..33]] },
        { "compressed prefix, full length", [0x02, .. Good[1..]] },
        { "hybrid, even", [0x06, .. Good[1..]] },
        { "hybrid, odd", [0x07, .. Good[1..]] },
        { "unknown prefix", [0x05, .. Good[1..]] },
        { "coordinates exchanged", [0x04, .. Good[33..], .. Good[1..33]] },
        { "y one off", [.. Good[..64], (byte)(Good[64] ^ 1)] },
        { "x one off", [.. Good[..32], (byte)(Good[32] ^ 1), .. Good[33..]] },
        { "y is zero", [.. Good[..33], .. new byte[32]] },
        { "x is zero", [0x04, .. new byte[32], .. Good[33..]] },
        { "x not reduced", NotReduced() },
        { "the generator of secp256k1", Convert.FromHexString("0479BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8") },
        { "the generator of brainpoolP256r1", Convert.FromHexString("048BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997") },
        { "a point of order 2 on the same curve with another b", OnAnotherCurve() },
        { "prime as x", [0x04, .. Bytes(Prime), .. Good[33..]] },
    };

    [Theory]
    [MemberData(nameof(BadKeys))]
    public void A_key_that_is_not_a_point_on_the_curve_is_refused(string what, byte[] key)
    {
        Assert.False(PushSubscription.TryCreate(new Uri(Endpoint), key, Auth, out var subscription), what);
        Assert.Null(subscription);
        Assert.False(PushSubscription.TryCreate(Endpoint, Base64Url.EncodeToString(key), Base64Url.EncodeToString(Auth), out _), what);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(32)]
    public void A_secret_of_another_length_than_16_bytes_is_refused(int length)
    {
        Assert.False(PushSubscription.TryCreate(new Uri(Endpoint), Good, new byte[length], out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, Base64Url.EncodeToString(Good), Base64Url.EncodeToString(new byte[length]), out _));
    }

    [Fact]
    public void Real_keys_are_taken_and_kept_as_they_are()
    {
        for (var i = 0; i < 500; i++)
        {
            using var browser = new FakePushSubscription(new Uri(Endpoint));
            Assert.True(PushSubscription.TryCreate(Endpoint, browser.P256dh, browser.Auth, out var subscription));
            Assert.Equal(Endpoint, subscription.Endpoint.ToString());
            Assert.Equal(Base64Url.DecodeFromChars(browser.P256dh), subscription.P256dh.ToArray());
            Assert.Equal(Base64Url.DecodeFromChars(browser.Auth), subscription.Auth.ToArray());
            Assert.True(PushSubscription.TryCreate(subscription.Endpoint, subscription.P256dh.Span, subscription.Auth.Span, out _));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not an address")]
    [InlineData("wp/relative")]
    [InlineData("https://")]
    [InlineData("https://[")]
    public void An_address_that_is_none_is_refused(string? endpoint) =>
        Assert.False(PushSubscription.TryCreate(endpoint, Base64Url.EncodeToString(Good), Base64Url.EncodeToString(Auth), out _));

    [Fact]
    public void One_key_has_one_spelling()
    {
        var key = Base64Url.EncodeToString(Good);
        var auth = Base64Url.EncodeToString(Auth);

        Assert.True(PushSubscription.TryCreate(Endpoint, key, auth, out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, key + "=", auth, out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, key, auth + "==", out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, " " + key[1..], auth, out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, key.Replace('_', '/').Replace('-', '+'), auth[..^1] + "+", out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, "é" + key[1..], auth, out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, null, auth, out _));
        Assert.False(PushSubscription.TryCreate(Endpoint, key, null, out _));
    }

    // (x + p, y) satisfies the equation modulo p, and fits into 32 bytes where x is small enough.
    private static byte[] NotReduced()
    {
        var b = new BigInteger(Convert.FromHexString("5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B"), isUnsigned: true, isBigEndian: true);
        for (BigInteger x = 0; ; x++)
        {
            var square = ((((x * x * x) - (3 * x) + b) % Prime) + Prime) % Prime;
            var y = BigInteger.ModPow(square, (Prime + 1) / 4, Prime);
            if (y * y % Prime != square)
                continue;
            Assert.True(P256.IsPoint([0x04, .. Bytes(x), .. Bytes(y)]));
            return [0x04, .. Bytes(x + Prime), .. Bytes(y)];
        }
    }

    // y = 0 doubles to infinity: what an attacker sends to learn the lowest bit of a private key.
    private static byte[] OnAnotherCurve() => [0x04, .. RandomNumberGenerator.GetBytes(32), .. new byte[32]];

    private static byte[] Bytes(BigInteger number)
    {
        var bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[32 - bytes.Length], .. bytes];
    }
}
