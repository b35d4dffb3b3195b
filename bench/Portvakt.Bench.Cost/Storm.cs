using System.Diagnostics;
using System.Globalization;
using System.Net;
using Portvakt.Bench.Actors;

namespace Portvakt.Bench.Cost;

/// <summary>
/// An application asks for tokens while a crowd that the machine cannot hash for stands at the password: four times as many come each second as can be served. Time on the clock, from the moment when
/// the application wanted its token, so that a server which falls behind does not slow its own measurement down.
/// </summary>
internal static class Storm
{
    /// <summary>How many come for each that can be served.</summary>
    private const int Crowd = 4;

    private const int TokensASecond = 40;
    private const int WarmUpSeconds = 30;
    private const int PeopleAtAnAddress = 20;

    public static async Task<int> RunAsync(bool isShort)
    {
        var seconds = isShort ? 10 : 30;
        Console.WriteLine(Machine.Say());
        await using var stage = await Stage.OpenAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["TrustedProxies:0"] = "127.0.0.1", ["TrustedProxies:1"] = "::1" });
        var half = Math.Max(1, Environment.ProcessorCount / 2);
        var capacity = half / Measurements.BareHash(20).TotalSeconds;
        var rate = Crowd * capacity;
        var names = await stage.FillAsync(500);

        // A crowd comes from elsewhere: on the server's own cores it would stand in the way of the answers that are timed.
        Machine.StayOn((0, half - 1));
        await stage.RestartServerAsync();
        Machine.StayOn(Environment.ProcessorCount > 1 ? (half, Environment.ProcessorCount - 1) : null);

        // Each page is good for one right password; a page that was sent back is used again.
        var pages = new Queue<(Browser Browser, string User)>();
        var application = new Application(stage.Http, stage.ServerAddress, stage.Secret, "");
        try
        {
            for (var number = 0; number < capacity * (seconds + WarmUpSeconds + 10); number++)
            {
                var name = names[number % names.Count];
                pages.Enqueue((new Browser(stage.Http, stage.ServerAddress, string.Create(CultureInfo.InvariantCulture, $"198.18.{number % names.Count / PeopleAtAnAddress}.1")), name));
            }

            await Parallel.ForEachAsync(pages, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (page, _) =>
            {
                await page.Browser.GetAsync(Application.Request());
                await page.Browser.FollowAsync();
            });
            for (var warm = 0; warm < 2000; warm++) await application.ClientCredentialsAsync();

            // A first storm that is not timed: in it the runtime compiles what a crowd is answered with, for seconds, on the cores that answer.
            using (var enough = new CancellationTokenSource(TimeSpan.FromSeconds(WarmUpSeconds))) await CrowdAsync(pages, rate, enough.Token);
            var calm = await TokensAsync(application, seconds);
            using var over = new CancellationTokenSource();
            var crowd = CrowdAsync(pages, rate, over.Token);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, CancellationToken.None); // until the queue is full
            var stormy = await TokensAsync(application, seconds);
            await over.CancelAsync();
            var (served, sentBack, late) = await crowd;

            var gate = new Gate("tokens in a storm, p99", 3, null, "x")
            {
                Measured = Wake.Of(stormy, 0.99) / Wake.Of(calm, 0.99),
                Note = string.Create(CultureInfo.InvariantCulture, $"{Wake.Of(stormy, 0.99):0.0} ms, alone {Wake.Of(calm, 0.99):0.0}; p50 {Wake.Of(stormy, 0.5):0.0} and {Wake.Of(calm, 0.5):0.0} ms"),
            };
            Console.WriteLine(Gate.Heading);
            Console.WriteLine(gate.Line);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rate:0} passwords a second came to a server that can hash {capacity:0} on {half} of {Environment.ProcessorCount} cores: {served} were right, {sentBack} were told to come back. The last of the crowd came {late.TotalMilliseconds:0} ms late."));
            Console.WriteLine(Machine.Say());
            return gate.Holds ? 0 : 1;
        }
        finally
        {
            foreach (var (browser, _) in pages) browser.Dispose();
        }
    }

    /// <summary>One token after the other at instants that do not wait for the one before; how long each took from its instant on, in ms.</summary>
    private static async Task<List<double>> TokensAsync(Application application, int seconds)
    {
        var clock = Stopwatch.StartNew();
        var all = Enumerable.Range(0, seconds * TokensASecond).Select(async number =>
        {
            var at = TimeSpan.FromSeconds((double)number / TokensASecond);
            if (at > clock.Elapsed) await Task.Delay(at - clock.Elapsed, TimeProvider.System, CancellationToken.None);
            var begun = clock.Elapsed;
            await application.ClientCredentialsAsync();
            return (clock.Elapsed - (begun - at > TimeSpan.FromMilliseconds(2) ? at : begun)).TotalMilliseconds; // a timer is a millisecond late by itself
        });
        return [.. await Task.WhenAll(all)];
    }

    /// <summary>So many each second, whatever the server does. How many were right, how many were sent back, and how late this program itself was at the end.</summary>
    private static async Task<(int Served, int SentBack, TimeSpan Late)> CrowdAsync(Queue<(Browser Browser, string User)> pages, double rate, CancellationToken over)
    {
        var (served, sentBack, late) = (0, 0, TimeSpan.Zero);
        var (gate, clock, under) = (new Lock(), Stopwatch.StartNew(), new List<Task>());
        for (var number = 0; !over.IsCancellationRequested; number++)
        {
            var at = TimeSpan.FromSeconds(number / rate);
            if (at > clock.Elapsed) await Task.Delay(at - clock.Elapsed, TimeProvider.System, CancellationToken.None);
            late = clock.Elapsed - at;
            (Browser Browser, string User) page;
            lock (gate)
            {
                if (!pages.TryDequeue(out page)) continue; // all of them are on their way
            }

            under.Add(TypeAsync(page));
        }

        await Task.WhenAll(under);
        return (served, sentBack, late);

        async Task TypeAsync((Browser Browser, string User) page)
        {
            await Task.Yield();
            try
            {
                await page.Browser.PostAsync("", ("user", page.User), ("password", Site.Password));
                Interlocked.Increment(ref served);
                page.Browser.Dispose();
            }
            catch (UnexpectedAnswerException answer) when (answer.Status is HttpStatusCode.ServiceUnavailable)
            {
                Interlocked.Increment(ref sentBack);
                lock (gate) pages.Enqueue(page);
            }
        }
    }
}
