using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.SignIn;

/// <summary>Where an attempt stands: the row, whose it is once the password is known, and the step it may take.</summary>
public sealed record Standing(SignInAttempt Attempt, Person? Person, SignInStep Step, EnrolmentDuty Duty);

/// <summary>Loads an attempt, asks <see cref="SignInSteps"/> where it stands, and sends the browser there.</summary>
public sealed class SignInJourney(PortvaktDb db, TimeProvider clock, SessionIssuer sessions, IOptions<PortvaktSettings> settings)
{
    /// <summary>Begins an attempt for this browser and answers with the address of its first page.</summary>
    public async Task<string> BeginAsync(HttpContext http, SignInRequest request)
    {
        var attempt = new SignInAttempt(BrowserCookie.Ensure(http), request, clock.GetUtcNow());
        db.SignInAttempts.Add(attempt);
        await db.SaveChangesAsync(http.RequestAborted);
        return PageOf(SignInStep.Password, attempt.Id);
    }

    /// <summary>The attempt of this address, if it is alive and this is the browser that began it. Null otherwise, for whatever reason.</summary>
    public async Task<Standing?> FindAsync(HttpContext http, string attemptId)
    {
        if (!IsAttemptId(attemptId) || BrowserCookie.Hash(http) is not { } browser) return null;
        var attempt = await db.SignInAttempts.SingleOrDefaultAsync(row => row.Id == attemptId, http.RequestAborted);
        if (attempt is null || !attempt.BelongsTo(browser) || !attempt.IsLive(clock.GetUtcNow())) return null;
        return await StandingOfAsync(attempt, http.RequestAborted);
    }

    /// <summary>Asks the rule afresh: every step, and once more before the session is issued (R2, R10).</summary>
    public async Task<Standing?> StandingOfAsync(SignInAttempt attempt, CancellationToken cancellationToken)
    {
        Person? person = null;
        var hasAuthenticator = false;
        var duty = EnrolmentDuty.None;
        if (attempt.PersonId is { } personId)
        {
            person = await db.People.SingleOrDefaultAsync(row => row.Id == personId, cancellationToken);
            if (person is not { State: PersonState.Active }) return null;
            hasAuthenticator = await HasAuthenticatorAsync(personId, cancellationToken);
            duty = EnrolmentRule.DutyAt(clock.GetUtcNow(), person.EnrolmentStartsAt, person.EnrolmentDeadlineAt, settings.Value.AfterDeadline);
        }

        var progress = attempt.Progress(hasAuthenticator, settings.Value.OfferStaySignedIn);
        return new Standing(attempt, person, SignInSteps.Next(progress, duty), SignInSteps.Effective(progress, duty));
    }

    /// <summary>
    /// Saves what the page recorded and answers with the next page; at the end issues the session and sends the browser back to the
    /// application. 303 everywhere: a password is never forwarded (R72).
    /// </summary>
    public async Task<IActionResult> ContinueAsync(HttpContext http, SignInAttempt attempt)
    {
        if (!await db.TrySaveAsync(http.RequestAborted)) return SeeOther(ResumeAddress(attempt.Id));
        if (await StandingOfAsync(attempt, http.RequestAborted) is not { } standing) return SeeOther(PageOf(SignInStep.Password, attempt.Id));
        if (standing.Step is not SignInStep.Finish) return SeeOther(PageOf(standing.Step, attempt.Id));

        db.Record(SecurityEvent.SignInFinished, standing.Person!.Id, attempt.RelyingPartyId, http, clock.GetUtcNow());
        if (!await sessions.IssueAsync(http, attempt, standing.Person, standing.Step)) return SeeOther(ResumeAddress(attempt.Id));
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

    /// <summary>Whether the person has a second factor that counts, or one that was removed on the phone alone (R4: that opens nothing).</summary>
    public async Task<bool> HasAuthenticatorAsync(Guid personId, CancellationToken cancellationToken) =>
        await db.Phones.AnyAsync(phone => phone.PersonId == personId && phone.State == AuthenticatorState.Active, cancellationToken)
        || await db.Totps.AnyAsync(totp => totp.PersonId == personId && totp.State == AuthenticatorState.Active, cancellationToken);

    /// <summary>Any step's address: the page there sends the browser on to where the attempt stands.</summary>
    public static string ResumeAddress(string attemptId) => PageOf(SignInStep.Password, attemptId);

    /// <summary>One page per step. The only table of addresses.</summary>
    public static string PageOf(SignInStep step, string attemptId) => step switch
    {
        SignInStep.Password => $"/sign-in/{attemptId}",
        SignInStep.SecondFactor => $"/sign-in/{attemptId}/second-factor",
        SignInStep.Blocked => $"/sign-in/{attemptId}/blocked",
        SignInStep.StaySignedIn => $"/sign-in/{attemptId}/stay",
        SignInStep.OfferEnrolment => $"/enrol/{attemptId}",
        SignInStep.ChooseMethod => $"/enrol/{attemptId}/method",
        SignInStep.SetUpPhone => $"/enrol/{attemptId}/phone",
        SignInStep.SetUpCode => $"/enrol/{attemptId}/code",
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
