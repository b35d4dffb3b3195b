namespace Portvakt.Server.Hosting;

/// <summary>
/// Who may wait for a password hash (R56). A hash takes 15 ms of a core and nothing makes it cheaper, so when more come than there are cores for, most must be told at once to come back; and
/// whoever sends most must not be who is served. It is asked before anything else is done for a password: what is refused here has cost next to nothing.
/// </summary>
/// <param name="length">How many may wait or be looked at, together.</param>
public sealed class WaitingRoom(int length)
{
    /// <summary>One browser has one window in which one password is typed, and people press twice.</summary>
    private const int OfOneFamiliarBrowser = 2;

    private readonly Dictionary<string, int> _sources = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private int _all;

    /// <summary>How many are in it.</summary>
    public int Count => Volatile.Read(ref _all);

    /// <summary>A place for the house itself, and for whoever has shown who it is: a phone's PIN, a new password. Null: all are taken.</summary>
    public Place? Enter() => Enter("", (_, all) => all < length);

    /// <summary>
    /// A place for a browser in which this very person has signed in before. The last quarter is kept for those, so that no crowd of strangers keeps people out who are at home here (G15).
    /// </summary>
    /// <param name="browser">Person and browser.</param>
    public Place? EnterFamiliar(string browser) => Enter(browser, (own, all) => all < length && own < OfOneFamiliarBrowser);

    /// <summary>
    /// A place for anybody else. A source may hold no more than is still free: one alone comes to a half, two to a third each, and for who comes next there is always one left. It needs no
    /// clock and no list of who is bad (the dynamic threshold by which switches share their memory, Choudhury and Hahne 1998).
    /// </summary>
    /// <param name="source">Whose requests count together: an address.</param>
    public Place? EnterStranger(string source) => Enter(source, (own, all) => own < (length * 3 / 4) - all);

    private Place? Enter(string source, Func<int, int, bool> admits)
    {
        lock (_lock)
        {
            var own = _sources.GetValueOrDefault(source);
            if (!admits(own, _all)) return null;
            _sources[source] = own + 1;
            _all++;
            return new Place(this, source);
        }
    }

    private void Leave(string source)
    {
        lock (_lock)
        {
            if (_sources[source] is > 1 and var own) _sources[source] = own - 1;
            else _sources.Remove(source);
            _all--;
        }
    }

    /// <summary>A place in the room, free for others when it is disposed of.</summary>
    public sealed class Place : IDisposable
    {
        private readonly string _source;
        private WaitingRoom? _room;

        internal Place(WaitingRoom room, string source) => (_room, _source) = (room, source);

        public void Dispose()
        {
            Interlocked.Exchange(ref _room, null)?.Leave(_source);
        }
    }
}
