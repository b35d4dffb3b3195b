using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>Where an attempt stands: the row, whose it is once the password is known, and the step it may take.</summary>
/// <param name="Attempt">The row.</param>
/// <param name="Person">Null before the first factor.</param>
/// <param name="Step">What comes next.</param>
/// <param name="Verdict">What the rule of the deadline says.</param>
/// <param name="Ruling">What the person holds and may use; null before the first factor.</param>
public sealed record Standing(SignInAttempt Attempt, Person? Person, SignInStep Step, EnrolmentVerdict Verdict, Ruling? Ruling = null)
{
    public EnrolmentDuty Duty => Verdict.Duty;

    /// <summary>Whether anybody may come with a pass in place of the password; told on the first page only.</summary>
    public bool AnyPassAlone { get; init; }

    /// <summary>How many passkeys the person may have; 0 before the first factor.</summary>
    public int MaximumPasskeys => Ruling?.Policy.MaximumPasskeys ?? 0;

    /// <summary>What this sign-in accepts, in the order in which it is offered.</summary>
    public IReadOnlyList<Methods> Methods { get; } = Ruling is null ? [] : MethodOrder.Of(Accepted(Ruling.Usable, Attempt), Ruling.Person.PreferredMethod);

    /// <summary>What may be set up here: where the application wants what no copy of our pages can pass on, only that.</summary>
    public Methods ForEnrolment { get; } = Ruling is null ? Domain.Authenticators.Methods.None : Attempt.Requested is AssuranceLevel.PhishingResistant ? Ruling.ForEnrolment & Domain.Authenticators.Methods.Passkey : Ruling.ForEnrolment;

    /// <summary>Whoever has a passkey and needs one is not asked for anything else; a pass that has opened the door is not the second lock as well (R43).</summary>
    private static Methods Accepted(Methods usable, SignInAttempt attempt) =>
        attempt.Requested is AssuranceLevel.PhishingResistant && usable.HasFlag(Domain.Authenticators.Methods.Passkey) ? Domain.Authenticators.Methods.Passkey
        : attempt.WithoutPassword ? usable & ~Domain.Authenticators.Methods.AccessPass
        : usable;
}

/// <summary>Loads an attempt, asks <see cref="SignInSteps"/> where it stands, and sends the browser there.</summary>
public sealed class SignInJourney(PortvaktDb db, Lookups lookups, TimeProvider clock, SessionIssuer sessions, Rulings rulings, IOptions<PortvaktSettings> settings)
{
    /// <summary>Begins an attempt for this browser and answers with the address of its first page.</summary>
    public async Task<string> BeginAsync(HttpContext http, SignInRequest request)
    {
        var now = clock.GetUtcNow();
        var attempt = new SignInAttempt(BrowserCookie.Ensure(http), request, now);
        attempt.NewChallenge(now); // the first page asks for a passkey too, and need not write for that
        db.SignInAttempts.Add(attempt);
        await db.SaveChangesAsync(http.RequestAborted);
        http.RequestServices.GetRequiredService<Telemetry>().Milestone(isEnd: false);
        return PageOf(SignInStep.Password, attempt.Id);
    }

    /// <summary>
    /// Begins to add a method (R35). Whoever proved a second factor in this browser a moment ago goes straight on; anybody else proves one first, and with a
    /// session that knows no second factor begins with the password.
    /// </summary>
    public async Task<string> BeginAddingAsync(HttpContext http, Session session, string returnPath)
    {
        var now = clock.GetUtcNow();
        var attempt = new SignInAttempt(BrowserCookie.Ensure(http), new SignInRequest(ReturnPath: returnPath, Assurance: AssuranceLevel.Aal2, Adds: session.Method is not null), now);
        if (session.Method is not null) attempt.ContinueFrom(session);
        db.SignInAttempts.Add(attempt);
        await db.SaveChangesAsync(http.RequestAborted);
        return ResumeAddress(attempt.Id);
    }

    /// <summary>The attempt of this address, if it is alive and this is the browser that began it. Null otherwise, for whatever reason.</summary>
    /// <param name="http">The request.</param>
    /// <param name="attemptId">Which.</param>
    /// <param name="expectsPerson">Whether it is likely known whose it is: then all is asked by one statement.</param>
    public async Task<Standing?> FindAsync(HttpContext http, string attemptId, bool expectsPerson = true)
    {
        if (!IsAttemptId(attemptId) || BrowserCookie.Hash(http) is not { } browser) return null;
        var found = expectsPerson ? await lookups.AttemptWithFacts(db, attemptId, http.RequestAborted) : null;
        var beginning = found is null ? await lookups.Beginning(db, attemptId, http.RequestAborted) : null;
        var attempt = found?.Attempt ?? beginning?.Attempt;
        if (attempt is null || !attempt.BelongsTo(browser) || !attempt.IsLive(clock.GetUtcNow())) return null;
        var standing = await StandingOfAsync(http, attempt, found?.Facts);
        return beginning is { AnyPassAlone: true } && standing is not null ? standing with { AnyPassAlone = true } : standing;
    }

