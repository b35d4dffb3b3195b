using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Guides;

/// <summary>
/// What the pages of the guides know: nothing of anybody, unless this very browser is in the middle of setting up. They are for whoever cannot sign in, and work without a session.
/// </summary>
public abstract class GuidePage(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings, IWebHostEnvironment house) : PageModel
{
    /// <summary>The guide that is shown; null on the page that only lists them.</summary>
    public GuideKind? Kind { get; private set; }

    /// <summary>The enrolment that this browser is in the middle of.</summary>
    public Standing? Midway { get; private set; }

    /// <summary>The last day as people write it, where it is the same for everybody or it is known who reads. Null when it is over.</summary>
    public string? LastDay { get; private set; }

    /// <summary>Address of the phone app, as it is typed.</summary>
    public string AppAddress => $"{settings.Value.PublicUri.Authority}/phone";

    public string AccountAddress => $"{settings.Value.PublicUri.Authority}/account";

    /// <summary>Address of this page, as it is typed from paper.</summary>
    public string OwnAddress => $"{settings.Value.PublicUri.Authority}{Request.Path}";

    /// <summary>The picture of a step in the reader's language, if it has been taken. A guide is good without.</summary>
    public string? PictureOf(GuideStep step)
    {
        if (step.Picture is null) return null;
        var path = $"/guides/{Localisation.Current}/{step.Picture}.webp";
        return house.WebRootFileProvider.GetFileInfo(path).Exists ? path : null;
    }

    public async Task OnGetAsync()
    {
        Kind = Which();
        Midway = await FindMidwayAsync();
        if (await DeadlineAsync() is { } deadline && deadline > clock.GetUtcNow()) LastDay = Localisation.LastDay(deadline, settings.Value.Zone);
    }

    /// <summary>Which guide this request asks for.</summary>
    protected abstract GuideKind? Which();

    private async Task<Standing?> FindMidwayAsync()
    {
        if (BrowserCookie.Hash(HttpContext) is not { } browser) return null;
        var now = clock.GetUtcNow();

        // Of the sign-ins that are alive, by the index of their end; there are as many as people sign in within an hour.
        var id = await db.SignInAttempts.Where(row => row.ExpiresAt > now && row.BrowserHash == browser && row.PersonId != null && row.FinishedAt == null)
            .OrderByDescending(row => row.CreatedAt).Select(row => row.Id).FirstOrDefaultAsync(HttpContext.RequestAborted);
        if (id is null || await journey.FindAsync(HttpContext, id) is not { } standing) return null;
        return standing.Step is SignInStep.OfferEnrolment || (standing.Attempt.EnrolmentBegunAt is not null && standing.Step is not SignInStep.Finish) ? standing : null;
    }

    /// <summary>The deadline of whoever is in the middle of it; for a stranger that of the whole organisation, where all waves end on the same day.</summary>
    private async Task<DateTimeOffset?> DeadlineAsync()
    {
        if (Midway is { } standing) return standing.Verdict.DeadlineAt;
        return await db.CommonDeadlineAsync(settings.Value.Zone, HttpContext.RequestAborted);
    }
}
