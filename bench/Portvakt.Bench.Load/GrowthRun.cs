using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portvakt.Bench.Actors;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;

namespace Portvakt.Bench.Load;

/// <summary><c>growth</c>: the same work on databases of a thousand to a million people, and by how much it becomes dearer.</summary>
internal static class GrowthRun
{
    private const double Bound = 1.3;
    private const int Players = 64; // of which the last one has a desk
    private const int Rounds = 3;
    private static readonly int[] Sizes = [1000, 10_000, 100_000, 1_000_000];
    private static readonly bool[] Databases = [false, true]; // whether it is PostgreSQL
    private static readonly string Somebody = Population.NameOf(207);

    /// <summary>What is asked of a page, and whether it has a bound.</summary>
    private static readonly (string What, string Path, bool IsBound)[] Pages =
    [
        ("rollout board", "/administration", true),
        ("audit: newest", "/administration/audit", true),
        ("audit: a person", $"/administration/audit?person={Somebody}", true),
        ("audit: a person, an event", $"/administration/audit?person={Somebody}&event=SessionIssued", true),
        ("audit: a rare event", "/administration/audit?event=PasswordRejected", true),
        ("audit: an address", "/administration/audit?address=198.18.0.3", true),
        ("people: first page", "/administration/people", false),
        ("people: a name", "/administration/people?q=fornavn207", false),
    ];

    public static async Task<int> RunAsync(string[] said)
    {
        var arguments = new Arguments(said, "--short", "--database sqlite|postgres", "--most N", "--most-audit-rows N");
        int[] sizes = [.. Sizes.Where(size => size <= arguments.Count("--most", arguments.Has("--short") ? 100_000 : 1_000_000))];
        if (sizes.Length < 2) throw new UsageException("Growth is between two sizes at least: --most 10000 or more.");
        Console.WriteLine(Machine.Say());
        var missed = 0;
        foreach (var isPostgres in Databases.Where(isPostgres => arguments["--database"] is null || arguments["--database"] is "postgres" == isPostgres))
        {
            var figures = new List<Figure[]>();
            foreach (var size in sizes) figures.Add(await MeasureAsync(isPostgres, size, arguments.Count("--most-audit-rows", 5_000_000)));
            missed += Print(isPostgres ? "PostgreSQL" : "SQLite", sizes, figures);
        }

        Console.WriteLine(Machine.Say());
        return missed is 0 ? 0 : 1;
    }

    private sealed record Figure(string What, double Cpu, double Elapsed, bool IsBound);

    private static async Task<Figure[]> MeasureAsync(bool isPostgres, int size, int mostAuditRows)
    {
        await using var installation = await Installation.CreateAsync(isPostgres);
        var (clock, background) = (Stopwatch.StartNew(), Array.Empty<Figure>());
        var database = await DatabaseTime.OfAsync(installation.Server);
        await installation.WithServicesAsync(async services =>
        {
            var population = new Population(services, installation.Connection, installation.Keys, installation.Site, new Census(size, Players, mostAuditRows));
            await population.SettleAsync();
            Console.WriteLine($"{installation.Kind}, {size} people: {population.Written.Values.Sum()} rows, {population.Written["audit_events"]} of them audit, in {clock.Elapsed.TotalSeconds:0} s.");
            await using var scope = services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            await SeedRun.PrintAsync(db, population.Written, size);
            var desk = Population.NameOf(Players - 1);
            var id = await db.People.Where(person => person.UserName == desk).Select(person => person.Id).SingleAsync();
            db.RoleAssignments.Add(new RoleAssignment(id, Role.Administrator, unit: null, grantedBy: null, services.GetRequiredService<TimeProvider>().GetUtcNow()));
            await db.SaveChangesAsync();
            background = await BackgroundAsync(services, database);
        });

        await installation.StartAsync();
        await installation.UntilVerifiedAsync();
        var hash = await HashAsync();
        await Crowd.WarmUpAsync(installation, Enumerable.Range(0, Players - 1));
        await Crowd.WarmUpAsync(installation, Enumerable.Range(0, Players - 1));
        var (signIns, elapsed) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var (before, watch) = (Now(), Stopwatch.StartNew());
            await Crowd.WarmUpAsync(installation, Enumerable.Range(0, Players - 1));
            signIns.Add(((Now() - before).TotalMilliseconds / (Players - 1)) - hash);
            elapsed.Add(watch.Elapsed.TotalMilliseconds / (Players - 1));
        }

