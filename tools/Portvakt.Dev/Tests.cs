using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Portvakt.Dev;

/// <summary>Every test there is: the projects under tests/ and the tests of the phone app.</summary>
public static class Tests
{
    private const string EndToEnd = "Portvakt.EndToEnd.Tests";

    public static async Task<int> RunAsync(Options options)
    {
        await BuildAsync();
        var tally = await RunAsync([.. Projects().Where(name => !options.Has("--no-browser") || name is not EndToEnd)], "Debug", options["--filter"], withPhone: true);
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    /// <summary>One end-to-end test takes a picture of each screen when it is told where to put it.</summary>
    public static async Task<int> TakeScreenshotsAsync(Options options)
    {
        var pictures = Directory.CreateDirectory(options.Words is [var directory] ? directory : Repo.Path("artifacts/screenshots")).FullName;
        Environment.SetEnvironmentVariable("PORTVAKT_SCREENSHOTS", pictures);
        await BuildAsync();
        var tally = await RunAsync([EndToEnd], "Debug", filter: "Pictures of every screen", withPhone: false);
        Console.WriteLine($"Pictures: {pictures}");
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    /// <summary>One end-to-end test walks what the guides show; told where to put them, it keeps the pictures it took and makes HTML and PDF of each guide.</summary>
    public static async Task<int> MakeGuidesAsync(Options options)
    {
        var guides = Directory.CreateDirectory(options.Words is [var directory] ? directory : Repo.Path("artifacts/guides")).FullName;
        Environment.SetEnvironmentVariable("PORTVAKT_GUIDES", guides);
        await BuildAsync();
        var tally = await RunAsync([EndToEnd], "Debug", filter: "Every step of every guide", withPhone: false);
        Console.WriteLine($"Guides: {guides}");
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    /// <summary>One end-to-end test compares pictures of the style page with those that were approved, or approves them.</summary>
    public static async Task<int> CompareLooksAsync(Options options)
    {
        var folder = Directory.CreateDirectory(options.Words is [var directory] ? directory : Repo.Path("artifacts/looks")).FullName;
        Environment.SetEnvironmentVariable("PORTVAKT_LOOKS", folder);
        if (options.Has("--approve")) Environment.SetEnvironmentVariable("PORTVAKT_LOOKS_APPROVE", "yes");
        await BuildAsync();
        var tally = await RunAsync([EndToEnd], "Debug", filter: "The style page looks", withPhone: false);
        Console.WriteLine($"Report: {Path.Combine(folder, "index.html")}");
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    /// <summary>The end-to-end tests that look at screens do so in every mode, and leave a report. What the accessibility statement is made of goes to its place when nothing was found.</summary>
    public static async Task<int> JudgeAccessibilityAsync(Options options)
    {
        var report = Directory.CreateDirectory(options.Words is [var directory] ? directory : Repo.Path("artifacts/accessibility")).FullName;
        foreach (var part in Directory.EnumerateFiles(report, "part-*.json")) File.Delete(part); // of an earlier run
        Environment.SetEnvironmentVariable("PORTVAKT_ACCESSIBILITY", report);
        await BuildAsync();
        var tally = await RunAsync([EndToEnd], "Debug", filter: "can be used by everybody", withPhone: false);
        if (tally.ExitCode is 0) File.Copy(Path.Combine(report, "accessibility.json"), Repo.Path("src/Portvakt.Server/Resources/accessibility.json"), overwrite: true);
        Console.WriteLine($"Report: {Path.Combine(report, "index.html")}");
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    /// <summary>The test projects, quick ones first: the end-to-end tests come last.</summary>
    public static string[] Projects() => [.. Directory.EnumerateDirectories(Repo.Path("tests"), "*.Tests").Select(directory => Path.GetFileName(directory))
        .OrderBy(name => name is EndToEnd).ThenBy(name => name, StringComparer.Ordinal)];

    /// <summary>Runs what is built already. Failures are shown as they come and once more, in short, at the end.</summary>
    public static async Task<Tally> RunAsync(string[] names, string configuration, string? filter, bool withPhone, TimeSpan? limit = null)
    {
        await DebianPackages.NeedAsync(withBrowser: names.Contains(EndToEnd, StringComparer.Ordinal));
        await using var postgres = await Postgres.StartAsync();
        Environment.SetEnvironmentVariable("PORTVAKT_TEST_POSTGRES", postgres.ConnectionString);
        await using var redis = await Redis.StartAsync();
        Environment.SetEnvironmentVariable("PORTVAKT_TEST_REDIS", redis.Configuration);

        var tally = withPhone ? await PhoneAsync(filter) : Tally.None;
        foreach (var name in names) tally += await ProjectAsync(name, configuration, filter, limit);

        if (tally.Failures.Length > 0) Console.WriteLine("\nFailed:\n" + string.Join('\n', tally.Failures.Select(failure => "  " + failure)));
        if (tally is { Passed: 0, Failed: 0 }) Console.WriteLine(filter is null ? "No test ran." : $"No test has \"{filter}\" in its name.");
        return tally;
    }

    private static async Task BuildAsync()
    {
        await Npm.InstallAndBuildAsync();
        await Step.DoAsync("Building everything", () => Tool.QuietAsync("dotnet", ["build", Repo.Solution, "-c", "Debug", "--nologo", "-v", "quiet"]));
    }

    private static async Task<Tally> ProjectAsync(string name, string configuration, string? filter, TimeSpan? limit)
    {
        var report = Files.Fresh($"artifacts/tests/{name}.json");
        string[] arguments = [Repo.Path($"tests/{name}/bin/{configuration}/net10.0/{name}.dll"), "-noLogo", "-noColor", "-noAutoReporters", "-reporter", "quiet", "-result-ctrf", report];
        if (filter is not null) arguments = [.. arguments, "-method", $"*{filter.Replace(' ', '_')}*"]; // the full name: class and method

        var clock = Stopwatch.StartNew();
        var exitCode = await Tool.LoudAsync("dotnet", ["exec", .. arguments], Repo.Path($"tests/{name}"), limit ?? TimeSpan.FromMinutes(20));
        var tally = File.Exists(report) ? Read(JsonNode.Parse(await File.ReadAllTextAsync(report))!["results"]!) : Tally.None;
        if (exitCode != 0 && tally.Failed == 0) tally += new Tally(0, 1, 0, [$"{name} ended with exit code {exitCode}, although no test says that it failed"]);
        if (filter is null || tally.Passed + tally.Failed > 0) Report(name, tally, clock);
        return tally;
    }

    private static Tally Read(JsonNode results)
    {
        var failures = results["tests"]!.AsArray().Where(test => (string?)test!["status"] is "failed")
            .Select(test => $"{(string?)test!["name"]}: {((string?)test["message"] ?? "").Split('\n')[0]}");
        // A fixture that fails while cleaning up belongs to no test, and is a failure all the same.
        var errors = (results["extra"]?["suites"]?.AsArray() ?? []).SelectMany(suite => suite?["errors"]?.AsArray() ?? []).Select(error => $"outside a test: {error}").ToArray();
        var summary = results["summary"]!;
        return new((int)summary["passed"]!, (int)summary["failed"]! + errors.Length, (int)summary["skipped"]!, [.. failures, .. errors]);
    }

    private static async Task<Tally> PhoneAsync(string? filter)
    {
        var clock = Stopwatch.StartNew();
        string[] arguments = filter is null ? ["test", "--silent"] : ["test", "--silent", "--", $"--test-name-pattern={Regex.Escape(filter)}"];
        var result = await Tool.RunAsync(Npm.Program, arguments, Repo.Path("src/phone"), limit: TimeSpan.FromMinutes(5));
        int Count(string what) => Regex.Match(result.Output, $@"^(?:#|ℹ) {what} (\d+)", RegexOptions.Multiline, TimeSpan.FromSeconds(1)) is { Success: true } line
            ? int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture) : 0;

        var failed = Count("fail") + Count("cancelled");
        if (result.ExitCode != 0 || failed > 0) Console.WriteLine(result.Output);
        // Node counts what the filter left out as skipped; we do not.
        var tally = new Tally(Count("pass"), failed, filter is null ? Count("skipped") + Count("todo") : 0, failed > 0 ? [$"src/phone: {failed} of its tests, shown above"] : []);
        if (result.ExitCode != 0 && failed == 0) tally += new Tally(0, 1, 0, [$"src/phone: npm test ended with exit code {result.ExitCode}"]);
        Report("src/phone", tally, clock);
        return tally;
    }

    private static void Report(string name, Tally tally, Stopwatch clock) => Console.WriteLine($"  {name}: {tally} ({clock.Elapsed.TotalSeconds:0.0} s)");
}
