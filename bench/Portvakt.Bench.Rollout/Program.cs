// What 100,000 people cost: the board, and the import of their file. On SQLite, and on PostgreSQL when PORTVAKT_TEST_POSTGRES says where one is.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portvakt.Bench.Rollout;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server;
using Portvakt.Server.Administration;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

const int People = 100_000;
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
using var statements = new Statements();
using var listening = DiagnosticListener.AllListeners.Subscribe(statements);
await MeasureAsync("SQLite", null);
if (Environment.GetEnvironmentVariable("PORTVAKT_TEST_POSTGRES") is { Length: > 0 } server)
{
    var name = $"portvakt_bench_{Environment.ProcessId}";
    await AdministerAsync(server, $"CREATE DATABASE {name}");
    try
    {
        await MeasureAsync("PostgreSQL", new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString);
    }
    finally
    {
        NpgsqlConnection.ClearAllPools();
        await AdministerAsync(server, $"DROP DATABASE {name} WITH (FORCE)");
    }
}

return 0;

async Task MeasureAsync(string kind, string? database)
{
    var folder = Directory.CreateTempSubdirectory("portvakt-bench").FullName;
    try
    {
        await using var app = PortvaktHost.Build(["--Portvakt:PublicAddress=https://id.example.no", "--Portvakt:Organisation=Bench", $"--Portvakt:DataDirectory={folder}", "--Portvakt:PushContact=mailto:it@example.no", $"--Portvakt:Database={database}"], builder => builder.Logging.ClearProviders());
        await Database.MigrateAsync(app.Services, CancellationToken.None);
        var clock = app.Services.GetRequiredService<TimeProvider>();
        var now = clock.GetUtcNow();
        await AddWavesAsync(app.Services, now);

        var file = Path.Combine(folder, "people.csv");
        await File.WriteAllTextAsync(file, PeopleFileText(), Encoding.UTF8);
        await ImportAsync("import, everybody new", dry: false);
        await ImportAsync("dry run, nobody new", dry: true);
        await ImportAsync("import, nobody new", dry: false);
        await SpreadAsync(app.Services, now);
        await BoardAsync();

        async Task ImportAsync(string what, bool dry)
        {
            await using var scope = app.Services.CreateAsyncScope();
            await using var content = File.OpenRead(file);
            using var memory = new PeakMemory();
            var watch = Stopwatch.StartNew();
            var import = scope.ServiceProvider.GetRequiredService<PeopleImport>();
            var report = dry ? await import.CompareAsync(content, CancellationToken.None) : await import.BringInAsync(content, null, null, null, CancellationToken.None);
            Console.WriteLine($"{kind,-11} {what,-22} {report.Lines,7:N0} lines   {watch.Elapsed.TotalSeconds,6:N1} s   peak {memory.Stop() / 1048576.0,5:N0} MB more than before ({report.Added:N0} added, {report.Unchanged:N0} unchanged)");
        }

        async Task BoardAsync()
        {
            var times = new List<double>();
            for (var run = 0; run < 11; run++)
            {
                await using var scope = app.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                statements.Count = 0;
                var watch = Stopwatch.StartNew();
                var board = await BoardNumbers.LoadAsync(db, db.People, TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo"), now, CancellationToken.None);
                var curves = board.Waves.Select(wave => BoardCurve.Of(wave, board.DaysOf(wave.Id), board.OfWave(wave.Id).Total, TimeZoneInfo.Utc, now).Line.Length).Sum();
                var units = board.UnitsBelow(null).Count;
                times.Add(watch.Elapsed.TotalMilliseconds);
                if (board.All.Total != People || curves is 0 || units is 0) throw new InvalidOperationException("The board did not count everybody.");
            }

            var warm = times.Skip(1).Order().ToList();
            Console.WriteLine($"{kind,-11} {"board",-22} {People,7:N0} people  first {times[0],4:N0} ms, then median {warm[warm.Count / 2],4:N0} ms, slowest {warm[^1],4:N0} ms, {statements.Count} statements");
        }
    }
    finally
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }
}

static string PeopleFileText()
{
    var text = new StringBuilder("brukernavn;navn;e-post;telefon;enhet;leder;kontortelefon;språk\n");
    for (var number = 0; number < People; number++)
        text.Append(CultureInfo.InvariantCulture, $"user{number:D6};Fornavn{number} Etternavnsen;user{number:D6}@eksempel.no;+47 {40000000 + number};Område {number % 12}/Enhet {number % 300};user{number % 900:D6};+47 22{number:D6};{(number % 5 is 0 ? "nn" : "nb")}\n");
    return text.ToString();
}

static async Task AddWavesAsync(IServiceProvider services, DateTimeOffset now)
{
    await using var scope = services.CreateAsyncScope();
    var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
    string[] rules = ["unit under Område 1, Område 2, Område 3", "unit under Område 4, Område 5, Område 6, Område 7", "everyone"];
    for (var place = 0; place < rules.Length; place++)
        db.Waves.Add(new Wave($"Wave {place + 1}", now.AddDays(-60), now.AddDays((place * 15) - 10), now) { Position = place + 1, Rule = rules[place] });
    await db.SaveChangesAsync();
}

// Six of ten have enrolled in the last sixty days, one in twenty is under way, a few hundred have terms of their own.
static async Task SpreadAsync(IServiceProvider services, DateTimeOffset now)
{
    await using var scope = services.CreateAsyncScope();
    var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
    var state = 1u;
    var ids = await db.People.Select(person => person.Id).ToListAsync();
    foreach (var some in ids.Where(_ => Next(10) < 6).Chunk(60))
    {
        var at = now.AddMinutes(-Next(60 * 24 * 60));
        await db.People.Where(person => some.Contains(person.Id)).ExecuteUpdateAsync(set => set.SetProperty(person => person.EnrolledAt, at));
    }

    foreach (var some in ids.Where(_ => Next(20) is 0).Chunk(50))
    {
        var (at, step, trouble) = (now.AddMinutes(-Next(120)), (SignInStep?)(3 + Next(5)), (EnrolmentTrouble?)Next(7));
        await db.People.Where(person => some.Contains(person.Id) && person.EnrolledAt == null).ExecuteUpdateAsync(set => set.SetProperty(person => person.EnrolmentStep, step).SetProperty(person => person.EnrolmentStepAt, at).SetProperty(person => person.EnrolmentTrouble, trouble));
    }

    foreach (var id in ids.Where(_ => Next(200) is 0)) db.PersonalTerms.Add(new PersonalTerm(Next(2) is 0 ? PersonalTermKind.Exemption : PersonalTermKind.Extension, id, now.AddDays(20), "bench", id, now));
    await db.SaveChangesAsync();
    // The same spread at each run; nothing here is a secret.
    int Next(int below)
    {
        state = unchecked((state * 1664525) + 1013904223);
        return (int)((state >> 8) % (uint)below);
    }

    await db.Database.ExecuteSqlRawAsync(db.Database.IsNpgsql() ? "VACUUM ANALYZE people" : "PRAGMA optimize"); // what either does by itself within minutes
}

static async Task AdministerAsync(string server, string statement)
{
    await using var connection = new NpgsqlConnection(server);
    await connection.OpenAsync();
    await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the name of the database is made here
    command.CommandText = statement;
#pragma warning restore CA2100
    await command.ExecuteNonQueryAsync();
}
