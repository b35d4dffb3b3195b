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
    public string Deadline => Standing.Person!.EnrolmentDeadlineAt is { } deadline ? Localisation.Date(deadline, settings.Value.Zone) : "";

    /// <summary>Null: it cannot be put off.</summary>
    public int? DaysLeft => Standing.Duty is EnrolmentDuty.MayPostpone ? EnrolmentRule.DaysLeft(clock.GetUtcNow(), Standing.Person!.EnrolmentDeadlineAt!.Value) : null;

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync()
    {
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
        db.Record(SecurityEvent.EnrolmentPostponed, Current.PersonId, null, HttpContext, now);
        return await ContinueAsync();
    }
}
