using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

public sealed class PushEncryptionTests
{
    private static readonly Uri Somewhere = new("https://push.example/wp/1");

    [Fact]
    public void The_example_of_RFC_8291_section_5_comes_out_byte_for_byte()
    {
        Assert.True(PushSubscription.TryCreate(
            "https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
            out var subscription));
        using var key = ECDiffieHellman.Create(P256.Decode(
            Base64Url.DecodeFromChars("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")) with
        {
            D = Base64Url.DecodeFromChars("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        });
        var plaintext = "When I grow up, I want to be a watermelon"u8;

        var body = PushEncryption.Encrypt(subscription, plaintext, plaintext.Length + 1, key, Base64Url.DecodeFromChars("DGv6ra1nlYgDCS1FRnbzlw"));

        Assert.Equal(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
            Base64Url.EncodeToString(body));
    }

    [Fact]
    public void Ten_thousand_messages_can_all_be_read_also_where_the_shared_secret_begins_with_a_zero()
    {
        using var browser = new FakePushSubscription(Somewhere);
        var subscription = Scene.Subscription(browser);
        var leadingZeros = 0;

        for (var i = 0; i < 10_000; i++)
        {
            // Every length that fits, and contents that end like the padding (0) and the delimiter (2).
            var plaintext = RandomNumberGenerator.GetBytes(i % PushEncryption.DefaultPaddedLength);
            if (plaintext.Length > 0)
                plaintext[^1] = (byte)(i % 3);
            var body = PushEncryption.Encrypt(subscription, plaintext);
            Assert.True(browser.TryDecrypt(body, out var read), $"message {i}");
            Assert.Equal(plaintext, read);
            if (browser.SharedSecret(body)[0] == 0)
                leadingZeros++;
        }

        Assert.InRange(leadingZeros, 1, 200); // about 39: one in 256
    }

    [Fact]
    public void What_is_said_cannot_be_told_from_the_length()
    {
        using var browser = new FakePushSubscription(Somewhere);
        var subscription = Scene.Subscription(browser);

        Assert.All(Enumerable.Range(0, PushEncryption.DefaultPaddedLength), length =>
            Assert.Equal(358, PushEncryption.Encrypt(subscription, new byte[length]).Length));
    }

    [Fact]
    public void The_longest_message_fills_exactly_what_every_push_service_takes()
    {
        using var browser = new FakePushSubscription(Somewhere);
        var plaintext = new byte[PushEncryption.MaxPaddedLength - 1];

        var body = PushEncryption.Encrypt(Scene.Subscription(browser), plaintext, PushEncryption.MaxPaddedLength);

        Assert.Equal(4096, body.Length);
        Assert.True(browser.TryDecrypt(body, out var read));
        Assert.Equal(plaintext, read);
    }

    [Theory]
    [InlineData(256, 256)]
    [InlineData(1000, 256)]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(10, PushEncryption.MaxPaddedLength + 1)]
    public void What_does_not_fit_is_not_cut_but_refused(int length, int paddedLength)
    {
        using var browser = new FakePushSubscription(Somewhere);
        Assert.Throws<ArgumentOutOfRangeException>(() => PushEncryption.Encrypt(Scene.Subscription(browser), new byte[length], paddedLength));
    }

    [Fact]
    public void No_key_and_no_salt_is_used_twice()
    {
        using var browser = new FakePushSubscription(Somewhere);
        var subscription = Scene.Subscription(browser);

        var bodies = Enumerable.Range(0, 100).Select(_ => PushEncryption.Encrypt(subscription, "same"u8)).ToList();

        Assert.Equal(100, bodies.Select(body => Convert.ToHexString(body, 0, 16)).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(100, bodies.Select(body => Convert.ToHexString(body, 21, 65)).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void A_message_that_was_changed_on_its_way_or_meant_for_another_cannot_be_read()
    {
        using var browser = new FakePushSubscription(Somewhere);
        using var other = new FakePushSubscription(Somewhere);
        var body = PushEncryption.Encrypt(Scene.Subscription(browser), Encoding.UTF8.GetBytes("hei"));

        Assert.False(other.TryDecrypt(body, out _));
        body[^1] ^= 1;
        Assert.False(browser.TryDecrypt(body, out _));
    }
}
