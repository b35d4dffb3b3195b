using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Data;

/// <summary>Counts failures so that guessing in parallel gains nothing: the count is raised, and the limit asked, by one statement before the secret is looked at (R54).</summary>
public sealed class FailureCounter(PortvaktDb db, TimeProvider clock)
{
    /// <summary>How the keys begin of what no time heals: it goes with a right code, with new codes or with the person.</summary>
    public const string NeverForgotten = "second-factor-ever:";

    /// <summary>The pause doubles; 20 doublings are more than any longest pause.</summary>
    private static readonly SqlStatement Raise = new(
        """
        INSERT INTO failure_counts (key, failures, last_failure_at, blocked_until) VALUES (@key, 1, @now, @blockedAtFirst)
        ON CONFLICT (key) DO UPDATE SET
            failures = CASE WHEN failure_counts.last_failure_at < @forgotten AND failure_counts.blocked_until < @pauseForgotten THEN 1 ELSE failure_counts.failures + 1 END,
            last_failure_at = CASE
                WHEN @shared AND failure_counts.failures > 0 AND NOT (failure_counts.last_failure_at < @forgotten AND failure_counts.blocked_until < @pauseForgotten) THEN failure_counts.last_failure_at
                ELSE @now END,
            blocked_until = CASE
                WHEN failure_counts.last_failure_at < @forgotten AND failure_counts.blocked_until < @pauseForgotten THEN @blockedAtFirst
                WHEN failure_counts.failures + 1 < @free THEN 0
                WHEN failure_counts.failures + 1 - @free > 20 THEN @now + @longest
                WHEN @first * (1 << (failure_counts.failures + 1 - @free)) > @longest THEN @now + @longest
                ELSE @now + @first * (1 << (failure_counts.failures + 1 - @free)) END
        WHERE failure_counts.blocked_until <= @now AND (failure_counts.last_wrong IS NULL OR failure_counts.last_wrong <> @mark)
        RETURNING blocked_until
        """,
        null,
        ("key", typeof(string)), ("now", typeof(long)), ("blockedAtFirst", typeof(long)), ("forgotten", typeof(long)), ("pauseForgotten", typeof(long)), ("shared", typeof(bool)), ("free", typeof(int)),
        ("first", typeof(long)), ("longest", typeof(long)), ("mark", typeof(byte[])));

    private static readonly SqlStatement Clear = new("DELETE FROM failure_counts WHERE key = @key", parameters: ("key", typeof(string)));

    // What our own tries have set, so that a right one takes back its own block and nobody else's.
    private readonly Dictionary<string, long> _blocks = new(StringComparer.Ordinal);

    // Of nobody: the marks of secrets are longer.
    private static readonly byte[] NoMark = [0];

    /// <summary>
    /// Raises the count. Null: the caller may look at the secret now, and calls <see cref="ClearAsync"/> or <see cref="ReturnAsync"/> if it
    /// was right. Otherwise how long to wait; the secret must not be looked at.
    /// </summary>
    public async Task<TimeSpan?> RaiseAsync(string key, Throttle throttle, CancellationToken cancellationToken) => (await RaiseAsync(key, throttle, NoMark, cancellationToken)).Wait;

    /// <summary>As <see cref="RaiseAsync(string, Throttle, CancellationToken)"/>, but the last wrong secret once more has been counted already.</summary>
    /// <param name="key">What is counted.</param>
    /// <param name="throttle">How.</param>
    /// <param name="mark">Of the secret, as <see cref="RememberAsync"/> was told it.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<(TimeSpan? Wait, bool IsRepeat)> RaiseAsync(string key, Throttle throttle, byte[] mark, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var forgotten = now - (long)throttle.Memory.TotalMilliseconds;
        var first = (long)throttle.FirstPause.TotalMilliseconds;
        var longest = (long)throttle.LongestPause.TotalMilliseconds;
        var free = throttle.FreeFailures;
        var blockedAtFirst = free <= 1 ? now + first : 0;

        // Where many share a key somebody always tries, and nobody knows yet whether this one is right: there the memory runs from the first failure, or from the end of
        // the last pause, and no try prolongs it.
        var (shared, pauseForgotten) = (throttle.IsShared, throttle.IsShared ? forgotten : long.MaxValue);

        var raised = await Raise.WriteAsync<long?>(db, static row => row.GetInt64(0), cancellationToken, key, now, blockedAtFirst, forgotten, pauseForgotten, shared, free, first, longest, mark);
        if (raised is { } blockedUntil)
        {
            _blocks[key] = blockedUntil;
            return (null, false);
        }

        var known = await db.FailureCounts.Where(count => count.Key == key).Select(count => new { count.BlockedUntil, count.LastWrong }).SingleOrDefaultAsync(cancellationToken);
        var wait = known?.BlockedUntil > now ? TimeSpan.FromMilliseconds(known.BlockedUntil - now) : (TimeSpan?)null;
        var isRepeat = known?.LastWrong is { } last && CryptographicOperations.FixedTimeEquals(last, mark);
        return (isRepeat ? wait : wait ?? TimeSpan.FromSeconds(1), isRepeat); // neither: it was changed in between
    }

    /// <summary>How long the key is still blocked; null when it is not.</summary>
    public async Task<TimeSpan?> BlockedForAsync(string key, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var until = await db.FailureCounts.Where(count => count.Key == key).Select(count => count.BlockedUntil).SingleOrDefaultAsync(cancellationToken);
        return until > now ? TimeSpan.FromMilliseconds(until - now) : null;
    }

    /// <summary>The secret was right: the account's own count starts over.</summary>
    public Task ClearAsync(string key, CancellationToken cancellationToken) =>
        Clear.WriteAsync(db, cancellationToken, key);

    /// <summary>The secret was right, but the key is shared by many (a source): one count back, no clean slate for a guesser with an account of their own.</summary>
    public Task ReturnAsync(string key, Throttle throttle, CancellationToken cancellationToken)
    {
        // A block that others have earned stays; one that this try has set, or that only this try would have earned, goes with it.
        var (free, own) = (throttle.FreeFailures, _blocks.GetValueOrDefault(key));
        return db.WriteAsync(
            () => db.Database.ExecuteSqlAsync(
                $"UPDATE failure_counts SET blocked_until = CASE WHEN failures - 1 < {free} OR blocked_until = {own} THEN 0 ELSE blocked_until END, failures = failures - 1 WHERE key = {key} AND failures > 0", cancellationToken),
            cancellationToken);
    }

    /// <summary>The last wrong one, so that it is counted once (<see cref="RaiseAsync(string, Throttle, byte[], CancellationToken)"/>).</summary>
    public Task RememberAsync(string key, byte[] mark, CancellationToken cancellationToken) =>
        db.WriteAsync(() => db.FailureCounts.Where(count => count.Key == key).ExecuteUpdateAsync(set => set.SetProperty(count => count.LastWrong, mark), cancellationToken), cancellationToken);
}
