using System.Text.RegularExpressions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>docs/security says of each promise which test holds it. A test that was renamed or taken away must not go on being named.</summary>
public sealed partial class ThreatModelTests
{
    private static readonly string Root = PortvaktServer.Repository();

    /// <summary>Class by class, the names of its tests. A class may have several files.</summary>
    private static readonly ILookup<string, string> Tests = Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !BuildOutput().IsMatch(file)).Select(File.ReadAllText)
        .SelectMany(text => Class().Matches(text).SelectMany(type => Method().Matches(text).Select(method => (Type: type.Groups[1].Value, Name: method.Groups[1].Value))))
        .ToLookup(test => test.Type, test => test.Name, StringComparer.Ordinal);

    [Theory]
    [InlineData("model.md", 40)]
    [InlineData("open-rows.md", 200)]
    public void Every_test_that_is_named_exists(string page, int atLeast)
    {
        var named = 0;
        var missing = new List<string>();
        foreach (var line in File.ReadLines(Path.Combine(Root, "docs", "security", page)).Where(line => line.StartsWith('|')))
        {
            var type = "";
            foreach (Match name in Name().Matches(line))
            {
                if (name.Groups["type"].Length > 0) type = name.Groups["type"].Value;
                var (method, isShort) = (name.Groups["method"].Value.TrimEnd('…'), name.Groups["method"].Value.EndsWith('…'));
                named++;
                if (!(method is "" ? Tests[type].Any() : Tests[type].Any(test => isShort ? test.StartsWith(method, StringComparison.Ordinal) : test == method))) missing.Add($"{name.Value} ({type})");
            }
        }

        Assert.True(named >= atLeast, $"{named}");
        Assert.Empty(missing);
    }

    [GeneratedRegex(@"\bclass (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"public (?:static )?(?:async )?(?:void|Task) (\w+)\(")]
    private static partial Regex Method();

    // `Class.Method`, `Class.Beginning_…`, `.Another_of_the_same_class`, `Class`
    [GeneratedRegex(@"`(?:(?<type>[A-Z]\w+(?:Stories|Tests|Replays|Refusals|Vectors|Mutations|Opinions))(?:\.(?<method>[A-Z]\w+…?))?|\.(?<method>[A-Z]\w+…?))`")]
    private static partial Regex Name();

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex BuildOutput();
}
