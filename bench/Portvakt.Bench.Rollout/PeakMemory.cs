namespace Portvakt.Bench.Rollout;

/// <summary>How much more memory the process held at its highest than when this began, looked at twenty times a second.</summary>
internal sealed class PeakMemory : IDisposable
{
    private readonly Timer _timer;
    private readonly long _start;
    private long _peak;

    public PeakMemory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        _start = _peak = Environment.WorkingSet;
        _timer = new Timer(_ => _peak = Math.Max(_peak, Environment.WorkingSet), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
    }

    public long Stop()
    {
        _timer.Dispose();
        return _peak - _start;
    }

    public void Dispose() => _timer.Dispose();
}
