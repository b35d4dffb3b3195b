using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// What the judges saw, of all walks: pages and states × languages × modes, as JSON and as a page to read, and a summary for the accessibility statement that the server shows.
/// Only on demand (<c>dev.cs accessibility</c>). Each walk leaves its part in the folder, so that they may run one after the other.
/// </summary>
internal static class AccessReport
{
    /// <summary>Success criteria of WCAG 2.2 that the checks of a mode have to do with; those of axe's rules come from axe.</summary>
    private static readonly Dictionary<Mode, string[]> Criteria = new()
    {
        [Mode.Light] = ["1.3.1", "2.4.2", "2.4.6", "2.5.8", "4.1.2"],
        [Mode.Dark] = ["1.4.3"],
        [Mode.Forced] = ["1.4.11"],
        [Mode.Narrow] = ["1.4.10"],
        [Mode.Zoomed] = ["1.4.4", "1.4.10", "2.4.11"],
        [Mode.Spaced] = ["1.4.12"],
        [Mode.Still] = ["2.2.2"],
        [Mode.Keyboard] = ["1.4.11", "2.1.1", "2.1.2", "2.4.3", "2.4.7"],
    };

    /// <summary>And those that tests of their own hold, in every run: <see cref="AnnouncementTests"/>.</summary>
    private static readonly string[] HeldByOthers = ["2.2.1", "4.1.3"];

    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static string? Folder { get; } = Environment.GetEnvironmentVariable("PORTVAKT_ACCESSIBILITY") is { Length: > 0 } folder ? folder : null;

    public static bool IsWanted => Folder is not null;

    /// <summary>What one walk saw.</summary>
    public sealed record Part(IReadOnlyList<Judge.Look> Looks, string[] Criteria);

    /// <summary>What the statement is made of; <c>src/Portvakt.Server/Resources/accessibility.json</c>.</summary>
    public sealed record Summary(string Date, int Screens, string[] Languages, Mode[] Modes, int Looks, int Checks, int Violations, string[] Criteria);

    public static Task AddAsync(string walk, Part part) => File.WriteAllTextAsync(Path.Combine(Folder!, $"part-{walk}.json"), JsonSerializer.Serialize(part, Written));

    /// <summary>Puts the parts together.</summary>
    public static async Task WriteAsync(TimeProvider clock)
    {
        if (Folder is null) return;
        var parts = new List<Part>();
        foreach (var file in Directory.EnumerateFiles(Folder, "part-*.json").Order(StringComparer.Ordinal)) parts.Add(JsonSerializer.Deserialize<Part>(await File.ReadAllTextAsync(file), Written)!);
        var looks = parts.SelectMany(part => part.Looks).ToList();
        var criteria = parts.SelectMany(part => part.Criteria).Concat(looks.Select(look => look.Mode).Distinct().SelectMany(mode => Criteria[mode])).Concat(HeldByOthers);
        var summary = new Summary(
            clock.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), looks.Select(look => look.Screen).Distinct(StringComparer.Ordinal).Count(),
            [.. looks.Select(look => look.Language).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], [.. looks.Select(look => look.Mode).Distinct().Order()],
            looks.Count, looks.Sum(look => look.Checks), looks.Sum(look => look.Wrong.Length), [.. criteria.Distinct(StringComparer.Ordinal).OrderBy(number => number.Split('.'), Numbers)]);
        await File.WriteAllTextAsync(Path.Combine(Folder, "accessibility.json"), JsonSerializer.Serialize(summary, Written) + "\n");
        await File.WriteAllTextAsync(Path.Combine(Folder, "report.json"), JsonSerializer.Serialize(new { summary, looks }, Written));
        await File.WriteAllTextAsync(Path.Combine(Folder, "index.html"), Page(summary, looks));
    }

    private static string Page(Summary summary, List<Judge.Look> looks)
    {
        var columns = summary.Languages.SelectMany(language => summary.Modes.Select(mode => (Language: language, Mode: mode))).ToList();
        var cells = looks.ToLookup(look => (look.Screen, look.Language, look.Mode));
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Accessibility of Portvakt</title>
            <style>
            body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; }
            div { overflow-x: auto; }
            table { border-collapse: collapse; font-size: .875rem; }
            th, td { padding: .125rem .5rem; border: 1px solid #8888; text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
            tbody th { text-align: start; font-weight: 400; }
            .wrong { background: #b00020; color: #fff; font-weight: 700; }
            li { margin-block: .5rem; overflow-wrap: anywhere; }
            </style>
            </head>
            <body>
            <h1>Accessibility of Portvakt</h1>
            <p>{{summary.Date}}: {{summary.Screens}} screens and states × {{summary.Languages.Length}} languages × {{summary.Modes.Length}} modes, {{summary.Looks}} looks, {{summary.Checks}} checks, <strong>{{summary.Violations}} violations</strong>.
            Success criteria of WCAG 2.2 that the checks have to do with: {{string.Join(", ", summary.Criteria)}}.</p>
            <h2>Violations</h2>

            """);
        if (summary.Violations is 0) page.Append("<p>None.</p>\n");
        else
        {
            page.Append("<ol>\n");
            foreach (var look in looks.Where(look => look.Wrong.Length > 0))
            {
                foreach (var wrong in look.Wrong)
                    page.Append(CultureInfo.InvariantCulture, $"<li>{Text(look.Screen)}, {look.Language}, {look.Mode}: {Text(wrong)}{(look.Picture is null ? "" : $" <a href=\"{Text(look.Picture)}\">picture</a>")}</li>\n");
            }

            page.Append("</ol>\n");
        }

        page.Append("<h2>Screens</h2>\n<p>How many things were looked at; in red how many are wrong.</p>\n<div role=\"region\" tabindex=\"0\" aria-label=\"Screens\"><table>\n<thead><tr><th rowspan=\"2\" scope=\"col\">Screen</th>");
        foreach (var language in summary.Languages) page.Append(CultureInfo.InvariantCulture, $"<th scope=\"colgroup\" colspan=\"{summary.Modes.Length}\">{language}</th>");
        page.Append("</tr>\n<tr>");
        foreach (var (_, mode) in columns) page.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\">{mode}</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (var screen in looks.Select(look => look.Screen).Distinct(StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th scope=\"row\">{Text(screen)}</th>");
            foreach (var (language, mode) in columns)
            {
                var cell = cells[(screen, language, mode)].ToList();
                var wrong = cell.Sum(look => look.Wrong.Length);
                page.Append(cell.Count is 0 ? "<td>–</td>" : wrong > 0 ? $"<td class=\"wrong\">{wrong}</td>" : $"<td>{cell.Sum(look => look.Checks)}</td>");
            }

            page.Append("</tr>\n");
        }

        return page.Append("</tbody>\n</table></div>\n</body>\n</html>\n").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    /// <summary>1.4.3 before 1.4.10.</summary>
    private static readonly Comparer<string[]> Numbers = Comparer<string[]>.Create((one, other) =>
        one.Zip(other, (a, b) => int.Parse(a, CultureInfo.InvariantCulture) - int.Parse(b, CultureInfo.InvariantCulture)).FirstOrDefault(difference => difference != 0));
}
