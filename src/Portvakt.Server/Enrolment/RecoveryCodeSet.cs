using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>Ten codes on paper: made at enrolment or in security info, always as a whole (R42).</summary>
public static class RecoveryCodeSet
{
    public const string ContentType = "text/plain; charset=utf-8";

    /// <summary>A new set in the place of the old one, recorded and told; the caller saves. Under the version of the person: of two sets at once one is made.</summary>
    public static async Task<IReadOnlyList<string>> IssueAsync(PortvaktDb db, Outbox outbox, Vault vault, Person person, HttpContext http, DateTimeOffset now)
    {
        var codes = Enumerable.Range(0, RecoveryCode.SetSize).Select(_ => Base32.Random(RecoveryCode.Length)).ToList();
        db.RecoveryCodes.RemoveRange(await db.RecoveryCodes.Where(row => row.PersonId == person.Id).ToListAsync(http.RequestAborted));
        db.RecoveryCodes.AddRange(codes.Select(code => new RecoveryCode(person.Id, RecoveryCodeModel.HashOf(vault, person.Id, code), now)));
        db.Entry(person).Property(row => row.SearchText).IsModified = true;
        db.Record(SecurityEvent.RecoveryCodesIssued, person.Id, null, http, now);
        await outbox.TellAsync(SecurityEvent.RecoveryCodesIssued, person, http, now, http.RequestAborted);
        return codes;
    }

    /// <summary>Sealed for the row that it belongs to, until the person has them on paper.</summary>
    public static byte[] Seal(Vault vault, IEnumerable<string> codes, string column, string row) => vault.Seal(Encoding.ASCII.GetBytes(string.Join('.', codes)), column, row);

    /// <summary>As they were made, without the dashes of paper.</summary>
    public static string[] Open(Vault vault, byte[] box, string column, string row) => Encoding.ASCII.GetString(vault.Open(box, column, row)).Split('.');

    /// <summary>The file to keep: whose, what, and the codes.</summary>
    public static byte[] FileOf(IEnumerable<string> codes, string organisation, string userName, IStringLocalizer<Words> words)
    {
        var text = new StringBuilder().AppendLine(organisation).AppendLine(userName).AppendLine().AppendLine(words["CodesFile"]).AppendLine();
        foreach (var code in codes) text.AppendLine(RecoveryCode.Format(code));
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
