using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Approvals;

/// <summary>
/// Counts wrong codes of a person over all sessions, servers and addresses, before the code is looked at (R50, R51, R54). Five in a row: a pause that doubles, and the
/// owner is told, for whoever types codes knows the password. A hundred in a row, however slowly: codes open nothing any more until one is set up again.
/// </summary>
public sealed class SecondFactorBrake(PortvaktDb db, Outbox outbox, TimeProvider clock, IStringLocalizer<Words> words)
{
    /// <summary>No time will do.</summary>
    public static readonly TimeSpan ForGood = TimeSpan.MaxValue;

    private readonly FailureCounter _failures = new(db, clock);

    /// <summary>Null: the code may be looked at now; then <see cref="AcceptedAsync"/> or <see cref="RejectedAsync"/>. Otherwise how long to wait, and nothing may be looked at.</summary>
    /// <param name="personId">Whose code.</param>
    /// <param name="guessable">A code of few digits. What is too long to guess is never switched off.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<TimeSpan?> RaiseAsync(Guid personId, bool guessable, CancellationToken cancellationToken)
    {
        if (guessable && await _failures.BlockedForAsync(EverKey(personId), cancellationToken) is not null) return ForGood;
        if (await _failures.RaiseAsync(Key(personId), Throttle.SecondFactor, cancellationToken) is { } wait) return wait;
        return guessable && await _failures.RaiseAsync(EverKey(personId), Throttle.Ever, cancellationToken) is not null ? ForGood : null;
    }

    /// <summary>The code was right. A right password alone never gets here (R51).</summary>
    public async Task AcceptedAsync(Guid personId, CancellationToken cancellationToken)
    {
        await _failures.ClearAsync(Key(personId), cancellationToken);
        await _failures.ClearAsync(EverKey(personId), cancellationToken);
    }

    /// <summary>The code was wrong: remembered, and told to its owner when it was one too many. Saves.</summary>
    public async Task RejectedAsync(HttpContext http, Person person)
    {
        var now = clock.GetUtcNow();
        db.Record(SecurityEvent.SecondFactorRejected, person.Id, null, http, now);
        var (key, ever) = (Key(person.Id), EverKey(person.Id));
        var counts = await db.FailureCounts.AsNoTracking().Where(count => count.Key == key || count.Key == ever).ToDictionaryAsync(count => count.Key, count => count.Failures, StringComparer.Ordinal, http.RequestAborted);
        if (counts.GetValueOrDefault(key) == Throttle.SecondFactor.FreeFailures) await TellAsync(SecurityEvent.CodesPaused);
        if (counts.GetValueOrDefault(ever) == Throttle.Ever.FreeFailures) await TellAsync(SecurityEvent.CodesSwitchedOff);
        await db.SaveChangesAsync(http.RequestAborted);

        async Task TellAsync(SecurityEvent what)
        {
            db.Record(what, person.Id, null, http, now);
            await outbox.TellAsync(what, person, http, now, http.RequestAborted);
        }
    }

    /// <summary>Codes were set up anew, or taken away: what was guessed before says nothing about them.</summary>
    public static Task ForgetAsync(PortvaktDb db, Guid personId, CancellationToken cancellationToken)
    {
        var (key, ever) = (Key(personId), EverKey(personId));
        return db.FailureCounts.Where(count => count.Key == key || count.Key == ever).ExecuteDeleteAsync(cancellationToken);
    }

    /// <summary>What the page says of a pause.</summary>
    public string SentenceOf(TimeSpan wait) => wait == ForGood ? words["CodesAreOff"] : words.TooManyTries(wait);

    private static string Key(Guid personId) => $"second-factor:{personId:N}";

    private static string EverKey(Guid personId) => $"{FailureCounter.NeverForgotten}{personId:N}";
}
