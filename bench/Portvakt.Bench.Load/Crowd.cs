using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Portvakt.Bench.Actors;

namespace Portvakt.Bench.Load;

/// <summary>What a step is for the person who waits.</summary>
internal enum StepKind
{
    /// <summary>A page of the browser.</summary>
    Page,

    /// <summary>The answer to the password, behind the queue of the hash.</summary>
    Password,
    Phone,
    Application,
}

/// <summary>A step of a sign-in.</summary>
/// <param name="What">For the table.</param>
/// <param name="Kind">What it is for the person.</param>
/// <param name="Thought">How long the person is busy before it, on average.</param>
/// <param name="Act">Until the server has nothing more to do for it.</param>
internal sealed record Step(string What, StepKind Kind, double Thought, Func<Resident, Task> Act)
{
    /// <summary>An ordinary morning: the browser is known, its session is over. Eight seconds go by on the phone, as elsewhere.</summary>
    public static IReadOnlyList<Step> SignIn { get; } =
    [
        new("password page", StepKind.Page, 0, person => person.OpenAsync()),
        new("password", StepKind.Password, 3, person => person.TypePasswordAsync()),
        new("page with the number", StepKind.Page, 0, person => person.SeeNumberAsync()),
        new("waiting stream stands", StepKind.Page, 0, person => person.Browser.ListenAsync()),
        new("push arrives", StepKind.Phone, 0, person => person.RingAsync()),
        new("phone looks what waits", StepKind.Phone, 3, person => person.LookAsync()),
        new("answer, waiting page woken", StepKind.Phone, 5, person => person.ApproveAsync()),
        new("page renewed, continue", StepKind.Page, 0, person => person.ContinueAsync()),
        new("stay signed in", StepKind.Page, 1, person => person.StayAsync()),
        new("code", StepKind.Page, 0, person => person.Browser.FollowAsync()),
        new("token", StepKind.Application, 0, person => person.RedeemAsync()),
    ];
}

/// <summary>
/// People who come when they come, whatever the server does (an open model): so many at instants thrown beforehand. Every step is timed from when its person wanted
/// it, so a server, or this program, that falls behind does not hide it (no coordinated omission).
/// </summary>
internal sealed class Crowd(Installation installation)
{
    private const int MostReturns = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Dictionary<Step, Times> _times = Step.SignIn.ToDictionary(step => step, _ => new Times());
    private readonly ConcurrentDictionary<string, int> _errors = new(StringComparer.Ordinal);
    private int _finished;
    private int _failed;
    private int _sentBack;
    private int _cameBack;
    private int _present;
    private int _mostPresent;

    public IReadOnlyDictionary<Step, Times> Steps => _times;

    /// <summary>From the first page's wish to the token, without the time in which the person was busy.</summary>
    public Times Whole { get; } = new();

    /// <summary>How late this program itself was with its first request: what it adds to what is measured.</summary>
    public Times Lateness { get; } = new();

    /// <summary>What went wrong, with how often: step and kind.</summary>
    public IReadOnlyDictionary<string, int> Errors => _errors;

    public int Finished => _finished;

    public int Failed => _failed;

    /// <summary>Answers 503 with Retry-After to a password: the queue was full.</summary>
    public int SentBack => _sentBack;

    /// <summary>People who came back after the time named, and got in.</summary>
    public int CameBack => _cameBack;

    /// <summary>People under way at the same time.</summary>
    public int MostPresent => _mostPresent;

    /// <summary>From the first arrival to the last token.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The first so many people, one after the other, each once: so that nothing is compiled on anybody's time. Nothing is remembered of it.</summary>
    /// <param name="installation">Where.</param>
    /// <param name="people">Their numbers.</param>
    public static Task WarmUpAsync(Installation installation, IEnumerable<int> people) =>
        Parallel.ForEachAsync(people, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (number, _) =>
        {
            using var person = Population.Play(number, installation.Keys, installation.Site);
            foreach (var step in Step.SignIn) await step.Act(person);
            installation.Site.PushService.Unsubscribe(installation.Keys.PushId(number));
        });

