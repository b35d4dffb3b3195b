using CsCheck;
using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.Tests.Rollout;

/// <summary>Who belongs to a wave: the table of the rule's words, and that no text breaks it.</summary>
public sealed class WaveRuleTests
{
    private static readonly PersonAttributes Kari = new("kari.nordmann", "kari@skole.example.no", "Oppvekst/Skole/Vest", "ola.leder", "nn");

    [Theory]
    [InlineData("", false)]
    [InlineData("\n  \n", false)]
    [InlineData("everyone", true)]
    [InlineData("EVERYONE", true)]
    [InlineData("unit is Oppvekst/Skole/Vest", true)]
    [InlineData("unit is oppvekst/skole/vest", true)]
    [InlineData("unit is Oppvekst", false)]
    [InlineData("unit under Oppvekst", true)]
    [InlineData("unit under Oppvekst/Skole", true)]
    [InlineData("unit under Oppvekst/Sko", false)]
    [InlineData("unit under Helse, Oppvekst", true)]
    [InlineData("unit is not Helse, Teknisk", true)]
    [InlineData("unit is not Helse, Oppvekst/Skole/Vest", false)]
    [InlineData("unit starts with Opp", true)]
    [InlineData("mail ends with @skole.example.no", true)]
    [InlineData("mail ends with @example.no", false)]
    [InlineData("user name starts with kari", true)]
    [InlineData("user name is kari.nordmann", true)]
    [InlineData("manager is ola.leder", true)]
    [InlineData("language is nb, nn", true)]
    [InlineData("language is not nn", false)]
    [InlineData("unit under Oppvekst\nlanguage is en", false)]
    [InlineData("unit under Oppvekst\r\nlanguage is nn\r\n", true)]
    [InlineData("everyone\nmanager is not ola.leder", false)]
    public void A_rule_includes_whom_its_words_say(string text, bool includes)
    {
        Assert.True(WaveRule.TryParse(text, out var rule, out var wrong), $"line {wrong}");
        Assert.Equal(0, wrong);
        Assert.Equal(includes, rule.Includes(Kari));
    }

    [Theory]
    [InlineData("nobody", 1)]
    [InlineData("everyone\nunit like Skole", 2)]
    [InlineData("\n\nunit is", 3)]
    [InlineData("unit is ,", 1)]
    [InlineData("units is Skole", 1)]
    [InlineData("everyone else", 1)]
    [InlineData("unit under Skole\neveryone\nsalary is high", 3)]
    public void A_line_that_is_no_condition_is_named(string text, int line)
    {
        Assert.False(WaveRule.TryParse(text, out _, out var wrong));
        Assert.Equal(line, wrong);
    }

    [Theory]
    [InlineData("unit is Skole")]
    [InlineData("unit under Skole")]
    [InlineData("mail ends with no")]
    [InlineData("manager starts with o")]
    public void What_nobody_knows_of_a_person_fits_no_value(string text)
    {
        Assert.True(WaveRule.TryParse(text, out var rule, out _));
        Assert.False(rule.Includes(new PersonAttributes("kari", null, null, null, null)));
    }

    [Fact]
    public void No_text_breaks_the_rule_and_a_refused_one_names_a_line_it_has()
    {
        var word = OneOf("unit", "mail", "user name", "is", "is not", "under", "starts with", "everyone", ",", "\n", " ", "/", "Skole", "");
        Gen.Select(word.Array[0, 12], Gen.String[0, 20]).Sample((words, noise) =>
        {
            var text = string.Join(' ', words) + noise;
            if (WaveRule.TryParse(text, out var rule, out var wrong))
            {
                Assert.Equal(rule.Includes(Kari), rule.Includes(Kari with { Unit = Kari.Unit!.ToUpperInvariant() })); // letters' case does not count
                return;
            }

            Assert.InRange(wrong, 1, text.Split('\n').Length);
        });
    }

    private static Gen<string> OneOf(params string[] words) => Gen.Int[0, words.Length - 1].Select(index => words[index]);

    [Fact]
    public void Conditions_only_ever_narrow()
    {
        var line = OneOf("everyone", "unit under Oppvekst", "unit is Helse", "language is nn", "language is not nn", "mail ends with no", "user name starts with k");
        Gen.Select(line.Array[1, 5], line).Sample((lines, one) =>
        {
            Assert.True(WaveRule.TryParse(string.Join('\n', lines), out var wide, out _));
            Assert.True(WaveRule.TryParse(string.Join('\n', lines.Append(one)), out var narrow, out _));
            Assert.True(wide.Includes(Kari) || !narrow.Includes(Kari));
        });
    }
}
