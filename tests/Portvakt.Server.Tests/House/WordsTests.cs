using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>Bokmål, nynorsk and English are equals, and speak to people.</summary>
public sealed partial class WordsTests
{
    private static readonly string Folder = Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server");
    private static readonly string[] Languages = ["nb", "nn", "en"];

    [Theory]
    [InlineData("Words")]
    [InlineData("Phone")]
    [InlineData("PhoneOthers")]
    [InlineData("PhoneMove")]
    [InlineData("AdminWords")]
    [InlineData("MailWords")]
    [InlineData("GuideWords")]
    [InlineData("WcagWords")]
    public void Three_languages_say_the_same_things(string name)
    {
        var (nb, nn, en) = (Read(name, "nb"), Read(name, "nn"), Read(name, "en"));
        Assert.True(nb.Count > 10);
        Assert.Equal(nb.Keys.Order(), nn.Keys.Order());
        Assert.Equal(nb.Keys.Order(), en.Keys.Order());
        foreach (var key in nb.Keys)
        {
            Assert.Equal(Placeholders(nb[key]), Placeholders(nn[key]));
            Assert.Equal(Placeholders(nb[key]), Placeholders(en[key]));
        }
    }

    [Fact]
    public void What_an_owner_is_mailed_of_stands_in_the_recent_activity_too()
    {
        var (mailed, pages) = (Read("MailWords", "nb"), Read("Words", "nb"));
        var told = Enum.GetNames<Domain.Audit.SecurityEvent>().Where(mailed.ContainsKey).ToList();
        Assert.True(told.Count > 15, $"{told.Count}");
        Assert.DoesNotContain(told, what => !pages.ContainsKey("Activity" + what));
    }

    [Theory]
    [InlineData("Words")]
    [InlineData("Phone")]
    [InlineData("PhoneOthers")]
    [InlineData("PhoneMove")]
    [InlineData("AdminWords")]
    [InlineData("MailWords")]
    [InlineData("GuideWords")]
    [InlineData("WcagWords")]
    public void No_text_is_empty_too_long_or_in_the_words_of_machines(string name)
    {
        foreach (var language in Languages)
        {
            foreach (var (key, text) in Read(name, language))
            {
                Assert.False(string.IsNullOrWhiteSpace(text) || text != text.Trim(), $"{language} {key} is empty or has space around it");
                Assert.All(SentenceEnd().Split(text), sentence => Assert.True(sentence.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length <= 20, $"{language} {key}: more than 20 words: {sentence}"));
                Assert.False(MachineWord().IsMatch(text), $"{language} {key} speaks like a machine: “{MachineWord().Match(text).Value}” in “{text}”");
            }
        }
    }

    [Fact]
    public void Every_word_of_the_pages_is_used_and_every_used_word_exists()
    {
        string[] resources = ["Words", "AdminWords", "GuideWords"];
        var words = resources.SelectMany(name => Read(name, "en")).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal); // one word lives in one place
        var sources = Directory.EnumerateFiles(Folder, "*.cs*", SearchOption.AllDirectories).Where(file => file.EndsWith(".cs", StringComparison.Ordinal) || file.EndsWith(".cshtml", StringComparison.Ordinal))
            .Where(file => !BuildOutput().IsMatch(file)).Select(File.ReadAllText).ToList();

        // Either the key itself stands there, or its beginning with the end joined on: W[kind + "Title"].
        var named = sources.SelectMany(text => Literal().Matches(text).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        var endings = sources.SelectMany(text => Joined().Matches(text).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        var beginnings = sources.SelectMany(text => Begun().Matches(text).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal); // A["Role" + role]
        var begun = words.Keys.Where(key => !named.Contains(key) && !endings.Any(ending => key.EndsWith(ending, StringComparison.Ordinal) && named.Contains(key[..^ending.Length])))
            .GroupBy(key => beginnings.Where(beginning => key.StartsWith(beginning, StringComparison.Ordinal)).MaxBy(beginning => beginning.Length) ?? throw new InvalidOperationException($"{key} is used nowhere"), StringComparer.Ordinal).ToList();

        // What is joined on are members of one enumeration, or they stand here.
        var joined = new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["CodeHow"] = ["App", "Token", "Either"],
            ["WrongCode"] = ["App", "Token", "Either"],
            ["MethodChoice"] = ["app", "passkey", "telephone", "office", "token"],
            ["Grant"] = ["Extension", "ExtensionDo", "Exemption", "ExemptionDo"],
            ["ImportField"] = ["Name", "Mail", "Phone", "Unit", "Manager", "OfficePhone", "Language", "LastUsed"],
            ["Trouble"] = ["None"],
            ["OwnText"] = [.. Branding.OwnTexts.All.Select(text => text.Key)],
            ["AccessMode"] = ["light", "dark", "forced", "narrow", "zoomed", "spaced", "still", "keyboard"],
        };
        var enumerations = ((Assembly[])[typeof(PortvaktHost).Assembly, typeof(Domain.Audit.SecurityEvent).Assembly]).SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsEnum).Select(Enum.GetNames).ToList();
        Assert.All(begun, group =>
        {
            var ends = group.Select(key => key[group.Key.Length..]).Except(joined.GetValueOrDefault(group.Key, [])).ToList();
            Assert.True(enumerations.Any(names => !ends.Except(names).Any()), $"Of {string.Join(", ", group)} some are used nowhere");
        });

