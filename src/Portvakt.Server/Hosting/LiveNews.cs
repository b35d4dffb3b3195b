using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>What a stream saw when it looked.</summary>
/// <param name="State">Told when it differs from what was told before; null: there is nothing to tell any more, and the stream ends.</param>
/// <param name="Until">When it becomes another one by itself, if it does.</param>
/// <param name="IsLast">Nothing comes after it.</param>
public sealed record Sight(string? State, DateTimeOffset? Until = null, bool IsLast = false);

/// <summary>
/// Server-sent events of one topic: tells what is seen whenever it is news, and every 15 s that the line is alive. A context of the database is held while it
/// looks and not while it waits, so that thousands can wait (docs/operating/capacity.md).
/// </summary>
public sealed class LiveNews(IServiceScopeFactory scopes, Signals signals, Telemetry telemetry, TimeProvider clock)
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <param name="topic">See <see cref="Signals"/>.</param>
    /// <param name="name">Of the event.</param>
    /// <param name="told">What the listener knows already; null: tell it whatever it is.</param>
    /// <param name="look">Asks the database.</param>
    /// <param name="cancellationToken">The listener is gone.</param>
    public async IAsyncEnumerable<SseItem<string>> OfAsync(string topic, string name, string? told, Func<PortvaktDb, DateTimeOffset, Task<Sight>> look, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var place = telemetry.Waits(isPhone: name is not "changed");
        using var waiter = signals.Listen(topic); // before the first look: nothing that happens in between is missed
        var spoken = clock.GetUtcNow();
        yield return new SseItem<string>("", "ping");
        while (!cancellationToken.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            var (state, until, isLast) = await LookAsync(look, now);
            if (state is null) yield break;
            if (state != told)
            {
                (told, spoken) = (state, now);
                yield return new SseItem<string>(state, name);
            }
            else if (now >= spoken + Silence)
            {
                spoken = now;
                yield return new SseItem<string>("", "ping");
            }

            if (isLast) yield break;
            await waiter.WaitAsync(until - now is { Ticks: > 0 } left && left < Silence ? left : Silence, cancellationToken);
        }
    }

    private async Task<Sight> LookAsync(Func<PortvaktDb, DateTimeOffset, Task<Sight>> look, DateTimeOffset now)
    {
        System.Diagnostics.Activity.Current = null; // an hour of looks would be one trace without an end
        await using var scope = scopes.CreateAsyncScope();
        return await look(scope.ServiceProvider.GetRequiredService<PortvaktDb>(), now);
    }
}
