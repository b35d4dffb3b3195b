// What 100,000 people cost: the board, the list of people, the import of their file and the audit log. On SQLite, and on PostgreSQL when PORTVAKT_TEST_POSTGRES says where one is.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Portvakt.Bench.Rollout;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server;
using Portvakt.Server.Administration;
using Portvakt.Server.Audit;
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
        await File.WriteAllTextAsync(file, PeopleFileText(40000000), Encoding.UTF8);
        await ImportAsync("import, everybody new", dry: false);
        await ImportAsync("dry run, nobody new", dry: true);
        await ImportAsync("import, nobody new", dry: false);
        await File.WriteAllTextAsync(file, PeopleFileText(90000000), Encoding.UTF8);
        await ImportAsync("import, all changed", dry: false);
        await SpreadAsync(app.Services, now);
        await BoardAsync();
        await PeopleAsync("first page", new PeopleFilter());
        await PeopleAsync("last page", new PeopleFilter(), People);
        await PeopleAsync("one name", new PeopleFilter { Text = "Fornavn47110" });
        await PeopleAsync("two words, many hits", new PeopleFilter { Text = "etternavnsen 7" });
        await PeopleAsync("a unit", new PeopleFilter { Unit = "Område 4" });
        foreach (var state in Enum.GetValues<PeopleState>()) await PeopleAsync($"state {state}", new PeopleFilter { State = state.ToString() });
        await AuditAsync();

        async Task ImportAsync(string what, bool dry)
        {
            await using var scope = app.Services.CreateAsyncScope();
            await using var content = File.OpenRead(file);
            using var memory = new PeakMemory();
            using var ended = new CancellationTokenSource();
            var waiting = LongestWaitAsync(ended.Token);
            var watch = Stopwatch.StartNew();
            var import = scope.ServiceProvider.GetRequiredService<PeopleImport>();
            var report = dry ? await import.CompareAsync(content, CancellationToken.None) : await import.BringInAsync(content, null, null, null, CancellationToken.None);
            var elapsed = watch.Elapsed;
            await ended.CancelAsync();
            Console.WriteLine($"{kind,-11} {what,-22} {report.Lines,7:N0} lines   {elapsed.TotalSeconds,6:N1} s   peak {memory.Stop() / 1048576.0,5:N0} MB more than before, somebody else's write waited at most {(await waiting).TotalSeconds:N2} s ({report.Added:N0} added, {report.Changed:N0} changed, {report.Unchanged:N0} unchanged)");
        }

        // Somebody who signs in meanwhile writes a row like this one, of a person who stands in the file and of one who does not.
        async Task<TimeSpan> LongestWaitAsync(CancellationToken ended)
        {
            var longest = TimeSpan.Zero;
            while (!ended.IsCancellationRequested)
            {
                await using var scope = app.Services.CreateAsyncScope();
                var people = scope.ServiceProvider.GetRequiredService<PortvaktDb>().People;
                var watch = Stopwatch.StartNew();
                await Task.Run(() => people.Where(person => person.UserName == "user000000" || person.UserName == "stranger").ExecuteUpdateAsync(set => set.SetProperty(person => person.EnrolmentStepAt, now), CancellationToken.None), CancellationToken.None);
                if (watch.Elapsed > longest) longest = watch.Elapsed;
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, CancellationToken.None);
            }

            return longest;
        }

        async Task PeopleAsync(string what, PeopleFilter filter, int number = 1)
        {
            var times = new List<double>();
            var total = 0;
            for (var run = 0; run < 7; run++)
            {
                await using var scope = app.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                statements.Count = 0;
                var watch = Stopwatch.StartNew();
                total = (await PeoplePage.LoadAsync(db, db.People, filter, number, now, CancellationToken.None)).Total;
                times.Add(watch.Elapsed.TotalMilliseconds);
            }

            var warm = times.Skip(1).Order().ToList();
            Console.WriteLine($"{kind,-11} {"people, " + what,-30} {total,7:N0} found   first {times[0],4:N0} ms, then median {warm[warm.Count / 2],4:N0} ms, slowest {warm[^1],4:N0} ms, {statements.Count} statements");
        }

        async Task AuditAsync()
        {
            foreach (var writers in new[] { 1, 8 })
            {
                const int Each = 1000;
                var watch = Stopwatch.StartNew();
                await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(async () =>
                {
                    for (var row = 0; row < Each; row++)
                    {
                        await using var scope = app.Services.CreateAsyncScope();
                        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                        db.Record(SecurityEvent.SignInFinished, null, "bench", null, now);
                        await db.SaveChangesAsync();
                    }
                })));
                Console.WriteLine($"{kind,-11} {$"audit, {writers} writer(s)",-22} {writers * Each,7:N0} rows, each its own transaction: {writers * Each / watch.Elapsed.TotalSeconds,7:N0} rows/s");
            }

            for (var left = People - await CountAsync(); left > 0; left -= 1000)
            {
                await using var scope = app.Services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                for (var row = 0; row < Math.Min(left, 1000); row++) db.Record(SecurityEvent.SignInFinished, null, "bench", null, now, null, "reason");
                await db.SaveChangesAsync();
            }

            var chain = app.Services.GetRequiredService<AuditChain>();
            var chaining = Stopwatch.StartNew();
            var chained = 0;
            for (int some; (some = await chain.ChainAsync(CancellationToken.None)) > 0;) chained += some;
            Console.WriteLine($"{kind,-11} {"audit, chained",-22} {chained,7:N0} rows in {chaining.Elapsed.TotalSeconds:N1} s: {chained / chaining.Elapsed.TotalSeconds,7:N0} rows/s");
            using var memory = new PeakMemory();
            var verifying = Stopwatch.StartNew();
            var verdict = await chain.VerifyAsync(null, CancellationToken.None);
            if (!verdict.IsWhole || verdict.Rows < People) throw new InvalidOperationException("The log was not verified.");
            Console.WriteLine($"{kind,-11} {"audit, verified",-22} {verdict.Rows,7:N0} rows in {verifying.Elapsed.TotalSeconds:N1} s, peak {memory.Stop() / 1048576.0:N0} MB more than before");

            async Task<int> CountAsync()
            {
                await using var scope = app.Services.CreateAsyncScope();
                return await scope.ServiceProvider.GetRequiredService<PortvaktDb>().AuditEvents.CountAsync();
            }
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
                var board = await BoardNumbers.LoadAsync(db, people: null, TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo"), now, CancellationToken.None);
                var curves = board.Waves.Select(wave => BoardCurve.Of(wave, board.DaysOf(wave.Id), board.OfWave(wave.Id).Total, TimeZoneInfo.Utc, now).Line.Length).Sum();
                var units = board.UnitsBelow(null).Count;
                times.Add(watch.Elapsed.TotalMilliseconds);
                if (board.All.Total != People + 1 || curves is 0 || units is 0) throw new InvalidOperationException("The board did not count everybody.");
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

static string PeopleFileText(int firstPhone)
{
    var text = new StringBuilder("brukernavn;navn;e-post;telefon;enhet;leder;kontortelefon;språk\n");
    for (var number = 0; number < People; number++)
        text.Append(CultureInfo.InvariantCulture, $"user{number:D6};Fornavn{number} Etternavnsen;user{number:D6}@eksempel.no;+47 {firstPhone + number};Område {number % 12}/Enhet {number % 300};user{number % 900:D6};+47 22{number:D6};{(number % 5 is 0 ? "nn" : "nb")}\n");
    return text.ToString();
}

static async Task AddWavesAsync(IServiceProvider services, DateTimeOffset now)
{
    await using var scope = services.CreateAsyncScope();
    var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
    string[] rules = ["unit under Område 1, Område 2, Område 3", "unit under Område 4, Område 5, Område 6, Område 7", "everyone"];
    for (var place = 0; place < rules.Length; place++)
        db.Waves.Add(new Wave($"Wave {place + 1}", now.AddDays(-60), now.AddDays((place * 15) - 10), now) { Position = place + 1, Rule = rules[place] });
    db.People.Add(new Person(UserName.Parse("stranger"), "Not in the file", now));
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

    await db.Database.ExecuteSqlRawAsync(db.Database.IsNpgsql() ? "VACUUM ANALYZE people, personal_terms" : "PRAGMA optimize"); // what either does by itself within minutes
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
