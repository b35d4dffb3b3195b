using System.Globalization;
using System.Text;

namespace Portvakt.Server.Hosting;

/// <summary>Text of strangers as it may stand in a line of ours (R89): what would end the line, move the cursor, turn the direction of writing or hide is written as <c>\u000A</c>.</summary>
public static class Visible
{
    public static string? Of(string? text)
    {
        if (text is null || !text.EnumerateRunes().Any(IsHidden)) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsHidden(rune)) shown.Append(rune);
            else if (rune.IsBmp) shown.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            else shown.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:X8}");
        }

        return shown.ToString();
    }

    // Control: CR, LF, ESC, NUL and their like. Format: the marks that turn the direction of writing, and whatever has no width. A half surrogate is enumerated as U+FFFD, which is seen.
    private static bool IsHidden(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
