using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Sessions;

/// <summary>A person before the rules: what that of the deadline says, what the person holds, and what the policy of methods makes of it.</summary>
/// <param name="Person">Who.</param>
/// <param name="Verdict">What the rule of the deadline says.</param>
/// <param name="Held">Every method that is set up and proven, whether it may be used or not.</param>
/// <param name="Policy">The policy of methods that the person falls under.</param>
/// <param name="Offered">What there is at all on this server: telephones only where a gateway is configured.</param>
/// <param name="HasRole">Whether the person administers.</param>
/// <param name="PhoneAnswers">Whether some phone of the person can be asked: one that is held may have been removed in the app, or its PIN be blocked.</param>
public sealed record Ruling(Person Person, EnrolmentVerdict Verdict, Methods Held, MethodPolicy Policy, Methods Offered, bool HasRole, bool PhoneAnswers)
{
    /// <summary>What a sign-in accepts of this person.</summary>
    public Methods Accepted => Policy.ForUse & Offered;

    /// <summary>What a sign-in accepts of what the person holds.</summary>
    public Methods Usable => (Held & Accepted) | (Policy.Pass is PassUse.Enrolment ? Methods.None : Held & Methods.AccessPass);

    /// <summary>What the person may set up: of what may not be used nobody sets anything up.</summary>
    public Methods ForEnrolment => Policy.ForEnrolment & (Policy.ForUse | Methods.RecoveryCode) & Offered;

    public bool HasAuthenticator => (Usable & MethodOrder.Primary) is not Methods.None;

    /// <summary>Whether a session that knows the password alone may go on: nothing better is there, and nothing better is demanded yet.</summary>
    public bool PasswordAloneIsEnough => !HasAuthenticator && Verdict.Duty < EnrolmentDuty.Required;
}

/// <summary>
/// Asks <see cref="EnrolmentRule"/> about a person as the database knows them now. The same question at every step of a sign-in and at every use of a session
/// that came of a password alone: a deadline ends what began before it (R10, R28).
/// </summary>
public sealed class Rulings(PortvaktDb db, Lookups lookups, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    /// <summary>One statement; one more where the organisation has policies of methods. Null: the account is closed.</summary>
    /// <param name="personId">Who.</param>
    /// <param name="http">The browser that stands at the door; null when none does, which counts as a strange network.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<Ruling?> OfAsync(Guid personId, HttpContext? http, CancellationToken cancellationToken) =>
        await lookups.Facts(db, personId, cancellationToken) is { } facts ? await OfAsync(facts, http, cancellationToken) : null;

    /// <summary>As above, of what was just asked.</summary>
    public async Task<Ruling?> OfAsync(PersonFacts known, HttpContext? http, CancellationToken cancellationToken)
    {
        if (known is not { Holding.Person: { State: PersonState.Active } person }) return null;
        var now = clock.GetUtcNow();
        var held = known.Holding.Held | (now < known.PassUntil ? Methods.AccessPass : Methods.None);
        var policy = (known.AnyPolicy ? await MethodPolicies.LoadAsync(db, cancellationToken) : MethodPolicies.None).Of(person.Attributes);

        // Once something is set up, no password alone opens anything again, whatever a policy has made of what was set up since (R38).
        var hasAny = (held & MethodOrder.Primary) is not Methods.None;
        var verdict = EnrolmentRule.Judge(
            now,
            new EnrolmentFacts
            {
                StartsAt = known.Wave?.StartsAt,
                DeadlineAt = known.Wave?.DeadlineAt,
                AfterDeadline = known.Wave?.AfterDeadline ?? AfterDeadline.Block,
                ExemptUntil = known.ExemptUntil,
                ExtendedUntil = known.ExtendedUntil,
                PostponedUntil = person.EnrolmentPostponedUntil,
                MustHave = person.ActivatedAt is not null || known.HasRole || hasAny,
                Access = known.Wave?.Access ?? EnrolmentAccess.Open,
                FromTrustedNetwork = http?.IsFrom(settings.Value.TrustedNetworks) is true,
                LastUsedAt = known.LastSeenAt > person.LastSignInAt ? known.LastSeenAt : person.LastSignInAt,
                NeedsPass = person.NeedsPass || hasAny,
            },
            TimeSpan.FromDays(settings.Value.AskAlwaysLastDays));
        return new Ruling(person, verdict, held, policy, Offered(settings.Value), known.HasRole, known.PhoneAnswers);
    }

    /// <summary>Every method that this server has.</summary>
    public static Methods Offered(PortvaktSettings settings) => ~MethodOrder.Telephone | settings.Telephone;

    /// <summary>Whether a session may go on, and tokens come of it: what was proven is still enough, and still accepted (R10).</summary>
    /// <param name="holder">The session and its person.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<bool> StillHoldsAsync(SessionHolder holder, CancellationToken cancellationToken) => holder.Method is { } proven
        ? Accepts(holder.AnyPolicy ? await MethodPolicies.LoadAsync(db, cancellationToken) : MethodPolicies.None, holder.Attributes, proven)
        : await OfAsync(holder.PersonId, http: null, cancellationToken) is { PasswordAloneIsEnough: true };

    /// <summary>A policy that has become stricter ends what came of a weaker method, too.</summary>
    public bool Accepts(MethodPolicies policies, PersonAttributes attributes, SecondFactorMethod proven) =>
        (Offered(settings.Value) & AuthenticationMethods.MethodOf(proven)) is not Methods.None && policies.Of(attributes).Accepts(proven);
}
