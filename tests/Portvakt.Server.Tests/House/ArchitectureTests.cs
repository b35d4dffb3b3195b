using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>Who may know whom: the tables of ARCHITECTURE.md, held against the code, so that the drawing cannot rot.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Assembly Server = typeof(PortvaktHost).Assembly;
    private static readonly string Root = PortvaktServer.Repository();

    [Theory]
    [InlineData("Portvakt.Domain", new string[0], new string[0])]
    [InlineData("Portvakt.WebAuthn", new string[0], new[] { "System.Formats.Cbor" })]
    [InlineData("Portvakt.WebPush", new string[0], new string[0])]
    [InlineData("Portvakt.Server", new[] { "Portvakt.Domain", "Portvakt.WebAuthn", "Portvakt.WebPush" }, null)]
    public void A_project_references_what_its_row_allows(string name, string[] projects, string[]? packages)
    {
        var project = XDocument.Load(Path.Combine(Root, "src", name, $"{name}.csproj"));
        Assert.Equal(projects.Order(), project.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!)).Order());
        Assert.Empty(project.Descendants("FrameworkReference"));
        if (packages is not null) Assert.Equal(packages, project.Descendants("PackageReference").Select(reference => (string)reference.Attribute("Include")!));
    }

    [Theory]
    [InlineData(typeof(SignInSteps))]
    [InlineData(typeof(WebAuthn.Assertion))]
    [InlineData(typeof(WebPush.PushSender))]
    public void The_heart_and_the_standards_need_the_base_class_library_and_nothing_else(Type inside) =>
        Assert.All(inside.Assembly.GetReferencedAssemblies(), reference => Assert.True(
            reference.Name!.StartsWith("System.", StringComparison.Ordinal) || reference.Name is "System" or "netstandard", $"{inside.Assembly.GetName().Name} references {reference.Name}"));

    [Fact]
    public void The_heart_does_no_input_or_output_and_reads_no_clock()
    {
        string[] forbidden = ["System.IO", "System.Net", "System.Threading.Tasks", "System.Diagnostics", "System.Timers"];
        foreach (var type in typeof(SignInSteps).Assembly.GetTypes())
        {
            var used = Uses.TypesOf(type).Where(use => forbidden.Any(name => use.Namespace == name || use.Namespace?.StartsWith(name + ".", StringComparison.Ordinal) is true) && use.Namespace != "System.Diagnostics.CodeAnalysis");
            Assert.True(!used.Any(), $"{type} uses {string.Join(", ", used)}");
            Assert.DoesNotContain(Uses.MembersOf(type), member => member.Name is "get_UtcNow" or "get_Now" or "get_System" or "NewGuid");
        }
    }

    [Fact]
    public void A_folder_of_the_server_uses_only_the_folders_of_its_row()
    {
        var allowed = TableOfArchitecture();
        var common = allowed["all"];
        var broken = new SortedSet<string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var type in Server.GetTypes())
        {
            if (FolderOf(type) is not { Length: > 0 } folder || folder is "Commands") continue;
            folders.Add(folder);
            foreach (var use in Uses.TypesOf(type))
            {
                if (FolderOf(use) is not { } other || other == folder || common.Contains(other) || (allowed.TryGetValue(folder, out var row) && row.Contains(other))) continue;
                broken.Add($"{folder} → {(other.Length > 0 ? other : "the root")}: {type.FullName} uses {use.FullName}");
            }
        }

        Assert.True(broken.Count is 0, string.Join('\n', broken));
        Assert.Equal(folders.Except(common).Order(), allowed.Keys.Except(["all"]).Order());
    }

    [Fact]
    public void A_source_file_opens_only_the_namespaces_that_its_folder_may_use()
    {
        // The instructions do not show a constant that was folded in; the directive does.
        var allowed = TableOfArchitecture();
        var broken = from file in Sources("*.cs")
                     let folder = FolderOf(file)
                     where folder.Length > 0 && folder is not "Commands"
                     from Match use in FolderName().Matches(File.ReadAllText(file))
                     let other = use.Groups[1].Value
                     where other != folder && !allowed["all"].Contains(other) && !(allowed.TryGetValue(folder, out var row) && row.Contains(other))
                     select $"{Path.GetRelativePath(Root, file)} names {use.Value}";
        Assert.Empty(broken);
    }

    [Fact]
    public void No_folder_is_used_in_a_circle()
    {
        var arrows = TableOfArchitecture();
        arrows.Remove("all");
        while (arrows.Count > 0)
        {
            var ends = arrows.Where(row => !row.Value.Any(arrows.ContainsKey)).Select(row => row.Key).ToList();
            Assert.True(ends.Count > 0, $"A circle among {string.Join(", ", arrows.Keys)}");
            foreach (var end in ends) arrows.Remove(end);
        }
    }

    [Fact]
    public void Only_the_session_issuer_makes_sessions_and_sets_their_cookie()
    {
        Assert.Equal([typeof(SessionIssuer)], Server.GetTypes().Where(type => Uses.MembersOf(type).Any(member => member is ConstructorInfo && member.DeclaringType == typeof(Session))).Select(Outermost).Distinct());

        // The closed list of who sets which cookie; the framework sets the one of the forms.
        var set = from file in Sources("*.cs")
                  from Match append in CookieAppend().Matches(File.ReadAllText(file))
                  select $"{Path.GetFileNameWithoutExtension(file)}: {append.Groups[1].Value}";
        Assert.Equal(["AuthorizeEndpoint: Localisation.CookieName", "Caller: Name", "Localisation: CookieName", "PhoneHint: Name", "SessionIssuer: SessionStore.CookieName"], set.Order(StringComparer.Ordinal));
        Assert.Single(Sources("*.cs*"), file => File.ReadAllText(file).Contains($"\"{SessionStore.CookieName}\"", StringComparison.Ordinal));
        Assert.DoesNotContain(Sources("*.cs*"), file => File.ReadAllText(file) is var text && (text.Contains("Headers.SetCookie", StringComparison.Ordinal) || text.Contains("\"Set-Cookie\"", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void Only_the_journey_asks_the_rule_what_comes_next() =>
        Assert.Equal([typeof(SignInJourney)], Server.GetTypes().Where(type => Uses.MembersOf(type).Any(member => member.DeclaringType == typeof(SignInSteps) && member.Name is nameof(SignInSteps.Next))).Select(Outermost).Distinct());

    [Fact]
    public void The_engine_of_OpenID_Connect_is_known_in_one_folder() =>
        Assert.Equal(["OpenIdConnect"], Server.GetTypes().Where(type => Uses.TypesOf(type).Any(use => use.Namespace?.StartsWith("OpenIddict", StringComparison.Ordinal) is true)).Select(type => FolderOf(type)!).Distinct());

    [Fact]
    public void The_client_of_the_backplane_is_known_in_one_class() =>
        Assert.Equal([typeof(Hosting.Backplane)], Server.GetTypes().Where(type => Uses.TypesOf(type).Any(use => use.Namespace?.StartsWith("StackExchange.Redis", StringComparison.Ordinal) is true)).Select(Outermost).Distinct());

    [Fact]
    public void Where_measurements_are_sent_is_known_in_one_class() =>
        Assert.Equal([typeof(Hosting.Telemetry)], Server.GetTypes().Where(type => Uses.TypesOf(type).Any(use => use.Namespace?.StartsWith("OpenTelemetry", StringComparison.Ordinal) is true)).Select(Outermost).Distinct());

    [Fact]
    public void Banned_symbols_are_wired_and_each_names_something_real()
    {
        var props = XDocument.Load(Path.Combine(Root, "Directory.Build.props"));
        Assert.Contains(props.Descendants("PackageReference"), reference => (string?)reference.Attribute("Include") is "Microsoft.CodeAnalysis.BannedApiAnalyzers");
        var file = Assert.Single(props.Descendants("AdditionalFiles"), item => ((string?)item.Attribute("Include"))!.EndsWith("BannedSymbols.txt", StringComparison.Ordinal));
        Assert.Equal("'$(IsTestProject)' != 'true'", (string?)file.Attribute("Condition")); // tests may read a clock, the product never
        Assert.Contains(props.Descendants("TreatWarningsAsErrors"), setting => setting.Value is "true");
        string[] places = [File.ReadAllText(Path.Combine(Root, ".editorconfig")), props.ToString(), .. Sources("*.cs").Concat(Sources("*.csproj")).Select(File.ReadAllText)];
        Assert.All(places, place => Assert.DoesNotContain("RS0030", place, StringComparison.Ordinal)); // nobody has switched it off

        var lines = File.ReadAllLines(Path.Combine(Root, "BannedSymbols.txt"));
        Assert.NotEmpty(lines);
        Assert.All(lines, line =>
        {
            var (id, reason) = (line.Split(';')[0], line.Split(';', 2)[1]);
            Assert.True(reason.Length > 10, $"{id} has no reason");
            var name = id[2..].Split('(')[0];
            var type = Find(id[0] is 'T' ? name : name[..name.LastIndexOf('.')]);
            Assert.True(type is not null && (id[0] is 'T' || type.GetMembers().Any(member => IdOf(member) == id)), $"{id} is nothing: the ban does not hold");
        });
    }

    private static Type? Find(string name) => AppDomain.CurrentDomain.GetAssemblies().Append(typeof(Enumerable).Assembly).Select(assembly => assembly.GetType(name)).FirstOrDefault(type => type is not null);

    /// <summary>The documentation id (C# specification, annex D) of a property or method.</summary>
    private static string IdOf(MemberInfo member)
    {
        var name = $"{member.DeclaringType!.FullName}.{member.Name}";
        if (member is PropertyInfo) return $"P:{name}";
        if (member is not MethodInfo method) return "";
        var parameters = method.GetParameters().Select(parameter => IdOf(parameter.ParameterType)).ToList();
        return $"M:{name}{(method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "")}{(parameters.Count > 0 ? $"({string.Join(',', parameters)})" : "")}";
    }

    private static string IdOf(Type type) =>
        type.IsGenericMethodParameter ? $"``{type.GenericParameterPosition}"
        : type.IsConstructedGenericType ? $"{type.GetGenericTypeDefinition().FullName!.Split('`')[0]}{{{string.Join(',', type.GetGenericArguments().Select(IdOf))}}}"
        : type.FullName ?? type.Name;

    /// <summary>The rows of the table in ARCHITECTURE.md: a folder and the folders it may use.</summary>
    private static Dictionary<string, HashSet<string>> TableOfArchitecture()
    {
        var rows = File.ReadAllLines(Path.Combine(Root, "ARCHITECTURE.md")).SkipWhile(line => !line.StartsWith("| Folder |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        var table = rows.Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToDictionary(
            cells => cells[1], cells => cells[2] is "–" ? [] : cells[2].Split(", ").ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.True(table.Count > 5);
        return table;
    }

    /// <summary>The folder of a type of the server; empty for its root, null for types of others. Pages are compiled into names like <c>SignIn_Password</c>.</summary>
    private static string? FolderOf(Type type)
    {
        var outer = Outermost(type);
        if (outer.Assembly != Server) return null;
        if (outer.Namespace is "AspNetCoreGeneratedDocument") return outer.Name.Split('_')[0];
        if (outer.Namespace?.StartsWith("Portvakt.Server", StringComparison.Ordinal) is not true) return null; // made by the compiler for everybody
        return outer.Namespace.Split('.') is [_, _, var folder, ..] ? folder : "";
    }

    private static string FolderOf(string file) => Path.GetRelativePath(Path.Combine(Root, "src", "Portvakt.Server"), file).Split(Path.DirectorySeparatorChar) is [var folder, _, ..] ? folder : "";

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static IEnumerable<string> Sources(string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Root, "src", "Portvakt.Server"), pattern, SearchOption.AllDirectories).Where(file => !BuildOutput().IsMatch(file));

    [GeneratedRegex(@"\bPortvakt\.Server\.([A-Z]\w+)")]
    private static partial Regex FolderName();

    [GeneratedRegex(@"Cookies\.Append\(([\w.]+),")]
    private static partial Regex CookieAppend();

    [GeneratedRegex(@"[\\/](bin|obj|node_modules|Migrations)[\\/]")]
    private static partial Regex BuildOutput();
}
