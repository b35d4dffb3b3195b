using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Mails;
using Portvakt.Server.Shared;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P6: a real approval by the phone just bound. The method counts only once it is approved.</summary>
public sealed class TestModel(SignInJourney journey, PortvaktDb db, Lookups lookups, Outbox outbox, Approver approver, TimeProvider clock) : AttemptPage(journey, SignInStep.TestApproval)
{
    public ApprovalView Approval { get; private set; } = null!;

    /// <summary>A second phone presented the code before the test was approved: both are out.</summary>
    public bool UsedTwice { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        var binding = await BindingAsync();
        if (binding is not { State: BindingState.Bound, PhoneId: { } phoneId })
        {
            UsedTwice = binding is { State: BindingState.UsedTwice };
            if (UsedTwice) return Page();
            Current.ReturnToSetUp(clock.GetUtcNow());
            return await ContinueAsync();
        }

        var request = await LatestAsync(phoneId) ?? await AskAsync(phoneId);
        Approval = ApprovalView.Of(request, AttemptId, await WaitEndpoint.StateOfAsync(db, lookups, Current, clock.GetUtcNow(), HttpContext.RequestAborted), clock.GetUtcNow());
        return Page();
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (await BindingAsync() is not { State: BindingState.Bound, PhoneId: { } phoneId } binding || await LatestAsync(phoneId) is not { State: ApprovalState.Approved }) return Reload();
        var phone = await db.Phones.SingleOrDefaultAsync(row => row.Id == phoneId && row.PersonId == Current.PersonId, HttpContext.RequestAborted);
        if (phone is not { State: AuthenticatorState.Unconfirmed }) return Reload();

        // Removed in the app since it was approved: it opens nothing. Under the version of the person: of two phones that come at once to the last place one gets it (R39).
        if (phone.RemovedOnPhoneAt is not null || await PhoneBindingEndpoint.HasAllPhonesAsync(db, Standing.Ruling!, phoneId, HttpContext.RequestAborted))
        {
            await GiveUpAsync();
            Current.ReturnToSetUp(clock.GetUtcNow());
            return await ContinueAsync();
        }

        // All or nothing: the phone, its codes, the code of the picture and the attempt in one save (R38).
        var now = clock.GetUtcNow();
        phone.Activate();
        foreach (var totp in await db.Totps.Where(row => row.PhoneId == phoneId).ToListAsync(HttpContext.RequestAborted)) totp.Activate();
        binding.Confirm();
        Current.RecordEnrolment(phone.Unlock is PhoneUnlock.Pin ? SecondFactorMethod.PhoneWithPin : SecondFactorMethod.Phone, now);
        Standing.Person!.RecordEnrolment(now);
        db.Record(SecurityEvent.PhoneActivated, phone.PersonId, phone.Id.ToString("N"), HttpContext, now);
        await outbox.TellAsync(SecurityEvent.PhoneActivated, Standing.Person!, HttpContext, now, HttpContext.RequestAborted, phone.Id);
        return await ContinueEnrolledAsync();
    }

    public async Task<IActionResult> OnPostAgainAsync()
    {
        if (await BindingAsync() is { State: BindingState.Bound, PhoneId: { } phoneId } && await LatestAsync(phoneId) is var latest && latest?.IsLive(clock.GetUtcNow()) is not true)
        {
            if (latest is { State: ApprovalState.Pending }) await db.RememberTroubleAsync(Standing.Person!.Id, EnrolmentTrouble.NoAnswer);
            await AskAsync(phoneId);
        }

        return Reload();
    }

    public async Task<IActionResult> OnPostSetUpAgainAsync()
    {
        await GiveUpAsync();
        Current.ReturnToSetUp(clock.GetUtcNow());
        return await ContinueAsync();
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        await GiveUpAsync();
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private Task<BindingCode?> BindingAsync() =>
        db.BindingCodes.Where(row => row.AttemptId == AttemptId && row.State != BindingState.Replaced).OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(HttpContext.RequestAborted);

    private Task<ApprovalRequest?> LatestAsync(Guid phoneId) =>
        db.Approvals.Where(row => row.AttemptId == AttemptId && row.OnlyPhoneId == phoneId).OrderByDescending(row => row.CreatedAt).FirstOrDefaultAsync(HttpContext.RequestAborted);

    private Task<ApprovalRequest?> AskAsync(Guid phoneId) =>
        approver.AskAsync(HttpContext, Standing.Person!.Id, AttemptId, ApprovalPurpose.EnrolmentTest, phoneId, Current.RelyingPartyName);

    private async Task GiveUpAsync()
    {
        if (await BindingAsync() is not { } binding) return;
        binding.Replace();
        if (binding.PhoneId is { } phoneId) await PhoneBindingEndpoint.RevokeAsync(db, phoneId, HttpContext.RequestAborted);
        if (binding.State is BindingState.UsedTwice) db.BindingCodes.Remove(binding);
    }
}
