namespace Portvakt.Server.Hosting;

/// <summary>One who waits for news of one topic, from <see cref="Signals.Listen"/> until disposed.</summary>
public sealed class Waiter : IDisposable
{
    /// <summary>How soon one looks again who may have missed what another node wrote.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>So many wake-ups from elsewhere are followed without two quiet seconds in between; then only the clock, so that a flood over the backplane is none in the database.</summary>
    private const int MostFromElsewhere = 4;

    private readonly Signals _signals;
    private readonly TimeProvider _clock;
    private volatile TaskCompletionSource _woken = NewWakeUp();
    private volatile int _fromElsewhere;

    internal Waiter(Signals signals, string name, TimeProvider clock) => (_signals, Name, _clock) = (signals, name, clock);

    internal string Name { get; }

    /// <summary>
    /// Until somebody has news, or it is time to look again: after two seconds where other nodes may have written, otherwise when the
    /// caller wants it. What comes between two calls ends the second at once.
    /// </summary>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (atMost > LookAgain && (!_signals.IsAlone || _fromElsewhere >= MostFromElsewhere)) atMost = LookAgain;
        if (!await IsWokenAsync(atMost, cancellationToken)) _fromElsewhere = 0;
        _woken = NewWakeUp(); // whatever wakes from here on may be news of after the look that follows
    }

    public void Dispose() => _signals.Leave(this);

    /// <summary>Never by two at once.</summary>
    internal void Wake(bool fromElsewhere)
    {
        if (fromElsewhere && _fromElsewhere >= MostFromElsewhere) return;
        if (_woken.TrySetResult() && fromElsewhere) _fromElsewhere++;
    }

    private async Task<bool> IsWokenAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            await _woken.Task.WaitAsync(atMost, _clock, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static TaskCompletionSource NewWakeUp() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
