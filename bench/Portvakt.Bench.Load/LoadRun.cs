using System.Globalization;
using Portvakt.Bench.Actors;

namespace Portvakt.Bench.Load;

/// <summary>
/// <c>load</c>: so many sign-ins a second for so many minutes, whole ones, by people who do not wait for each other. With <c>--monday</c>: twenty thousand people within ten
/// minutes on two nodes, and what must hold then.
/// </summary>
internal static class LoadRun
{
    private const int WarmUp = 40;
    private const int WarmUpPasses = 4; // until what is hot has been compiled for good
    private const double PageBound = 300;

    public static async Task<int> RunAsync(string[] said)
    {
        var arguments = new Arguments(said, "--people N", "--rate R", "--minutes M", "--nodes K", "--database sqlite|postgres", "--monday");
        var monday = arguments.Has("--monday");
        var people = arguments.Count("--people", monday ? 20_000 : 1000);
        var minutes = arguments.Number("--minutes", monday ? 10 : 1);
        var rate = arguments.Number("--rate", monday ? people / minutes / 60 : 2);
        var nodes = arguments.Count("--nodes", monday ? 2 : 1);
        var arrivals = Math.Max(1, (int)Math.Round(rate * minutes * 60));
        await using var installation = await Installation.CreateAsync(arguments["--database"] is "postgres" || (arguments["--database"] is null && nodes > 1), nodes);
        Say($"{people} people with a phone, {arrivals} arrivals at {rate:0.##} a second for {minutes:0.##} minutes, {nodes} node(s), {installation.Kind}.");
        Say(Machine.Say());

        await installation.WithServicesAsync(services => new Population(services, installation.Connection, installation.Keys, installation.Site, new Census(people + WarmUp, people + WarmUp, Past: false)).SettleAsync());
        await installation.StartAsync();
        for (var pass = 0; pass < WarmUpPasses; pass++) await Crowd.WarmUpAsync(installation, Enumerable.Range(people, WarmUp));

        var database = await DatabaseTime.OfAsync(installation.Server);
        var rowsBefore = await Rows.CountAsync(installation);
        var (nodesBefore, databaseBefore, ownBefore, machineBefore) = (installation.NodesTime, database.Now, Environment.CpuUsage.TotalTime, Machine.Busy());
        var crowd = new Crowd(installation);
        await crowd.PassAsync([.. Shuffled(people)], arrivals, TimeSpan.FromMinutes(minutes), Say);
        var (nodesTook, databaseTook, ownTook, machineTook) = (installation.NodesTime - nodesBefore, database.Now - databaseBefore, Environment.CpuUsage.TotalTime - ownBefore, Machine.Busy() - machineBefore);
        var rowsAfter = await Rows.CountAsync(installation);

        Say("");
        Say(Times.Heading);
        foreach (var step in Step.SignIn) Say(crowd.Steps[step].Line(step.What));
        Say(crowd.Whole.Line("all that a person waits for"));
        Say(crowd.Lateness.Line("this program's own lateness"));
        Say("");
        Say($"{crowd.Finished} signed in, {crowd.Failed} failed, {crowd.Finished / crowd.Elapsed.TotalSeconds:0.0} sign-ins a second over {crowd.Elapsed.TotalSeconds:0} s, at most {crowd.MostPresent} people under way.");
        Say($"Password queue: {crowd.SentBack} answers 503 with Retry-After; {crowd.CameBack} people came back and got in.");
        foreach (var (kind, count) in crowd.Errors.OrderByDescending(error => error.Value)) Say($"  error: {count,6}  {kind}");
        foreach (var fault in installation.Faults.Take(5)) Say($"  logged: {fault}");
        if (crowd.Finished > 0)
        {
            Say($"CPU of a sign-in: nodes {nodesTook.TotalMilliseconds / crowd.Finished:0.0} ms, PostgreSQL {databaseTook.TotalMilliseconds / crowd.Finished:0.0} ms, this program {ownTook.TotalMilliseconds / crowd.Finished:0.0} ms.");
            Say($"Of {Environment.ProcessorCount} cores: nodes {nodesTook / crowd.Elapsed:0.00}, PostgreSQL {databaseTook / crowd.Elapsed:0.00}, this program {ownTook / crowd.Elapsed:0.00}, everything on the machine {machineTook / crowd.Elapsed:0.00}.");
            Say($"Rows of a sign-in: {string.Join(", ", rowsAfter.Select(table => (table.Key, More: (table.Value - rowsBefore.GetValueOrDefault(table.Key)) / (double)crowd.Finished)).Where(table => table.More >= 0.05).Select(table => string.Create(CultureInfo.InvariantCulture, $"{table.Key} {table.More:0.0}")))}.");
        }

        Say($"Memory of the nodes: {installation.Memory / 1e6:0} MB.");
        Say(Machine.Say());
        if (!monday) return crowd.Failed is 0 ? 0 : 1;

        var pages = new Times();
        foreach (var step in Step.SignIn.Where(step => step.Kind is StepKind.Page)) pages.Add(crowd.Steps[step]);
        var holds = Goal("nobody fails", crowd.Failed, 0, "") & Goal("p99 of the pages", pages.At(0.99), PageBound, " ms");
        Say($"  (p99 behind the queue of the password: {crowd.Steps[Step.SignIn[1]].At(0.99):0} ms)");
        return holds ? 0 : 1;
    }

    private static bool Goal(string what, double measured, double bound, string unit)
    {
        Say($"Monday at eight: {what,-20} {measured,8:0}{unit} <= {bound:0}{unit}  {(measured <= bound ? "pass" : "miss")}");
        return measured <= bound;
    }

    /// <summary>Neighbours do not come one after the other.</summary>
    private static int[] Shuffled(int people)
    {
        var (numbers, dice) = (Enumerable.Range(0, people).ToArray(), new Dice(1));
        for (var last = people - 1; last > 0; last--)
        {
            var other = dice.Throw(last + 1);
            (numbers[last], numbers[other]) = (numbers[other], numbers[last]);
        }

        return numbers;
    }

    private static void Say(string line) => Console.WriteLine(line);
}
