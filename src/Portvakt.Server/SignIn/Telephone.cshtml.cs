using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;
using Portvakt.Server.Telephones;

namespace Portvakt.Server.SignIn;

/// <summary>A code as a text message or by a call. Opening the page sends nothing: only the button does.</summary>
public sealed class TelephoneModel(SignInJourney journey, PortvaktDb db, TelephoneCodes codes, SecondFactorBrake brake, TimeProvider clock, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SecondFactor)
{
    /// <summary>text or call.</summary>
    [FromRoute(Name = "way")]
    public string Way { get; set; } = "";

    public bool ByText => Way is "text";

    protected override Methods Proves => ByText ? Methods.Text : Methods.Call;

    /// <summary>What may be called this way; office telephones take no texts.</summary>
    public IReadOnlyList<TelephoneNumber> Numbers { get; private set; } = [];

    /// <summary>The code that is waited for.</summary>
    public TelephoneMessage? Sent { get; private set; }

    /// <summary>What is wrong with the code that was typed.</summary>
    public string? Problem { get; private set; }

    /// <summary>Why no code was sent.</summary>
    public string? SendProblem { get; private set; }

    public Task OnGetAsync() => LoadAsync();

    public async Task<IActionResult> OnPostSendAsync(Guid? number)
    {
        await LoadAsync();
        if ((number is null && Numbers.Count is 1 ? Numbers[0] : Numbers.FirstOrDefault(row => row.Id == number)) is not { } to) return Again(StatusCodes.Status422UnprocessableEntity);
        var asked = await codes.RequestAsync(to, Proves, AttemptId, HttpContext);
        if (asked.IsOnItsWay) return Reload();
        SendProblem = TelephoneSentences.Of(asked, words, settings.Value);
        return Again(asked.Problem is DialProblem.None ? StatusCodes.Status429TooManyRequests : StatusCodes.Status422UnprocessableEntity);
    }

    public async Task<IActionResult> OnPostAsync(string? code)
    {
        await LoadAsync();
        var personId = Standing.Person!.Id;
        var now = clock.GetUtcNow();

        // Counted over all sessions and addresses, before the code is looked at; at the limit the attempt is over (R50, R51, R54).
        if (await brake.RaiseAsync(personId, guessable: true, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            await AbandonAsync();
            return Wait(wait);
        }

        if (Sent is { } sent && Numbers.FirstOrDefault(row => row.Id == sent.NumberId) is { } number && codes.Use(sent, code))
        {
            number.RecordUse(now);
            Current.RecordSecondFactor(ByText ? SecondFactorMethod.Text : SecondFactorMethod.Call, now);
            db.Record(SecurityEvent.SecondFactorVerified, personId, number.Id.ToString("N"), HttpContext, now);

            // The code is spent and the attempt moves on in one save: of two windows with the same code one wins (R12, R49).
            if (await db.TrySaveAsync(HttpContext.RequestAborted))
            {
                await brake.AcceptedAsync(personId, HttpContext.RequestAborted);
                return await ContinueAsync();
            }
        }
        else
        {
            await brake.RejectedAsync(HttpContext, Standing.Person!);
        }

        Problem = words["TelephoneCodeWrong"];
        return Again(StatusCodes.Status422UnprocessableEntity);
    }

    private async Task LoadAsync()
    {
        var personId = Standing.Person!.Id;
        Numbers = await db.TelephoneNumbers.Where(row => row.PersonId == personId && row.State == AuthenticatorState.Active && (!ByText || row.Kind == TelephoneKind.Mobile))
            .OrderBy(row => row.Kind).ThenBy(row => row.CreatedAt).ToListAsync(HttpContext.RequestAborted);
        Sent = await codes.NewestAsync(AttemptId, Proves, HttpContext.RequestAborted);
    }
}

/// <summary>Why no code was sent, in a sentence.</summary>
public static class TelephoneSentences
{
    public static string Of(CodeRequest asked, IStringLocalizer<Words> words, PortvaktSettings settings) => asked switch
    {
        { CountryFull: true } => words["TelephoneFull"],
        { FreeAt: { } free } => words["TelephoneTooMany", Localisation.DateAndTime(free, settings.Zone)],
        { Problem: DialProblem.ForeignCountry } => words["TelephoneForeign", string.Join(", ", settings.CountriesToCall.Select(country => $"+{country}"))],
        { Problem: DialProblem.NotForPeople } => words["TelephoneNotForPeople"],
        { Problem: DialProblem.NoTexts } => words["TelephoneNoTexts"],
        _ => words["TelephoneNotANumber"],
    };
}
