using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Sessions;

/// <summary>A person before the rule of the deadline: what it says, and what the person has.</summary>
public sealed record Ruling(Person Person, EnrolmentVerdict Verdict, bool HasAuthenticator, bool HasRole)
{
    /// <summary>Whether a session that knows the password alone may go on: nothing better is there, and nothing better is demanded yet.</summary>
    public bool PasswordAloneIsEnough => !HasAuthenticator && Verdict.Duty < EnrolmentDuty.Required;
}

/// <summary>
/// Asks <see cref="EnrolmentRule"/> about a person as the database knows them now. The same question at every step of a sign-in and at every use of a session
/// that came of a password alone: a deadline ends what began before it (R10, R28).
/// </summary>
public sealed class Rulings(PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    /// <summary>One statement. Null: the account is closed.</summary>
    /// <param name="personId">Who.</param>
    /// <param name="http">The browser that stands at the door; null when none does, which counts as a strange network.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<Ruling?> OfAsync(Guid personId, HttpContext? http, CancellationToken cancellationToken)
    {
        var known = await db.People.Where(row => row.Id == personId).Select(row => new
        {
            Person = row,
            Wave = db.Waves.SingleOrDefault(wave => wave.Id == row.WaveId),
            HasPhone = db.Phones.Any(phone => phone.PersonId == row.Id && phone.State == AuthenticatorState.Active),
            HasCode = db.Totps.Any(totp => totp.PersonId == row.Id && totp.State == AuthenticatorState.Active),
            HasRole = db.RoleAssignments.Any(role => role.PersonId == row.Id),
            ExemptUntil = db.PersonalTerms.Where(term => term.PersonId == row.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Exemption).Max(term => (DateTimeOffset?)term.Until),
            ExtendedUntil = db.PersonalTerms.Where(term => term.PersonId == row.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until),
            LastSeenAt = db.Sessions.Where(session => session.PersonId == row.Id).Max(session => (DateTimeOffset?)session.LastSeenAt),
        }).SingleOrDefaultAsync(cancellationToken);
        if (known is not { Person.State: PersonState.Active }) return null;

        var person = known.Person;
        var verdict = EnrolmentRule.Judge(
            clock.GetUtcNow(),
            new EnrolmentFacts
            {
                StartsAt = known.Wave?.StartsAt,
                DeadlineAt = known.Wave?.DeadlineAt,
                AfterDeadline = known.Wave?.AfterDeadline ?? AfterDeadline.Block,
                ExemptUntil = known.ExemptUntil,
                ExtendedUntil = known.ExtendedUntil,
                PostponedUntil = person.EnrolmentPostponedUntil,
                MustHave = person.ActivatedAt is not null || known.HasRole,
                Access = known.Wave?.Access ?? EnrolmentAccess.Open,
                FromTrustedNetwork = http?.IsFrom(settings.Value.TrustedNetworks) is true,
                LastUsedAt = known.LastSeenAt > person.LastSignInAt ? known.LastSeenAt : person.LastSignInAt,
                NeedsPass = person.NeedsPass,
            },
            TimeSpan.FromDays(settings.Value.AskAlwaysLastDays));
        return new Ruling(person, verdict, known.HasPhone || known.HasCode, known.HasRole);
    }

    /// <summary>Whether tokens may still come of a session: one with two factors is not asked again.</summary>
    public async Task<bool> StillHoldsAsync(Session session, CancellationToken cancellationToken) =>
        session.Method is not null || await OfAsync(session.PersonId, http: null, cancellationToken) is { PasswordAloneIsEnough: true };
}
