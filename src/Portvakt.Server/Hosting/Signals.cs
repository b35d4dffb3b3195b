using System.Buffers.Text;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Wakes whoever waits for news of a topic, here and, where there is a <see cref="Backplane"/>, on the other nodes. A hint, never the truth: who is
/// woken looks into the database, and who is not woken looks there anyway, every two seconds where there may be other nodes.
/// </summary>
public sealed class Signals(Vault vault, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<Waiter>> _waiters = new(StringComparer.Ordinal);

    /// <summary>Whether all news are made here, because there is one node. Otherwise who waits looks every two seconds: a <see cref="Backplane"/> may lose a hint.</summary>
    internal bool IsAlone { get; init; }

    /// <summary>Tells the other nodes; must neither wait nor fail. Nothing where there is one node.</summary>
    internal Action<string>? Elsewhere { get; set; }

    /// <summary>Begin to listen before you look: nothing that happens in between is missed.</summary>
    public Waiter Listen(string topic)
    {
        var name = NameOf(topic);
        var waiter = new Waiter(this, name, clock);
        lock (_lock)
        {
            if (!_waiters.TryGetValue(name, out var all)) _waiters[name] = all = [];
            all.Add(waiter);
        }

        return waiter;
    }

    /// <summary>For whoever has written news into the database, after the transaction.</summary>
    public void Wake(string topic)
    {
        var name = NameOf(topic);
        Wake(name, fromElsewhere: false);
        Elsewhere?.Invoke(name);
    }

    /// <summary>What came over the backplane, from another node or from a stranger: a name that nobody waits for here is nothing.</summary>
    internal void WakeFromElsewhere(string name) => Wake(name, fromElsewhere: true);

    internal void Leave(Waiter waiter)
    {
        lock (_lock)
        {
            if (_waiters.TryGetValue(waiter.Name, out var all) && all.Remove(waiter) && all.Count is 0) _waiters.Remove(waiter.Name);
        }
    }

    public static string OfAttempt(string attemptId) => $"attempt:{attemptId}";

    public static string OfPerson(Guid personId) => $"person:{personId:N}";

    private void Wake(string name, bool fromElsewhere)
    {
        lock (_lock)
        {
            if (!_waiters.TryGetValue(name, out var all)) return;
            foreach (var waiter in all) waiter.Wake(fromElsewhere);
        }
    }

    /// <summary>The same on every node, as they share the master key; to whoever reads the backplane it says nothing, and nobody else can make one.</summary>
    private string NameOf(string topic) => Base64Url.EncodeToString(vault.Hash("signal", topic));
}
