using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Shared;

namespace Portvakt.Server.SignIn;

/// <summary>The phone is asked; the number stands here and is typed there.</summary>
public sealed class SecondFactorModel(SignInJourney journey, PortvaktDb db, Lookups lookups, Approver approver, TimeProvider clock) : AttemptPage(journey, SignInStep.SecondFactor)
{
    protected override Methods Proves => Methods.App;

    public ApprovalView Approval { get; private set; } = null!;

    public async Task<IActionResult> OnGetAsync()
    {
        var personId = Standing.Person!.Id;
        if (!Standing.Ruling!.PhoneAnswers && Standing.Methods.FirstOrDefault(method => method is not Methods.App) is var other and not Methods.None)
            return SignInJourney.SeeOther(SignInJourney.PageOf(other, AttemptId));

        // The first request of an attempt is asked by itself; every further one is the person's own wish. A reload shows the same.
        var request = await LatestAsync()
            ?? await approver.AskAsync(HttpContext, personId, AttemptId, ApprovalPurpose.SignIn, onlyPhoneId: null, Current.RelyingPartyName, hasRole: Standing.Ruling.HasRole);
        var now = clock.GetUtcNow();
        var state = Current.EnrolmentBegunAt is null ? WaitEndpoint.StateOf(request, now) : await WaitEndpoint.StateOfAsync(db, lookups, Current, now, HttpContext.RequestAborted);
        Approval = ApprovalView.Of(request, AttemptId, state, now);

        // A request that is over offers another one only when the phone may be asked again.
        if (Approval.Stage is not (ApprovalStage.Waiting or ApprovalStage.Approved))
        {
            Approval = await approver.PauseAsync(personId, HttpContext.RequestAborted) switch
            {
                AskPause.Reported => Approval with { Stage = ApprovalStage.Stopped },
                AskPause.TooMany => Approval with { Stage = ApprovalStage.Paused },
                _ => Approval,
            };
        }

        return Page();
    }

    /// <summary>"I have approved": the button that the script presses.</summary>
    public async Task<IActionResult> OnPostAsync()
    {
        if (await approver.LatestApprovedAsync(AttemptId, ApprovalPurpose.SignIn, HttpContext.RequestAborted) is not var (request, method) || request.PersonId != Standing.Person!.Id) return Reload();
        var now = clock.GetUtcNow();
        if (now >= request.AnsweredAt + SignInAttempt.Lifetime) return Reload();
        Current.RecordSecondFactor(method, now);
        db.Record(SecurityEvent.SecondFactorVerified, request.PersonId, request.Id, HttpContext, now);
        return await ContinueAsync();
    }

    public async Task<IActionResult> OnPostAgainAsync()
    {
        var latest = await LatestAsync();
        if (latest is null || !latest.IsLive(clock.GetUtcNow()))
            await approver.AskAsync(HttpContext, Standing.Person!.Id, AttemptId, ApprovalPurpose.SignIn, onlyPhoneId: null, Current.RelyingPartyName, hasRole: Standing.Ruling!.HasRole);
        return Reload();
    }

    /// <summary>A test of another tab's enrolment is not an answer to this question.</summary>
    private Task<ApprovalRequest?> LatestAsync() => approver.LatestAsync(AttemptId, ApprovalPurpose.SignIn, HttpContext.RequestAborted);
}
