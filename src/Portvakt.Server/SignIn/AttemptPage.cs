using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.Shared;

namespace Portvakt.Server.SignIn;

/// <summary>
/// A page of the journey: it names the step it is. When the attempt stands elsewhere (reload, back, an old tab, a crafted
/// request) the browser is sent there and nothing is recorded; when there is no such attempt for this browser, it is over.
/// </summary>
public abstract class AttemptPage(SignInJourney journey, params SignInStep[] steps) : PageModel
{
    /// <summary>The methods that the page proves, of which this sign-in must accept one; none: the page proves no second factor.</summary>
    protected virtual Methods Proves => Methods.None;

    [FromRoute(Name = "attempt")]
    public string AttemptId { get; set; } = "";

    public Standing Standing { get; private set; } = null!;

    protected SignInAttempt Current => Standing.Attempt;

    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        if (await journey.FindAsync(HttpContext, AttemptId, expectsPerson: !steps.Contains(SignInStep.Password)) is not { } standing)
        {
            context.Result = SignInJourney.SeeOther($"/sign-in/over?was={Uri.EscapeDataString(AttemptId)}");
            return;
        }

        if (!steps.Contains(standing.Step))
        {
            context.Result = standing.Step is SignInStep.Finish
                ? await journey.ContinueAsync(HttpContext, standing.Attempt)
                : SignInJourney.SeeOther(SignInJourney.AddressOf(standing));
            return;
        }

        // A method that the person does not hold, or that policy does not accept, has no page.
        if (standing.Step is SignInStep.SecondFactor && Proves is not Methods.None && !standing.Methods.Any(method => Proves.HasFlag(method)))
        {
            context.Result = SignInJourney.SeeOther(SignInJourney.AddressOf(standing));
            return;
        }

        Standing = standing;
        if (standing.Attempt.ReturnOrigin is { } target) ContentPolicy.Of(HttpContext).FormTargets.Add(target);
        var done = await next();
        HttpContext.RequestServices.GetRequiredService<Telemetry>().Step(standing.Step, OutcomeOf(done, AttemptId));

        // Before the password there is nothing to lose.
        if (done.Result is PageResult && Current.PersonId is not null)
        {
            var left = Current.SecondsLeft(HttpContext.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow());
            ViewData[TimeLimit.Key] = new TimeLimit(left, $"/sign-in/{AttemptId}/more-time", "TimeLimitSignIn", Posts: true);
        }
    }

    /// <summary>Saves what was recorded and goes where the rule says.</summary>
    protected Task<IActionResult> ContinueAsync() =>
        journey.ContinueAsync(HttpContext, Current, Standing.Step is SignInStep.SecondFactor or SignInStep.StaySignedIn ? Standing.Ruling : null); // other pages change what the person holds

    /// <summary>As <see cref="ContinueAsync"/>, after a second factor was bound.</summary>
    protected Task<IActionResult> ContinueEnrolledAsync() => journey.ContinueEnrolledAsync(HttpContext, Current);

    /// <summary>The limit of tries: this sign-in is over, and the next one begins with the password (R51).</summary>
    protected Task AbandonAsync() => journey.AbandonAsync(HttpContext, Current);

    /// <summary>The same page again, with the status that fits.</summary>
    protected IActionResult Again(int status)
    {
        Response.StatusCode = status;
        return Page();
    }

    /// <summary>The same page again: too many tries, and when to come back.</summary>
    protected IActionResult Wait(TimeSpan wait)
    {
        Response.RetryAfter(wait);
        return Again(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>This page by GET: after a change, so that a reload repeats nothing.</summary>
    protected IActionResult Reload() => SignInJourney.SeeOther(Request.Path);

    /// <summary>Where the browser is sent says most: to the page it came from or back to the start, or onwards.</summary>
    private static string OutcomeOf(PageHandlerExecutedContext page, string attemptId)
    {
        if (page is { Exception: { } fault, ExceptionHandled: false }) return fault is TooManyHashesException ? "busy" : "failed";
        if (page.Result is SeeOtherResult to)
        {
            if (!HttpMethods.IsPost(page.HttpContext.Request.Method)) return "elsewhere";
            return to.LocalPath == page.HttpContext.Request.Path || to.LocalPath == SignInJourney.ResumeAddress(attemptId) ? "again" : "done";
        }

        return page.HttpContext.Response.StatusCode switch
        {
            < StatusCodes.Status400BadRequest => "shown",
            StatusCodes.Status429TooManyRequests => "throttled",
            StatusCodes.Status503ServiceUnavailable => "busy",
            _ => "refused",
        };
    }
}
