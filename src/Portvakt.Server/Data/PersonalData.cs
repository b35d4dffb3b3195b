using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Mails;

namespace Portvakt.Server.Data;

/// <summary>What is known of one person: given out as a file, and erased (R92; GDPR articles 15 and 17).</summary>
public static class PersonalData
{
    public const string ContentType = "application/json";
    public const string FileName = "personal-data.json";

    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    /// <summary>Everything that tells something of the person; no keys, no seeds, nothing that opens anything.</summary>
    public static async Task<byte[]> ExportAsync(PortvaktDb db, Guid personId, CancellationToken cancellationToken)
    {
        var person = await db.People.AsNoTracking().SingleAsync(row => row.Id == personId, cancellationToken);
        return JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                Person = new
                {
                    person.Id,
                    person.UserName,
                    person.DisplayName,
                    person.Email,
                    person.Language,
                    State = person.State.ToString(),
                    person.Unit,
                    person.Manager,
                    person.Phone,
                    person.OfficePhone,
                    person.CreatedAt,
                    person.LastSignInAt,
                    person.EnrolledAt,
                    person.ActivatedAt,
                    person.EnrolmentPostponedUntil,
                    person.NeedsPass,
                    person.MustChangePassword,
                    PreferredMethod = person.PreferredMethod?.ToString(),
                    Wave = await db.Waves.Where(row => row.Id == person.WaveId).Select(row => row.Name).SingleOrDefaultAsync(cancellationToken),
                },
                Phones = await db.Phones.Where(row => row.PersonId == personId).Select(row => new
                {
                    row.Name,
                    State = row.State.ToString(),
                    Unlock = row.Unlock.ToString(),
                    row.CreatedAt,
                    row.LastSeenAt,
                    row.RemovedOnPhoneAt,
                    row.AppVersion,
                    row.ConsentVersion,
                    row.ConsentAt,
                }).ToListAsync(cancellationToken),
                CodeGenerators = await db.Totps.Where(row => row.PersonId == personId).Select(row => new { State = row.State.ToString(), row.Name, row.Model, row.SerialNumber, row.Drift, row.CreatedAt, row.LastUsedAt }).ToListAsync(cancellationToken),
                Passkeys = await db.Passkeys.Where(row => row.PersonId == personId).Select(row => new { row.Name, row.Aaguid, row.BackedUp, row.CreatedAt, row.LastUsedAt }).ToListAsync(cancellationToken),
                Telephones = await db.TelephoneNumbers.Where(row => row.PersonId == personId).Select(row => new { Kind = row.Kind.ToString(), row.Number, State = row.State.ToString(), row.CreatedAt, row.LastUsedAt }).ToListAsync(cancellationToken),
                Messages = await db.TelephoneMessages.Where(row => row.PersonId == personId).Select(row => new { Method = row.Method.ToString(), row.Number, State = row.State.ToString(), row.CreatedAt, row.UsedAt }).ToListAsync(cancellationToken),
                RecoveryCodes = await db.RecoveryCodes.Where(row => row.PersonId == personId).Select(row => new { row.CreatedAt, row.UsedAt }).ToListAsync(cancellationToken),
                Sessions = await db.Sessions.Where(row => row.PersonId == personId).Select(row => new { row.Browser, row.Place, row.AuthenticatedAt, row.LastSeenAt, row.EndedAt, row.ExpiresAt }).ToListAsync(cancellationToken),
                FamiliarBrowsers = await db.FamiliarBrowsers.Where(row => row.PersonId == personId).Select(row => row.SeenAt).ToListAsync(cancellationToken),
                Approvals = (await db.Approvals.AsNoTracking().Where(row => row.PersonId == personId).ToListAsync(cancellationToken)).Select(row => new
                {
                    Purpose = row.Purpose.ToString(),
                    State = row.State.ToString(),
                    row.CreatedAt,
                    row.AnsweredAt,
                    Shown = JsonSerializer.Deserialize<JsonElement>(row.Context),
                }),
                Applications = await db.RefreshFamilies.Where(row => row.PersonId == personId).Select(row => row.ClientId)
                    .Union(db.AuthorizationCodes.Where(row => row.PersonId == personId).Select(row => row.ClientId)).ToListAsync(cancellationToken),
                Passes = await db.AccessPasses.Where(row => row.PersonId == personId).Select(row => new { row.CreatedAt, row.ExpiresAt, row.UsedAt, row.RevokedAt }).ToListAsync(cancellationToken),
                Terms = await db.PersonalTerms.Where(row => row.PersonId == personId).Select(row => new { Kind = row.Kind.ToString(), row.Until, row.Reason, row.CreatedAt, row.EndedAt }).ToListAsync(cancellationToken),
                Cases = await db.Cases.Where(row => row.PersonId == personId).Select(row => new { row.OpenedAt, row.Application, row.Address, row.Browser, row.ClosedAt, row.Note }).ToListAsync(cancellationToken),
                Roles = await db.RoleAssignments.Where(row => row.PersonId == personId).Select(row => new { Role = row.Role.ToString(), row.Unit, row.CreatedAt }).ToListAsync(cancellationToken),
                Mails = await db.Mails.Where(row => row.PersonId == personId).Select(row => new { row.Kind, row.Recipient, row.Subject, row.Text, row.CreatedAt, row.SentAt }).ToListAsync(cancellationToken),
                Events = await db.AuditEvents.Where(row => row.PersonId == personId).OrderBy(row => row.Id).Select(row => new { What = row.What.ToString(), row.At, row.Address, row.Reason }).ToListAsync(cancellationToken),
            },
            Written);
    }

    /// <summary>
    /// Everything of the person goes, in one transaction. The audit log keeps its rows, which name nobody but an id; what is personal in them goes too, and their
    /// commitments stay, so that the chain still verifies. The caller ends the sessions first, so that applications hear of it.
    /// </summary>
    public static async Task EraseAsync(PortvaktDb db, Person person, HttpContext http, Guid actorId, string reason, DateTimeOffset now)
    {
        var id = person.Id;
        var never = CancellationToken.None;
        await using var transaction = await db.Database.BeginTransactionAsync(never);
        await AuditTrail.EraseAsync(db, id, never);
        await db.BindingCodes.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.SignInAttempts.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.Approvals.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.Phones.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.Totps.Where(row => row.PersonId == id && row.SerialNumber != null).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.PersonId, TotpAuthenticator.Nobody).SetProperty(row => row.State, AuthenticatorState.Unconfirmed)
                .SetProperty(row => row.Name, (string?)null).SetProperty(row => row.LastUsedAt, (DateTimeOffset?)null).SetProperty(row => row.Version, row => row.Version + 1),
            never); // the organisation's own: back to the drawer
        await db.Totps.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.Passkeys.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.TelephoneMessages.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.TelephoneNumbers.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.RecoveryCodes.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.AuthorizationCodes.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.RefreshFamilies.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.Sessions.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.SignOutRounds.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.FamiliarBrowsers.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.AccessPasses.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.PersonalTerms.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await db.RoleAssignments.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);
        await Outbox.EraseAsync(db, id, never);
        await db.Cases.Where(row => row.PersonId == id).ExecuteDeleteAsync(never);

        // Counters name who is counted; and a manager is named by user name in other people's rows.
        var (userName, familiar, ends) = ($"password:unfamiliar:{person.UserName}", $"password:familiar:{person.UserName}:", $":{id:N}");
        await db.FailureCounts.Where(row => row.Key == userName || row.Key.StartsWith(familiar) || row.Key.EndsWith(ends)).ExecuteDeleteAsync(never);
        await db.People.Where(row => row.Manager == person.UserName).ExecuteUpdateAsync(set => set.SetProperty(row => row.Manager, (string?)null), never);
        await db.People.Where(row => row.Id == id).ExecuteDeleteAsync(never);
        db.Record(SecurityEvent.PersonErased, id, null, http, now, actorId, reason);
        await db.SaveChangesAsync(never);
        await transaction.CommitAsync(never);
    }
}
