using System.Text;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
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

    /// <summary>The set made in this attempt, until the step is finished; a reload shows the same one.</summary>
    public IReadOnlyList<string> Codes { get; private set; } = [];

    public bool HasCodes => Codes.Count > 0;

    public void OnGet() => Show();

    public async Task<IActionResult> OnPostCodesAsync()
    {
        Show();
        if (HasCodes) return Reload();

        var now = clock.GetUtcNow();
        var personId = Standing.Person!.Id;
        var codes = Enumerable.Range(0, RecoveryCode.SetSize).Select(_ => Base32.Random(RecoveryCode.Length)).ToList();

        // A new set replaces the old one, in one save.
        db.RecoveryCodes.RemoveRange(await db.RecoveryCodes.Where(row => row.PersonId == personId).ToListAsync(HttpContext.RequestAborted));
        db.RecoveryCodes.AddRange(codes.Select(code => new RecoveryCode(personId, vault.Hash("recovery-code", $"{personId:N}\0{code}"), now)));
        Current.SealedRecoveryCodes = vault.Seal(Encoding.ASCII.GetBytes(string.Join('.', codes)), Column, Current.Id);
        db.Record(SecurityEvent.RecoveryCodesIssued, personId, null, HttpContext, now);
        await outbox.TellAsync(SecurityEvent.RecoveryCodesIssued, Standing.Person!, HttpContext, now, HttpContext.RequestAborted);
        await db.TrySaveAsync(HttpContext.RequestAborted);
        return Reload();
    }

    public IActionResult OnPostDownload()
    {
        Show();
        if (!HasCodes) return Reload();
        var text = new StringBuilder().AppendLine(settings.Value.Organisation).AppendLine(Standing.Person!.UserName).AppendLine().AppendLine(words["CodesFile"]).AppendLine();
        foreach (var code in Codes) text.AppendLine(code);
        return File(Encoding.UTF8.GetBytes(text.ToString()), "text/plain; charset=utf-8", words["CodesFileName"] + ".txt");
    }

    public async Task<IActionResult> OnPostFinishAsync()
    {
        Current.FinishBackup(clock.GetUtcNow());
        return await ContinueAsync();
    }

    private void Show() => Codes = Current.SealedRecoveryCodes is { } box
        ? [.. Encoding.ASCII.GetString(vault.Open(box, Column, Current.Id)).Split('.').Select(RecoveryCode.Format)]
        : [];
}
