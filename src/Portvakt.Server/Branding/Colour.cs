using System.Globalization;
using System.Runtime.InteropServices;

namespace Portvakt.Server.Branding;

/// <summary>A colour of a screen (sRGB, IEC 61966-2-1), opaque.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Colour(byte Red, byte Green, byte Blue)
{
    public static readonly Colour White = new(255, 255, 255);
    public static readonly Colour Black = new(0, 0, 0);

    /// <summary>"#0062ba", "0062BA" or "#06b", as brand handbooks write it. Null: it is none.</summary>
    public static Colour? Parse(string? text)
    {
        var digits = (text ?? "").Trim();
        if (digits.StartsWith('#')) digits = digits[1..];
        if (digits.Length is 3) digits = string.Concat(digits.Select(digit => new string(digit, 2)));
        return digits.Length is 6 && digits.All(char.IsAsciiHexDigit) && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? new Colour((byte)(value >> 16), (byte)(value >> 8), (byte)value)
            : null;
    }

    /// <summary>Relative luminance (WCAG 2.2): 0 is black, 1 is white.</summary>
    public double Luminance => LuminanceOf(Linear(Red), Linear(Green), Linear(Blue));

    /// <summary>How saturated it is (OKLCH): 0 is grey, pure blue is 0.31.</summary>
    public double Chroma => Math.Sqrt((Lab.A * Lab.A) + (Lab.B * Lab.B));

    /// <summary>Contrast ratio (WCAG 2.2): from 1 to 21.</summary>
    public double ContrastTo(Colour other)
    {
        var (one, two) = (Luminance, other.Luminance);
        return (Math.Max(one, two) + 0.05) / (Math.Min(one, two) + 0.05);
    }

    /// <summary>
    /// A colour of the same hue that is as bright as asked for, and as saturated as asked for where a screen can show that. Contrast depends on the luminance
    /// alone, so whatever stands beside it is as legible as beside any other colour of that luminance.
    /// </summary>
    /// <param name="luminance">From 0 to 1; met as closely as eight bits can.</param>
    /// <param name="chroma">As <see cref="Chroma"/>.</param>
    public Colour With(double luminance, double chroma)
    {
        var grey = Chroma < 1e-4;
        var (a, b) = grey ? (0, 0) : (Lab.A / Chroma, Lab.B / Chroma);
        var (low, high) = (0.0, 1.0);
        (double Red, double Green, double Blue) found = default;
        for (var step = 0; step < 24; step++)
        {
            var lightness = (low + high) / 2;
            found = Shown(lightness, a, b, grey ? 0 : chroma);
            if (LuminanceOf(found.Red, found.Green, found.Blue) < luminance) low = lightness;
            else high = lightness;
        }

        return new Colour(Byte(found.Red), Byte(found.Green), Byte(found.Blue));
    }

    /// <summary>As CSS writes it: "#0062ba".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"#{Red:x2}{Green:x2}{Blue:x2}");

    private static double LuminanceOf(double red, double green, double blue) => (0.2126 * red) + (0.7152 * green) + (0.0722 * blue);

    /// <summary>OKLab, by the matrices of its author (B. Ottosson, 2020), which CSS Color 4 uses as well. Of it the hue alone is kept.</summary>
    private (double A, double B) Lab
    {
        get
        {
            var (red, green, blue) = (Linear(Red), Linear(Green), Linear(Blue));
            var l = Math.Cbrt((0.4122214708 * red) + (0.5363325363 * green) + (0.0514459929 * blue));
            var m = Math.Cbrt((0.2119034982 * red) + (0.6806995451 * green) + (0.1073969566 * blue));
            var s = Math.Cbrt((0.0883024619 * red) + (0.2817188376 * green) + (0.6299787005 * blue));
            return ((1.9779984951 * l) - (2.4285922050 * m) + (0.4505937099 * s), (0.0259040371 * l) + (0.7827717662 * m) - (0.8086757660 * s));
        }
    }

    /// <summary>The colour in linear light, as saturated as a screen can show it at this lightness, and never more than asked for.</summary>
    private static (double Red, double Green, double Blue) Shown(double lightness, double a, double b, double chroma)
    {
        var most = Light(lightness, a * chroma, b * chroma);
        if (IsShowable(most)) return most;
        var (low, high) = (0.0, chroma);
        for (var step = 0; step < 16; step++)
        {
            var middle = (low + high) / 2;
            if (IsShowable(Light(lightness, a * middle, b * middle))) low = middle;
            else high = middle;
        }

        return Light(lightness, a * low, b * low);
    }

    private static (double Red, double Green, double Blue) Light(double lightness, double a, double b)
    {
        var l = Cube(lightness + (0.3963377774 * a) + (0.2158037573 * b));
        var m = Cube(lightness - (0.1055613458 * a) - (0.0638541728 * b));
        var s = Cube(lightness - (0.0894841775 * a) - (1.2914855480 * b));
        return ((4.0767416621 * l) - (3.3077115913 * m) + (0.2309699292 * s), (-1.2684380046 * l) + (2.6097574011 * m) - (0.3413193965 * s), (-0.0041960863 * l) - (0.7034186147 * m) + (1.7076147010 * s));

        static double Cube(double value) => value * value * value;
    }

    private static bool IsShowable((double Red, double Green, double Blue) light) => IsUnit(light.Red) && IsUnit(light.Green) && IsUnit(light.Blue);

    private static bool IsUnit(double part) => part is >= -1e-4 and <= 1.0001;

    private static double Linear(byte part) => part / 255.0 is var value and <= 0.04045 ? value / 12.92 : Math.Pow(((part / 255.0) + 0.055) / 1.055, 2.4);

    private static byte Byte(double linear)
    {
        var light = Math.Clamp(linear, 0, 1);
        return (byte)Math.Round(255 * (light <= 0.0031308 ? light * 12.92 : (1.055 * Math.Pow(light, 1 / 2.4)) - 0.055));
    }
}
