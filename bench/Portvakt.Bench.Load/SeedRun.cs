using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portvakt.Bench.Actors;
using Portvakt.Server;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Testing;

namespace Portvakt.Bench.Load;

/// <summary><c>seed</c>: a database with so many people and their past, to try things on. Says how many rows and bytes that are.</summary>
internal static class SeedRun
{
    /// <summary>Up to so many rows the chain is verified at once, so that nobody builds on a broken one.</summary>
    private const int VerifiedAtOnce = 500_000;

    public static async Task<int> RunAsync(string[] said)
    {
        var arguments = new Arguments(said, "--people N", "--database sqlite|postgres", "--into DIR_OR_CONNECTION", "--master-key FILE", "--most-audit-rows N");
        var into = arguments["--into"] ?? throw new UsageException("--into says where: a directory for SQLite, postgres://… or Host=… for PostgreSQL.");
        var isPostgres = arguments["--database"] is "postgres" || into.StartsWith("postgres://", StringComparison.Ordinal) || into.Contains("Host=", StringComparison.OrdinalIgnoreCase);
        var census = new Census(arguments.Count("--people", 1000), Players: 0, MostAuditRows: arguments.Count("--most-audit-rows", 5_000_000));
        var data = isPostgres ? Path.GetFullPath("artifacts/seed") : Path.GetFullPath(into);
        Directory.CreateDirectory(data);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PublicAddress"] = "http://localhost:5080",
            ["Organisation"] = "Eksempel kommune",
            ["DataDirectory"] = data,
            ["PushContact"] = "mailto:it@eksempel.kommune.no",
            ["MasterKeyFile"] = arguments["--master-key"] is { } key ? Path.GetFullPath(key) : Path.Combine(data, "master.key"),
        };
        if (isPostgres) settings["Database"] = into;
        await using var app = PortvaktHost.Build([.. settings.Select(setting => $"--Portvakt:{setting.Key}={setting.Value}")], builder => builder.Logging.ClearProviders());
        app.Services.GetRequiredService<Vault>(); // made while the database is new
        await Database.MigrateAsync(app.Services, CancellationToken.None);
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        if (await db.People.AnyAsync()) throw new UsageException("There are people already; seed only fills a new database.");

        var clock = Stopwatch.StartNew();
        await using var push = await FakePushService.StartAsync(TimeProvider.System); // nobody plays, so nobody is rung
        var connection = isPostgres ? Database.PostgresConnection(into) : new SqliteConnectionStringBuilder { DataSource = Path.Combine(data, "portvakt.db") }.ConnectionString;
        var population = new Population(app.Services, connection, new KeyRing(), new Site(null!, settings["PublicAddress"], "", push), census);
        await population.SettleAsync();
        Console.WriteLine($"{census.People} people in {clock.Elapsed.TotalSeconds:0} s, with at most {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:0} MB of memory.");
        await PrintAsync(db, population.Written, census.People);
        if (population.Written.GetValueOrDefault("audit_events") <= VerifiedAtOnce)
        {
            var verdict = await app.Services.GetRequiredService<AuditChain>().VerifyAsync(null, CancellationToken.None);
            Console.WriteLine(verdict.IsWhole ? $"The audit chain is whole: {verdict.Rows} rows." : $"The audit chain is broken: {verdict.Faults[0].Sentence}");
            if (!verdict.IsWhole) return 1;
        }
        else
        {
            Console.WriteLine("The audit chain was made by the rules and not verified here: `portvakt audit verify` does.");
        }

        SqliteConnection.ClearAllPools();
        return 0;
    }

    /// <summary>Rows and bytes of each table, bytes with indexes.</summary>
    public static async Task PrintAsync(PortvaktDb db, IReadOnlyDictionary<string, long> written, int people)
    {
        var (bytes, all) = (await Rows.BytesAsync(db), await Rows.AllBytesAsync(db));
        Console.WriteLine($"{"table",-22}{"rows",12}{"MB",10}{"bytes a row",14}{"rows a person",16}");
        foreach (var (table, rows) in written)
        {
            var (megabytes, each) = bytes.TryGetValue(table, out var size) ? ($"{size / 1e6:0.0}", $"{size / (double)rows:0}") : ("–", "–");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{table,-22}{rows,12}{megabytes,10}{each,14}{rows / (double)people,16:0.00}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"the whole database",-22}{written.Values.Sum(),12}{all / 1e6,10:0.0}{"",14}{all / (double)people,16:0} bytes a person"));
    }
}
