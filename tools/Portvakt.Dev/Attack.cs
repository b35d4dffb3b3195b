namespace Portvakt.Dev;

/// <summary>Attacks that have happened to others, replayed in full size against the whole server, on both databases. The tests run them in a small one.</summary>
public static class Attack
{
    public static async Task<int> RunAsync(Options options)
    {
        var figures = Files.Fresh("artifacts/attacks.txt");
        Environment.SetEnvironmentVariable("PORTVAKT_ATTACK_FIGURES", figures);
        await Step.DoAsync("Building the server's tests", () => Tool.QuietAsync("dotnet", ["build", "tests/Portvakt.Server.Tests", "-c", "Release", "--nologo", "-v", "quiet"]));
        var tally = await Tests.RunAsync(["Portvakt.Server.Tests"], "Release", filter: "AttackReplays", withPhone: false, TimeSpan.FromHours(1)); // a million guesses on each database
        if (File.Exists(figures)) Console.Write(await File.ReadAllTextAsync(figures));
        Console.WriteLine(tally);
        return tally.ExitCode;
    }
}
