using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Portvakt.Dev;

/// <summary>
/// What we build on is pinned, locked and on no list of known bad versions (tools/advisories.json). An audit that is green because it
/// sees nothing is worse than none: the check first proves itself on a tree in which all that it looks for is planted.
/// </summary>
public static partial class Dependencies
{
    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private static readonly string[] NotOurs = ["bin", "obj", "node_modules", "artifacts", "data", "dist", ".git"];

    public static async Task<int> RunAsync(Options options)
    {
        await Step.DoAsync("Dependencies", CheckAsync);
        return 0;
    }

    public static async Task CheckAsync()
    {
        await using var file = File.OpenRead(Repo.Path("tools/advisories.json"));
        var list = (await JsonSerializer.DeserializeAsync<AdvisoryList>(file, SnakeCase))!;
        ProveOnPlantedTree(list);
        var problems = ProblemsOf(Repo.Root, list).ToArray();
        if (problems.Length > 0) throw new RefusalException($"{string.Join('\n', problems)}\n(advisories as of {list.AsOf})");
    }

    private static IEnumerable<string> ProblemsOf(string root, AdvisoryList list)
    {
        foreach (var file in OurFiles(new DirectoryInfo(root)))
        {
            var problems = file switch
            {
                { Extension: ".csproj" } => ProblemsOfProject(file),
                { Name: "Directory.Packages.props" } => Floating(file),
                { Name: "packages.lock.json" } => ProblemsOfNuGetLock(file, list),
                { Name: "package.json" } => ProblemsOfPackage(file),
                { Name: "package-lock.json" } => ProblemsOfNpmLock(file, list),
                _ => [],
            };
            foreach (var problem in problems) yield return $"{Path.GetRelativePath(root, file.FullName)}: {problem}";
        }
    }

    private static IEnumerable<FileInfo> OurFiles(DirectoryInfo directory) => directory.EnumerateFiles()
        .Concat(directory.EnumerateDirectories().Where(inner => !NotOurs.Contains(inner.Name, StringComparer.Ordinal)).SelectMany(OurFiles));

    private static IEnumerable<string> ProblemsOfProject(FileInfo project) =>
        (File.Exists(Path.Combine(project.DirectoryName!, "packages.lock.json")) ? [] : (string[])["has no packages.lock.json beside it"]).Concat(Floating(project));

    private static IEnumerable<string> Floating(FileInfo file) =>
        from element in XDocument.Load(file.FullName).Descendants()
        where element.Name.LocalName is "PackageReference" or "PackageVersion"
        from attribute in element.Attributes()
        where attribute.Name.LocalName is "Version" or "VersionOverride" && !Exact.IsMatch(attribute.Value)
        select $"{element.Attribute("Include")?.Value} floats: {attribute.Value}";

    private static IEnumerable<string> ProblemsOfNuGetLock(FileInfo file, AdvisoryList list)
    {
        var text = File.ReadAllText(file.FullName);
        if (text.Contains("://", StringComparison.Ordinal)) yield return "names the host of a registry";
        foreach (var (name, entry) in JsonNode.Parse(text)!["dependencies"]!.AsObject().SelectMany(framework => framework.Value!.AsObject()))
        {
            if ((string?)entry!["type"] is "Project") continue;
            if (entry["contentHash"] is null) yield return $"{name} has no hash";
            foreach (var problem in list.ProblemsOf("nuget", name, (string)entry["resolved"]!)) yield return problem;
        }
    }

    private static IEnumerable<string> ProblemsOfPackage(FileInfo file)
    {
        if (!File.Exists(Path.Combine(file.DirectoryName!, "package-lock.json"))) yield return "has no package-lock.json beside it";
        var json = JsonNode.Parse(File.ReadAllText(file.FullName))!;
        foreach (var (name, version) in ((string[])["dependencies", "devDependencies", "optionalDependencies", "overrides"]).SelectMany(kind => json[kind]?.AsObject() ?? []))
            if (!Exact.IsMatch((string)version!)) yield return $"{name} floats: {version}";
    }

    private static IEnumerable<string> ProblemsOfNpmLock(FileInfo file, AdvisoryList list)
    {
        foreach (var (path, entry) in JsonNode.Parse(File.ReadAllText(file.FullName))!["packages"]!.AsObject())
        {
            if (path is "") continue; // ourselves
            var name = (string?)entry!["name"] ?? path[(path.LastIndexOf("node_modules/", StringComparison.Ordinal) + "node_modules/".Length)..];
            if (((string?)entry["resolved"])?.Contains("://", StringComparison.Ordinal) is true) yield return $"{name} names the host of a registry";
            if (entry["integrity"] is null) yield return $"{name} has no hash";
            foreach (var problem in list.ProblemsOf("npm", name, (string)entry["version"]!)) yield return problem;
        }
    }

