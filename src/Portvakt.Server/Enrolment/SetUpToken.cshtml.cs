using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
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

namespace Portvakt.Server.Enrolment;

/// <summary>
/// A code generator of plastic that the organisation has handed to this person: one code of it proves that it is in their hands. Unlike the other set-ups nothing secret
/// is shown here, so a code can be guessed: it is counted as at the sign-in, and at the limit the attempt is over (R50, R51, R54).
/// </summary>
public sealed class SetUpTokenModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, SecondFactorBrake brake, TimeProvider clock, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SetUpToken)
{
    /// <summary>What the person may activate; none when it was taken back meanwhile.</summary>
    public IReadOnlyList<TotpAuthenticator> Waiting { get; private set; } = [];

    /// <summary>The one that is chosen on the page.</summary>
    public Guid Chosen { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>What was handed to somebody and is not activated. Only by their own id: a serial number that somebody types opens nothing.</summary>
    public static IQueryable<TotpAuthenticator> WaitingOf(PortvaktDb db, Guid personId) =>
        db.Totps.Where(row => row.PersonId == personId && row.SerialNumber != null && row.State == AuthenticatorState.Unconfirmed);

    public Task OnGetAsync() => LoadAsync();

    public async Task<IActionResult> OnPostAsync(Guid id, string? code)
    {
        await LoadAsync();
        Chosen = id;
        var person = Standing.Person!;
        var now = clock.GetUtcNow();
        if (await brake.RaiseAsync(person.Id, guessable: true, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            await AbandonAsync();
            return Wait(wait);
        }

        // Another person's generator is none: it is not among these.
        var typed = new string([.. (code ?? "").Where(char.IsAsciiDigit)]);
        var token = Waiting.SingleOrDefault(row => row.Id == id);
        if (token is null || typed.Length is not Totp.Digits || !token.ActivateBy(vault.Open(token.SealedSeed, TokenColumn, token.Id.ToString("N")), typed, now))
        {
            Problem = words["WrongCodeToken"];
            await db.RememberTroubleAsync(person.Id, EnrolmentTrouble.WrongCode);
            await brake.RejectedAsync(HttpContext, person);
            return Again(StatusCodes.Status422UnprocessableEntity);
        }

        Current.RecordEnrolment(SecondFactorMethod.Token, now);
        person.RecordEnrolment(now);
        db.Record(SecurityEvent.TokenActivated, person.Id, token.Id.ToString("N"), HttpContext, now);
        await outbox.TellAsync(SecurityEvent.TokenActivated, person, HttpContext, now, HttpContext.RequestAborted);
        var next = await ContinueEnrolledAsync();
        if (db.Entry(token).State is EntityState.Unchanged) await brake.AcceptedAsync(person.Id, HttpContext.RequestAborted); // saved: whoever lost the save has proven nothing
        return next;
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private const string TokenColumn = "totps.seed";

    private async Task LoadAsync()
    {
        // A policy that has become stricter meanwhile holds here too (R10).
        if (Standing.ForEnrolment.HasFlag(Methods.Token)) Waiting = await WaitingOf(db, Standing.Person!.Id).OrderBy(row => row.SerialNumber).ToListAsync(HttpContext.RequestAborted);
        Chosen = Waiting.Count > 0 ? Waiting[0].Id : default;
    }
}
