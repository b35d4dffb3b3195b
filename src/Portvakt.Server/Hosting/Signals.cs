using System.Collections.Concurrent;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Wakes whoever waits for news of a topic in this process. A hint, never the truth: who is woken looks into the
/// database, and who is not woken looks there every two seconds anyway.
/// </summary>
public sealed class Signals(TimeProvider clock)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _topics = new(StringComparer.Ordinal);

    /// <summary>Ask for the next wake-up before looking, then await it: nothing that happens in between is missed.</summary>
    public Task Next(string topic) =>
        _topics.GetOrAdd(topic, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Wake(string topic)
    {
        if (_topics.TryRemove(topic, out var waiting)) waiting.TrySetResult();
    }

    public async Task WaitAsync(Task next, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(LookAgain, clock, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Look again: another node may have written.
        }
    }

    public static string OfAttempt(string attemptId) => $"attempt:{attemptId}";

    public static string OfPerson(Guid personId) => $"person:{personId:N}";
}
