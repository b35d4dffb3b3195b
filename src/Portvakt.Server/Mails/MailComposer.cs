using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Mails;

/// <summary>A subject and a text: of one line, and of paragraphs between empty lines.</summary>
public sealed record MailText(string Subject, string Text);

/// <summary>Why own words for a mail cannot be kept.</summary>
public enum MailTextProblem
{
    None,
    Empty,
    TooLong,

    /// <summary>A subject is one line.</summary>
    LineBreakInSubject,

    /// <summary>A placeholder that this mail has no value for, or a brace that belongs to none.</summary>
    UnknownPlaceholder,

    /// <summary>An announcement and a reminder are useless without the link.</summary>
    LinkMissing,
}

/// <summary>Puts words and values together: the organisation's own words where there are some, otherwise the standard ones.</summary>
public sealed partial class MailComposer(PortvaktDb db, IOptions<PortvaktSettings> settings)
{
    public const int LongestSubject = 200;
    public const int LongestText = 5000;

    private static readonly string[] Common = ["name", "organisation", "helpdesk", "link"];
    private Dictionary<(string Kind, string Language), MailText>? _own;

    /// <summary>The names between braces that a mail of this kind has values for.</summary>
    public static IReadOnlyList<string> PlaceholdersOf(MailKind kind) => kind switch
    {
        MailKind.Announcement or MailKind.Reminder => [.. Common, "deadline", "days", "guide"],
        MailKind.NotMe or MailKind.NotMeAlert => [.. Common, "application", "time", "place"],
        MailKind.PassIssued => [.. Common, "time"],
        MailKind.BreakGlassAlarm => [.. Common, "time", "place"],
        _ => [.. Common, "what", "time", "place"],
    };

    /// <summary>Whether own words can be kept. What it lets pass, <see cref="ComposeAsync"/> can fill.</summary>
    public static MailTextProblem Validate(MailKind kind, MailText words)
    {
        if (string.IsNullOrWhiteSpace(words.Subject) || string.IsNullOrWhiteSpace(words.Text)) return MailTextProblem.Empty;
        if (words.Subject.Length > LongestSubject || words.Text.Length > LongestText) return MailTextProblem.TooLong;
        if (words.Subject.Any(char.IsControl)) return MailTextProblem.LineBreakInSubject;
        var known = PlaceholdersOf(kind);
        foreach (var text in (string[])[words.Subject, words.Text])
        {
            if (Placeholder().Matches(text).Any(match => !known.Contains(match.Groups["name"].Value, StringComparer.Ordinal)) || Placeholder().Replace(text, "").AsSpan().ContainsAny('{', '}')) return MailTextProblem.UnknownPlaceholder;
        }

        return kind is MailKind.Announcement or MailKind.Reminder && !words.Text.Contains("{link}", StringComparison.Ordinal) ? MailTextProblem.LinkMissing : MailTextProblem.None;
    }

    /// <summary>The words that come with the program.</summary>
    public static MailText Standard(MailKind kind, string language) => new(MailWords.Of($"{kind}Subject", language), MailWords.Of($"{kind}Text", language));

    /// <summary>The words that hold now, with their placeholders. The organisation's own are read once per composer.</summary>
    public async Task<MailText> WordsAsync(MailKind kind, string language, CancellationToken cancellationToken)
    {
        _own ??= await db.MailTemplates.AsNoTracking().ToDictionaryAsync(row => (row.Kind, row.Language), row => new MailText(row.Subject, row.Text), cancellationToken);
        return _own.GetValueOrDefault((kind.ToString(), language)) ?? Standard(kind, language);
    }

    /// <param name="kind">Which mail.</param>
    /// <param name="language">Of who reads it: nb, nn or en.</param>
    /// <param name="values">Values of the placeholders; organisation and helpdesk are known here.</param>
    /// <param name="cancellationToken">Stops the reading of own words.</param>
    /// <exception cref="KeyNotFoundException">A placeholder of the kind has no value.</exception>
    public async Task<MailText> ComposeAsync(MailKind kind, string language, IReadOnlyDictionary<string, string> values, CancellationToken cancellationToken) =>
        Fill(await WordsAsync(kind, language, cancellationToken), language, values);

    /// <summary>What a mail with these words would look like, filled with examples.</summary>
    public MailText Preview(MailKind kind, MailText words, string language, DateTimeOffset now)
    {
        var deadline = EnrolmentRule.StartOf(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, settings.Value.Zone).DateTime).AddDays(14), settings.Value.Zone);
        return Fill(words, language, new Dictionary<string, string>(Term(deadline, now, language), StringComparer.Ordinal)
        {
            ["name"] = "Kari Nordmann",
            ["link"] = settings.Value.Origin + (kind is MailKind.Announcement or MailKind.Reminder ? "/activate" : "/account"),
            ["what"] = MailWords.Of(kind is MailKind.AccountChanged ? "PasswordChanged" : "PhoneActivated", language),
            ["application"] = settings.Value.Organisation,
            ["time"] = Time(now, language),
            ["place"] = "Firefox, Windows, 192.0.2.x",
        });
    }

    /// <summary>The deadline as a day, the days left as people say them, and where it is shown how.</summary>
    public Dictionary<string, string> Term(DateTimeOffset deadline, DateTimeOffset now, string language)
    {
        var days = EnrolmentRule.DaysLeft(now, deadline, settings.Value.Zone);
        return new(StringComparer.Ordinal)
        {
            ["deadline"] = Localisation.Date(EnrolmentRule.LastDay(deadline, settings.Value.Zone), language),
            ["guide"] = settings.Value.Origin + "/guides",
            ["days"] = days is 1 ? MailWords.Of("OneDay", language) : string.Format(Localisation.CultureOf(language), MailWords.Of("ManyDays", language), days),
        };
    }

    /// <summary>An instant by the organisation's clocks: "2. november 2026 kl. 09:00".</summary>
    public string Time(DateTimeOffset at, string language)
    {
        var local = TimeZoneInfo.ConvertTime(at, settings.Value.Zone);
        return string.Format(Localisation.CultureOf(language), MailWords.Of("DayAndTime", language), Localisation.Date(DateOnly.FromDateTime(local.DateTime), language), local.ToString("HH:mm", Localisation.CultureOf(language)));
    }

    private MailText Fill(MailText words, string language, IReadOnlyDictionary<string, string> values)
    {
        return new(Filled(words.Subject), Filled(words.Text.ReplaceLineEndings("\n")));

        string Filled(string text) => Placeholder().Replace(text, match => OneLine(match.Groups["name"].Value switch
        {
            "organisation" => settings.Value.Organisation,
            "helpdesk" => settings.Value.Helpdesk ?? MailWords.Of("Helpdesk", language),
            var name => values[name],
        }));
    }

    /// <summary>Values come from imports and registrations: none may begin a new line, least of all in a header.</summary>
    private static string OneLine(string value) => string.Concat(value.Select(letter => char.IsControl(letter) || letter is '\u2028' or '\u2029' ? ' ' : letter)).Trim();

    [GeneratedRegex(@"\{(?<name>[a-z]+)\}", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Placeholder();
}
