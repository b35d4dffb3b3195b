using System.Text.RegularExpressions;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Branding;

/// <summary>A text that an organisation may say in its own way.</summary>
/// <param name="Key">Its name among the words of the guides.</param>
/// <param name="Placeholders">The names between braces that it has values for.</param>
/// <param name="IsLong">Of several paragraphs, and not one line.</param>
public sealed record OwnTextKind(string Key, IReadOnlyList<string> Placeholders, bool IsLong = false);

/// <summary>Why own words cannot be kept.</summary>
public enum OwnTextProblem
{
    None,
    Empty,
    TooLong,

    /// <summary>It must be one line.</summary>
    LineBreak,

    /// <summary>A placeholder that the text has no value for, or a brace that belongs to none.</summary>
    UnknownPlaceholder,
}

/// <summary>
/// The closed list of texts of the guides that an organisation may say in its own way, in each language: what is handed out, what hangs on the wall, and what the guides begin with. Not the
/// steps: they quote the labels of the screens, and tests hold them to that. Plain text; it is escaped wherever it is shown.
/// </summary>
public static partial class OwnTexts
{
    public const string Announcement = "ReadyAnnouncement";
    public const string Intranet = "ReadyIntranet";
    public const int LongestLine = 240;
    public const int LongestText = 4000;

    private static readonly string[] Handed = ["organisation", "deadline", "guide", "link", "helpdesk"];

    public static IReadOnlyList<OwnTextKind> All { get; } =
    [
        new(Announcement, Handed, IsLong: true),
        new(Intranet, Handed, IsLong: true),
        new("PosterTitle", []),
        new("PosterWhy", ["organisation"]),
        new("PosterPhone", []),
        new("PosterSignIn", []),
        new("PosterScan", []),
        new("GuidesIntro", []),
        new("GuideAboutIphone", []),
        new("GuideAboutAndroid", []),
        new("GuideAboutComputer", []),
        new("GuideAboutNewPhone", []),
        new("GuideAboutLostPhone", []),
        new("GuideAboutNoSmartphone", []),
    ];

    /// <summary>Null: no text of that name may be changed.</summary>
    public static OwnTextKind? Find(string? key) => All.FirstOrDefault(kind => kind.Key == key);

    /// <summary>The words that come with the program, with their placeholders.</summary>
    public static string Standard(string key, string language) => GuideWords.Of(key, language);

    /// <summary>Whether own words can be kept. What it lets pass, <see cref="Fill"/> can fill.</summary>
    public static OwnTextProblem Validate(OwnTextKind kind, string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return OwnTextProblem.Empty;
        if (text.Length > (kind.IsLong ? LongestText : LongestLine)) return OwnTextProblem.TooLong;
        if (text.Any(letter => char.IsControl(letter) && !(kind.IsLong && letter is '\n'))) return OwnTextProblem.LineBreak;
        return Placeholder().Matches(text).All(match => kind.Placeholders.Contains(match.Groups["name"].Value, StringComparer.Ordinal)) && !Placeholder().Replace(text, "").AsSpan().ContainsAny('{', '}')
            ? OwnTextProblem.None
            : OwnTextProblem.UnknownPlaceholder;
    }

    /// <param name="text">Of a kind that has all these placeholders, or fewer.</param>
    /// <param name="values">What stands in their place.</param>
    public static string Fill(string text, IReadOnlyDictionary<string, string> values) => Placeholder().Replace(text, match => values.GetValueOrDefault(match.Groups["name"].Value, match.Value));

    [GeneratedRegex(@"\{(?<name>[a-z]+)\}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Placeholder();
}
