using Portvakt.Server.Administration;

namespace Portvakt.Server.Tests.House;

/// <summary>R89: a spreadsheet shows our files and never computes them.</summary>
public sealed class CsvTests
{
    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+47 22 00 00 00", "'+47 22 00 00 00")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData(" =1", "' =1")]
    [InlineData("=HYPERLINK(\"https://x.test\",\"y\")", "\"'=HYPERLINK(\"\"https://x.test\"\",\"\"y\"\")\"")]
    [InlineData("Kari Nordmann", "Kari Nordmann")]
    [InlineData("Nordmann, Kari", "\"Nordmann, Kari\"")]
    [InlineData("1-2", "1-2")]
    public void Rollout_R89_A_field_that_begins_like_a_formula_is_a_text(string field, string written) => Assert.Equal($"{written},b\r\n", Csv.Line(field, "b"));

    [Theory]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    [InlineData("a\r\nb")]
    [InlineData("a\u202Eb")]
    public void Rollout_R89_Nothing_inside_a_field_ends_the_line_or_hides(string field)
    {
        var line = Csv.Line(field);
        Assert.DoesNotContain(line[..^2], char.IsControl);
        Assert.DoesNotContain('\u202E', line);
        Assert.True(field[0] is not ('\t' or '\r') || line.StartsWith('\''), line);
    }
}