    /// <param name="people">Who may come: each number once, and again from the beginning when there are more arrivals than people.</param>
    /// <param name="arrivals">How many.</param>
    /// <param name="time">Within which; thrown evenly, as independent people come.</param>
    /// <param name="inform">Told from time to time.</param>
    public async Task PassAsync(IReadOnlyList<int> people, int arrivals, TimeSpan time, Action<string> inform)
    {
        var dice = new Dice(8);
        var instants = Enumerable.Range(0, arrivals).Select(_ => time * dice.Next()).Order().ToArray();
        var (clock, visits, told) = (Stopwatch.StartNew(), new List<Task>(arrivals), TimeSpan.Zero);
        for (var arrival = 0; arrival < arrivals; arrival++)
        {
            if (instants[arrival] - clock.Elapsed is { Ticks: > 0 } left) await Task.Delay(left, TimeProvider.System, CancellationToken.None);
            var (number, wanted, seed) = (people[arrival % people.Count], instants[arrival], (ulong)arrival);
            visits.Add(Task.Run(() => VisitAsync(number, wanted, clock, new Dice(seed))));
            if (clock.Elapsed - told <= TimeSpan.FromSeconds(30)) continue;
            told = clock.Elapsed;
            inform(string.Create(CultureInfo.InvariantCulture, $"{told.TotalSeconds,5:0} s: {arrival + 1} have come, {_finished} are in, {_present} under way, {_failed} failed, {_sentBack} sent back"));
        }

        await Task.WhenAll(visits);
        Elapsed = clock.Elapsed;
    }

    private async Task VisitAsync(int number, TimeSpan wanted, Stopwatch clock, Dice dice)
    {
        Lateness.Add(clock.Elapsed - wanted);
        var present = Interlocked.Increment(ref _present);
        for (var most = _mostPresent; present > most && Interlocked.CompareExchange(ref _mostPresent, present, most) != most; most = _mostPresent)
        {
            // Somebody else counted in the same instant.
        }

        var (step, waited) = (Step.SignIn[0], TimeSpan.Zero);
        try
        {
            using var person = Population.Play(number, installation.Keys, installation.Site);
            foreach (var next in Step.SignIn)
            {
                step = next;
                if (next.Thought > 0)
                {
                    wanted += TimeSpan.FromSeconds(next.Thought * (0.5 + dice.Next()));
                    if (wanted - clock.Elapsed is { Ticks: > 0 } busy) await Task.Delay(busy, TimeProvider.System, CancellationToken.None);
                }

                await ActAsync(next, person);
                var took = clock.Elapsed - wanted;
                _times[next].Add(took);
                (wanted, waited) = (clock.Elapsed, waited + took);
            }

            Whole.Add(waited);
            Interlocked.Increment(ref _finished);
        }
#pragma warning disable CA1031 // whatever goes wrong for one person is counted, and is not the end for the others
        catch (Exception wrong)
#pragma warning restore CA1031
        {
            Interlocked.Increment(ref _failed);
            _errors.AddOrUpdate($"{step.What}: {KindOf(wrong)}", 1, (_, count) => count + 1);
        }
        finally
        {
            Interlocked.Decrement(ref _present);
            installation.Site.PushService.Unsubscribe(installation.Keys.PushId(number));
        }
    }

    /// <summary>Whoever is told to come back at the password comes back after the time named, as a person would who reads the page.</summary>
    private async Task ActAsync(Step step, Resident person)
    {
        for (var returns = 0; ; returns++)
        {
            try
            {
                await step.Act(person).WaitAsync(Patience, TimeProvider.System);
                if (returns > 0) Interlocked.Increment(ref _cameBack);
                return;
            }
            catch (UnexpectedAnswerException full) when (step.Kind is StepKind.Password && full is { Status: HttpStatusCode.ServiceUnavailable, RetryAfter: not null } && returns < MostReturns)
            {
                Interlocked.Increment(ref _sentBack);
                await Task.Delay(full.RetryAfter.Value, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    private static string KindOf(Exception wrong) => wrong switch
    {
        UnexpectedAnswerException answer => string.Create(CultureInfo.InvariantCulture, $"HTTP {(int)answer.Status}"),
        TimeoutException or TaskCanceledException => "no answer in time",
        HttpRequestException or IOException => "connection lost",
        _ => wrong.Message.Split('\n')[0] is { Length: > 80 } first ? first[..80] : wrong.Message.Split('\n')[0],
    };
}
