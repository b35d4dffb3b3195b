using System.Text.RegularExpressions;
using Portvakt.Server.Branding;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>A theme from one colour: whatever the colour, people can read what wears it.</summary>
public sealed partial class BrandThemeTests
{
    /// <summary>What stands on what, and which contrast it must have (WCAG 2.2, 1.4.3 and 1.4.11).</summary>
    private static readonly (string On, string[] Under, double AtLeast)[] Pairs =
    [
        ("accent-text-default", ["neutral-background-default", "neutral-background-tinted", "neutral-surface-default", "accent-surface-default", "accent-surface-tinted", "accent-surface-hover", "accent-surface-active"], 4.5),
        ("accent-text-subtle", ["neutral-background-default", "neutral-background-tinted", "neutral-surface-default", "accent-surface-default", "accent-surface-tinted", "accent-surface-hover"], 4.5),
        ("accent-base-contrast-default", ["accent-base-default", "accent-base-hover", "accent-base-active"], 4.5),
        ("neutral-text-default", ["neutral-background-tinted", "neutral-background-default"], 4.5),
        ("neutral-text-subtle", ["neutral-background-tinted", "neutral-background-default"], 4.5),
        ("accent-base-default", ["neutral-background-default", "neutral-background-tinted", "neutral-surface-default"], 3),
        ("accent-border-default", ["neutral-background-default", "neutral-background-tinted", "neutral-surface-default"], 3),
        ("accent-border-strong", ["neutral-background-default", "neutral-background-tinted", "neutral-surface-default"], 3),
        ("focus-outer", ["neutral-background-tinted"], 3),
    ];

    [Fact]
    public void Whatever_the_colour_every_pair_can_be_read_in_light_and_in_dark()
    {
        int[] steps = [0, 1, 26, 51, 89, 119, 153, 187, 204, 230, 254, 255];
        var tried = 0;
        foreach (var colour in from red in steps from green in steps from blue in steps select new Colour((byte)red, (byte)green, (byte)blue))
        {
            tried++;
            Hold(BrandTheme.Of(colour, isTinted: tried % 2 is 0), $"{colour}");
        }

        Assert.Equal(1728, tried);
    }

    [Fact]
    public void The_theme_that_comes_with_the_program_holds_what_is_asked_of_the_others() => Hold(BrandTheme.Standard, "the standard");

