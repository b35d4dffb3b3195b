using System.Text.RegularExpressions;

namespace Portvakt.Dev;

/// <summary>One model, two databases: a change of the model is a migration for each, made together.</summary>
public static partial class Migration
{
    public static async Task<int> RunAsync(Options options)
    {
        var name = options.Words[0];
        if (!ClassName.IsMatch(name)) throw new RefusalException($"A migration is named like a class: AddWaves, not \"{name}\".", 2);
        await Step.DoAsync("Fetching dotnet-ef", () => Tool.QuietAsync("dotnet", ["tool", "restore"]));
        await Step.DoAsync("Building the server", () => Tool.QuietAsync("dotnet", ["build", "src/Portvakt.Server", "-c", "Debug", "--nologo", "-v", "quiet"]));
        foreach (var database in (string[])["Sqlite", "Postgres"])
        {
            await Step.DoAsync($"{name} for {database}", () => Tool.QuietAsync("dotnet", ["ef", "migrations", "add", name, "--no-build",
                "--project", "src/Portvakt.Server", "--context", $"{database}PortvaktDb", "--output-dir", $"Data/Migrations/{database}"]));
        }
        return 0;
    }

    [GeneratedRegex("^[A-Z][A-Za-z0-9]+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ClassName { get; }
}
