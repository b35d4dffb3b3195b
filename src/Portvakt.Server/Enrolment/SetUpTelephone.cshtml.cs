using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;
using Portvakt.Server.Telephones;

namespace Portvakt.Server.Enrolment;

/// <summary>
/// Authentication phone and office phone: a number, and one code as the test. The office phone's number is the organisation's own; a person has one of each,
/// and a new one takes the place of the old.
/// </summary>
public sealed class SetUpTelephoneModel(SignInJourney journey, PortvaktDb db, Outbox outbox, TelephoneCodes codes, SecondFactorBrake brake, TimeProvider clock, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SetUpTelephone)
{
    public bool IsOffice => Current.Chosen is EnrolmentMethod.OfficeTelephone;
    public bool OffersText => !IsOffice && Standing.ForEnrolment.HasFlag(Methods.Text);
    public bool OffersCall => Standing.ForEnrolment.HasFlag(Methods.Call);

    /// <summary>In the number's field.</summary>
    public string Typed { get; private set; } = "";

    public bool ByCall { get; private set; }

    /// <summary>The code that is waited for.</summary>
    public TelephoneMessage? Sent { get; private set; }

    /// <summary>What is wrong with the code that was typed.</summary>
    public string? Problem { get; private set; }

    /// <summary>Why no code was sent.</summary>
    public string? SendProblem { get; private set; }

    private TelephoneKind Kind => IsOffice ? TelephoneKind.Office : TelephoneKind.Mobile;

    public Task OnGetAsync() => LoadAsync();

    public async Task<IActionResult> OnPostSendAsync(string? number, string? how)
    {
        await LoadAsync();
        (Typed, ByCall) = (IsOffice ? Standing.Person!.OfficePhone ?? "" : number ?? "", how is "call" || !OffersText);
        var method = ByCall ? Methods.Call : Methods.Text;
        if (!Standing.ForEnrolment.HasFlag(method)) return Reload();
        if (Dialling.Read(Typed, method, settings.Value.CountriesToCall, out var dialled) is not DialProblem.None and var wrong) return Refuse(new CodeRequest(wrong));

        var own = await OwnAsync();
        if (own is null || own.Number != dialled || own.Kind != Kind)
        {
            own?.Revoke();
            own = new TelephoneNumber(Standing.Person!.Id, Kind, dialled, AttemptId, clock.GetUtcNow());
            db.TelephoneNumbers.Add(own);
        }

        var asked = await codes.RequestAsync(own, method, AttemptId, HttpContext);
        return asked.IsOnItsWay ? Reload() : Refuse(asked);
    }

    public async Task<IActionResult> OnPostAsync(string? code)
    {
        await LoadAsync();
        var personId = Standing.Person!.Id;
        var now = clock.GetUtcNow();
        if (await brake.RaiseAsync(personId, guessable: false, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            return Wait(wait);
        }

        if (Sent is not { } sent || await OwnAsync() is not { } own || own.Id != sent.NumberId || !codes.Use(sent, code))
        {
            Problem = words["TelephoneCodeWrong"];
            await db.RememberTroubleAsync(personId, EnrolmentTrouble.WrongCode);
            return Again(StatusCodes.Status422UnprocessableEntity);
        }

        foreach (var old in await db.TelephoneNumbers.Where(row => row.PersonId == personId && row.Kind == own.Kind && row.State == AuthenticatorState.Active).ToListAsync(HttpContext.RequestAborted)) old.Revoke();
        own.Activate(now);
        Current.RecordEnrolment(sent.Method is Methods.Text ? SecondFactorMethod.Text : SecondFactorMethod.Call, now);
        Standing.Person!.RecordEnrolment(now);
        db.Record(SecurityEvent.TelephoneAdded, personId, own.Id.ToString("N"), HttpContext, now);
        await outbox.TellAsync(SecurityEvent.TelephoneAdded, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);
        var next = await ContinueEnrolledAsync();
        if (db.Entry(own).State is EntityState.Unchanged) await brake.AcceptedAsync(personId, HttpContext.RequestAborted); // saved: whoever lost the save has proven nothing
        return next;
    }

    /// <summary>The number was mistyped.</summary>
    public async Task<IActionResult> OnPostChangeAsync()
    {
        (await OwnAsync())?.Revoke();
        await db.TrySaveAsync(HttpContext.RequestAborted);
        return Reload();
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        (await OwnAsync())?.Revoke();
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private IActionResult Refuse(CodeRequest asked)
    {
        SendProblem = TelephoneSentences.Of(asked, words, settings.Value);
        return Again(asked.Problem is DialProblem.None ? StatusCodes.Status429TooManyRequests : StatusCodes.Status422UnprocessableEntity);
    }

    private async Task LoadAsync()
    {
        Typed = (IsOffice ? Standing.Person!.OfficePhone : Standing.Person!.Phone) ?? "";
        if (await OwnAsync() is not { } own || await codes.NewestAsync(AttemptId, method: null, HttpContext.RequestAborted) is not { } newest || newest.NumberId != own.Id) return;
        (Sent, Typed, ByCall) = (newest, newest.Number, newest.Method is Methods.Call);
    }

    /// <summary>The number that this attempt sets up.</summary>
    private Task<TelephoneNumber?> OwnAsync() =>
        db.TelephoneNumbers.Where(row => row.AttemptId == AttemptId && row.State == AuthenticatorState.Unconfirmed).OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id).FirstOrDefaultAsync(HttpContext.RequestAborted);
}
