namespace Portvakt.Dev;

/// <summary>Measurements: <c>bench phone</c> is the project bench/Portvakt.Bench.Phone, and so on.</summary>
public static class Bench
{
    public static Task<int> RunAsync(Options options) => RunAsync(options.Words[0], [.. options.Words.Skip(1)]);

    public static async Task<int> RunAsync(string what, params string[] arguments)
    {
        if (what is "wake")
        {
            // Two nodes need what lies between them.
            await using var postgres = await Postgres.StartAsync();
            await using var redis = await Redis.StartAsync();
            Environment.SetEnvironmentVariable("PORTVAKT_TEST_POSTGRES", postgres.ConnectionString);
            Environment.SetEnvironmentVariable("PORTVAKT_TEST_REDIS", redis.Configuration);
            return await RunAsync("cost", ["--wake", .. arguments]);
        }

        if (Project(what) is not { } project) throw new RefusalException($"There is no measurement \"{what}\" in bench/.", 2);
        await Npm.InstallAndBuildAsync();
        return await Tool.LoudAsync("dotnet", ["run", "--project", project, "-c", "Release", "--", .. arguments]);
    }

    public static string? Project(string what)
    {
        var bench = new DirectoryInfo(Repo.Path("bench"));
        return bench.Exists ? bench.GetDirectories().FirstOrDefault(project => project.Name.Equals($"Portvakt.Bench.{what}", StringComparison.OrdinalIgnoreCase))?.FullName : null;
    }
}
