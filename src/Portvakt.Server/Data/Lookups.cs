using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Data;

/// <summary>A session with its person.</summary>
public sealed record SessionRow(Session Session, Person Person, bool AnyPolicy);

/// <summary>Whom a typed name belongs to, and whether they have signed in with this browser before.</summary>
public sealed record CallerRow(Person Person, bool KnowsBrowser);

/// <summary>An attempt that has no person yet, and what its first page asks besides.</summary>
/// <param name="Attempt">The row.</param>
/// <param name="AnyPassAlone">Whether anybody may sign in with a pass alone.</param>
public sealed record BeginningRow(SignInAttempt Attempt, bool AnyPassAlone);

/// <summary>A request with what decides about its answer.</summary>
/// <param name="Request">The row.</param>
/// <param name="Person">Whose phone is asked.</param>
/// <param name="Attempt">Who asks; null for a caller, and where it is gone.</param>
public sealed record AnswerRow(ApprovalRequest Request, Person Person, SignInAttempt? Attempt);

/// <summary>A request, and whether the phone that has answered it unlocks with a PIN.</summary>
public sealed record AnsweredRow(ApprovalRequest Request, bool WithPin);

/// <summary>What a waiting page shows of its request.</summary>
public sealed record SightRow(string Id, ApprovalState State, DateTimeOffset ExpiresAt);

/// <summary>All that the rules ask about a person (<see cref="Sessions.Rulings"/>).</summary>
public sealed class PersonFacts
{
    public required Holding Holding { get; init; }
    public required Wave? Wave { get; init; }
    public required bool HasRole { get; init; }
    public required DateTimeOffset? ExemptUntil { get; init; }
    public required DateTimeOffset? ExtendedUntil { get; init; }
    public required DateTimeOffset? LastSeenAt { get; init; }
    public required bool AnyPolicy { get; init; }

    /// <summary>Whether some phone of the person can be asked.</summary>
    public required bool PhoneAnswers { get; init; }

    /// <summary>How long a pass can be used; not one that waits for its second administrator, and has no secret yet.</summary>
    public required DateTimeOffset? PassUntil { get; init; }

    public static IQueryable<PersonFacts> Of(PortvaktDb db)
    {
        byte[] none = []; // a pass that has no secret yet
        return from row in Holding.Of(db, db.People)
               join own in db.Waves on row.Person.WaveId equals (Guid?)own.Id into waves
               from wave in waves.DefaultIfEmpty()
               select new PersonFacts
               {
                   Holding = row,
                   Wave = wave,
                   HasRole = db.RoleAssignments.Any(role => role.PersonId == row.Person.Id),
                   ExemptUntil = db.PersonalTerms.Where(term => term.PersonId == row.Person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Exemption).Max(term => (DateTimeOffset?)term.Until),
                   ExtendedUntil = db.PersonalTerms.Where(term => term.PersonId == row.Person.Id && term.EndedAt == null && term.Kind == PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until),
                   LastSeenAt = db.Sessions.Where(session => session.PersonId == row.Person.Id).Max(session => (DateTimeOffset?)session.LastSeenAt),
                   AnyPolicy = db.MethodPolicies.Any(),
                   PhoneAnswers = db.Phones.Any(
                       phone => phone.PersonId == row.Person.Id && phone.State == AuthenticatorState.Active && phone.RemovedOnPhoneAt == null && phone.PinFailures < PhoneAuthenticator.PinTries),
                   PassUntil = db.AccessPasses.Where(pass => pass.PersonId == row.Person.Id && pass.RevokedAt == null && pass.Hash != none && !(pass.OneTime && pass.UsedAt != null)).Max(pass => (DateTimeOffset?)pass.ExpiresAt),
               };
    }
}

/// <summary>An attempt and the person whose it is.</summary>
public sealed record AttemptRow(SignInAttempt Attempt, PersonFacts Facts);

