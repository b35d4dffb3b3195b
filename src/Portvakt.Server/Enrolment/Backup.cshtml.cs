using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P7: in case the phone is lost. All optional; "Finished" works with nothing filled in.</summary>
public sealed class BackupModel(SignInJourney journey, PortvaktDb db, Outbox outbox, Vault vault, TimeProvider clock, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words)
    : AttemptPage(journey, SignInStep.Backup)
{
    private const string Column = "sign_in_attempts.recovery_codes";

    private string[] _codes = [];

    /// <summary>The set made in this attempt, until the step is finished; a reload shows the same one.</summary>
    public IEnumerable<string> Codes => _codes.Select(RecoveryCode.Format);

    public bool HasCodes => _codes.Length > 0;

    /// <summary>Paper is a method too: only where policy has it.</summary>
    public bool MayHaveCodes => Standing.Ruling!.ForEnrolment.HasFlag(Methods.RecoveryCode);

    public void OnGet() => Show();

    public async Task<IActionResult> OnPostCodesAsync()
    {
        Show();
        if (HasCodes) return Reload();

        if (!MayHaveCodes) return Again(StatusCodes.Status422UnprocessableEntity);
        var codes = await RecoveryCodeSet.IssueAsync(db, outbox, vault, Standing.Person!, HttpContext, clock.GetUtcNow());
        Current.SealedRecoveryCodes = RecoveryCodeSet.Seal(vault, codes, Column, Current.Id);
        await db.TrySaveAsync(HttpContext.RequestAborted);
        return Reload();
    }

    public IActionResult OnPostDownload()
    {
        Show();
        return HasCodes ? File(RecoveryCodeSet.FileOf(_codes, settings.Value.Organisation, Standing.Person!.UserName, words), RecoveryCodeSet.ContentType, words["CodesFileName"] + ".txt") : Reload();
    }

    public async Task<IActionResult> OnPostFinishAsync()
    {
        Current.FinishBackup(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private void Show() => _codes = Current.SealedRecoveryCodes is { } box ? RecoveryCodeSet.Open(vault, box, Column, Current.Id) : [];
}
