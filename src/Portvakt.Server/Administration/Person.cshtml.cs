using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Approvals;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Administration;

/// <summary>
/// One person, and what the helpdesk can do. Every change goes through <see cref="ChangeAsync"/>: whether the actor may do it to this person (R44), the reason, and
/// one save with its audit row. Forms bring ids and texts, never a property of a person (R47).
/// </summary>
public sealed class PersonModel(Reception reception, SessionStore sessions, Approver approver, Rulings rulings, Outbox outbox, Vault vault, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.SeePeople)
{
    /// <summary>No exemption or extension is longer: whoever grants it looks at it again.</summary>
    private const int LongestTermDays = 366;

    /// <summary>Minutes to choose from for a pass.</summary>
    public static readonly int[] PassLifetimes = [10, 60, 8 * 60, 24 * 60, 3 * 24 * 60, 7 * 24 * 60, 30 * 24 * 60];

    public override string Section => "/administration/people";

    public Person Target { get; private set; } = null!;
    public IReadOnlyList<RoleAssignment> TargetRoles { get; private set; } = [];

    /// <summary>What is known of the person.</summary>
    public PersonView Shown { get; private set; } = null!;

    public DateTimeOffset Present => Now;
    public bool IsAdministrator => TargetRoles.Any(held => held.Role is Role.Administrator);

    /// <summary>A new pass, on the one answer that shows it.</summary>
    public string? NewPass { get; private set; }

    public DateTimeOffset? NewPassUntil { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>What was typed, when a form comes back.</summary>
    public string? Reason { get; private set; }

    /// <summary>Whether the actor may do this to this person; the page shows no form that would be refused.</summary>
    public bool May(Act act) => Authority.MayAct(Desk.Person.Id, Desk.Roles, act, Target.Id, Target.Unit, TargetRoles);

    public async Task<IActionResult> OnGetAsync(string user) => await FindAsync(user) ? await ShowAsync(StatusCodes.Status200OK) : NotFound();

    public Task<IActionResult> OnPostIssueAsync(string user, int minutes, bool reusable, string? reason) => ChangeAsync(user, Act.IssuePass, reason, async () =>
    {
        var lifetime = TimeSpan.FromMinutes(minutes);
        if (lifetime < AccessPass.ShortestLifetime || lifetime > AccessPass.LongestLifetime) return await RefuseAsync("PassLifetimeWrong");
        if (Target.IsEnrolled && (await MethodPolicies.LoadAsync(Db, Aborted)).Of(Target.Attributes).Pass is PassUse.Enrolment) return await RefuseAsync("PassNotNeeded");
        await RevokePassesAsync();
        var code = Base32.Random(AccessPass.Length);
        var pass = new AccessPass(Target.Id, PassModel.HashOf(vault, Target.Id, code), lifetime, !reusable, Desk.Person.Id, Now);
        Db.AccessPasses.Add(pass);
        await RecordAndTellAsync(SecurityEvent.PassIssued, Target.Id, pass.Id.ToString("N"), reason);
        await SaveAsync();
        return await ShowPassAsync(user, code, pass);
    }, changesFactors: true);

    /// <summary>The first of two: an administrator's pass has no code yet (R44).</summary>
    public Task<IActionResult> OnPostAskPassAsync(string user, string? reason) => ChangeAsync(user, Act.IssuePass, reason, async () =>
    {
        if (!IsAdministrator) return await RefuseAsync("OneIsEnough");
        await RevokePassesAsync();
        var pass = AccessPass.AskFor(Target.Id, Desk.Person.Id, Now);
        Db.AccessPasses.Add(pass);
        Record(SecurityEvent.PassAskedFor, Target.Id, pass.Id.ToString("N"), reason);
        await SaveAsync();
        return Done(admin["PassAsked"]);
    });

    /// <summary>The second of two sees the code. What the administrator had before is gone with it: the phone may be in other hands.</summary>
    public Task<IActionResult> OnPostConfirmPassAsync(string user, Guid id, string? reason) => ChangeAsync(user, Act.IssuePass, reason, async () =>
    {
        if (!IsAdministrator) return await RefuseAsync("OneIsEnough");
        if (await Db.AccessPasses.SingleOrDefaultAsync(row => row.Id == id && row.PersonId == Target.Id, Aborted) is not { } pass) return NotFound();
        if (pass.IssuedBy == Desk.Person.Id) return await RefuseAsync("AnotherMustConfirm", StatusCodes.Status403Forbidden);
        var code = Base32.Random(AccessPass.Length);
        if (!pass.Confirm(Desk.Person.Id, PassModel.HashOf(vault, Target.Id, code), Now)) return await RefuseAsync("PassGone");
        await RecordAndTellAsync(SecurityEvent.PassIssued, Target.Id, pass.Id.ToString("N"), reason);
        if (Target.IsEnrolled)
        {
            await RemoveFactorsAsync(reason);
            await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        }
        else await SaveAsync();
        return await ShowPassAsync(user, code, pass);
    });

    public Task<IActionResult> OnPostTakePassAsync(string user, Guid id, string? reason) => ChangeAsync(user, Act.IssuePass, reason, async () =>
    {
        if (await Db.AccessPasses.SingleOrDefaultAsync(row => row.Id == id && row.PersonId == Target.Id, Aborted) is not { } pass) return NotFound();
        pass.Revoke(Now);
        await CloseDoorsAsync();
        Record(SecurityEvent.PassRevoked, Target.Id, pass.Id.ToString("N"), reason);
        await SaveAsync();
        return Done(admin["PassTaken"]);
    });

    public Task<IActionResult> OnPostEndSessionsAsync(string user, string? reason) => ChangeAsync(user, Act.EndSessions, reason, async () =>
    {
        await RecordAndTellAsync(SecurityEvent.SignedOutEverywhere, Target.Id, null, reason);
        await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        return Done(admin["SignedOutEverywhereDone", Target.DisplayName]);
    });

    public Task<IActionResult> OnPostEndSessionAsync(string user, string id) => ChangeAsync(user, Act.EndSessions, null, async () =>
    {
        if (await Db.Sessions.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.PersonId == Target.Id, Aborted) is not { } session) return NotFound();
        await sessions.EndAsync(session, HttpContext, Desk.Person.Id);
        return Done(admin["SignedOutThere"]);
    }, needsReason: false);

