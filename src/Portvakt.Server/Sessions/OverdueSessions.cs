using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;

namespace Portvakt.Server.Sessions;

/// <summary>
/// Ends sessions that a deadline has overtaken. <see cref="SessionStore"/> lets them through no door from the first instant; this tells the applications, which
/// have sessions of their own. Any number of servers may do it at once: each session is ended by one condition.
/// </summary>
public sealed partial class OverdueSessions(IServiceScopeFactory scopes, TimeProvider clock, ILogger<OverdueSessions> log) : BackgroundService
{
    private static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await EndAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the sweep; it is logged and tried again
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Failed(log, problem);
            }
        }
    }

    /// <summary>Ends every one that is overdue now, and says how many. The statement finds who may be meant; the rule decides.</summary>
    public async Task<int> EndAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var rulings = scope.ServiceProvider.GetRequiredService<Rulings>();
        var now = clock.GetUtcNow();
        var candidates = await (from session in db.Sessions.AsNoTracking()
                                where session.EndedAt == null && session.Method == null && session.ExpiresAt > now
                                join person in db.People on session.PersonId equals person.Id
                                where person.ActivatedAt != null
                                    || db.Waves.Any(wave => wave.Id == person.WaveId && wave.DeadlineAt <= now)
                                    || db.RoleAssignments.Any(role => role.PersonId == person.Id)
                                    || db.Phones.Any(phone => phone.PersonId == person.Id && phone.State == AuthenticatorState.Active)
                                    || db.Passkeys.Any(passkey => passkey.PersonId == person.Id)
                                    || db.TelephoneNumbers.Any(number => number.PersonId == person.Id && number.State == AuthenticatorState.Active)
                                    || db.Totps.Any(totp => totp.PersonId == person.Id && totp.State == AuthenticatorState.Active)
                                select session).ToListAsync(cancellationToken);
        var ended = 0;
        foreach (var session in candidates)
        {
            if (await rulings.StillHoldsAsync(session, cancellationToken)) continue;
            await using (var transaction = await db.Database.BeginTransactionAsync(cancellationToken))
            {
                await SessionStore.EndInTransactionAsync(db, session.Id, http: null, now);
                await db.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
            }

            db.ChangeTracker.Clear();
            ended++;
        }

        return ended;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sessions that a deadline has overtaken could not be ended; it is tried again in a minute.")]
    private static partial void Failed(ILogger logger, Exception problem);
}