        List<Figure> figures = [new("sign-in without the hash", Median(signIns), Median(elapsed), true)];
        using var person = Population.Play(Players - 1, installation.Keys, installation.Site);
        await person.OpenAsync("/administration");
        await person.TypePasswordAsync();
        await person.SeeNumberAsync();
        await person.Browser.ListenAsync();
        await person.RingAsync();
        await person.LookAsync();
        await person.ApproveAsync();
        await person.ContinueAsync();
        await person.Browser.FollowAsync();
        if (!person.Browser.Path.StartsWith("/administration", StringComparison.Ordinal)) throw new InvalidOperationException($"Not at the desk, but at {person.Browser.Path}:\n{person.Browser.Page}");
        foreach (var (what, path, isBound) in Pages)
        {
            for (var warm = 0; warm < 3; warm++) await person.Browser.GetAsync(path);
            var (before, whole, each) = (Now(), Stopwatch.StartNew(), new List<double>());
            while (each.Count < 7 || whole.Elapsed < TimeSpan.FromSeconds(1))
            {
                var watch = Stopwatch.StartNew();
                await person.Browser.GetAsync(path);
                each.Add(watch.Elapsed.TotalMilliseconds);
            }

            if (person.Browser.Path != path) throw new InvalidOperationException($"Not {path}, but {person.Browser.Path}.");
            figures.Add(new Figure(what, (Now() - before).TotalMilliseconds / each.Count, Median(each), isBound));
        }

        figures.AddRange(background);
        foreach (var figure in figures) Console.WriteLine($"{installation.Kind}, {size} people: {figure.What,-32}{figure.Cpu,9:0.0} ms of CPU{figure.Elapsed,9:0.0} ms on the clock");
        return [.. figures];

        TimeSpan Now() => installation.NodesTime + database.Now;
    }

    /// <summary>What the server does by itself every minute, whether anybody comes or not.</summary>
    private static async Task<Figure[]> BackgroundAsync(IServiceProvider services, DatabaseTime database)
    {
        var cleanup = services.GetServices<IHostedService>().OfType<Cleanup>().Single();
        await cleanup.SweepAsync(CancellationToken.None); // the first one sweeps the history of the hour as well
        var overdue = services.GetRequiredService<OverdueSessions>();
        await overdue.EndAsync(CancellationToken.None);
        return [await OnceAsync("each minute: sweep", () => cleanup.SweepAsync(CancellationToken.None)), await OnceAsync("each minute: overdue sessions", () => overdue.EndAsync(CancellationToken.None))];

        async Task<Figure> OnceAsync(string what, Func<Task> work)
        {
            var (before, watch) = (Environment.CpuUsage.TotalTime + database.Now, Stopwatch.StartNew());
            for (var time = 0; time < 3; time++) await work();
            return new Figure(what, (Environment.CpuUsage.TotalTime + database.Now - before).TotalMilliseconds / 3, watch.Elapsed.TotalMilliseconds / 3, false);
        }
    }

    /// <summary>What a password costs, here and now, in ms: it is the same however many people there are.</summary>
    private static async Task<double> HashAsync()
    {
        using var hash = new PasswordHash(new Vault(new byte[32]));
        var (known, each) = (await hash.HashAsync(Site.Password, CancellationToken.None), new List<double>());
        for (var time = 0; time < 15; time++)
        {
            var before = Environment.CpuUsage.TotalTime;
            await hash.VerifyAsync(Site.Password, known, CancellationToken.None);
            each.Add((Environment.CpuUsage.TotalTime - before).TotalMilliseconds);
        }

        return Median(each);
    }

    private static int Print(string kind, int[] sizes, List<Figure[]> figures)
    {
        var missed = 0;
        Console.WriteLine();
        Console.WriteLine($"{kind}: ms of CPU, server and database together (ms on the clock)");
        Console.WriteLine($"{"",-32}{string.Join("", sizes.Select(size => $"{size.ToString("N0", CultureInfo.InvariantCulture),18}"))}{"ratio",9}{"bound",8}");
        for (var row = 0; row < figures[0].Length; row++)
        {
            var line = figures.ConvertAll(size => size[row]);
            var ratio = line[^1].Cpu / line[0].Cpu;
            var verdict = !line[0].IsBound ? "" : ratio <= Bound ? "pass" : "miss";
            if (verdict is "miss") missed++;
            Console.WriteLine($"{line[0].What,-32}{string.Join("", line.Select(figure => $"{$"{figure.Cpu:0.0} ({figure.Elapsed:0.0})",18}"))}{ratio,8:0.00}x{(line[0].IsBound ? $"{Bound,7:0.0}x" : "       –")}  {verdict}");
        }

        Console.WriteLine();
        return missed;
    }

    private static double Median(List<double> figures)
    {
        var sorted = figures.Order().ToList();
        return sorted.Count % 2 is 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
