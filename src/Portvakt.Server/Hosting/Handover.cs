namespace Portvakt.Server.Hosting;

/// <summary>
/// What requests hand to threads of their own. Such a thread sleeps while there is nothing: a <see cref="System.Collections.Concurrent.BlockingCollection{T}"/> asks again and again
/// before it does, and that was an eighth of what SQLite's writer computed.
/// </summary>
public sealed class Handover<T>
{
    private readonly Queue<T> _waiting = new();
    private bool _isOver;

    /// <exception cref="InvalidOperationException">It is over.</exception>
    public void Add(T one)
    {
        lock (_waiting)
        {
            if (_isOver) throw new InvalidOperationException("The server is going down.");
            _waiting.Enqueue(one);
            Monitor.Pulse(_waiting);
        }
    }

    /// <summary>Nothing more comes; what waits is still taken.</summary>
    public void End()
    {
        lock (_waiting)
        {
            _isOver = true;
            Monitor.PulseAll(_waiting);
        }
    }

    /// <summary>Waits until there is something, and moves it to the caller in the order in which it came.</summary>
    /// <param name="taken">Gets what is there.</param>
    /// <param name="most">No more than that.</param>
    /// <returns>False: it is over, and there is nothing left.</returns>
    public bool Take(List<T> taken, int most)
    {
        lock (_waiting)
        {
            while (_waiting.Count is 0)
            {
                if (_isOver) return false;
                Monitor.Wait(_waiting);
            }

            while (taken.Count < most && _waiting.TryDequeue(out var one)) taken.Add(one);
            return true;
        }
    }
}
