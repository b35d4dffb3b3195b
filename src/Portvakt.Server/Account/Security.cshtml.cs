using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Enrolment;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Account;

/// <summary>
/// Security info: one's methods, sign-ins and recent activity. Whatever changes a method needs a second factor that was proven within ten minutes (R35, R36), is
/// one save under the version of the person with its audit row and its mail, and never takes the last method away (R38). A session that knows only the password
/// looks, and ends sessions.
/// </summary>
public sealed class SecurityModel(
    SessionStore sessions, SignInJourney journey, Rulings rulings, PortvaktDb db, Outbox outbox, Vault vault, TimeProvider clock, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words) : PageModel
{
    public const string Address = "/account/security";
    private const string Column = "recovery_codes.new";
    private const int ActivityLength = 20;

    /// <summary>What needs no fresh factor: the two lead to one, and the others end sessions, which nobody should have to wait for. Everything else is refused without.</summary>
    private static readonly string[] Unguarded = ["Add", "Confirm", "End", "Everywhere", "NotMe"];

    /// <param name="Id">Of the audit row.</param>
    /// <param name="What">What happened.</param>
    /// <param name="At">When.</param>
    /// <param name="Place">Browser and place of a sign-in.</param>
    /// <param name="ByHelpdesk">Somebody else did it.</param>
    /// <param name="MayBeDisowned">A sign-in that was not this one.</param>
    public sealed record Activity(long Id, SecurityEvent What, DateTimeOffset At, string? Place, bool ByHelpdesk, bool MayBeDisowned);

    public SignedIn SignedIn { get; private set; } = null!;
    public Ruling Ruling { get; private set; } = null!;
    public PersonMethods Methods { get; private set; } = null!;

    /// <summary>Live ones, this browser's included.</summary>
    public IReadOnlyList<Session> Sessions { get; private set; } = [];

    public IReadOnlyList<Activity> Activities { get; private set; } = [];

    /// <summary>A new set, on the one answer that shows it.</summary>
    public IReadOnlyList<string> NewCodes { get; private set; } = [];

    /// <summary>The same set, sealed for this session, so that the file can be fetched.</summary>
    public string? Box { get; private set; }

    /// <summary>A sign-in was disowned: this browser is signed out as well.</summary>
    public bool IsDisowned { get; private set; }

    /// <summary>A change came without a fresh second factor.</summary>
    public bool MustConfirm { get; private set; }

    public string? Problem { get; private set; }

    /// <summary>The second factor was never asked for in this session: it may look.</summary>
    public bool OnlyLooks => SignedIn.Session.Method is null;

    public bool IsAccepted(Methods kind) => (Ruling.Accepted & kind) is not Domain.Authenticators.Methods.None;

    /// <summary>What may be asked for first, the one that is asked now at the front.</summary>
    public IReadOnlyList<Methods> Order => MethodOrder.Of(Ruling.Usable & MethodOrder.Primary, Ruling.Person.PreferredMethod);

    public bool MayHaveCodes => Ruling.HasAuthenticator && Ruling.ForEnrolment.HasFlag(Domain.Authenticators.Methods.RecoveryCode);

    /// <summary>Without this one nothing is left that opens a sign-in (R38).</summary>
    public bool IsLast(Guid id) => (Methods.WorkingWithout(id) & Ruling.Accepted & MethodOrder.Primary) is Domain.Authenticators.Methods.None;

    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        if (await sessions.CurrentAsync(HttpContext) is not { } current || await rulings.OfAsync(current.Person.Id, HttpContext, HttpContext.RequestAborted) is not { } ruling)
        {
            context.Result = SignInJourney.SeeOther(await journey.BeginAsync(HttpContext, new SignInRequest(ReturnPath: Address)));
            return;
        }

        (SignedIn, Ruling) = (current, ruling);
        if (context.HandlerMethod is not { } handler)
        {
            context.Result = NotFound();
            return;
        }

        if (handler.HttpMethod is "Post" or "POST" && !Unguarded.Contains(handler.Name ?? "", StringComparer.Ordinal) && await RefusalAsync() is { } refusal)
        {
            context.Result = refusal;
            return;
        }

        await next();
    }

    public Task<IActionResult> OnGetAsync() => ShowAsync(StatusCodes.Status200OK);

    /// <summary>The journey of enrolment asks for the second factor itself where it is not fresh.</summary>
    public async Task<IActionResult> OnPostAddAsync() => SignInJourney.SeeOther(await journey.BeginAddingAsync(HttpContext, SignedIn.Session, Address));

    /// <summary>A new sign-in with two factors that comes back here.</summary>
    public async Task<IActionResult> OnPostConfirmAsync() =>
        SignInJourney.SeeOther(await journey.BeginAsync(HttpContext, new SignInRequest(ReturnPath: Address, Assurance: AssuranceLevel.Aal2)));

    public async Task<IActionResult> OnPostRenameAsync(Guid id, string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return await RefuseAsync("SecurityNameNeeded");
        var own = await PersonMethods.LoadAsync(db, Ruling.Person.Id, HttpContext.RequestAborted);
        if (!own.Rename(id, PhoneBindingEndpoint.NameOf(name))) return NotFound();
        return await SaveAsync(SecurityEvent.MethodRenamed, id.ToString("N"), "SecurityRenamed");
    }

    /// <summary>
    /// What came of the method ends with it: sessions in other browsers, this one too when no method of its kind is left, and every sign-in that is half way (R62).
    /// </summary>
    public async Task<IActionResult> OnPostRemoveAsync(Guid id)
    {
        var (person, session, now) = (Ruling.Person, SignedIn.Session, clock.GetUtcNow());
        Methods = await PersonMethods.LoadAsync(db, person.Id, HttpContext.RequestAborted);
        var (isLast, left) = (IsLast(id), Methods.HeldWithout(id));
        if (Methods.Take(id) is not { } taken) return NotFound();
        if (isLast)
        {
            db.ChangeTracker.Clear();
            return await RefuseAsync("SecurityLast");
        }

        if (person.PreferredMethod is { } preferred && !left.HasFlag(preferred)) person.PreferredMethod = null;
        await using var transaction = await db.Database.BeginTransactionAsync(HttpContext.RequestAborted);
        foreach (var other in await db.Sessions.AsNoTracking().Where(row => row.PersonId == person.Id && row.EndedAt == null && row.Method != null).ToListAsync(HttpContext.RequestAborted))
        {
            var proven = AuthenticationMethods.MethodOf(other.Method!.Value);
            if (taken.Kinds.HasFlag(proven) && (other.Id != session.Id || !left.HasFlag(proven))) await SessionStore.EndInTransactionAsync(db, other.Id, HttpContext, now);
        }

        await PersonMethods.AbandonAttemptsAsync(db, person.Id, now);
        return await SaveAsync(taken.What, id.ToString("N"), "SecurityRemoved", transaction);
    }

    public async Task<IActionResult> OnPostPreferAsync(string? method)
    {
        if (Order.Select(one => (Methods?)one).FirstOrDefault(one => one.ToString() == method) is not { } chosen) return await RefuseAsync("SecurityNoSuchMethod");
        Ruling.Person.PreferredMethod = chosen;
        return await SaveAsync(SecurityEvent.PreferredMethodChanged, chosen.ToString(), "SecurityPreferred");
    }

    /// <summary>A new set in the place of the old one; its codes stand on this one answer and nowhere else.</summary>
    public async Task<IActionResult> OnPostCodesAsync()
    {
        if (!MayHaveCodes) return await RefuseAsync("SecurityNoCodes");
        var codes = await RecoveryCodeSet.IssueAsync(db, outbox, vault, Ruling.Person, HttpContext, clock.GetUtcNow());
        if (!await db.TrySaveAsync(HttpContext.RequestAborted)) return await MeanwhileAsync();
        NewCodes = [.. codes.Select(RecoveryCode.Format)];
        Box = Base64Url.EncodeToString(RecoveryCodeSet.Seal(vault, codes, Column, SignedIn.Session.Id));
        return await ShowAsync(StatusCodes.Status200OK);
    }

    /// <summary>The set that this session has just made, as a file, as long as it is the one that counts.</summary>
    public async Task<IActionResult> OnPostDownloadAsync(string? box)
    {
        try
        {
            var codes = RecoveryCodeSet.Open(vault, Base64Url.DecodeFromChars(box), Column, SignedIn.Session.Id);
            var first = RecoveryCodeModel.HashOf(vault, Ruling.Person.Id, codes[0]);
            if (await db.RecoveryCodes.AnyAsync(row => row.PersonId == Ruling.Person.Id && row.Hash == first, HttpContext.RequestAborted))
                return File(RecoveryCodeSet.FileOf(codes, settings.Value.Organisation, Ruling.Person.UserName, words), RecoveryCodeSet.ContentType, words["CodesFileName"] + ".txt");
        }
        catch (Exception wrong) when (wrong is CryptographicException or FormatException)
        {
            // Not a box of this session: there is nothing to fetch.
        }

        return SignInJourney.SeeOther(Address);
    }

    public async Task<IActionResult> OnPostEndAsync(string? id)
    {
        // Only among one's own: another person's id is no id at all (R47).
        if ((await sessions.LiveAsync(Ruling.Person.Id, HttpContext.RequestAborted)).SingleOrDefault(session => session.Id == id) is { } chosen) await sessions.EndAsync(chosen, HttpContext);
        return SignInJourney.SeeOther(Address);
    }

    public async Task<IActionResult> OnPostEverywhereAsync() =>
        SignInJourney.SeeOther(await sessions.EndEverywhereAsync(HttpContext, Ruling.Person, activates: false) is { } round ? SignedOutEverywhereModel.AddressOf(round) : Address);

    /// <summary>R18, said of a sign-in that has happened: what follows is what follows on the phone.</summary>
    public async Task<IActionResult> OnPostNotMeAsync(long id)
    {
        var (person, now) = (Ruling.Person, clock.GetUtcNow());
        var issued = await db.AuditEvents.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id && row.PersonId == person.Id && row.What == SecurityEvent.SessionIssued, HttpContext.RequestAborted);
        if (issued is null) return NotFound();
        var session = await db.Sessions.AsNoTracking().SingleOrDefaultAsync(row => row.Id == issued.Subject && row.PersonId == person.Id, HttpContext.RequestAborted);
        var application = await db.SignInAttempts.Where(row => row.SessionId == issued.Subject && row.PersonId == person.Id).OrderByDescending(row => row.FinishedAt).Select(row => row.RelyingPartyName).FirstOrDefaultAsync(HttpContext.RequestAborted);

        // From here on no token of the request: what was said must not be left without what it entails because the window was closed in this moment.
        await using (var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None))
        {
            await NotMe.OpenCaseAsync(HttpContext, db, outbox, person, new Stranger(null, application, session?.Place, session?.Browser), now);
            db.Record(SecurityEvent.SignInDisowned, person.Id, issued.Subject, HttpContext, now);
            await db.SaveChangesAsync(CancellationToken.None);
            await transaction.CommitAsync(CancellationToken.None);
        }

        await sessions.EndAllAsync(person.Id, HttpContext);
        Response.Cookies.Delete(SessionStore.CookieName, BrowserCookie.Options(null));
        IsDisowned = true;
        return Page();
    }

    /// <summary>Why a change is not made now; null: it may be made.</summary>
    private async Task<IActionResult?> RefusalAsync()
    {
        var (session, now) = (SignedIn.Session, clock.GetUtcNow());
        if (session.Method is null || !(now < session.SecondFactorAt + SignInAttempt.Freshness))
        {
            MustConfirm = true;
            Response.StatusCode = StatusCodes.Status403Forbidden;
            return Page();
        }

        if (await new FailureCounter(db, clock).RaiseAsync($"methods:{Ruling.Person.Id:N}", Throttle.MethodChanges, HttpContext.RequestAborted) is not { } wait) return null;
        Response.RetryAfter(wait);
        Problem = words.TooManyTries(wait);
        return await ShowAsync(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>The one way of every change: recorded, told to its owner (R37), and saved under the version of the person, so that of two at once one wins.</summary>
    private async Task<IActionResult> SaveAsync(SecurityEvent what, string subject, string sentence, IDbContextTransaction? transaction = null)
    {
        var (person, now) = (Ruling.Person, clock.GetUtcNow());
        db.Entry(person).Property(row => row.SearchText).IsModified = true;
        db.Record(what, person.Id, subject, HttpContext, now);
        await outbox.TellAsync(what, person, HttpContext, now, HttpContext.RequestAborted);
        if (!await db.TrySaveAsync(HttpContext.RequestAborted))
        {
            if (transaction is not null) await transaction.RollbackAsync(CancellationToken.None);
            return await MeanwhileAsync();
        }

        if (transaction is not null) await transaction.CommitAsync(HttpContext.RequestAborted);
        TempData["Done"] = words[sentence].Value;
        return SignInJourney.SeeOther(Address);
    }

    /// <summary>Somebody was faster: nothing of this was written, and the page shows what is true now.</summary>
    private async Task<IActionResult> MeanwhileAsync()
    {
        if (await rulings.OfAsync(Ruling.Person.Id, HttpContext, HttpContext.RequestAborted) is not { } ruling) return SignInJourney.SeeOther(Address);
        Ruling = ruling;
        return await RefuseAsync("SecurityMeanwhile", StatusCodes.Status409Conflict);
    }

    private Task<IActionResult> RefuseAsync(string word, int status = StatusCodes.Status422UnprocessableEntity)
    {
        Problem = words[word];
        return ShowAsync(status);
    }

    private async Task<IActionResult> ShowAsync(int status)
    {
        var id = Ruling.Person.Id;
        Methods = await PersonMethods.LoadAsync(db, id, HttpContext.RequestAborted);
        Sessions = await sessions.LiveAsync(id, HttpContext.RequestAborted);

        // What has a sentence of its own is told, and nothing else: the rest is for the audit log.
        var told = Enum.GetValues<SecurityEvent>().Where(what => !words["Activity" + what].ResourceNotFound).ToList();
        var rows = await db.AuditEvents.AsNoTracking().Where(row => row.PersonId == id && told.Contains(row.What)).OrderByDescending(row => row.Id).Take(ActivityLength).ToListAsync(HttpContext.RequestAborted);
        var ids = rows.Where(row => row.What is SecurityEvent.SessionIssued).Select(row => row.Subject).ToList();
        var places = await db.Sessions.AsNoTracking().Where(row => row.PersonId == id && ids.Contains(row.Id)).ToDictionaryAsync(row => row.Id, row => row.Place is null ? row.Browser : $"{row.Browser}, {row.Place}", StringComparer.Ordinal, HttpContext.RequestAborted);
        Activities =
        [
            .. rows.Select(row => new Activity(
                row.Id, row.What, row.At, row.Subject is null ? null : places.GetValueOrDefault(row.Subject), row.ActorId is { } actor && actor != id,
                row.What is SecurityEvent.SessionIssued && row.Subject != SignedIn.Session.Id)),
        ];
        Response.StatusCode = status;
        return Page();
    }
}