    public Task<IActionResult> OnPostRemovePhoneAsync(string user, Guid id, string? reason) => RemoveAsync(user, id, reason, "PhoneIsRemoved");

    public Task<IActionResult> OnPostRemoveCodeAsync(string user, Guid id, string? reason) => RemoveAsync(user, id, reason, "CodesAreRemoved");

    /// <summary>A passkey, a telephone.</summary>
    public Task<IActionResult> OnPostRemoveMethodAsync(string user, Guid id, string? reason) => RemoveAsync(user, id, reason, "MethodIsRemoved");

    public Task<IActionResult> OnPostRequireEnrolmentAsync(string user, string? reason) => ChangeAsync(user, Act.RemoveFactors, reason, async () =>
    {
        await RemoveFactorsAsync(reason);
        await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        return Done(admin["EnrolmentRequired", Target.DisplayName]);
    }, changesFactors: true);

    public Task<IActionResult> OnPostTermAsync(string user, PersonalTermKind kind, string? until, string? reason) => ChangeAsync(user, Act.GrantTerms, reason, async () =>
    {
        if (!Enum.IsDefined(kind) || !DateOnly.TryParseExact(until, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)) return await RefuseAsync("DayNeeded");
        var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(Now, Rules.Zone).DateTime);
        if (day < today || day > today.AddDays(LongestTermDays)) return await RefuseAsync("DayNeeded");

        // The day itself is included: the term ends when the next one begins, by the clocks of the organisation. A new term takes the place of the old one.
        foreach (var old in await Db.PersonalTerms.Where(row => row.PersonId == Target.Id && row.Kind == kind && row.EndedAt == null).ToListAsync(Aborted)) old.End(Now);
        var term = new PersonalTerm(kind, Target.Id, EnrolmentRule.StartOf(day.AddDays(1), Rules.Zone), reason!, Desk.Person.Id, Now);
        Db.PersonalTerms.Add(term);
        Record(SecurityEvent.TermGranted, Target.Id, term.Id.ToString("N"), reason);
        await SaveAsync();
        return Done(admin["Granted" + kind, Target.DisplayName, day.ToString("d", CultureInfo.CurrentCulture)]);
    });

    public Task<IActionResult> OnPostEndTermAsync(string user, Guid id, string? reason) => ChangeAsync(user, Act.GrantTerms, reason, async () =>
    {
        if (await Db.PersonalTerms.SingleOrDefaultAsync(row => row.Id == id && row.PersonId == Target.Id, Aborted) is not { } term) return NotFound();
        term.End(Now);
        Record(SecurityEvent.TermEnded, Target.Id, term.Id.ToString("N"), reason);
        await SaveAsync();
        return Done(admin["TermIsEnded"]);
    });

    public Task<IActionResult> OnPostLockAsync(string user, string? reason) => ChangeAsync(user, Act.LockAccount, reason, async () =>
    {
        Target.Lock();
        Record(SecurityEvent.PersonLocked, Target.Id, null, reason);
        await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        return Done(admin["IsLocked", Target.DisplayName]);
    });

    public Task<IActionResult> OnPostUnlockAsync(string user, string? reason) => ChangeAsync(user, Act.LockAccount, reason, async () =>
    {
        Target.Unlock();
        Record(SecurityEvent.PersonUnlocked, Target.Id, null, reason);
        await SaveAsync();
        return Done(admin["IsUnlocked", Target.DisplayName]);
    });

    /// <summary>Is the caller on the telephone the person (R45)? The phone says so, and nobody is signed in.</summary>
    public Task<IActionResult> OnPostCallAsync(string user) => ChangeAsync(user, Act.CallPhone, null, async () =>
    {
        if (await rulings.OfAsync(Target.Id, http: null, Aborted) is not { PhoneAnswers: true }) return await RefuseAsync("NoPhoneToCall");
        var asked = await approver.AskAsync(HttpContext, Target.Id, Approver.CallOf(Desk.Person.Id), ApprovalPurpose.Caller, null, Desk.Person.DisplayName, Desk.Person.Id);
        return asked is null ? await RefuseAsync("CalledTooOften", StatusCodes.Status429TooManyRequests) : SignInJourney.SeeOther($"/administration/calls/{asked.Id}");
    }, needsReason: false);

    public Task<IActionResult> OnPostDataAsync(string user) => ChangeAsync(user, Act.ErasePeople, null, async () =>
    {
        Record(SecurityEvent.PersonalDataExported, Target.Id);
        await Db.SaveChangesAsync(Aborted);
        return File(await PersonalData.ExportAsync(Db, Target.Id, Aborted), PersonalData.ContentType, PersonalData.FileName);
    }, needsReason: false);

    public Task<IActionResult> OnPostEraseAsync(string user, string? confirm, string? reason) => ChangeAsync(user, Act.ErasePeople, reason, async () =>
    {
        if (TargetRoles.Count > 0) return await RefuseAsync("EraseHasRole");
        if (!Domain.People.UserName.TryParse(confirm, out var typed) || typed.Value.Value != Target.UserName) return await RefuseAsync("EraseConfirm");
        await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        await PersonalData.EraseAsync(Db, Target, HttpContext, Desk.Person.Id, reason!, Now);
        return Done(admin["IsErased"], Section);
    });

    /// <summary>The gate of every change.</summary>
    private async Task<IActionResult> ChangeAsync(string user, Act act, string? reason, Func<Task<IActionResult>> change, bool needsReason = true, bool changesFactors = false)
    {
        if (!await FindAsync(user)) return NotFound();
        var refusal = !May(act) ? Desk.Person.Id == Target.Id ? "NotOnOneself" : Authority.MaySee(Desk.Roles, act, Target.Unit) ? "NotOnHigher" : "NotYourAct"
            : changesFactors && IsAdministrator ? "TwoAdministrators"
            : null;
        if (refusal is not null)
        {
            Record(SecurityEvent.AccessDenied, Target.Id);
            await Db.SaveChangesAsync(Aborted);
            return await RefuseAsync(refusal, StatusCodes.Status403Forbidden);
        }

        Reason = reason;
        if (needsReason && (string.IsNullOrWhiteSpace(reason) || reason.Length > PersonalTerm.LongestReason)) return await RefuseAsync("ReasonNeeded");
        try
        {
            return await change();
        }
        catch (DbUpdateConcurrencyException)
        {
            // Somebody else was first: nothing of this was written, and the page shows what is true now.
            Db.ChangeTracker.Clear();
            return await FindAsync(user) ? await RefuseAsync("ChangedMeanwhile", StatusCodes.Status409Conflict) : NotFound();
        }
    }

    /// <summary>What the helpdesk does to somebody's means of signing in is mailed to its owner, in the same save (R37).</summary>
    private async Task RecordAndTellAsync(SecurityEvent what, Guid personId, string? subject, string? reason)
    {
        Record(what, personId, subject, reason);
        await outbox.TellAsync(what, Target, http: null, Now, Aborted);
    }

    /// <summary>Saves under the version of the person: of two members of the helpdesk who press at once, one wins, and there is never a second live pass.</summary>
    private async Task SaveAsync()
    {
        Db.Entry(Target).Property(person => person.SearchText).IsModified = true;
        await Db.SaveChangesAsync(Aborted);
    }

    private async Task RevokePassesAsync()
    {
        foreach (var old in await Db.AccessPasses.Where(row => row.PersonId == Target.Id && row.RevokedAt == null).ToListAsync(Aborted)) old.Revoke(Now);
        await CloseDoorsAsync();
    }

    /// <summary>What a pass has opened closes with it: whoever used it may be the one it was taken from.</summary>
    private Task<int> CloseDoorsAsync() =>
        Db.SignInAttempts.Where(row => row.PersonId == Target.Id && row.PassUsedAt != null && row.FinishedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.PassUsedAt, (DateTimeOffset?)null).SetProperty(row => row.Version, row => row.Version + 1), Aborted);

    /// <summary>One method goes. When it was the last one, the recovery codes go too, for they may have lain beside the phone.</summary>
    private Task<IActionResult> RemoveAsync(string user, Guid id, string? reason, string sentence) => ChangeAsync(user, Act.RemoveFactors, reason, async () =>
    {
        var own = await PersonMethods.LoadAsync(Db, Target.Id, Aborted);
        var left = own.HeldWithout(id);
        if (own.Take(id) is not { } taken) return NotFound();
        Db.Entry(Target).Property(person => person.SearchText).IsModified = true; // of two who take away at once, the second sees what is left
        await RecordAndTellAsync(taken.What, Target.Id, id.ToString("N"), reason);
        if ((left & MethodOrder.Primary) is Methods.None)
        {
            await own.TakeRecoveryCodesAsync(Target.Id, Aborted);
            Target.RecordRemoval();
        }

        await sessions.EndAllAsync(Target.Id, HttpContext, Desk.Person.Id);
        return Done(admin[taken.What is SecurityEvent.TokenRemoved ? "TokenIsRemoved" : sentence, taken.Name]);
    }, changesFactors: true);

    /// <summary>Everything goes, and a password alone brings nothing back (R29). Whoever calls this ends the person's sessions after it.</summary>
    private async Task RemoveFactorsAsync(string? reason)
    {
        await (await PersonMethods.LoadAsync(Db, Target.Id, Aborted)).TakeAllAsync(Target.Id, Aborted);
        Target.RecordRemoval();
        await SecondFactorBrake.ForgetAsync(Db, Target.Id, Aborted);
        await RecordAndTellAsync(SecurityEvent.FactorsRemoved, Target.Id, null, reason);
    }

    private async Task<IActionResult> ShowPassAsync(string user, string code, AccessPass pass)
    {
        (NewPass, NewPassUntil, Reason) = (AccessPass.Format(code), pass.ExpiresAt, null);
        return await FindAsync(user) ? await ShowAsync(StatusCodes.Status200OK) : NotFound();
    }

    private Task<IActionResult> RefuseAsync(string word, int status = StatusCodes.Status422UnprocessableEntity)
    {
        Problem = admin[word];
        return ShowAsync(status);
    }

    private async Task<bool> FindAsync(string user)
    {
        var person = Domain.People.UserName.TryParse(user, out var name) ? await Db.People.SingleOrDefaultAsync(row => row.UserName == name.Value.Value, Aborted) : null;
        if (person is null || !Authority.MaySee(Desk.Roles, Act.SeePeople, person.Unit)) return false;
        Target = person;
        TargetRoles = await Db.RoleAssignments.AsNoTracking().Where(role => role.PersonId == person.Id).ToListAsync(Aborted);
        return true;
    }

    private async Task<IActionResult> ShowAsync(int status)
    {
        Shown = await PersonView.LoadAsync(Db, sessions, Target, Now, Aborted);
        return Again(status);
    }
}
