using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Approvals;

/// <summary>
/// Tells the waiting page that something changed; the page then fetches itself. It says nothing of what changed, and only to the
/// browser that began the attempt.
/// </summary>
public static class WaitEndpoint
{
    public static void MapWait(this WebApplication app) =>
        app.MapGet("/approvals/{attempt}/wait", WaitAsync).WithSummary("Server-sent event `changed` when the phone of this attempt has done something. For the browser that began the attempt.").ExcludeFromDescription();

    /// <summary>What a waiting page shows, as one text: when it differs, the page is out of date.</summary>
    public static async Task<string> StateOfAsync(PortvaktDb db, Lookups lookups, SignInAttempt attempt, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await SightOfAsync(db, lookups, attempt.Id, attempt.EnrolmentBegunAt is not null, now, cancellationToken)).State!;

    /// <summary>The same for a page that has its request in hand and shows nothing else.</summary>
    public static string StateOf(ApprovalRequest? request, DateTimeOffset now) => SightOf(null, request is null ? null : new Look(request.Id, request.State.ToString(), request.ExpiresAt), now).State!;

    private static async Task<IResult> WaitAsync(string attempt, string? state, HttpContext http, IServiceScopeFactory scopes, Lookups lookups, LiveNews news, TimeProvider clock)
    {
        if (BrowserCookie.Hash(http) is not { } browser) return TypedResults.NotFound();
        SignInAttempt? row;
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            row = await lookups.AttemptAsItIs(db, attempt, http.RequestAborted);
        }

        if (row is null || !row.BelongsTo(browser)) return TypedResults.NotFound();

        // One that ended before its page began to listen is told so, and not that there is no such thing: the page then goes where it belongs.
        var now = clock.GetUtcNow();
        var (end, enrols) = (row.IsLive(now) ? row.ExpiresAt : now, row.EnrolmentBegunAt is not null);
        var aborted = http.RequestAborted;
        return TypedResults.ServerSentEvents(news.OfAsync(
            Signals.OfAttempt(attempt),
            "changed",
            state,
            LookAsync,
            aborted));

        async Task<Sight> LookAsync(PortvaktDb db, DateTimeOffset at)
        {
            if (at >= end) return new Sight("over", IsLast: true);
            var sight = await SightOfAsync(db, lookups, attempt, enrols, at, aborted);
            return sight.Until < end ? sight : sight with { Until = end };
        }
    }

    /// <summary>Newest code and newest request of an attempt; codes there are only where somebody enrols.</summary>
    private static async Task<Sight> SightOfAsync(PortvaktDb db, Lookups lookups, string attemptId, bool enrols, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var code = !enrols ? null : await db.BindingCodes.AsNoTracking().Where(row => row.AttemptId == attemptId).OrderByDescending(row => row.CreatedAt)
            .Select(row => new { row.Id, row.State, row.ExpiresAt }).FirstOrDefaultAsync(cancellationToken);
        var request = await lookups.Sight(db, attemptId, cancellationToken);
        return SightOf(
            code is null ? null : new Look(code.Id.ToString("N"), code.State.ToString(), code.State is BindingState.Waiting or BindingState.Claimed ? code.ExpiresAt : null),
            request is null ? null : new Look(request.Id, request.State.ToString(), request.ExpiresAt),
            now);
    }

    private static Sight SightOf(Look? code, Look? request, DateTimeOffset now) => new(
        $"{code?.Id}.{code?.State}.{now >= code?.ExpiresAt}.{request?.Id}.{request?.State}.{now >= request?.ExpiresAt}",
        new[] { code?.ExpiresAt, request?.ExpiresAt }.Where(end => end > now).Min());

    private sealed record Look(string Id, string State, DateTimeOffset? ExpiresAt);
}
