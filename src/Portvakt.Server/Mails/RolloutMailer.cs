using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Mails;

/// <summary>
/// Announces waves and reminds their people. It may run as often and on as many servers as it likes: what was told has a row with a key that exists once.
/// Whoever is enrolled, exempt, locked or without an address is left alone; who has a deadline of their own is reminded of that one.
/// </summary>
public sealed class RolloutMailer(IServiceScopeFactory scopes, IOptions<PortvaktSettings> settings, TimeProvider clock, ILogger<RolloutMailer> log) : BackgroundService
{
    private const int AtOnce = 500;
    private static readonly TimeSpan Rhythm = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await EnqueueDueAsync(clock.GetUtcNow(), stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the reminders; it is logged and tried again
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.MailFailed(problem);
            }
        }
    }

    /// <summary>Writes every announcement and reminder that is due at an instant, and says how many.</summary>
    public async Task<int> EnqueueDueAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<Wave> waves;
        await using (var scope = scopes.CreateAsyncScope())
        {
            waves = await scope.ServiceProvider.GetRequiredService<PortvaktDb>().Waves.AsNoTracking().Where(wave => wave.SendsMail && wave.StartsAt <= now).ToListAsync(cancellationToken);
        }

        var written = 0;
        foreach (var wave in waves) written += await AnnounceAsync(wave, now, cancellationToken) + await RemindAsync(wave, now, cancellationToken);
        if (written > 0) log.RolloutMailed(written);
        return written;
    }

    private async Task<int> AnnounceAsync(Wave wave, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var key = $"announce:{wave.Id:N}:";
        return await WriteAllAsync(MailKind.Announcement, now, db =>
            from person in Concerned(db, wave, now)
            let own = db.PersonalTerms.Where(term => term.PersonId == person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until)
            where (wave.DeadlineAt > now || own > now) && !db.Mails.Any(mail => mail.PersonId == person.Id && mail.OnceKey!.StartsWith(key))
            select new Told { Person = person, Own = own }, person => Latest(wave.DeadlineAt, person.Own), person => key + person.Person.Id.ToString("N"), cancellationToken);
    }

    /// <summary>One set for the wave's own deadline, one for each other deadline that somebody has.</summary>
    private async Task<int> RemindAsync(Wave wave, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<DateTimeOffset> deadlines;
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            deadlines = await (
                from term in db.PersonalTerms
                join person in db.People on term.PersonId equals person.Id
                where person.WaveId == wave.Id && term.Kind == PersonalTermKind.Extension && term.EndedAt == null && term.Until > wave.DeadlineAt && term.Until > now
                select term.Until).Distinct().ToListAsync(cancellationToken);
        }

        var zone = settings.Value.Zone;
        var today = EnrolmentRule.StartOf(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime), zone);
        var announced = $"announce:{wave.Id:N}:";
        var written = 0;
        foreach (var deadline in deadlines.Append(wave.DeadlineAt))
        {
            var days = EnrolmentRule.DaysLeft(now, deadline, zone);
            if (days is 0 || !settings.Value.Reminders.Contains(days)) continue;
            var key = string.Create(CultureInfo.InvariantCulture, $"reminder:{wave.Id:N}:{EnrolmentRule.LastDay(deadline, zone):yyyyMMdd}:{days}:");
            var isOwn = deadline != wave.DeadlineAt;
            written += await WriteAllAsync(MailKind.Reminder, now, db =>
                from person in Concerned(db, wave, now)
                let own = db.PersonalTerms.Where(term => term.PersonId == person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until)
                where (isOwn ? own == deadline : own == null || own <= deadline)
                    && !db.Mails.Any(mail => mail.PersonId == person.Id && mail.OnceKey!.StartsWith(key))

                    // Announced on an earlier day: nobody gets two mails about the same thing on one day.
                    && db.Mails.Any(mail => mail.PersonId == person.Id && mail.OnceKey!.StartsWith(announced) && mail.CreatedAt < today)
                select new Told { Person = person, Own = own }, _ => deadline, person => key + person.Person.Id.ToString("N"), cancellationToken);
        }

        return written;
    }

    private static IQueryable<Person> Concerned(PortvaktDb db, Wave wave, DateTimeOffset now) => db.People.Where(person =>
        person.WaveId == wave.Id && person.EnrolledAt == null && person.State == PersonState.Active && person.Email != null && person.Email.Trim() != ""
        && !db.PersonalTerms.Any(term => term.PersonId == person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Exemption && term.Until > now));

    /// <summary>Set by set, so that a hundred thousand need no more memory than a few. Who has been told no longer belongs to the query.</summary>
    private async Task<int> WriteAllAsync(
        MailKind kind, DateTimeOffset now, Func<PortvaktDb, IQueryable<Told>> wanted, Func<Told, DateTimeOffset> deadlineOf, Func<Told, string> keyOf, CancellationToken cancellationToken)
    {
        for (var written = 0; ;)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var outbox = scope.ServiceProvider.GetRequiredService<Outbox>();
            var composer = scope.ServiceProvider.GetRequiredService<MailComposer>();
            var people = await wanted(db).AsNoTracking().Take(AtOnce).ToListAsync(cancellationToken);
            if (people.Count is 0) return written;
            foreach (var told in people)
                await outbox.EnqueueAsync(kind, told.Person, "/activate", composer.Term(deadlineOf(told), now, outbox.LanguageOf(told.Person)), keyOf(told), now, cancellationToken);

            // Lost to another server: it wrote the same rows, and the next look finds whom it left.
            if (await db.TrySaveAsync(cancellationToken)) written += people.Count;
        }
    }

    private static DateTimeOffset Latest(DateTimeOffset common, DateTimeOffset? own) => own > common ? own.Value : common;

    private sealed class Told
    {
        public required Person Person { get; init; }
        public required DateTimeOffset? Own { get; init; }
    }
}
