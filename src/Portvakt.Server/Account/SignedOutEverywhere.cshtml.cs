using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Account;

/// <summary>What became of one application.</summary>
public enum SignOutOutcome
{
    /// <summary>It was told and has answered.</summary>
    SignedOut,

    /// <summary>It is being told at this moment.</summary>
    BeingTold,

    /// <summary>It did not answer and is told again.</summary>
    TriedAgain,

    /// <summary>It was tried for a day.</summary>
    NotReached,

    /// <summary>It registered no address for this.</summary>
    CannotBeTold,
}

/// <summary>An application that was signed in to; several sessions are one line.</summary>
public sealed record SignedOutApplication(string Name, SignOutOutcome Outcome, DateTimeOffset? NextTryAt);

/// <summary>
/// After activation or "sign out everywhere": application by application what was signed out, is tried again, or could not be reached. Told from the notices'
/// rows, so a restart changes nothing; only in the browser that asked.
/// </summary>
public sealed class SignedOutEverywhereModel(PortvaktDb db, RelyingParties relyingParties, TimeProvider clock, IOptions<PortvaktSettings> settings) : PageModel
{
    /// <summary>So long the page follows by itself; whoever comes later presses the link.</summary>
    private static readonly TimeSpan Follows = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Rhythm = TimeSpan.FromSeconds(2);

    /// <summary>A proxy takes what is silent for longer for dead.</summary>
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(15);

    [FromRoute(Name = "id")]
    public string Id { get; set; } = "";

    public IReadOnlyList<SignedOutApplication> Applications { get; private set; } = [];
    public bool IsActivation { get; private set; }

    /// <summary>All outcomes as one text, while some are open; null when nothing changes any more by itself.</summary>
    public string? State { get; private set; }

    public static string AddressOf(string id) => $"/signed-out-everywhere/{id}";

    public async Task<IActionResult> OnGetAsync()
    {
        if (await FindAsync(db, HttpContext, Id) is not { } round) return NotFound();
        IsActivation = round.IsActivation;
        Applications = await ApplicationsAsync(db, relyingParties, round, HttpContext.RequestAborted);
        State = clock.GetUtcNow() < round.At + Follows ? StateOf(Applications) : null;
        return Page();
    }

    public string Say(SignedOutApplication application, IStringLocalizer<Words> words) => application switch
    {
        { Outcome: SignOutOutcome.SignedOut } => words["AppSignedOut"],
        { Outcome: SignOutOutcome.BeingTold } => words["AppBeingTold"],
        { NextTryAt: { } at } => words["AppTriedAgain", TimeZoneInfo.ConvertTime(at, settings.Value.Zone).ToString("t", CultureInfo.CurrentCulture)],
        { Outcome: SignOutOutcome.NotReached } => words["AppNotReached"],
        _ => words["AppCannotBeTold"],
    };

    /// <summary>Tells the page that something changed; the page then fetches itself.</summary>
    internal static async Task<IResult> WaitAsync(string id, string? state, HttpContext http, PortvaktDb db, RelyingParties relyingParties, Telemetry telemetry, TimeProvider clock) =>
        await FindAsync(db, http, id) is { } round ? TypedResults.ServerSentEvents(ChangesAsync(round, state, db, relyingParties, telemetry, clock, http.RequestAborted)) : TypedResults.NotFound();

    private static async IAsyncEnumerable<SseItem<string>> ChangesAsync(
        SignOutRound round, string? shown, PortvaktDb db, RelyingParties relyingParties, Telemetry telemetry, TimeProvider clock, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var place = telemetry.Waits(isPhone: false);
        var spoken = clock.GetUtcNow();
        yield return new SseItem<string>("", "ping");
        while (clock.GetUtcNow() is var now && now < round.At + Follows)
        {
            var state = StateOf(await ApplicationsAsync(db, relyingParties, round, cancellationToken));
            if (state != shown)
            {
                (shown, spoken) = (state, now);
                yield return new SseItem<string>(state ?? "", "changed");
            }
            else if (now >= spoken + SignOfLife)
            {
                spoken = now;
                yield return new SseItem<string>("", "ping");
            }

            if (state is null) yield break;
            await Task.Delay(Rhythm, clock, cancellationToken);
        }

        yield return new SseItem<string>("", "changed");
    }

    /// <summary>The round of this address, if this is the browser that asked.</summary>
    private static async Task<SignOutRound?> FindAsync(PortvaktDb db, HttpContext http, string id)
    {
        if (id.Length > 40 || BrowserCookie.Hash(http) is not { } browser) return null;
        var round = await db.SignOutRounds.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, http.RequestAborted);
        return round is not null && CryptographicOperations.FixedTimeEquals(round.BrowserHash, browser) ? round : null;
    }

    private static async Task<IReadOnlyList<SignedOutApplication>> ApplicationsAsync(PortvaktDb db, RelyingParties relyingParties, SignOutRound round, CancellationToken cancellationToken)
    {
        // The notices of a round carry its instant.
        var notices = await db.LogoutNotices.AsNoTracking().Where(notice => notice.PersonId == round.PersonId && notice.CreatedAt == round.At).ToListAsync(cancellationToken);
        return [.. notices.GroupBy(notice => notice.ClientId, StringComparer.Ordinal).Select(group => One(relyingParties.Find(group.Key), group.Key, [.. group])).OrderBy(application => application.Name, StringComparer.CurrentCulture)];
    }

    private static SignedOutApplication One(RelyingParty? client, string clientId, IReadOnlyList<LogoutNotice> notices)
    {
        var name = client?.Name ?? clientId;
        if (client?.BackChannelLogoutUri is null) return new(name, SignOutOutcome.CannotBeTold, null);
        var open = notices.Where(notice => notice is { DeliveredAt: null, GivenUpAt: null }).ToList();
        if (open.Count > 0) return open.Exists(notice => notice.Tries > 1) || open.TrueForAll(notice => notice.Tries > 0)
            ? new(name, SignOutOutcome.TriedAgain, open.Min(notice => notice.NextTryAt))
            : new(name, SignOutOutcome.BeingTold, null);
        return new(name, notices.Any(notice => notice.GivenUpAt is not null) ? SignOutOutcome.NotReached : SignOutOutcome.SignedOut, null);
    }

    private static string? StateOf(IReadOnlyList<SignedOutApplication> applications) =>
        applications.Any(application => application.Outcome is SignOutOutcome.BeingTold or SignOutOutcome.TriedAgain)
            ? string.Join('.', applications.Select(application => $"{application.Outcome}{application.NextTryAt?.ToUnixTimeSeconds()}"))
            : null;
}

/// <summary>The page's news; see <see cref="SignedOutEverywhereModel"/>.</summary>
public static class SignedOutWait
{
    public static void MapSignedOutWait(this WebApplication app) =>
        app.MapGet("/signed-out-everywhere/{id}/wait", SignedOutEverywhereModel.WaitAsync).ExcludeFromDescription();
}