/// <summary>
/// The questions that every sign-in and every token asks, translated once: EF Core otherwise walks through the expression at each call, which costs more than the
/// answer. One instance for each server, as a translation belongs to its database.
/// </summary>
public sealed class Lookups
{
    public Func<PortvaktDb, string, CancellationToken, Task<SignInAttempt?>> Attempt { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string id, CancellationToken _) => db.SignInAttempts.SingleOrDefault(row => row.Id == id));

    /// <summary>For who only looks at it.</summary>
    public Func<PortvaktDb, string, CancellationToken, Task<SignInAttempt?>> AttemptAsItIs { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string id, CancellationToken _) => db.SignInAttempts.AsNoTracking().SingleOrDefault(row => row.Id == id));

    public Func<PortvaktDb, string, CancellationToken, Task<BeginningRow?>> Beginning { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string id, CancellationToken _) =>
            db.SignInAttempts.Where(row => row.Id == id).Select(row => new BeginningRow(row, db.MethodPolicies.Any(policy => policy.Pass == PassUse.Both))).SingleOrDefault());

    public Func<PortvaktDb, byte[], CancellationToken, Task<Session?>> Session { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, byte[] secretHash, CancellationToken _) => db.Sessions.SingleOrDefault(row => row.SecretHash == secretHash));

    public Func<PortvaktDb, byte[], CancellationToken, Task<SessionRow?>> SignedIn { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, byte[] secretHash, CancellationToken _) =>
            (from session in db.Sessions
             where session.SecretHash == secretHash
             join person in db.People on session.PersonId equals person.Id
             select new SessionRow(session, person, db.MethodPolicies.Any())).SingleOrDefault());

    public Func<PortvaktDb, string, byte[], CancellationToken, Task<CallerRow?>> Caller { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string userName, byte[] browserHash, CancellationToken _) =>
            db.People.Where(row => row.UserName == userName)
                .Select(row => new CallerRow(row, db.FamiliarBrowsers.Any(browser => browser.PersonId == row.Id && browser.BrowserHash == browserHash))).SingleOrDefault());

    public Func<PortvaktDb, string, CancellationToken, Task<PhoneAuthenticator?>> Phone { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string keyId, CancellationToken _) => db.Phones.SingleOrDefault(row => row.KeyId == keyId && row.State != AuthenticatorState.Revoked));

    public Func<PortvaktDb, Guid, CancellationToken, Task<PersonFacts?>> Facts { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, Guid id, CancellationToken _) => PersonFacts.Of(db).SingleOrDefault(row => row.Holding.Person.Id == id));

    /// <summary>An attempt whose person is known, with what the rules ask; nothing before the first factor.</summary>
    public Func<PortvaktDb, string, CancellationToken, Task<AttemptRow?>> AttemptWithFacts { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string id, CancellationToken _) =>
            (from attempt in db.SignInAttempts
             where attempt.Id == id
             join facts in PersonFacts.Of(db) on attempt.PersonId equals (Guid?)facts.Holding.Person.Id
             select new AttemptRow(attempt, facts)).SingleOrDefault());

    public Func<PortvaktDb, string, CancellationToken, Task<AnswerRow?>> Answer { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string id, CancellationToken _) =>
            (from row in db.Approvals
             where row.Id == id
             join person in db.People on row.PersonId equals person.Id
             join asking in db.SignInAttempts on row.AttemptId equals asking.Id into attempts
             from attempt in attempts.DefaultIfEmpty()
             select new AnswerRow(row, person, attempt)).SingleOrDefault());

    /// <summary>The phones that ring: all that answer for their person, or one alone; never the one excepted.</summary>
    public Func<PortvaktDb, Guid, Guid?, Guid?, IAsyncEnumerable<PhoneAuthenticator>> Ringing { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, Guid personId, Guid? onlyPhoneId, Guid? exceptPhoneId) => db.Phones.AsNoTracking()
            .Where(phone => phone.PersonId == personId && phone.SealedPush != null && phone.State != AuthenticatorState.Revoked)
            .Where(phone => onlyPhoneId == null ? phone.State == AuthenticatorState.Active : phone.Id == onlyPhoneId)
            .Where(phone => exceptPhoneId == null || phone.Id != exceptPhoneId));

    /// <summary>What waits for one phone; one that is not confirmed yet answers no sign-ins.</summary>
    public Func<PortvaktDb, Guid, Guid, bool, DateTimeOffset, CancellationToken, Task<ApprovalRequest?>> Pending { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, Guid personId, Guid phoneId, bool mayAnswerSignIns, DateTimeOffset now, CancellationToken _) => db.Approvals.AsNoTracking()
            .Where(row => row.PersonId == personId && row.State == ApprovalState.Pending && row.ExpiresAt > now)
            .FirstOrDefault(row => row.OnlyPhoneId == phoneId || (row.OnlyPhoneId == null && mayAnswerSignIns)));

    /// <summary>The newest request of an attempt for one purpose, answered or not.</summary>
    public Func<PortvaktDb, string, ApprovalPurpose, CancellationToken, Task<ApprovalRequest?>> LatestRequest { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string attemptId, ApprovalPurpose purpose, CancellationToken _) =>
            db.Approvals.Where(row => row.AttemptId == attemptId && row.Purpose == purpose).OrderByDescending(row => row.CreatedAt).FirstOrDefault());

    /// <summary>The same, and how it was answered.</summary>
    public Func<PortvaktDb, string, ApprovalPurpose, CancellationToken, Task<AnsweredRow?>> LatestAnswered { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string attemptId, ApprovalPurpose purpose, CancellationToken _) =>
            db.Approvals.Where(row => row.AttemptId == attemptId && row.Purpose == purpose).OrderByDescending(row => row.CreatedAt)
                .Select(row => new AnsweredRow(row, db.Phones.Any(phone => phone.Id == row.AnsweredByPhoneId && phone.Unlock == PhoneUnlock.Pin))).FirstOrDefault());

    /// <summary>The newest request of an attempt, as its waiting page shows it.</summary>
    public Func<PortvaktDb, string, CancellationToken, Task<SightRow?>> Sight { get; } =
        EF.CompileAsyncQuery((PortvaktDb db, string attemptId, CancellationToken _) =>
            db.Approvals.AsNoTracking().Where(row => row.AttemptId == attemptId).OrderByDescending(row => row.CreatedAt).Select(row => new SightRow(row.Id, row.State, row.ExpiresAt)).FirstOrDefault());
}
