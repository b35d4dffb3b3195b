using System.Text;

namespace Portvakt.Server.Branding;

/// <summary>One custom property of Designsystemet (<c>--ds-color-…</c>), in light and in dark.</summary>
public sealed record ThemePart(string Name, Colour Light, Colour Dark);

/// <summary>
/// The accent colours of Designsystemet made from one colour: the theme that comes with the program, turned to another hue. Each part keeps its luminance, and contrast depends on nothing else
/// (WCAG 2.2), so every pair is as legible as it was. Buttons wear the colour itself where white letters can be read on it, and in the dark where black ones can; otherwise a darker or
/// lighter one of the same hue.
/// </summary>
public sealed class BrandTheme
{
    /// <summary>The accent of the theme that comes with the program; a test holds it to the stylesheet.</summary>
    public static IReadOnlyList<ThemePart> Standard { get; } =
    [
        Part("accent-surface-default", "#ffffff", "#142941"),
        Part("accent-surface-tinted", "#ddeaf6", "#172f4b"),
        Part("accent-surface-hover", "#c7ddf0", "#1a3757"),
        Part("accent-surface-active", "#afcee9", "#21446d"),
        Part("accent-border-subtle", "#99c0e3", "#285182"),
        Part("accent-border-default", "#2a7cc5", "#5a84b4"),
        Part("accent-border-strong", "#005db1", "#8eaacb"),
        Part("accent-text-subtle", "#005db1", "#8eaacb"),
        Part("accent-text-default", "#002c54", "#e7edf4"),
        Part("accent-base-default", "#0062ba", "#4c91cf"),
        Part("accent-base-hover", "#004f96", "#6fa6d8"),
        Part("accent-base-active", "#003d75", "#92bce1"),
        Part("accent-base-contrast-default", "#ffffff", "#000000"),
    ];

    /// <summary>What surrounds it, likewise: grey in every theme.</summary>
    public static IReadOnlyList<ThemePart> Surroundings { get; } =
    [
        Part("neutral-background-default", "#ffffff", "#17181a"),
        Part(PageBackground, "#f3f3f4", "#1e2022"),
        Part("neutral-surface-default", "#ffffff", "#26282b"),
        Part("neutral-surface-tinted", "#e8e8e9", "#2c2e31"),
        Part("neutral-border-subtle", "#bbbcbd", "#4e5052"),
        Part("neutral-border-default", "#77797b", "#808183"),
        Part("neutral-text-subtle", "#5b5d60", "#a7a8a9"),
        Part("neutral-text-default", "#292c30", "#ececec"),
        Part("focus-inner", "#ffffff", "#17181a"),
        Part("focus-outer", "#292c30", "#ececec"),
    ];

    private const string PageBackground = "neutral-background-tinted";

    /// <summary>White letters on anything darker have a contrast of 4.56 and more.</summary>
    private const double BrightestUnderWhite = 0.18;

    /// <summary>That of the standard button in the dark: 6.3 under black letters, and more than 3 to every surface.</summary>
    private const double DarkestUnderBlack = 0.265;

    private BrandTheme(Colour brand, IReadOnlyList<ThemePart> parts) => (Brand, Parts) = (brand, parts);

    /// <summary>What was asked for.</summary>
    public Colour Brand { get; }

    /// <summary>As <see cref="Standard"/>; where the page is tinted its background as well.</summary>
    public IReadOnlyList<ThemePart> Parts { get; }

    /// <summary>What a button wears.</summary>
    public ThemePart Button => Parts.Single(part => part.Name is "accent-base-default");

    /// <summary>The colour is too bright for white letters, so light pages wear a darker one.</summary>
    public bool IsDarkened => Button.Light != Brand;

    /// <summary>The colour is too dark for black letters and for a dark page, which wears a lighter one.</summary>
    public bool IsLightened => Button.Dark != Brand;

    /// <param name="brand">Any colour.</param>
    /// <param name="isTinted">Whether the background of the page has a breath of it too.</param>
    public static BrandTheme Of(Colour brand, bool isTinted)
    {
        var strength = brand.Chroma / Standard.Single(part => part.Name is "accent-base-default").Light.Chroma;
        var light = brand.Luminance <= BrightestUnderWhite ? brand : brand.With(BrightestUnderWhite, brand.Chroma);
        var dark = brand.Luminance >= DarkestUnderBlack ? brand : brand.With(DarkestUnderBlack, brand.Chroma);
        var parts = Standard.Select(part => part.Name switch
        {
            "accent-base-default" => part with { Light = light, Dark = dark },
            "accent-base-hover" => part with { Light = Deeper(light, 0.62), Dark = Brighter(dark, 0.16) },
            "accent-base-active" => part with { Light = Deeper(light, 0.38), Dark = Brighter(dark, 0.32) },
            "accent-base-contrast-default" => part,
            _ => part with { Light = Turned(part.Light), Dark = Turned(part.Dark) },
        }).ToList();
        if (isTinted) parts.Add(Surroundings.Where(part => part.Name is PageBackground).Select(part => part with { Light = brand.With(part.Light.Luminance, 0.02 * Math.Min(strength, 1)), Dark = brand.With(part.Dark.Luminance, 0.03 * Math.Min(strength, 1)) }).Single());
        return new BrandTheme(brand, parts);

        Colour Turned(Colour standard) => brand.With(standard.Luminance, standard.Chroma * strength);

        // Where there is no darker one, a little brighter: the hand must be seen to be over it.
        static Colour Deeper(Colour colour, double part) => colour.With(colour.Luminance > 0.02 ? colour.Luminance * part : 0.06 - (0.05 * part), colour.Chroma);

        static Colour Brighter(Colour colour, double part) => colour.With(colour.Luminance < 0.8 ? colour.Luminance + ((1 - colour.Luminance) * part) : colour.Luminance * (1 - part), colour.Chroma);
    }

    /// <summary>Rules that follow the stylesheet and take the place of its accent.</summary>
    public string Rules() => $":root{{{Properties(Parts, isDark: false)}}}@media(prefers-color-scheme:dark){{[data-color-scheme=auto]{{{Properties(Parts, isDark: true)}}}}}";

    /// <summary>Rules for two boxes on one page that are light and dark whatever the reader's own choice is.</summary>
    public string PreviewRules()
    {
        var all = Surroundings.Where(part => Parts.All(own => own.Name != part.Name)).Concat(Parts).ToList();
        return $"[data-color-scheme=light]{{{Properties(all, isDark: false)}color-scheme:light}}[data-color-scheme=dark]{{{Properties(all, isDark: true)}color-scheme:dark}}"
            + ".pv-box[data-color-scheme]{background:var(--ds-color-neutral-background-default);border:1rem solid var(--ds-color-neutral-background-tinted)}";
    }

    private static string Properties(IReadOnlyList<ThemePart> parts, bool isDark) =>
        parts.Aggregate(new StringBuilder(), (css, part) => css.Append("--ds-color-").Append(part.Name).Append(':').Append(isDark ? part.Dark : part.Light).Append(';')).ToString();

    private static ThemePart Part(string name, string light, string dark) => new(name, Colour.Parse(light)!.Value, Colour.Parse(dark)!.Value);
}
