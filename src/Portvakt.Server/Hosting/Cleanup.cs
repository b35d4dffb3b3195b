using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Sweeps away what is over: attempts, codes, proofs; and looks whether the clocks agree. Once a minute; missing a round harms nothing, since everything asks the
/// clock when it is used. What takes a whole table to find, and what is kept for a time as history (R92), is swept every hour.
/// </summary>
public sealed class Cleanup(IServiceScopeFactory scopes, AuditChain audit, TimeProvider clock, IOptions<PortvaktSettings> settings, ILogger<Cleanup> log) : BackgroundService
{
    private static readonly TimeSpan ClocksMayDiffer = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(1);

    /// <summary>What is cleared away can be much, and nobody waits for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private DateTimeOffset _nextHourly;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await SweepAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the sweeping; it is logged and tried again
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.SweepFailed(exception);
            }
        }
    }

    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        db.Database.SetCommandTimeout(Patience);
        var now = clock.GetUtcNow();

        // Several servers that disagree about the time disagree about what is over (R100). The database is the one they all know.
        if (await Database.ClockDifferenceAsync(db, clock, cancellationToken) is var difference && difference.Duration() > ClocksMayDiffer) log.ClocksDiffer(difference.TotalSeconds);

        await db.UsedProofs.Where(row => row.ExpiresAt < now).ExecuteDeleteAsync(cancellationToken);

        // A session that ends tells every application it was used for; the codes remember which. They stay as long as a session can.
        await db.AuthorizationCodes.Where(row => row.ExpiresAt < now - Session.StayLifetime).ExecuteDeleteAsync(cancellationToken);
        await db.SignInAttempts.Where(row => row.ExpiresAt < now - TimeSpan.FromDays(1)).ExecuteDeleteAsync(cancellationToken);
        await db.BindingCodes.Where(row => row.ExpiresAt < now - TimeSpan.FromDays(1)).ExecuteDeleteAsync(cancellationToken);
        await db.BindingCodes.Where(row => row.Luggage != null && row.ExpiresAt < now).ExecuteUpdateAsync(set => set.SetProperty(row => row.Luggage, (byte[]?)null), cancellationToken);
        await db.ImportRuns.Where(row => row.Content != null && row.CreatedAt < now - TimeSpan.FromDays(1)).ExecuteUpdateAsync(set => set.SetProperty(row => row.Content, (byte[]?)null).SetProperty(row => row.Problems, "{}"), cancellationToken);
        await db.ImportRuns.Where(row => row.State == ImportState.TokensChecked && row.CreatedAt < now - TimeSpan.FromHours(1)).ExecuteDeleteAsync(cancellationToken);
        await KeptCounts.FoldAsync(db, cancellationToken);
        if (now < _nextHourly) return;

        // These read a whole table, of which few rows have to go. Nobody counts on the minute.
        await db.RefreshFamilies.Where(row => row.ExpiresAt < now - Session.StayLifetime).ExecuteDeleteAsync(cancellationToken);
        await db.LogoutNotices.Where(row => row.CreatedAt < now - Session.StayLifetime).ExecuteDeleteAsync(cancellationToken);
        await db.SignOutRounds.Where(row => row.At < now - Session.StayLifetime).ExecuteDeleteAsync(cancellationToken);
        var forgotten = (now - TimeSpan.FromDays(2)).ToUnixTimeMilliseconds();
        var present = now.ToUnixTimeMilliseconds();
        await db.FailureCounts.Where(row => row.LastFailureAt < forgotten && row.BlockedUntil < present && !row.Key.StartsWith(FailureCounter.NeverForgotten)).ExecuteDeleteAsync(cancellationToken); // a hundred, however slowly
        await db.Totps.Where(row => row.State != AuthenticatorState.Active && row.SerialNumber == null && row.CreatedAt < now - TimeSpan.FromDays(1)).ExecuteDeleteAsync(cancellationToken); // those of plastic wait as long as it takes, and are handed out again
        await db.Phones.Where(row => row.State == AuthenticatorState.Unconfirmed && row.CreatedAt < now - TimeSpan.FromDays(1)).ExecuteDeleteAsync(cancellationToken);
        await db.TelephoneNumbers.Where(row => row.State != AuthenticatorState.Active && row.CreatedAt < now - TimeSpan.FromDays(1)).ExecuteDeleteAsync(cancellationToken);
        await db.Sessions.Where(row => row.ExpiresAt < now - TimeSpan.FromDays(30)).ExecuteDeleteAsync(cancellationToken);
        await SweepHistoryAsync(cancellationToken);
        _nextHourly = now + TimeSpan.FromHours(1);
    }

    /// <summary>What people may still ask about for some time, and then no longer. Nothing that is open goes.</summary>
    public async Task SweepHistoryAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        db.Database.SetCommandTimeout(Patience);
        var now = clock.GetUtcNow();
        var kept = now - TimeSpan.FromDays(settings.Value.HistoryRetentionDays);
        await db.Approvals.Where(row => row.ExpiresAt < kept).ExecuteDeleteAsync(cancellationToken);
        await db.AccessPasses.Where(row => row.ExpiresAt < kept).ExecuteDeleteAsync(cancellationToken);
        await db.Mails.Where(row => row.CreatedAt < kept && row.State != MailState.Waiting && row.State != MailState.Sending).ExecuteDeleteAsync(cancellationToken);
        await db.TelephoneMessages.Where(row => row.CreatedAt < kept).ExecuteDeleteAsync(cancellationToken); // never less than the day that the limits look back
        await db.Cases.Where(row => row.ClosedAt < kept).ExecuteDeleteAsync(cancellationToken);
        await db.SignOutRounds.Where(row => row.At < kept).ExecuteDeleteAsync(cancellationToken);
        await db.FamiliarBrowsers.Where(row => row.SeenAt < now - BrowserCookie.Lifetime).ExecuteDeleteAsync(cancellationToken); // each private window leaves one
        await audit.ForgetAsync(now - TimeSpan.FromDays(settings.Value.AuditRetentionDays), cancellationToken);
    }
}

internal static partial class Log
{
    [LoggerMessage(9001, LogLevel.Error, "Sweeping failed; it is tried again in a minute")]
    public static partial void SweepFailed(this ILogger logger, Exception exception);

    [LoggerMessage(9003, LogLevel.Error, "The clock of the database is {Seconds} s ahead of this server's; set both by the same time service")]
    public static partial void ClocksDiffer(this ILogger logger, double seconds);

    [LoggerMessage(9004, LogLevel.Warning, "Not ready, the database does not answer: {Reason}")]
    public static partial void NotReady(this ILogger logger, string reason);

    [LoggerMessage(9002, LogLevel.Warning, "Content policy violated: {Report}")]
    public static partial void PolicyViolated(this ILogger logger, string report);
}
