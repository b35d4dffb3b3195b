using System.Security.Cryptography;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
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

/// <summary>P5 and P6 for codes of any authenticator app: the picture, the secret as text, and one code as the test.</summary>
public sealed class SetUpCodeModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, SecondFactorBrake brake, TimeProvider clock, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.SetUpCode)
{
    private const string Column = "totps.seed";

    /// <summary>Key URI of the picture.</summary>
    public string Address { get; private set; } = "";

    public string Secret { get; private set; } = "";
    public string Account => Standing.Person!.UserName;
    public string? Problem { get; private set; }

    public async Task OnGetAsync() => Show(await OwnAsync());

    public async Task<IActionResult> OnPostAsync(string? code)
    {
        var totp = await OwnAsync();
        Show(totp);
        var now = clock.GetUtcNow();
        if (await brake.RaiseAsync(totp.PersonId, guessable: false, HttpContext.RequestAborted) is { } wait)
        {
            Problem = brake.SentenceOf(wait);
            return Wait(wait);
        }

        var typed = new string([.. (code ?? "").Where(char.IsAsciiDigit)]);
        if (typed.Length is not Totp.Digits || !totp.Verify(SeedOf(totp), typed, now))
        {
            Problem = words["WrongCodeClock"];
            await db.RememberTroubleAsync(totp.PersonId, EnrolmentTrouble.WrongCode);
            return Again(StatusCodes.Status422UnprocessableEntity);
        }

        totp.Activate();
        Current.RecordEnrolment(SecondFactorMethod.Code, now);
        Standing.Person!.RecordEnrolment(now);
        db.Record(SecurityEvent.TotpActivated, totp.PersonId, totp.Id.ToString("N"), HttpContext, now);
        await outbox.TellAsync(SecurityEvent.TotpActivated, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);
        var next = await ContinueEnrolledAsync();
        if (db.Entry(totp).State is EntityState.Unchanged) await brake.AcceptedAsync(totp.PersonId, HttpContext.RequestAborted); // saved: whoever lost the save has proven nothing
        return next;
    }

    public async Task<IActionResult> OnPostOtherAsync()
    {
        (await OwnAsync()).Revoke();
        Current.ChooseAgain(clock.GetUtcNow());
        return await ContinueAsync();
    }

    /// <summary>The generator of this attempt; the same after a reload (R101).</summary>
    private async Task<TotpAuthenticator> OwnAsync()
    {
        if (await db.Totps.Where(row => row.AttemptId == AttemptId && row.State == AuthenticatorState.Unconfirmed && row.SerialNumber == null).OrderBy(row => row.CreatedAt).ThenBy(row => row.Id)
            .FirstOrDefaultAsync(HttpContext.RequestAborted) is { } known) return known;
        var totp = new TotpAuthenticator(Standing.Person!.Id, phoneId: null, AttemptId, clock.GetUtcNow());
        totp.SealedSeed = vault.Seal(RandomNumberGenerator.GetBytes(Totp.SeedLength), Column, totp.Id.ToString("N"));
        db.Totps.Add(totp);
        await db.SaveChangesAsync(HttpContext.RequestAborted);
        return totp;
    }

    private byte[] SeedOf(TotpAuthenticator totp) => vault.Open(totp.SealedSeed, Column, totp.Id.ToString("N"));

    private void Show(TotpAuthenticator totp)
    {
        var secret = Base32.Encode(SeedOf(totp));
        var issuer = Uri.EscapeDataString(settings.Value.Organisation);
        Address = $"otpauth://totp/{issuer}:{Uri.EscapeDataString(Account)}?secret={secret}&issuer={issuer}";
        Secret = string.Join(' ', secret.Chunk(4).Select(group => new string(group)));
    }
}
