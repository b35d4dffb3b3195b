using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Mvc;

namespace Portvakt.Server.Administration;

/// <summary>Tables as files for spreadsheets (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe instead.</summary>
public static class Csv
{
    private static readonly SearchValues<char> NeedsQuotes = SearchValues.Create(",;\"\r\n\t'");
    private const string FormulaStarts = "=+-@\t\r";

    public static string Cell(string? value)
    {
        var text = value ?? "";
        if (text.Length > 0 && FormulaStarts.Contains(text[0], StringComparison.Ordinal)) text = "'" + text;
        return text.AsSpan().ContainsAny(NeedsQuotes) || text.StartsWith(' ') || text.EndsWith(' ') ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    public static string Line(IEnumerable<string?> cells) => string.Join(',', cells.Select(Cell)) + "\r\n";

    /// <summary>With a byte-order mark: without it spreadsheets read æ, ø and å wrongly.</summary>
    public static FileContentResult File(string name, IEnumerable<IEnumerable<string?>> rows) =>
        new([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(string.Concat(rows.Select(Line)))], "text/csv; charset=utf-8") { FileDownloadName = name };
}
