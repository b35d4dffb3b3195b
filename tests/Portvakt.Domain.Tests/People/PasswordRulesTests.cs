using System.Text;
using Portvakt.Domain.People;

namespace Portvakt.Domain.Tests.People;

public sealed class PasswordRulesTests
{
    private static readonly string[] HouseWords = ["kari", "Nordmann", "Eksempel", "kommune", "ab", "portvakt"];

    [Theory]
    [InlineData("", true, PasswordProblem.TooShort)]
    [InlineData("sju-tgn", true, PasswordProblem.TooShort)]
    [InlineData("åtte-tgn", true, PasswordProblem.None)]
    [InlineData("åtte-tgn", false, PasswordProblem.TooShort)]
    [InlineData("fjorten-tegn-x", false, PasswordProblem.TooShort)]
    [InlineData("femten-tegn-x-x", false, PasswordProblem.None)]
    [InlineData("bare små bokstaver", true, PasswordProblem.None)]
    [InlineData("91827364", true, PasswordProblem.None)]
    [InlineData("        ", true, PasswordProblem.None)]
    [InlineData("password", true, PasswordProblem.Common)]
    [InlineData("PassWord", true, PasswordProblem.Common)]
    [InlineData("Eksempel2026", true, PasswordProblem.Expected)]
    [InlineData("nordmann1", true, PasswordProblem.Expected)]
    [InlineData("KARI-KARI", true, PasswordProblem.Expected)]
    [InlineData("Eksempel er et fint sted", true, PasswordProblem.None)]
    [InlineData("absolutt8", true, PasswordProblem.None)]
    public void What_is_good_enough(string typed, bool withSecondFactor, PasswordProblem problem) => Assert.Equal(problem, Judge(typed, withSecondFactor));

    [Fact]
    public void Length_is_counted_in_characters_as_people_see_them_and_ends_at_256()
    {
        Assert.Equal(PasswordProblem.TooShort, Judge(string.Concat(Enumerable.Repeat("🐘", 7))));
        Assert.Equal(PasswordProblem.None, Judge(string.Concat(Enumerable.Repeat("🐘", 8))));
        Assert.Equal(PasswordProblem.None, Judge(new string('x', 256)));
        Assert.Equal(PasswordProblem.TooLong, Judge(new string('x', 257)));

        // Seven composed letters are seven, however they were typed.
        Assert.Equal(PasswordProblem.TooShort, Judge(string.Concat(Enumerable.Repeat("a\u030a", 7))));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public void Nothing_is_cut_so_the_last_character_counts(int length)
    {
        var (one, other) = (new string('x', length - 1) + "a", new string('x', length - 1) + "b");
        Assert.NotEqual(PasswordRules.Normalise(one), PasswordRules.Normalise(other));
        Assert.Equal(length, PasswordRules.Normalise(one)!.Length);
    }

    [Fact]
    public void The_same_letters_are_the_same_password_on_every_keyboard()
    {
        Assert.Equal(PasswordRules.Normalise("bl\u00e5b\u00e6r"), PasswordRules.Normalise("bla\u030ab\u00e6r"));
        Assert.True(PasswordRules.Normalise("bla\u030ab\u00e6r")!.IsNormalized(NormalizationForm.FormC));
        Assert.NotEqual(PasswordRules.Normalise("Passord"), PasswordRules.Normalise("passord"));
        Assert.NotEqual(PasswordRules.Normalise(" x"), PasswordRules.Normalise("x"));
        Assert.NotEqual(PasswordRules.Normalise("ﬁsk"), PasswordRules.Normalise("fisk")); // NFC, not NFKC
    }

    [Fact]
    public void What_Unicode_cannot_normalise_is_refused()
    {
        var lone = new string('x', 10) + '\ud800';
        Assert.Null(PasswordRules.Normalise(lone));
        Assert.Equal(PasswordProblem.Unreadable, Judge(lone));
    }

    private static PasswordProblem Judge(string typed, bool withSecondFactor = true) => PasswordRules.Judge(typed, withSecondFactor, HouseWords, text => text is "password");
}
