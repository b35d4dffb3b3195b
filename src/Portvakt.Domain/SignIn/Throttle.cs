namespace Portvakt.Domain.SignIn;

/// <summary>How failures slow the next try down: pure, the store raises the count before the secret is looked at.</summary>
/// <param name="FreeFailures">How many cost nothing.</param>
/// <param name="FirstPause">After the last free one; then it doubles.</param>
/// <param name="LongestPause">Never longer than this.</param>
/// <param name="Memory">After so long without a try the count starts over; where it is shared, so long after the first failure and the last pause.</param>
/// <param name="IsShared">Many are counted together, so that somebody tries all the time: what right tries have counted is given back, and they prolong no memory.</param>
public sealed record Throttle(int FreeFailures, TimeSpan FirstPause, TimeSpan LongestPause, TimeSpan Memory, bool IsShared = false)
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>Wrong passwords for one account, from browsers that have signed in to it and from others, counted apart: ten, then 60 s, doubling to 15 minutes.</summary>
    public static readonly Throttle Password = new(10, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(15), Day);

    /// <summary>Tries from one source, whoever is tried: a school behind one address must still get in, so the pause is short and soon forgotten.</summary>
    public static readonly Throttle PasswordSource = new(100, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), IsShared: true);

    /// <summary>Wrong codes and numbers for one account, over all sessions and addresses: five, then 15 minutes, doubling to a day.</summary>
    public static readonly Throttle SecondFactor = new(5, TimeSpan.FromMinutes(15), Day, Day);

    /// <summary>Wrong codes for one account without a right one in between, however slowly: at the hundredth it is over (NIST SP 800-63B section 3.2.2).</summary>
    public static readonly Throttle Ever = new(100, TimeSpan.FromDays(3650), TimeSpan.FromDays(3650), TimeSpan.FromDays(3650));

    /// <summary>Wrong Temporary Access Passes for one account: counted apart, so that somebody who guesses codes does not close the helpdesk's door.</summary>
    public static readonly Throttle Pass = new(5, TimeSpan.FromMinutes(15), Day, Day);

    /// <summary>Wrong numbers on the phone: counted apart, so that a stranger's wrong codes do not silence the owner's phone.</summary>
    public static readonly Throttle Number = new(5, TimeSpan.FromMinutes(15), Day, Day);

    /// <summary>Unknown binding codes from one source: a short code must not be guessed.</summary>
    public static readonly Throttle BindingSource = new(20, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), IsShared: true);

    /// <summary>Changes of one's own methods: nobody makes twenty in a row, and every one of them is mailed.</summary>
    public static readonly Throttle MethodChanges = new(20, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(10));

    /// <summary>
    /// How long the account or source must wait after its <paramref name="failures"/>th failure: the rule in words that can be read. At work it is part of the one
    /// statement of the store that counts; a test holds that statement to this.
    /// </summary>
    public TimeSpan PauseAfter(int failures)
    {
        if (failures < FreeFailures) return TimeSpan.Zero;
        var doublings = Math.Min(failures - FreeFailures, 30);
        var pause = FirstPause.TotalSeconds * Math.Pow(2, doublings);
        return pause >= LongestPause.TotalSeconds ? LongestPause : TimeSpan.FromSeconds(pause);
    }
}

/// <summary>How often one thing has failed of late. Raised by one statement of the database, before the secret is looked at.</summary>
public sealed class FailureCount
{
    /// <summary>What is counted, for instance <c>password:unfamiliar:{user name}</c>.</summary>
    public required string Key { get; init; }

    public int Failures { get; init; }

    /// <summary>Unix milliseconds, so that one SQL statement can count on every database.</summary>
    public long LastFailureAt { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long BlockedUntil { get; init; }

    /// <summary>Keyed hash of the last wrong secret: the same one again is a forgotten caps lock, not another guess.</summary>
    public byte[]? LastWrong { get; init; }
}

/// <summary>A browser that has signed in to an account before; its wrong passwords are counted apart (R52).</summary>
public sealed class FamiliarBrowser
{
    private FamiliarBrowser() { }

    public FamiliarBrowser(Guid personId, byte[] browserHash, DateTimeOffset now) => (PersonId, BrowserHash, SeenAt) = (personId, browserHash, now);

    public Guid PersonId { get; private set; }
    public byte[] BrowserHash { get; private set; } = [];
    public DateTimeOffset SeenAt { get; private set; }

    public void Seen(DateTimeOffset now) => SeenAt = now;
}
