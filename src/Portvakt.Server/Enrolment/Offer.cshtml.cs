using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P2: "More information required": why, and until when it may be put off.</summary>
public sealed class OfferModel(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings) : AttemptPage(journey, SignInStep.OfferEnrolment)
{
    /// <summary>The last day on which the password alone is enough; null when nobody has set one for this person.</summary>
    public string? LastDay => Standing.Verdict.DeadlineAt is { } deadline ? Localisation.LastDay(deadline, settings.Value.Zone) : null;

    /// <summary>Null: it cannot be put off.</summary>
    public int? DaysLeft => Standing is { Duty: EnrolmentDuty.MayPostpone, Verdict.DeadlineAt: { } deadline } ? EnrolmentRule.DaysLeft(clock.GetUtcNow(), deadline, settings.Value.Zone) : null;

    public bool IsOver => Standing.Verdict.DeadlineAt <= clock.GetUtcNow();

    /// <summary>The password is not enough to begin; a pass is needed.</summary>
    public bool NeedsPass => Standing.Verdict.Door is EnrolmentDoor.Closed;

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (NeedsPass) return Reload();
        var now = clock.GetUtcNow();
        Current.BeginEnrolment(now);
        db.Record(SecurityEvent.EnrolmentBegun, Current.PersonId, null, HttpContext, now);
        return await ContinueAsync();
    }

    public async Task<IActionResult> OnPostLaterAsync()
    {
        if (Standing.Duty is not EnrolmentDuty.MayPostpone) return Reload();
        var now = clock.GetUtcNow();
        Current.Postpone(now);

        // On the person, so that no other browser, application or cleared cookie asks for another day; and never beyond the deadline.
        Standing.Person!.Postpone(now + settings.Value.PostponementLifetime);
        db.Record(SecurityEvent.EnrolmentPostponed, Current.PersonId, null, HttpContext, now);
        return await ContinueAsync();
    }
}