        var used = sources.SelectMany(text => Used().Matches(text).Select(match => match.Groups[1].Value)).Distinct().ToList();
        Assert.True(used.Count > 100);
        Assert.All(used, key => Assert.True(words.ContainsKey(key), $"{key} exists in no language"));
    }

    /// <summary>The labels of the employee's guide, letter for letter. A person who holds it must recognise each screen.</summary>
    [Theory]
    [InlineData("Words", "SignIn", "Logg på", "Logg på", "Sign in")]
    [InlineData("Words", "MoreTitle", "Mer informasjon kreves", "Meir informasjon er kravd", "More information required")]
    [InlineData("Words", "Next", "Neste", "Neste", "Next")]
    [InlineData("Words", "NotNow", "Ikke nå", "Ikkje no", "Not now")]
    [InlineData("Words", "AdditionalTitle", "Ytterligere sikkerhetsbekreftelse", "Ytterlegare tryggleiksstadfesting", "Additional security verification")]
    [InlineData("Words", "MethodChoiceapp", "Mobilapp", "Mobilapp", "Mobile app")]
    [InlineData("Words", "MethodChoicetelephone", "Godkjenningstelefon", "Godkjenningstelefon", "Authentication phone")]
    [InlineData("Words", "MethodChoiceoffice", "Kontortelefon", "Kontortelefon", "Office phone")]
    [InlineData("Words", "ReceiveNotifications", "Motta varslinger for bekreftelse", "Ta imot varsel for stadfesting", "Receive notifications for verification")]
    [InlineData("Words", "UseVerificationCode", "Bruk bekreftelseskode", "Bruk stadfestingskode", "Use verification code")]
    [InlineData("Words", "SetUp", "Konfigurer", "Konfigurer", "Set up")]
    [InlineData("Words", "SetUpTitle", "Konfigurer mobilappen", null, "Set up the mobile app")]
    [InlineData("Words", "CannotScan", "Får du ikke skannet bildet?", null, "Can't scan the image?")]
    [InlineData("Words", "GuideIphone", "Veiledning for iPhone", null, "Guide for iPhone")]
    [InlineData("Words", "GuideAndroid", "Veiledning for Android", null, "Guide for Android")]
    [InlineData("Words", "NewCode", "Hent ny kode", null, null)]
    [InlineData("Words", "SendAgain", "Send på nytt", null, null)]
    [InlineData("Words", "UseAnotherMethod", "Bruk en annen metode", null, null)]
    [InlineData("Words", "Finished", "Fullført", "Fullført", "Finished")]
    [InlineData("Words", "StayTitle", "Vil du forbli pålogget?", "Vil du halde fram pålogga?", "Stay signed in?")]
    [InlineData("Words", "Yes", "Ja", "Ja", "Yes")]
    [InlineData("Words", "No", "Nei", "Nei", "No")]
    [InlineData("Words", "Done", "Ferdig", "Ferdig", "Done")]
    [InlineData("GuideWords", "InstallGet", "Hent", "Hent", "Get")]
    [InlineData("GuideWords", "InstallOpen", "Åpne", "Opne", "Open")]
    [InlineData("GuideWords", "MenuShare", "Del", "Del", "Share")] // the menus of iOS and Android: neither speaks nynorsk
    [InlineData("GuideWords", "MenuAddHome", "Legg til på Hjem-skjerm", "Legg til på Hjem-skjerm", "Add to Home Screen")]
    [InlineData("GuideWords", "MenuWebApp", "Åpne som nettapp", "Åpne som nettapp", "Open as Web App")]
    [InlineData("GuideWords", "MenuAdd", "Legg til", "Legg til", "Add")]
    [InlineData("GuideWords", "MenuAddStart", "Legg til på startsiden", "Legg til på startsiden", "Add to Home screen")]
    [InlineData("GuideWords", "MenuInstall", "Installer", "Installer", "Install")]
    [InlineData("Phone", "Agree", "Jeg er enig", "Eg er einig", "I agree")]
    [InlineData("Phone", "ScanQr", "Skann en QR-kode", "Skann ein QR-kode", "Scan a QR code")]
    [InlineData("Phone", "EnterCode", "Skriv inn koden", null, "Enter the code")]
    [InlineData("Phone", "WorkAccount", "Jobb- eller skolekonto", "Jobb- eller skulekonto", "Work or school account")]
    [InlineData("Phone", "OtherAccount", "Annen konto", null, "Other account")]
    [InlineData("Phone", "Activating", "Aktiverer kontoen …", "Aktiverer kontoen …", "Activating the account …")]
    [InlineData("Phone", "Allow", "Tillat", "Tillat", "Allow")]
    [InlineData("Phone", "ApproveTitle", "Godkjenne påloggingen?", "Godkjenne pålogginga?", "Approve sign-in?")]
    [InlineData("Phone", "Approve", "Godkjenn", null, "Approve")]
    [InlineData("Phone", "NotMe", "Det var ikke meg", null, "It wasn't me")]
    [InlineData("Phone", "Cancel", "Avbryt", null, "Cancel")]
    public void The_labels_are_exactly_those_of_the_guide(string name, string key, string nb, string? nn, string? en)
    {
        Assert.Equal(nb, Read(name, "nb")[key]);
        if (nn is not null) Assert.Equal(nn, Read(name, "nn")[key]);
        if (en is not null) Assert.Equal(en, Read(name, "en")[key]);
    }

    /// <summary>A guide that calls a button by another name than the button is worse than none.</summary>
    [Fact]
    public void What_a_guide_quotes_stands_on_a_screen()
    {
        foreach (var language in Languages)
        {
            string[] screens = ["Words", "Phone", "PhoneMove"];
            var ofPhone = Read("GuideWords", language).Where(entry => entry.Key.StartsWith("Menu", StringComparison.Ordinal) || entry.Key is "InstallTitle" or "InstallGet" or "InstallOpen").Select(entry => entry.Value); // of the telephone's own system, which we cannot read, and of the install page
            var labels = screens.SelectMany(name => Read(name, language).Values).Concat(ofPhone).ToHashSet(StringComparer.Ordinal);
            var quoted = Read("GuideWords", language).SelectMany(entry => Quoted().Matches(entry.Value).Select(match => (entry.Key, Label: match.Groups[1].Value))).ToList();
            Assert.True(quoted.Count > 80, $"{language} {quoted.Count}");
            Assert.All(quoted, quote => Assert.True(labels.Contains(quote.Label), $"{language} {quote.Key}: no screen says “{quote.Label}”"));
        }
    }

    private static Dictionary<string, string> Read(string name, string language) =>
        XDocument.Load(Path.Combine(Folder, "Resources", language is "en" ? $"{name}.resx" : $"{name}.{language}.resx")).Root!.Elements("data")
            .ToDictionary(entry => (string)entry.Attribute("name")!, entry => (string)entry.Element("value")!, StringComparer.Ordinal); // twice the same key throws

    private static IEnumerable<string> Placeholders(string text) => Placeholder().Matches(text).Select(match => match.Value).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"(?<=[.!?:])\s+")]
    private static partial Regex SentenceEnd();

    [GeneratedRegex(@"\b(?:tokens?|sessions?|sesjon\w*|økt(?:a|en|er|ene)?|time-?outs?|tidsavbrudd\w*|null|undefined|nan|exceptions? (?:was|occurred)|cookies?|json|jwt|oauth\w*|oidc|http|uri|endpoint\w*|payload\w*|hash\w*|nonce\w*|invalid|ugyldig\w*|parameter\w*|credential\w*|e-?rror code|redirect\w*)\b", RegexOptions.IgnoreCase)]
    private static partial Regex MachineWord();

    [GeneratedRegex(@"""([A-Za-z][A-Za-z0-9]*)""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"[WG]\[kind \+ ""(\w+)""")]
    private static partial Regex Joined();

    [GeneratedRegex(@"\b(?:W|A|G|words|admin|mail)\[""(\w+)""(?! \+)")]
    private static partial Regex Used();

    [GeneratedRegex(@"(?:A|W|G|admin|mail|words)\[""(\w+)"" \+")]
    private static partial Regex Begun();

    [GeneratedRegex("[«“]([^»”]+)[»”]")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"[\\/](bin|obj|node_modules)[\\/]")]
    private static partial Regex BuildOutput();
}