    /// <summary>Asks the rule afresh: every step, and once more before the session is issued (R2, R10).</summary>
    public async Task<Standing?> StandingOfAsync(HttpContext http, SignInAttempt attempt, PersonFacts? facts = null) =>
        attempt.PersonId is not { } personId ? new Standing(attempt, null, SignInStep.Password, new EnrolmentVerdict(EnrolmentDuty.None, EnrolmentDoor.Closed, null))
        : attempt.Adds && !await SessionStore.IsSignedInAsync(db, http, personId, clock.GetUtcNow()) ? null
        : await (facts is null ? rulings.OfAsync(personId, http, http.RequestAborted) : rulings.OfAsync(facts, http, http.RequestAborted)) is { } rule ? StandingOf(attempt, rule)
        : null;

    private Standing StandingOf(SignInAttempt attempt, Ruling rule)
    {
        var now = clock.GetUtcNow();

        // A phone that was removed in the app alone opens nothing (R4). Nobody who administers stays signed in (R48).
        var progress = attempt.Progress(rule.Usable, settings.Value.OfferStaySignedIn && !rule.HasRole, rule.Verdict.Door, rule.Person.MustChangePassword || LacksPassword(rule.Person, attempt), now);
        return new Standing(attempt, rule.Person, SignInSteps.Next(progress, rule.Verdict.Duty), rule.Verdict with { Duty = SignInSteps.Effective(progress, rule.Verdict.Duty), Door = progress.Door }, rule);
    }

    /// <summary>Came with a pass in place of a password, and has set up something that is asked for beside a password: chooses one.</summary>
    private static bool LacksPassword(Person person, SignInAttempt attempt) =>
        attempt.WithoutPassword && person.PasswordHash is null && attempt.SecondFactorMethod is not (null or SecondFactorMethod.Passkey);

    /// <summary>
    /// A second factor was bound and proven: saved together with the end of every other session of the person (R62). This browser goes on.
    /// </summary>
    public async Task<IActionResult> ContinueEnrolledAsync(HttpContext http, SignInAttempt attempt)
    {
        var isBound = await db.InTransactionAsync(
            async () =>
            {
                if (!attempt.Adds) await SessionStore.EndOthersInTransactionAsync(db, attempt.PersonId!.Value, http, clock.GetUtcNow(), attempt.Id);
                return await db.TrySaveAsync(http.RequestAborted);
            },
            http.RequestAborted);
        return isBound ? await ContinueAsync(http, attempt) : SeeOther(ResumeAddress(attempt.Id));
    }

    /// <summary>
    /// Saves what the page recorded and answers with the next page; at the end issues the session and sends the browser back to the
    /// application. 303 everywhere: a password is never forwarded (R72).
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="attempt">With what the page recorded.</param>
    /// <param name="rule">What this request was told of the person, where the page has changed nothing of that: the rules are not asked twice then, and the end is one save.</param>
    public async Task<IActionResult> ContinueAsync(HttpContext http, SignInAttempt attempt, Ruling? rule = null)
    {
        var standing = rule is null ? null : StandingOf(attempt, rule);
        if (standing?.Step is not SignInStep.Finish && !await db.TrySaveAsync(http.RequestAborted)) return SeeOther(ResumeAddress(attempt.Id));
        standing ??= await StandingOfAsync(http, attempt);
        if (standing is null) return SeeOther(PageOf(SignInStep.Password, attempt.Id));
        if (standing.Step is not SignInStep.Finish)
        {
            await RememberStepAsync(standing);
            if (standing.Step is SignInStep.Blocked)
            {
                db.Record(SecurityEvent.SignInBlocked, standing.Person!.Id, attempt.RelyingPartyId, http, clock.GetUtcNow());
                await db.SaveChangesAsync(http.RequestAborted);
            }

            return SeeOther(AddressOf(standing));
        }

        db.Record(SecurityEvent.SignInFinished, standing.Person!.Id, attempt.RelyingPartyId, http, clock.GetUtcNow());
        if (!await sessions.IssueAsync(http, attempt, standing.Person, standing.Step)) return SeeOther(ResumeAddress(attempt.Id));
        http.RequestServices.GetRequiredService<Telemetry>().Milestone(isEnd: true);
        return SeeOther(ReturnAddress(attempt));
    }

