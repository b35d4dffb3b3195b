namespace Portvakt.Dev;

/// <summary>Measurements: <c>bench phone</c> is the project bench/Portvakt.Bench.Phone, and so on.</summary>
public static class Bench
{
    public static Task<int> RunAsync(Options options) => RunAsync(options.Words[0], [.. options.Words.Skip(1)]);

    public static async Task<int> RunAsync(string what, params string[] arguments)
    {
        if (Project(what) is not { } project) throw new RefusalException($"There is no measurement \"{what}\" in bench/.", 2);
        await Npm.InstallAndBuildAsync();
        if (what is "peers") await Npm.InstallAsync("bench/Peers/oidc-provider");
        if (what is "cost" or "peers")
        {
            // What an operator installs (docs/operating/install.md), and not what a build leaves behind: it starts compiled.
            var server = Repo.Path("artifacts/server");
            await Step.DoAsync("Publishing the server", () => Tool.QuietAsync("dotnet", ["publish", "src/Portvakt.Server", "-c", "Release", "-p:For=linux-x64", "-o", server, "--nologo", "-v", "quiet"]));
            Environment.SetEnvironmentVariable("PORTVAKT_PUBLISHED", Path.Combine(server, "portvakt.dll"));
        }

        return await Tool.LoudAsync("dotnet", ["run", "--project", project, "-c", "Release", "--", .. arguments]);
    }

    public static string? Project(string what)
    {
        var bench = new DirectoryInfo(Repo.Path("bench"));
        return bench.Exists ? bench.GetDirectories().FirstOrDefault(project => project.Name.Equals($"Portvakt.Bench.{what}", StringComparison.OrdinalIgnoreCase))?.FullName : null;
    }
}
