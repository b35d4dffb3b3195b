using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Portvakt.Bench.Actors;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.Bench.Cost;

/// <summary>
/// Two nodes on one PostgreSQL with a backplane, thousands of pages that wait at both, and a few whose phones answer: the browser always waits at one node and its phone
/// speaks to the other. How soon the page hears of it, beyond the answer itself, and what a waiting page costs.
/// </summary>
internal static class Wake
{
    private const int Lanes = 4;

    /// <summary>Where PostgreSQL and Redis are, which the verb has started.</summary>
    private static string Of(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? text : throw new InvalidOperationException($"{name} is not set; `dotnet run dev.cs bench wake` sets it.");

    public static async Task<int> RunAsync(bool isShort)
    {
        var (waiting, people, rounds) = isShort ? (1000, 16, 5) : (5000, 24, 15);
        Console.WriteLine(Machine.Say());
        await using var stage = await Stage.OpenAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["Database"] = Of("PORTVAKT_TEST_POSTGRES"), ["Backplane"] = Of("PORTVAKT_TEST_REDIS") });
        var names = await stage.FillAsync(people);
        var ports = new[] { RunningProgram.FreePort(), RunningProgram.FreePort() };
        await using var a = await stage.StartNodeAsync($"http://localhost:{ports[0]}");
        await using var b = await stage.StartNodeAsync($"http://localhost:{ports[1]}");
        using var toA = To(ports[0]);
        using var toB = To(ports[1]);
        RunningProgram[] nodes = [a, b];
        HttpClient[] lines = [toA, toB];

        var residents = names.Select((name, number) => new Resident(name, stage.Site with { Http = lines[(number + 1) % 2] }, browser: new Browser(lines[number % 2], stage.ServerAddress))).ToArray();
        var pages = Enumerable.Range(0, waiting).Select(number => new Browser(lines[number % 2], stage.ServerAddress)).ToArray();
        try
        {
            await EachAsync(residents, person => person.EnrolAsync());
            await EachAsync(pages, async page =>
            {
                await page.GetAsync(Application.Request());
                await page.FollowAsync();
            });
            await PauseAsync(3);
            var before = nodes.Sum(node => node.Memory);
            await EachAsync(pages, page => page.ListenAsync($"/approvals/{page.Path.Split('/')[2]}/wait"));
            await PauseAsync(5);
            var computed = nodes.Sum(node => node.ProcessorTime.TotalSeconds);
            var clock = Stopwatch.StartNew();
            await PauseAsync(10);
            var busy = (nodes.Sum(node => node.ProcessorTime.TotalSeconds) - computed) / clock.Elapsed.TotalSeconds;
            var memory = nodes.Sum(node => node.Memory);

            var (beyond, whole) = (new List<double>(), new List<double>());
            for (var round = -1; round < rounds; round++) // the first is a warm-up
            {
                foreach (var (_, act) in Resident.SignIn.Take(5)) await EachAsync(residents, act);
                foreach (var person in residents)
                {
                    var (answered, heard) = await person.WakeAsync(); // one at a time: it is the way that is measured, not the crowd of those who go it
                    if (round < 0) continue;
                    beyond.Add(Math.Max(0, (heard - answered).TotalMilliseconds));
                    whole.Add(heard.TotalMilliseconds);
                }

                foreach (var (_, act) in Resident.SignIn.Skip(6)) await EachAsync(residents, act);
            }

            Gate[] gates =
            [
                new($"page woken across nodes, p50 of {beyond.Count}, {waiting} waiting", 15, null, "ms") { Measured = Of(beyond, 0.50), Note = Whole(0.50) },
                new($"page woken across nodes, p99 of {beyond.Count}, {waiting} waiting", 60, null, "ms") { Measured = Of(beyond, 0.99), Note = Whole(0.99) },
                new("memory of a waiting page", 16, null, "KiB") { Measured = (memory - before) / 1024.0 / waiting },
            ];
            Console.WriteLine(Gate.Heading);
            foreach (var gate in gates) Console.WriteLine(gate.Line);
            Console.WriteLine($"Both nodes hold {memory / 1e6:0} MB; {waiting} waiting pages keep {busy:0.00} of a core busy while nothing happens.");
            Console.WriteLine(Machine.Say());
            return gates.All(gate => gate.Holds) ? 0 : 1;

            string Whole(double part) => string.Create(CultureInfo.InvariantCulture, $"{Of(whole, part):0.##} ms with the answer and its transaction");
        }
        finally
        {
            foreach (var person in residents) person.Dispose();
            foreach (var page in pages) page.Dispose();
        }
    }

    /// <summary>The one public address, and behind it this node: as a balancer would have it.</summary>
    private static HttpClient To(int port) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    /// <summary>The figure within which that part of them lies (nearest rank).</summary>
    public static double Of(List<double> figures, double part)
    {
        var sorted = figures.Order().ToList();
        return sorted[(int)Math.Ceiling(part * sorted.Count) - 1];
    }

    private static Task EachAsync<T>(IEnumerable<T> all, Func<T, Task> act) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = Lanes }, async (one, _) => await act(one));

    private static Task PauseAsync(int seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System, CancellationToken.None);
}