    [Fact]
    public void The_standard_is_that_of_the_stylesheet()
    {
        var css = File.ReadAllText(Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server", "wwwroot", "design", "portvakt.css"));
        foreach (var part in BrandTheme.Standard.Concat(BrandTheme.Surroundings))
        {
            var found = Property().Matches(css).Where(match => match.Groups["name"].Value == part.Name).Select(match => Colour.Parse(match.Groups["value"].Value)).ToList();
            Assert.Equal([part.Light, part.Dark], found);
        }
    }

    [Theory]
    [InlineData("#0062ba", false, true)] // ours
    [InlineData("#c8102e", false, true)] // red
    [InlineData("#ffd500", true, false)] // yellow: no white letter can be read on it
    [InlineData("#f36f21", true, false)] // orange
    [InlineData("#001133", false, true)] // nearly black: no button on a dark page
    [InlineData("#000000", false, true)]
    [InlineData("#ffffff", true, false)]
    [InlineData("#767676", false, true)] // grey, just dark enough
    public void A_button_wears_the_colour_itself_where_its_letters_can_be_read(string written, bool isDarkened, bool isLightened)
    {
        var colour = Colour.Parse(written)!.Value;
        var theme = BrandTheme.Of(colour, isTinted: false);
        Assert.Equal((isDarkened, isLightened), (theme.IsDarkened, theme.IsLightened));
        Assert.Equal(isDarkened, colour.ContrastTo(Colour.White) < 4.5);
        if (!isDarkened) Assert.Equal(colour, theme.Button.Light);
        if (!isLightened) Assert.Equal(colour, theme.Button.Dark);
    }

    [Theory]
    [InlineData("#0062ba")]
    [InlineData("#c8102e")]
    [InlineData("#2a7d2e")]
    [InlineData("#6f2da8")]
    public void What_is_shifted_keeps_its_hue(string written)
    {
        var colour = Colour.Parse(written)!.Value;
        foreach (var part in BrandTheme.Of(colour, isTinted: true).Parts.Where(part => part.Light.Chroma > 0.05 && part.Name.StartsWith("accent", StringComparison.Ordinal)))
        {
            // The strongest and the weakest of the three lights stay what they are.
            Assert.Equal(Order(colour), Order(part.Light));
        }

        static (int, int) Order(Colour one)
        {
            int[] lights = [one.Red, one.Green, one.Blue];
            return (Array.IndexOf(lights, lights.Max()), lights.Max() - lights.Min() is 0 ? -1 : 0);
        }
    }

    [Fact]
    public void A_grey_brand_makes_grey_pages()
    {
        var theme = BrandTheme.Of(Colour.Parse("#555")!.Value, isTinted: true);
        Assert.All(theme.Parts, part => Assert.True(part.Light.Chroma < 0.005 && part.Dark.Chroma < 0.005, part.ToString()));
    }

    [Theory]
    [InlineData("#0062ba", "#0062ba")]
    [InlineData(" 0062BA ", "#0062ba")]
    [InlineData("#06b", "#0066bb")]
    [InlineData("", null)]
    [InlineData(null, null)]
    [InlineData("#", null)]
    [InlineData("##0062b", null)]
    [InlineData("#0062b", null)]
    [InlineData("#0062bag", null)]
    [InlineData("#0062bz", null)]
    [InlineData("red", null)]
    [InlineData("rgb(0,98,186)", null)]
    [InlineData("#fff}body{display:none", null)]
    [InlineData("-062ba", null)]
    [InlineData("+062ba", null)]
    [InlineData("#٠٦٢٠٦٢", null)] // digits of another script
    public void A_colour_is_six_or_three_digits_and_nothing_else(string? text, string? colour) => Assert.Equal(colour, Colour.Parse(text)?.ToString());

    [Theory]
    [InlineData("#000000", "#ffffff", 21)]
    [InlineData("#777777", "#ffffff", 4.48)]
    [InlineData("#767676", "#ffffff", 4.54)]
    [InlineData("#ff0000", "#ffffff", 4.00)]
    [InlineData("#0000ff", "#ffff00", 8.00)]
    public void Contrast_is_counted_as_WCAG_does(string one, string other, double ratio) => Assert.Equal(ratio, Colour.Parse(one)!.Value.ContrastTo(Colour.Parse(other)!.Value), 0.005);

    [Fact]
    public void The_sheet_is_small_and_holds_nothing_but_colours()
    {
        var rules = BrandTheme.Of(Colour.Parse("#c8102e")!.Value, isTinted: true).Rules();
        Assert.Matches(@"^:root\{(--ds-color-[a-z-]+:#[0-9a-f]{6};)+\}@media\(prefers-color-scheme:dark\)\{\[data-color-scheme=auto\]\{(--ds-color-[a-z-]+:#[0-9a-f]{6};)+\}\}$", rules);
        Assert.InRange(rules.Length, 500, 2000);
    }

    private static void Hold(BrandTheme theme, string name) => Hold(theme.Parts, name);

    private static void Hold(IReadOnlyList<ThemePart> parts, string name)
    {
        var all = parts.Concat(BrandTheme.Surroundings.Where(part => parts.All(own => own.Name != part.Name))).ToDictionary(part => part.Name, StringComparer.Ordinal);
        foreach (var (on, under, atLeast) in Pairs)
        {
            foreach (var ground in under)
            {
                var (light, dark) = (all[on].Light.ContrastTo(all[ground].Light), all[on].Dark.ContrastTo(all[ground].Dark));
                Assert.True(light >= atLeast, $"{name}: {on} {all[on].Light} on {ground} {all[ground].Light} in light: {light:0.00}");
                Assert.True(dark >= atLeast, $"{name}: {on} {all[on].Dark} on {ground} {all[ground].Dark} in dark: {dark:0.00}");
            }
        }
    }

    [GeneratedRegex(@"--ds-color-(?<name>[a-z-]+): ?(?<value>#[0-9a-fA-F]{6})[;}]")]
    private static partial Regex Property();
}
