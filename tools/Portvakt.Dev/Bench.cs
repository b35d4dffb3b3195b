namespace Portvakt.Dev;

/// <summary>Measurements: <c>bench phone</c> is the project bench/Portvakt.Bench.Phone, and so on.</summary>
public static class Bench
{
    /// <summary>All that has a bound, in the order in which it was said.</summary>
    private static readonly string[] All = ["cost", "storm", "peers", "wake", "growth"];

    public static async Task<int> RunAsync(Options options)
    {
        if (options.Words is ["--short"]) return await RunAsync("cost", "--gate"); // what CI holds
        if (options.Words is [var what, .. var rest]) return await RunAsync(what, [.. rest]);
        var missed = false;
        foreach (var each in All) missed |= await RunAsync(each) is not 0;
        return missed ? 1 : 0;
    }

    public static async Task<int> RunAsync(string what, params string[] arguments)
    {
        if (what is "wake" or "storm") (what, arguments) = ("cost", [$"--{what}", .. arguments]); // the same people, on two nodes or in a crowd
        // Three measurements of many people are one program.
        if (what is "load" or "seed" or "growth") (what, arguments) = ("load", [what, .. arguments]);
        if (Project(what) is not { } project) throw new RefusalException($"There is no measurement \"{what}\" in bench/.", 2);
        await Npm.InstallAndBuildAsync();
        if (what is "peers") await Npm.InstallAsync("bench/Peers/oidc-provider");
        if (what is "cost" or "peers" || arguments is ["load" or "growth", ..])
        {
            // What an operator installs (docs/operating/install.md), and not what a build leaves behind: it starts compiled.
            var server = Repo.Path("artifacts/server");
            await Step.DoAsync("Publishing the server", () => Tool.QuietAsync("dotnet", ["publish", "src/Portvakt.Server", "-c", "Release", "-p:For=linux-x64", "-o", server, "--nologo", "-v", "quiet"]));
            Environment.SetEnvironmentVariable("PORTVAKT_PUBLISHED", Path.Combine(server, "portvakt.dll"));
        }

        await using var postgres = NeedsPostgres(arguments) ? await Postgres.StartAsync(durable: true) : null;
        if (postgres is not null) Environment.SetEnvironmentVariable("PORTVAKT_TEST_POSTGRES", postgres.ConnectionString);
        await using var redis = NeedsRedis(arguments) ? await Redis.StartAsync() : null;
        if (redis is not null) Environment.SetEnvironmentVariable("PORTVAKT_TEST_REDIS", redis.Configuration);
        return await Tool.LoudAsync("dotnet", ["run", "--project", project, "-c", "Release", "--", .. arguments]);
    }

    public static string? Project(string what)
    {
        var bench = new DirectoryInfo(Repo.Path("bench"));
        return bench.Exists ? bench.GetDirectories().FirstOrDefault(project => project.Name.Equals($"Portvakt.Bench.{what}", StringComparison.OrdinalIgnoreCase))?.FullName : null;
    }

    /// <summary>Seeding fills a database that somebody named; the other two bring their own.</summary>
    private static bool NeedsPostgres(string[] arguments) => arguments switch
    {
        ["growth", .. var rest] => !Says(rest, "--database", "sqlite"),
        ["load", .. var rest] => Says(rest, "--database", "postgres") || NeedsRedis(arguments),
        ["--wake", ..] => true,
        _ => false,
    };

    /// <summary>Several nodes have a backplane.</summary>
    private static bool NeedsRedis(string[] arguments) =>
        arguments is ["--wake", ..]
        || (arguments is ["load", .. var rest] && (rest.Contains("--monday", StringComparer.Ordinal) || (rest.Any(word => word.StartsWith("--nodes", StringComparison.Ordinal)) && !Says(rest, "--nodes", "1"))));

    private static bool Says(string[] words, string option, string value) =>
        words.Contains($"{option}={value}", StringComparer.Ordinal) || words.Zip(words.Skip(1)).Any(pair => pair == (option, value));
}
