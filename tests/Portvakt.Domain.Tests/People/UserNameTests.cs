using Portvakt.Domain.People;

namespace Portvakt.Domain.Tests.People;

public sealed class UserNameTests
{
    [Theory]
    [InlineData("kari", "kari")]
    [InlineData("  Kari  ", "kari")]
    [InlineData("KARI@EKSEMPEL.NO", "kari@eksempel.no")]
    [InlineData("Ｋａｒｉ", "kari")]
    [InlineData("ﬁnn", "finn")]
    [InlineData("BJØRN.Å", "bjørn.å")]
    [InlineData("a\u030ase", "åse")]
    [InlineData("\u212bse", "åse")]
    [InlineData("a", "a")]
    public void One_name_has_one_form(string typed, string value)
    {
        Assert.True(UserName.TryParse(typed, out var name));
        Assert.Equal(value, name.Value.Value);
        Assert.Equal(name, UserName.Parse(value));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("\u00a0")]
    [InlineData("ka ri")]
    [InlineData("ka\u00a0ri")]
    [InlineData("ka\u3000ri")]
    [InlineData("ka\tri")]
    [InlineData("ka\0ri")]
    [InlineData("ka\r\nri")]
    [InlineData("kari\u0085x")]
    [InlineData("ka\u001bri")]
    [InlineData("ka\u2028ri")]
    public void What_is_no_name(string? typed) => Assert.False(UserName.TryParse(typed, out _));

    [Fact]
    public void Lone_surrogates_have_no_normal_form()
    {
        // Not as data of a theory: a test's name cannot hold them.
        foreach (var typed in new[] { "ka\ud800ri", "\udc00kari", "kari\ud83d" }) Assert.False(UserName.TryParse(typed, out _));
        Assert.True(UserName.TryParse("kari\U0001F418", out _));
        Assert.Throws<FormatException>(() => UserName.Parse("ka\ud800ri"));
    }

    [Fact]
    public void The_longest_name_is_128_characters_also_once_it_is_normalised()
    {
        Assert.True(UserName.TryParse(new string('x', 128), out _));
        Assert.False(UserName.TryParse(new string('x', 129), out _));
        Assert.False(UserName.TryParse(new string('\ufdfa', 100), out _)); // each becomes eighteen characters, some of them spaces
        Assert.False(UserName.TryParse(new string('ﬃ', 100), out _)); // each becomes three
    }
}
