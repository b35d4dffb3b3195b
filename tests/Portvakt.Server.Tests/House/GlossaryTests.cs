using System.Text.RegularExpressions;
using System.Xml.Linq;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>docs/words.md, held: one word for one thing, plain words, and a nynorsk that is nynorsk. Sentences are measured in <see cref="WordsTests"/>.</summary>
public sealed partial class GlossaryTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(PortvaktServer.Repository(), "docs", "words.md"));
    private static readonly string Folder = Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server", "Resources");
    private static readonly string[] Languages = ["en", "nb", "nn"];
    private static readonly Dictionary<string, (string Resource, string Key, string Text)[]> Texts = Languages.ToDictionary(language => language, Read, StringComparer.Ordinal);

    /// <summary>The labels of the first guide, which people hold in their hands, are older than the glossary.</summary>
    private static readonly Dictionary<string, string> OlderThanTheGlossary = new(StringComparer.Ordinal)
    {
        ["SetUp"] = "konfigurer",
        ["SetUpTitle"] = "konfigurer",
        ["SetUpPasskeyTitle"] = "konfigurer",
        ["ReceiveNotifications"] = "varslinger",
    };

    [Fact]
    public void Every_word_of_the_glossary_is_in_use_in_its_language()
    {
        var terms = Rows("One word for one thing").ToList();
        Assert.True(terms.Count > 25, $"{terms.Count}");
        foreach (var (language, at) in Languages.Select((language, at) => (language, at)))
        {
            var texts = Texts[language].Select(entry => entry.Text).ToList();
            Assert.All(terms, row => Assert.True(texts.Exists(text => Regex.IsMatch(text, $@"\b{Regex.Escape(row[at])}", RegexOptions.IgnoreCase)), $"{language}: nobody says “{row[at]}”"));
        }
    }

    [Theory]
    [InlineData("One word for one thing", 4)]
    [InlineData("Plain words", 0)]
    public void What_the_glossary_does_without_is_on_no_screen(string part, int column) =>
        Assert.Empty(Rows(part).SelectMany(row => row[column].Split("; "))
            .Select(words => words.Split(": ", 2) is [var language, var list] && Languages.Contains(language) ? (language, list) : throw new InvalidOperationException($"“{words}” names no language"))
            .SelectMany(words => Found(words.language, words.list)));

    [Fact]
    public void Nynorsk_is_nynorsk() => Assert.Empty(Rows("Bokmål that slips into nynorsk, and where nynorsk has two words").SelectMany(row => Found("nn", row[0])));

    /// <summary>Whoever administers imports files and reads of formats; whoever signs in does not.</summary>
    [Fact]
    public void No_word_of_the_trade_is_on_a_screen_of_the_journey() =>
        Assert.Empty(from language in Languages
                     from entry in Texts[language]
                     where entry.Resource is not "AdminWords"
                     let word = WordOfTheTrade().Match(entry.Text)
                     where word.Success
                     select $"{language} {entry.Resource} {entry.Key}: “{word.Value}” in “{entry.Text}”");

    [Fact]
    public void The_glossary_finds_what_is_wrong()
    {
        Assert.Matches(Forbidden("innlogg…"), "Innloggingen er over");
        Assert.Matches(Forbidden("samt"), "navn samt passord");
        Assert.DoesNotMatch(Forbidden("samt"), "en samtale");
        Assert.DoesNotMatch(Forbidden("maskin…"), "datamaskinen");
    }

    private static IEnumerable<string> Found(string language, string list) =>
        from word in list.Split(", ")
        let forbidden = Forbidden(word)
        from entry in Texts[language]
        where !entry.Key.StartsWith("Menu", StringComparison.Ordinal) // what phones and browsers say in menus of theirs, in the words they have
        let found = forbidden.Match(Quoted().Replace(entry.Text, ""))
        where found.Success && !(OlderThanTheGlossary.TryGetValue(entry.Key, out var label) && label.Equals(found.Value, StringComparison.OrdinalIgnoreCase))
        select $"{language} {entry.Resource} {entry.Key}: “{found.Value}” in “{entry.Text}”";

    private static Regex Forbidden(string word) => new(word.EndsWith('…') ? $@"(?<!\w){Regex.Escape(word[..^1])}\w*" : $@"(?<!\w){Regex.Escape(word)}(?!\w)", RegexOptions.IgnoreCase);

    /// <summary>The rows of the table under a heading, without its head.</summary>
    private static IEnumerable<string[]> Rows(string heading)
    {
        var part = Page.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        var rows = part.Split('\n').Where(line => line.StartsWith('|')).Skip(2).Select(line => line.Trim('|').Split('|').Select(cell => cell.Trim()).ToArray()).ToList();
        Assert.NotEmpty(rows);
        return rows;
    }

    private static (string Resource, string Key, string Text)[] Read(string language) =>
        [.. from resource in (string[])["Words", "Phone", "PhoneOthers", "PhoneMove", "AdminWords", "MailWords", "GuideWords"]
            from entry in XDocument.Load(Path.Combine(Folder, language is "en" ? $"{resource}.resx" : $"{resource}.{language}.resx")).Root!.Elements("data")
            select (resource, (string)entry.Attribute("name")!, (string)entry.Element("value")!)];

    [GeneratedRegex("«[^»]*»|“[^”]*”|[{][^}]*[}]")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\b(?:[TH]?OTP|WebAuthn|FIDO2?|SAML|LDAP|CSV|UTF-8|Base ?32|he[kx]\w*desi?m\w*|bits?|API|SQL|URL|URI|ID|backend|callback|debug|stack|log ?file|database\w*|algorit\w*|biter|bitar)\b", RegexOptions.IgnoreCase)]
    private static partial Regex WordOfTheTrade();
}
