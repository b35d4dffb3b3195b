using System.Text.RegularExpressions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>Nothing is switched off without its reason on the same line.</summary>
public sealed partial class ReasonTests
{
    private static readonly string Root = PortvaktServer.Repository();

    private static readonly string[] Files =
    [
        .. Directory.EnumerateFiles(Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Select(file => Path.GetRelativePath(Root, file))
            .Where(file => !Foreign().IsMatch(file) && Path.GetFileName(file) != $"{nameof(ReasonTests)}.cs"),
    ];

    [Fact]
    public void A_rule_that_a_project_switches_off_has_its_reason_beside_it() => Holds("NoWarn", Project(), Lines(".props").Concat(Lines(".targets")).Concat(Lines(".csproj")));

    [Fact]
    public void So_has_one_that_is_switched_off_in_the_code() => Holds("#pragma warning disable", Code(), Lines(".cs"));

    [Fact]
    public void And_one_that_is_switched_off_for_all() => Holds("severity = none", Everywhere(), Lines(".editorconfig"));

    private static void Holds(string words, Regex form, IEnumerable<(string Place, string Text)> lines)
    {
        var found = lines.Where(line => line.Text.Contains(words, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(found);
        Assert.All(found, line => Assert.True(form.IsMatch(line.Text), $"{line.Place} switches off without a reason, or more than one rule: {line.Text.Trim()}"));
    }

    private static IEnumerable<(string Place, string Text)> Lines(string ending) =>
        Files.Where(file => file.EndsWith(ending, StringComparison.Ordinal)).SelectMany(file => File.ReadAllLines(Path.Combine(Root, file)).Select((text, index) => ($"{file}:{index + 1}", text)));

    [GeneratedRegex(@"^\s*<NoWarn>\$\(NoWarn\);\w+</NoWarn> <!-- .{7,} -->$")]
    private static partial Regex Project();

    [GeneratedRegex(@"^\s*#pragma warning disable \w+(, \w+)* // .{10,}$")]
    private static partial Regex Code();

    [GeneratedRegex(@"severity = none # .{7,}$")]
    private static partial Regex Everywhere();

    [GeneratedRegex(@"(^|[\\/])(bin|obj|node_modules|Migrations|artifacts|data|\.git)[\\/]")]
    private static partial Regex Foreign();
}
