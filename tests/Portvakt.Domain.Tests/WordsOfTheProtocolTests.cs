using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using CsCheck;

namespace Portvakt.Domain.Tests;

/// <summary>The small tools under the protocol: Base32, labelled hashes, identifiers.</summary>
public sealed class WordsOfTheProtocolTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void Base32_is_that_of_RFC_4648_without_padding(string text, string encoded) => Assert.Equal(encoded, Base32.Encode(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Base32_comes_back_as_it_went() =>
        Gen.Byte.Array[0, 60].Sample(bytes =>
        {
            var text = Base32.Encode(bytes);
            Assert.Equal(bytes, Decode(text));
            Assert.Equal(text, Base32.Normalise(text.ToLowerInvariant(), text.Length));
        });

    [Fact]
    public void Random_text_has_five_bits_in_each_character()
    {
        var text = string.Concat(Enumerable.Range(0, 200).Select(_ => Base32.Random(26)));
        Assert.Equal(200 * 26, text.Length);
        Assert.Equal("234567ABCDEFGHIJKLMNOPQRSTUVWXYZ", string.Concat(text.Distinct().Order()));
    }

    [Theory]
    [InlineData("abcd-efgh-ijkl", "ABCDEFGHIJKL")]
    [InlineData(" ABCD EFGH\u00a0IJKL ", "ABCDEFGHIJKL")]
    [InlineData("ABCD\u2013EFGH\u2013IJKL", "ABCDEFGHIJKL")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    [InlineData("ABCDEFGHIJK", null)]
    [InlineData("ABCDEFGHIJKLM", null)]
    [InlineData("ABCDEFGHIJK1", null)]
    [InlineData("ABCDEFGHIJK0", null)]
    [InlineData("ABCDEFGHIJK8", null)]
    [InlineData("ABCDEFGHIJKÅ", null)]
    [InlineData("ABCDEFGHIJK=", null)]
    [InlineData("ABCD\tEFGHIJKL", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void A_typed_code_is_forgiven_its_case_spaces_and_dashes_and_nothing_else(string? typed, string? code) => Assert.Equal(code, Base32.Normalise(typed, 12, 26));

    [Fact]
    public void A_typed_code_of_endless_length_is_not_even_looked_at() => Assert.Null(Base32.Normalise("ABCDEFGHIJKL" + new string(' ', 100), 12));

    [Fact]
    public void A_labelled_hash_is_SHA_256_over_label_zero_and_parts()
    {
        Assert.Equal("FPglsrvDLdjRljZ_qHdocwacEqiVTY2nUTqncE3dCes", Base64Url.EncodeToString(LabelledHash.Of("x", [])));
        Assert.Equal(SHA256.HashData("portvakt/enrol/v1\0abc"u8), LabelledHash.Of("portvakt/enrol/v1", [97], [98, 99]));
        Assert.NotEqual(LabelledHash.Of("a", [98]), LabelledHash.Of("ab", []));
    }

    [Fact]
    public void Identifiers_have_128_bits_and_secrets_256()
    {
        Assert.All(Enumerable.Range(0, 100), _ =>
        {
            Assert.Equal((22, 16), (RandomId.New().Length, Base64Url.DecodeFromChars(RandomId.New()).Length));
            Assert.Equal((43, 32), (RandomId.NewSecret().Length, Base64Url.DecodeFromChars(RandomId.NewSecret()).Length));
        });
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => RandomId.New()).Distinct().Count());
        Assert.Equal(SHA256.HashData("secret"u8), RandomId.Hash("secret"));
    }

    private static byte[] Decode(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        Assert.DoesNotContain('1', bits[(text.Length * 5 / 8 * 8)..]); // what is left over is padding
        return [.. Enumerable.Range(0, text.Length * 5 / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }
}
