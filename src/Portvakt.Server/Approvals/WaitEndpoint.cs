using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
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
    public static async Task<string> StateOfAsync(PortvaktDb db, string attemptId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var code = await db.BindingCodes.AsNoTracking().Where(row => row.AttemptId == attemptId).OrderByDescending(row => row.CreatedAt)
            .Select(row => new { row.Id, row.State, row.ExpiresAt }).FirstOrDefaultAsync(cancellationToken);
        var request = await db.Approvals.AsNoTracking().Where(row => row.AttemptId == attemptId).OrderByDescending(row => row.CreatedAt)
            .Select(row => new { row.Id, row.State, row.ExpiresAt }).FirstOrDefaultAsync(cancellationToken);
        var codeIsOver = code is not null && code.State is BindingState.Waiting or BindingState.Claimed && now >= code!.ExpiresAt;
        return $"{code?.Id:N}.{code?.State}.{codeIsOver}.{request?.Id}.{request?.State}.{request is not null && now >= request.ExpiresAt}";
    }

    private static async Task<IResult> WaitAsync(string attempt, string? state, HttpContext http, PortvaktDb db, Signals signals, TimeProvider clock)
    {
        if (BrowserCookie.Hash(http) is not { } browser) return TypedResults.NotFound();
        var row = await db.SignInAttempts.AsNoTracking().SingleOrDefaultAsync(item => item.Id == attempt, http.RequestAborted);
        if (row is null || !row.BelongsTo(browser) || !row.IsLive(clock.GetUtcNow())) return TypedResults.NotFound();
        return TypedResults.ServerSentEvents(ChangesAsync(attempt, state, row.ExpiresAt, db, signals, clock, http.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> ChangesAsync(
        string attemptId, string? shown, DateTimeOffset until, PortvaktDb db, Signals signals, TimeProvider clock, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var waiter = signals.Listen(Signals.OfAttempt(attemptId));
        var spoken = clock.GetUtcNow();
        yield return new SseItem<string>("", "ping");
        while (clock.GetUtcNow() < until)
        {
            var now = clock.GetUtcNow();
            var state = await StateOfAsync(db, attemptId, now, cancellationToken);
            if (state != shown)
            {
                (shown, spoken) = (state, now);
                yield return new SseItem<string>(state, "changed");
            }
            else if (now >= spoken + TimeSpan.FromSeconds(15))
            {
                spoken = now;
                yield return new SseItem<string>("", "ping");
            }

            await waiter.WaitAsync(cancellationToken);
        }

        yield return new SseItem<string>("over", "changed");
    }
}
