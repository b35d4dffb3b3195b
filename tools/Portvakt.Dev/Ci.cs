using System.Diagnostics;

namespace Portvakt.Dev;

/// <summary>Strict at the door. The quick refusals come first.</summary>
public static class Ci
{
    public static async Task<int> RunAsync(Options options)
    {
        Environment.SetEnvironmentVariable("CI", "true"); // warnings are errors, lock files are law, nobody is asked
        var clock = Stopwatch.StartNew();
        await Step.DoAsync("Every project is in the solution", CheckSolutionAsync);
        await Step.DoAsync("Dependencies", Dependencies.CheckAsync);
        await Step.DoAsync("Whitespace", () => Tool.QuietAsync("dotnet", ["format", "whitespace", ".", "--folder", "--verify-no-changes", "--exclude", "artifacts", "data", .. Npm.Packages.Select(package => $"{package}/node_modules")]));

        var before = await StateOfTreeAsync();
        await Npm.InstallAndBuildAsync();
        await Step.DoAsync("Types of the phone app", () => Tool.QuietAsync(Npm.Program, ["run", "check", "--silent"], Repo.Path("src/phone")));
        await Step.DoAsync("Release build, strict", () => Tool.QuietAsync("dotnet", ["build", Repo.Solution, "-c", "Release", "--nologo", "-v", "quiet"]));
        await Step.DoAsync("Code style", () => Tool.QuietAsync("dotnet", ["format", "style", Repo.Solution, "--verify-no-changes", "--no-restore"]));
        await Step.DoAsync("Generated files are up to date", async () =>
        {
            var after = await StateOfTreeAsync();
            if (before != after) throw new RefusalException($"The build changed files that are committed; commit what it made:\n{after.Status}");
        });

        var tally = await Tests.RunAsync(Tests.Projects(), "Release", filter: null, withPhone: true);
        if (Bench.Project("phone") is not null && await Bench.RunAsync("phone", "--gate", "--quick") is not 0) throw new RefusalException("A figure of the phone app is worse than its gate.");
        if (await Bench.RunAsync("cost", "--gate") is not 0) throw new RefusalException("An operation costs more than a quarter more than it did.");
        Console.WriteLine($"All of it took {clock.Elapsed.TotalMinutes:0.0} minutes.");
        Console.WriteLine(tally);
        return tally.ExitCode;
    }

    private static async Task CheckSolutionAsync()
    {
        var listed = await File.ReadAllTextAsync(Repo.Solution);
        var missing = ((string[])["src", "tests", "samples", "bench", "tools"]).Select(Repo.Path).Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFiles(directory, "*.csproj", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Repo.Root, file).Replace('\\', '/'))
            .Where(file => !listed.Contains($"\"{file}\"", StringComparison.Ordinal)).ToArray();
        if (missing.Length > 0) throw new RefusalException($"Not in the solution, hence not built here. Add with: dotnet sln Portvakt.slnx add {string.Join(' ', missing)}");
    }

    private static async Task<(string Status, string Changes)> StateOfTreeAsync() =>
        ((await Tool.RunAsync("git", ["status", "--porcelain"])).Output, (await Tool.RunAsync("git", ["diff"])).Output);
}
