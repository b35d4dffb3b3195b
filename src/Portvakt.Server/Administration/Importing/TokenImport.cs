using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Administration;

/// <summary>What becomes of a line of a maker's file.</summary>
public enum TokenOutcome
{
    /// <summary>A code generator that was not there.</summary>
    Added,

    /// <summary>One that is there is handed to somebody.</summary>
    Assigned,
    Unchanged,
}

/// <summary>A line that can be brought in.</summary>
/// <param name="Token">The line.</param>
/// <param name="Outcome">What becomes of it.</param>
/// <param name="Person">To whom it is handed; null: to nobody.</param>
/// <param name="MayActivate">Whether the person's policy lets them set up a code generator.</param>
public sealed record TokenLine(ImportedToken Token, TokenOutcome Outcome, Person? Person, bool MayActivate);

/// <summary>What an import did, or would do.</summary>
public sealed class TokenReport
{
    public List<TokenLine> Lines { get; } = [];
    public List<TokenProblem> Problems { get; } = [];

    public int Count(TokenOutcome outcome) => Lines.Count(line => line.Outcome == outcome);

    /// <summary>For the audit log.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"added {Count(TokenOutcome.Added)}, assigned {Count(TokenOutcome.Assigned)}, unchanged {Count(TokenOutcome.Unchanged)}, left out {Problems.Count}");
}

/// <summary>
/// Brings a maker's file of code generators in. The same file again changes nothing: a generator that is known keeps its secret, its clock and whoever uses it, and is
/// handed out only when it is nobody's.
/// </summary>
public sealed class TokenImport(PortvaktDb db, Vault vault, Outbox outbox, TimeProvider clock)
{
    private const string Column = "totps.seed";

    /// <summary>The dry run: nothing is changed.</summary>
    public async Task<TokenReport> CompareAsync(byte[] file, CancellationToken cancellationToken)
    {
        var report = new TokenReport();
        using var stream = new MemoryStream(file, writable: false);
        var tokens = TokenFile.Read(stream, report.Problems.Add).ToList();
        var names = tokens.Select(token => token.UserName).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var people = await db.People.AsNoTracking().Where(row => names.Contains(row.UserName)).ToDictionaryAsync(row => row.UserName, StringComparer.Ordinal, cancellationToken);
        var ids = tokens.ConvertAll(token => TotpAuthenticator.IdOf(token.SerialNumber));
        var known = await db.Totps.Where(row => ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, cancellationToken);
        var owners = people.Values.Select(person => person.Id).ToList();
        var held = await db.Totps.Where(row => owners.Contains(row.PersonId) && row.SerialNumber != null && row.State != AuthenticatorState.Revoked).GroupBy(row => row.PersonId)
            .Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(row => row.Key, row => row.Count, cancellationToken);
        var policies = await MethodPolicies.LoadAsync(db, cancellationToken);
        foreach (var token in tokens)
        {
            var person = token.UserName is null ? null : people.GetValueOrDefault(token.UserName);
            var (outcome, trouble) = Judge(token, known.GetValueOrDefault(TotpAuthenticator.IdOf(token.SerialNumber)), person);
            if (trouble is { } why) report.Problems.Add(new TokenProblem(token.Line, why, token.SerialNumber));
            else report.Lines.Add(new TokenLine(token, outcome, person, person is null || MayActivate(policies, person)));
        }

        report.Problems.Sort((one, other) => one.Line.CompareTo(other.Line));
        return report;

        (TokenOutcome Outcome, TokenTrouble? Trouble) Judge(ImportedToken token, TotpAuthenticator? there, Person? person)
        {
            if (token.UserName is not null && person is null) return (default, TokenTrouble.NoSuchPerson);
            var outcome = there is null or { IsScrapped: true } ? TokenOutcome.Added : person is null || there.PersonId == person.Id ? TokenOutcome.Unchanged : TokenOutcome.Assigned;
            if (there is not null && (there.Period != token.Period || (!there.IsScrapped && !CryptographicOperations.FixedTimeEquals(vault.Open(there.SealedSeed, Column, there.Id.ToString("N")), token.Seed)))) return (outcome, TokenTrouble.OtherSecret);
            if (outcome is TokenOutcome.Assigned && there!.State is not AuthenticatorState.Revoked && there.PersonId != TotpAuthenticator.Nobody) return (outcome, TokenTrouble.Taken);
            if (person is null || outcome is TokenOutcome.Unchanged) return (outcome, null);
            var count = held.GetValueOrDefault(person.Id);
            if (count >= TotpAuthenticator.MostTokens) return (outcome, TokenTrouble.TooMany);
            held[person.Id] = count + 1;
            return (outcome, null);
        }
    }

    /// <summary>What the dry run says now, written into the context with its audit rows and mails. The caller saves: all of it or nothing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="http">The actor's request.</param>
    /// <param name="actorId">Who brings it in.</param>
    /// <param name="cancellationToken">The actor gave up.</param>
    public async Task<TokenReport> BringInAsync(byte[] file, HttpContext http, Guid actorId, CancellationToken cancellationToken)
    {
        var (report, now) = (await CompareAsync(file, cancellationToken), clock.GetUtcNow());
        foreach (var (token, outcome, person, _) in report.Lines.Where(line => line.Outcome is not TokenOutcome.Unchanged))
        {
            var row = db.Totps.Local.FindEntry(TotpAuthenticator.IdOf(token.SerialNumber))?.Entity;
            var seed = vault.Seal(token.Seed, Column, TotpAuthenticator.IdOf(token.SerialNumber).ToString("N"));
            if (row is null)
            {
                row = TotpAuthenticator.OfPlastic(token.SerialNumber, token.Model, token.Period, now);
                row.SealedSeed = seed;
                db.Totps.Add(row);
            }
            else if (outcome is TokenOutcome.Added) row.Restock(seed);

            if (person is null) continue;
            row.Assign(person.Id);
            db.Record(SecurityEvent.TokenAssigned, person.Id, row.Id.ToString("N"), http, now, actorId, row.SerialNumber);
            await outbox.TellAsync(SecurityEvent.TokenAssigned, person, http: null, now, cancellationToken);
        }

        db.Record(SecurityEvent.TokensImported, null, null, http, now, actorId, report.ToString());
        return report;
    }

    /// <summary>Whether the person may set up a code generator at all.</summary>
    public static bool MayActivate(MethodPolicies policies, Person person)
    {
        var policy = policies.Of(person.Attributes);
        return (policy.ForEnrolment & policy.ForUse).HasFlag(Methods.Token);
    }
}