    /// <summary>Whether a stranger's text can be the id of an attempt at all: nothing else is asked of a database.</summary>
    public static bool IsAttemptId(string text) => text.Length is > 0 and <= 40 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    /// <summary>Ends an attempt for good: the limit of tries was reached (R51).</summary>
    public async Task AbandonAsync(HttpContext http, SignInAttempt attempt)
    {
        attempt.Abandon(clock.GetUtcNow());
        await db.TrySaveAsync(http.RequestAborted);
    }

    /// <summary>How far the person has come, for the board. Beside the row's version: it decides nothing.</summary>
    private async Task RememberStepAsync(Standing standing)
    {
        if (standing is not { Attempt: { EnrolmentBegunAt: not null, EnrolledAt: null }, Person: { } person }) return;
        var now = clock.GetUtcNow();
        await db.People.Where(row => row.Id == person.Id && row.EnrolledAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.EnrolmentStep, standing.Step).SetProperty(row => row.EnrolmentStepAt, now), CancellationToken.None);
    }

    /// <summary>Any step's address: the page there sends the browser on to where the attempt stands.</summary>
    public static string ResumeAddress(string attemptId) => PageOf(SignInStep.Password, attemptId);

    /// <summary>Where the attempt stands: at the second factor, the page of the method that is offered first.</summary>
    public static string AddressOf(Standing standing) =>
        standing is { Step: SignInStep.SecondFactor, Methods: [var first, ..] } ? PageOf(first, standing.Attempt.Id) : PageOf(standing.Step, standing.Attempt.Id);

    /// <summary>The page of each method at sign-in.</summary>
    public static string PageOf(Methods method, string attemptId) => $"/sign-in/{attemptId}/" + method switch
    {
        Methods.App => "second-factor",
        Methods.Code or Methods.Token => "code",
        Methods.Passkey => "passkey",
        Methods.Text => "text",
        Methods.Call => "call",
        Methods.RecoveryCode => "recovery-code",
        Methods.AccessPass => "pass",
        _ => throw new ArgumentOutOfRangeException(nameof(method)),
    };

    /// <summary>One page per step. The only table of addresses.</summary>
    public static string PageOf(SignInStep step, string attemptId) => step switch
    {
        SignInStep.Password => $"/sign-in/{attemptId}",
        SignInStep.SecondFactor => $"/sign-in/{attemptId}/second-factor",
        SignInStep.Blocked => $"/sign-in/{attemptId}/blocked",
        SignInStep.NewPassword => $"/sign-in/{attemptId}/new-password",
        SignInStep.StaySignedIn => $"/sign-in/{attemptId}/stay",
        SignInStep.OfferEnrolment => $"/enrol/{attemptId}",
        SignInStep.ChooseMethod => $"/enrol/{attemptId}/method",
        SignInStep.SetUpPhone => $"/enrol/{attemptId}/phone",
        SignInStep.SetUpCode => $"/enrol/{attemptId}/code",
        SignInStep.SetUpPasskey => $"/enrol/{attemptId}/passkey",
        SignInStep.SetUpTelephone => $"/enrol/{attemptId}/telephone",
        SignInStep.SetUpToken => $"/enrol/{attemptId}/token",
        SignInStep.TestApproval => $"/enrol/{attemptId}/test",
        SignInStep.Backup => $"/enrol/{attemptId}/backup",
        SignInStep.Done => $"/enrol/{attemptId}/done",
        SignInStep.Finish => throw new InvalidOperationException("Finish has no page; it issues the session."),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    public static IActionResult SeeOther(string localPath) => new SeeOtherResult(localPath);

    /// <summary>The application's own request again, now with the attempt that answers it, or our account page.</summary>
    private static string ReturnAddress(SignInAttempt attempt) =>
        attempt.ReturnPath is { } path ? $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}attempt={attempt.Id}" : "/account";
}

/// <summary>303 See Other to a page of our own: what follows is a GET, whatever came before.</summary>
public sealed class SeeOtherResult(string localPath) : IActionResult
{
    public string LocalPath { get; } = localPath;

    public Task ExecuteResultAsync(ActionContext context)
    {
        if (!LocalAddress.IsLocal(LocalPath)) throw new InvalidOperationException("Only addresses of our own.");
        context.HttpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.HttpContext.Response.Headers.Location = LocalPath;
        return Task.CompletedTask;
    }
}
