using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;

namespace Portvakt.Server.Sessions;

/// <summary>
/// Ends sessions that a deadline or a stricter policy of methods has overtaken. <see cref="SessionStore"/> lets them through no door from the first instant; this tells the applications, which
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
                                select new { session, person }).ToListAsync(cancellationToken);
        var overdue = new List<string>();
        foreach (var candidate in candidates)
        {
            if (!await rulings.StillHoldsAsync(SessionHolder.Of(candidate.session, candidate.person, anyPolicy: true), cancellationToken)) overdue.Add(candidate.session.Id);
        }

        overdue.AddRange(await NoLongerAcceptedAsync(db, rulings, now, cancellationToken));
        foreach (var id in overdue)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            await SessionStore.EndInTransactionAsync(db, id, http: null, now);
            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            db.ChangeTracker.Clear();
        }

        return overdue.Count;
    }

    /// <summary>Sessions of methods that some policy refuses, each held against the policy of its person. As long as no policy refuses anything, nobody has any.</summary>
    private static async Task<List<string>> NoLongerAcceptedAsync(PortvaktDb db, Rulings rulings, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var policies = await MethodPolicies.LoadAsync(db, cancellationToken);
        var refused = Enum.GetValues<SecondFactorMethod>().Where(policies.AnyRefuses).Select(method => (SecondFactorMethod?)method).ToList();
        var found = new List<string>();
        await foreach (var row in (from session in db.Sessions.AsNoTracking()
                                   where session.EndedAt == null && session.ExpiresAt > now && refused.Contains(session.Method)
                                   join person in db.People.AsNoTracking() on session.PersonId equals person.Id
                                   select new { session, person }).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            if (!rulings.Accepts(policies, row.person.Attributes, row.session.Method!.Value)) found.Add(row.session.Id);
        }

        return found;
    }

    [LoggerMessage(7001, LogLevel.Warning, "Sessions that a deadline has overtaken could not be ended; it is tried again in a minute.")]
    private static partial void Failed(ILogger logger, Exception problem);
}