    private static void ProveOnPlantedTree(AdvisoryList list)
    {
        var tree = Directory.CreateTempSubdirectory("portvakt-planted-").FullName;
        try
        {
            // One project and one package for each advisory, because a lock file names a package once.
            foreach (var (index, advisory) in list.Advisories.Index())
            {
                var isNuGet = advisory.Ecosystem is "nuget";
                Plant($"{index}/{(isNuGet ? "packages" : "package")}{(isNuGet ? "." : "-")}lock.json", isNuGet
                    ? new JsonObject { ["dependencies"] = new JsonObject { ["net10.0"] = new JsonObject { [advisory.Package] = new JsonObject { ["resolved"] = advisory.FirstBad, ["contentHash"] = "x" } } } }
                    : new JsonObject { ["packages"] = new JsonObject { [$"node_modules/{advisory.Package}"] = new JsonObject { ["version"] = advisory.FirstBad, ["integrity"] = "x" } } });
            }
            Plant("hosts/packages.lock.json", new JsonObject { ["source"] = "https://registry.example/", ["dependencies"] = new JsonObject { ["net10.0"] = new JsonObject { ["NoHash"] = new JsonObject { ["resolved"] = "1.0.0" } } } });
            Plant("hosts/package-lock.json", new JsonObject { ["packages"] = new JsonObject { ["node_modules/elsewhere"] = new JsonObject { ["version"] = "1.0.0", ["resolved"] = "https://registry.example/elsewhere.tgz" } } });
            Plant("loose/package.json", new JsonObject { ["dependencies"] = new JsonObject { ["caret"] = "^1.0.0" } });
            File.WriteAllText(Path.Combine(tree, "loose", "Loose.csproj"), """<Project><ItemGroup><PackageReference Include="Star" Version="1.*" /></ItemGroup></Project>""");
            File.WriteAllText(Path.Combine(tree, "Directory.Packages.props"), """<Project><ItemGroup><PackageVersion Include="Span" Version="[1.0,2.0)" /></ItemGroup></Project>""");

            var expected = list.Advisories.Select(advisory => $"{advisory.Package} {advisory.FirstBad}: {advisory.Id}").Concat([
                "hosts/packages.lock.json: names the host", "NoHash has no hash", "elsewhere names the host", "elsewhere has no hash", "package.json: has no package-lock.json",
                "caret floats", "Loose.csproj: has no packages.lock.json", "Star floats", "Span floats"]);
            var found = string.Join('\n', ProblemsOf(tree, list)).Replace('\\', '/');
            if (expected.FirstOrDefault(problem => !found.Contains(problem, StringComparison.Ordinal)) is { } unseen)
                throw new RefusalException($"The dependency check is blind: it did not see what was planted, \"{unseen}\".");
            if (list.Advisories.FirstOrDefault(advisory => advisory.Affects(advisory.FirstGood)) is { } tooKeen)
                throw new RefusalException($"The dependency check sees ghosts: {tooKeen.Id} is repaired in {tooKeen.Package} {tooKeen.FirstGood}.");
        }
        finally
        {
            Directory.Delete(tree, recursive: true);
        }

        void Plant(string path, JsonNode json)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(tree, path))!);
            File.WriteAllText(Path.Combine(tree, path), json.ToJsonString());
        }
    }

    [GeneratedRegex(@"^\d+(\.\d+)+(-[0-9A-Za-z.-]+)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Exact { get; }

    private sealed record AdvisoryList(string AsOf, Advisory[] Advisories)
    {
        public IEnumerable<string> ProblemsOf(string ecosystem, string package, string version) => Advisories
            .Where(advisory => string.Equals(advisory.Ecosystem, ecosystem, StringComparison.Ordinal) && advisory.Package.Equals(package, StringComparison.OrdinalIgnoreCase) && advisory.Affects(version))
            .Select(advisory => $"{package} {version}: {advisory.Id}, {advisory.Note}");
    }

    /// <param name="Id">Number of the advisory.</param>
    /// <param name="Ecosystem"><c>nuget</c> or <c>npm</c>.</param>
    /// <param name="Package">Name of the package.</param>
    /// <param name="Affected">Ranges with <c>||</c> between them, limits with commas: <c>&gt;= 6.0.0, &lt; 6.0.10 || &gt;= 8.0.0, &lt; 8.0.5</c>.</param>
    /// <param name="Note">What it does, in a few words.</param>
    private sealed record Advisory(string Id, string Ecosystem, string Package, string Affected, string Note)
    {
        private IEnumerable<string[]> Ranges => Affected.Split("||").Select(range => range.Split(',', StringSplitOptions.TrimEntries));

        public string FirstBad => Ranges.First() is [['>', '=', .. var least], ..] ? least.Trim() : "0.0.1";

        /// <summary>The version after the newest range.</summary>
        public string FirstGood => Ranges.Last()[^1] is ['<', '=', .. var last] ? last.Trim() + ".1" : Ranges.Last()[^1][1..].Trim();

        public bool Affects(string version) => Ranges.Any(range => range.All(limit => limit switch
        {
            ['>', '=', .. var least] => Order(version, least) >= 0,
            ['<', '=', .. var last] => Order(version, last) <= 0,
            ['<', .. var end] => Order(version, end) < 0,
            _ => throw new RefusalException($"{Id} in tools/advisories.json has a limit that nobody understands: {limit}"),
        }));

        // Numbers as numbers; 1.0.0-rc.1 before 1.0.0; what follows "+" does not count.
        private static int Order(string left, string right)
        {
            var (a, b) = (Parts(left), Parts(right));
            for (var at = 0; at < Math.Max(a.Numbers.Length, b.Numbers.Length); at++)
            {
                var difference = a.Numbers.ElementAtOrDefault(at).CompareTo(b.Numbers.ElementAtOrDefault(at));
                if (difference != 0) return difference;
            }
            return (a.Preview, b.Preview) switch
            {
                ("", "") => 0,
                ("", _) => 1,
                (_, "") => -1,
                var (one, other) => string.CompareOrdinal(one, other),
            };
        }

        private static (int[] Numbers, string Preview) Parts(string version)
        {
            var parts = version.Trim().Split('+')[0].Split('-', 2);
            return ([.. parts[0].Split('.').Select(number => int.Parse(number, CultureInfo.InvariantCulture))], parts.ElementAtOrDefault(1) ?? "");
        }
    }
}
