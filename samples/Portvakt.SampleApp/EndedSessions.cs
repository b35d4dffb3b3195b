using System.Collections.Concurrent;

namespace Portvakt.SampleApp;

/// <summary>Sessions that the provider has ended, in memory: as long as a cookie of theirs could live. A real application keeps them where all its nodes look.</summary>
public sealed class EndedSessions(TimeProvider clock)
{
    private static readonly TimeSpan Memory = TimeSpan.FromHours(8);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _ended = new(StringComparer.Ordinal);

    public void Add(string sessionId)
    {
        var now = clock.GetUtcNow();
        foreach (var (id, at) in _ended)
        {
            if (at + Memory < now) _ended.TryRemove(id, out _);
        }

        _ended[sessionId] = now;
    }

    public bool Contains(string? sessionId) => sessionId is not null && _ended.ContainsKey(sessionId);
}
