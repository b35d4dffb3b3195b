using System.Text.RegularExpressions;
using System.Xml.Linq;
using Portvakt.Domain.Audit;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>R96: nothing stands in the list of events that nobody writes down, and each can be read by people.</summary>
public sealed partial class SecurityEventTests
{
    private static readonly string Folder = Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server");

    [Fact]
    public void Every_event_is_written_somewhere()
    {
        // Who mails of events only reads them. A comparison reads as well.
        var written = Directory.EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !BuildOutput().IsMatch(file) && !file.EndsWith("Outbox.cs", StringComparison.Ordinal))
            .SelectMany(file => Named().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).ToHashSet(StringComparer.Ordinal);
        Assert.All(Enum.GetNames<SecurityEvent>(), name => Assert.True(written.Contains(name), $"{name} is written nowhere"));
    }

    [Theory]
    [InlineData("AdminWords.nb.resx")]
    [InlineData("AdminWords.nn.resx")]
    [InlineData("AdminWords.resx")]
    public void Every_event_has_words_of_its_own_for_its_row(string file)
    {
        var words = XDocument.Load(Path.Combine(Folder, "Resources", file)).Root!.Elements("data").ToDictionary(entry => (string)entry.Attribute("name")!, entry => (string)entry.Element("value")!, StringComparer.Ordinal);
        var events = Enum.GetNames<SecurityEvent>();
        Assert.All(events, name => Assert.True(words.ContainsKey("Event" + name), $"{name} has no words in {file}"));
        Assert.Empty(events.GroupBy(name => words["Event" + name], StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1).Select(group => $"{string.Join(", ", group)}: “{group.Key}”"));
        Assert.Subset(events.ToHashSet(StringComparer.Ordinal), words.Keys.Where(key => EventKey().IsMatch(key)).Select(key => key[5..]).ToHashSet(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"(?<![=!]= )SecurityEvent\.(\w+)")]
    private static partial Regex Named();

    [GeneratedRegex("^Event[A-Z]")]
    private static partial Regex EventKey();

    [GeneratedRegex(@"[\\/](bin|obj|node_modules)[\\/]")]
    private static partial Regex BuildOutput();
}
