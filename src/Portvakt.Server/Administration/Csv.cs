using System.Text;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Administration;

/// <summary>
/// Lines of comma-separated values (RFC 4180) that a spreadsheet shows and never computes: a field that begins like a formula gets an apostrophe
/// before it, and nothing inside a field ends the line or hides (R89).
/// </summary>
public static class Csv
{
    public const string ContentType = "text/csv; charset=utf-8";

    /// <summary>First in a file, so that spreadsheets read æ, ø and å.</summary>
    public const string Mark = "\uFEFF";

    /// <summary>One line, with its end.</summary>
    public static string Line(params ReadOnlySpan<string?> fields)
    {
        var line = new StringBuilder();
        for (var index = 0; index < fields.Length; index++)
        {
            if (index > 0) line.Append(',');
            line.Append(Field(fields[index]));
        }

        return line.Append("\r\n").ToString();
    }

    private static string Field(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        // Judged before and after: a tab at the beginning is a formula to some, and white space before an equals sign is skipped by others.
        var formula = text[0] is '\t' or '\r' || text.TrimStart() is ['=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠', ..];
        var safe = (formula ? "'" : "") + Visible.Of(text);
        return safe.AsSpan().ContainsAny("\",;\r\n") ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : safe;
    }
}
