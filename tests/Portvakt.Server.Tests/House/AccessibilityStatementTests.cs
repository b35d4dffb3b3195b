using System.Text.RegularExpressions;
using Portvakt.Server.Shared;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>The accessibility statement claims nothing that is not so.</summary>
public sealed partial class AccessibilityStatementTests(HouseServer house) : IClassFixture<HouseServer>
{
    [Theory]
    [InlineData("nb", "Tilgjengelighetserklæring", "delvis i samsvar")]
    [InlineData("nn", "Tilgjengeerklæring", "delvis i samsvar")]
    [InlineData("en", "Accessibility statement", "partially compliant")]
    public async Task It_says_who_is_responsible_what_was_tested_and_where_to_complain(string language, string title, string degree)
    {
        using var browser = new Browser(house.Server, language);
        await browser.OpenAsync("/accessibility");
        Assert.Equal(title, browser.Heading);
        Assert.Contains(degree, browser.Text, StringComparison.Ordinal);
        var links = browser.Page.QuerySelectorAll("main a").Select(link => link.GetAttribute("href")).ToList();
        Assert.Contains("https://www.diskrimineringsnemnda.no/", links);
        Assert.Contains("https://www.uutilsynet.no/", links);

        // Every criterion of WCAG 2.2, A and AA, stands in one of the three lists, and in one only.
        var listed = browser.Page.QuerySelectorAll("main details li").Select(item => item.TextContent.Split(' ')[0]).ToList();
        Assert.Equal(55, listed.Count);
        Assert.Equal(55, listed.Distinct(StringComparer.Ordinal).Count());
        Assert.NotNull(browser.Page.QuerySelector("footer a[href='/accessibility']"));
    }

    [Fact]
    public void The_result_that_it_is_made_of_is_a_whole_run_without_a_violation()
    {
        var result = AccessibilityModel.Result;
        Assert.Equal(0, result.Violations);
        Assert.Equal(["en", "nb", "nn"], result.Languages);
        Assert.Equal(8, result.Modes.Length);
        Assert.True(result.Screens > 90 && result.Looks > result.Screens * 20, $"{result.Screens} screens, {result.Looks} looks");
        Assert.DoesNotContain(AccessibilityModel.Absent.SelectMany(group => group.Numbers), number => result.Criteria.Contains(number, StringComparer.Ordinal));
    }

    [Fact]
    public void What_it_says_is_not_there_is_not_there()
    {
        var root = PortvaktServer.Repository();
        var sources = new[] { Path.Combine(root, "src", "phone", "src"), Path.Combine(root, "src", "Portvakt.Server") }
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)).Where(file => Source().IsMatch(file) && !NotOurs().IsMatch(file)).ToList();
        Assert.True(sources.Count > 100, $"{sources.Count}");
        var found = sources.SelectMany(file => Forbidden().Matches(File.ReadAllText(file)).Select(match => $"{Path.GetFileName(file)}: {match.Value}")).ToList();
        Assert.Equal(["enrol.tsx: <video"], found); // what the camera sees, on its way to being read
    }

    [GeneratedRegex(@"\.(?:cshtml|tsx?|js|mjs|html)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Source();

    [GeneratedRegex(@"[\\/](?:node_modules|obj|bin|wwwroot)[\\/]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NotOurs();

    [GeneratedRegex("""<audio|<video|new Audio\(|accesskey|onkey|['"]key(?:down|up|press)['"]|touchmove|pointermove|mousemove|draggable|dragstart|devicemotion|deviceorientation""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Forbidden();
}
