using System.Globalization;
using Microsoft.AspNetCore.Html;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Mvc.Rendering;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.Shared;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Administration;

/// <summary>Who is at the desk: the person, the roles, and whether the phone was asked within the last ten minutes.</summary>
public sealed record Desk(Person Person, IReadOnlyList<RoleAssignment> Roles, bool IsFresh)
{
    public bool Allows(Act act) => Authority.Allows(Roles, act);

    public bool AllowsEverywhere(Act act) => Authority.AllowsEverywhere(Roles, act);
}

/// <summary>What every page of administration needs; one thing to inject.</summary>
public sealed class Reception(PortvaktDb db, SessionStore sessions, SignInJourney journey, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    public const string Root = "/administration";

    /// <summary>Nothing is changed longer than this after the phone was asked (R36, R48).</summary>
    public static readonly TimeSpan Freshness = TimeSpan.FromMinutes(10);

    public PortvaktDb Db => db;
    public TimeProvider Clock => clock;
    public PortvaktSettings Settings => settings.Value;

    /// <summary>The desk of this browser; null when somebody must sign in (again) first: no session, one factor, a weak one, or a session that stays.</summary>
    public async Task<Desk?> DeskAsync(HttpContext http)
    {
        if (await sessions.CurrentAsync(http) is not { } current) return null;
        var (session, person) = (current.Session, current.Person);
        var strong = session.Method is SecondFactorMethod.Phone or SecondFactorMethod.Passkey || (session.Method is SecondFactorMethod.PhoneWithPin && settings.Value.AllowPinUnlock);
        if (!strong || session.Stays) return null;
        var roles = await db.RoleAssignments.AsNoTracking().Where(role => role.PersonId == person.Id).ToListAsync(http.RequestAborted);
        return new Desk(person, roles, clock.GetUtcNow() < session.SecondFactorAt + Freshness);
    }

    /// <summary>A new sign-in with the phone that comes back to a page of administration.</summary>
    public async Task<IActionResult> SignInAsync(HttpContext http, string returnPath) =>
        SignInJourney.SeeOther(await journey.BeginAsync(http, new SignInRequest(ReturnPath: IsOurs(returnPath) ? returnPath : Root, Assurance: AssuranceLevel.Aal2)));

    public static bool IsOurs(string path) => LocalAddress.IsLocal(path) && (path == Root || path.StartsWith(Root + "/", StringComparison.Ordinal) || path.StartsWith(Root + "?", StringComparison.Ordinal));
}

/// <summary>
/// A page of administration: with a role that allows its act, after a sign-in with the phone or a passkey, and every change within ten minutes of it. What the page changes it
/// records in the audit log in the same save, with the actor.
/// </summary>
public abstract class AdministrationPage(Reception reception, Act act) : PageModel
{
    public Desk Desk { get; private set; } = null!;

    /// <summary>Under which heading of the navigation the page stands; by default its own address.</summary>
    public virtual string Section => Request.Path;

    protected PortvaktDb Db => reception.Db;
    protected DateTimeOffset Now => reception.Clock.GetUtcNow();
    public PortvaktSettings Rules => reception.Settings;
    protected CancellationToken Aborted => HttpContext.RequestAborted;

    public override async Task OnPageHandlerExecutionAsync(PageHandlerExecutingContext context, PageHandlerExecutionDelegate next)
    {
        var http = context.HttpContext;
        if (await reception.DeskAsync(http) is not { } desk)
        {
            // A form that was filled in while the session ended is not thrown away without a word: the browser's back button has it.
            context.Result = await reception.SignInAsync(http, HttpMethods.IsGet(Request.Method) ? Request.Path + Request.QueryString : Request.Path);
            return;
        }

        if (!desk.Allows(act))
        {
            Db.Record(SecurityEvent.AccessDenied, desk.Person.Id, null, http, Now, desk.Person.Id);
            await Db.SaveChangesAsync(http.RequestAborted);
            context.Result = View("/Administration/Refused.cshtml");
            return;
        }

        if (!HttpMethods.IsGet(Request.Method) && !HttpMethods.IsHead(Request.Method) && !desk.IsFresh)
        {
            context.Result = View("/Administration/ConfirmFirst.cshtml");
            return;
        }

        Desk = desk;
        ViewData["Wide"] = true;
        ViewData["Desk"] = desk;
        ViewData["Section"] = Section;
        ViewData[TimeLimit.Key] = new TimeLimit((int)Session.DeskIdleLifetime.TotalSeconds, "/account", "TimeLimitDesk", Posts: false);
        await next();
    }

    /// <summary>People of the units that the actor's roles cover.</summary>
    protected IQueryable<Person> PeopleInScope(Act wanted)
    {
        var units = Desk.Roles.Where(role => Authority.Allows([role], wanted)).Select(role => role.Unit).ToList();
        if (units.Contains(null)) return Db.People;
        if (units.Count is 0) return Db.People.Where(_ => false);
        return units.Select(unit =>
        {
            var below = unit + "/";
            return Db.People.Where(person => person.Unit == unit || person.Unit!.StartsWith(below));
        }).Aggregate((one, other) => one.Union(other)); // of one unit, as most have it, there is no union: the database counts without sorting
    }

    /// <summary>An instant by the clocks of the organisation, like its deadlines, mails and files.</summary>
    public IHtmlContent At(DateTimeOffset at)
    {
        var time = new TagBuilder("time");
        time.Attributes["datetime"] = at.UtcDateTime.ToString("s", CultureInfo.InvariantCulture) + "Z";
        time.InnerHtml.Append(TimeZoneInfo.ConvertTime(at, Rules.Zone).ToString("g", CultureInfo.CurrentCulture));
        return time;
    }

    /// <summary>The day of an instant, as a day of the organisation, short as tables need it.</summary>
    public string DayOf(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Rules.Zone).ToString("d", CultureInfo.CurrentCulture);

    /// <summary>The last day before an instant, likewise.</summary>
    public string LastDayOf(DateTimeOffset end) => EnrolmentRule.LastDay(end, Rules.Zone).ToString("d", CultureInfo.CurrentCulture);

    /// <summary>Records what the page did, in the save of what it did.</summary>
    protected void Record(SecurityEvent what, Guid? personId, string? subject = null, string? reason = null) =>
        Db.Record(what, personId, subject, HttpContext, Now, Desk.Person.Id, reason);

    /// <summary>This page by GET, with a sentence that it shows once.</summary>
    protected IActionResult Done(string sentence, string? path = null)
    {
        TempData["Done"] = sentence;
        return SignInJourney.SeeOther(path ?? Request.Path);
    }

    protected IActionResult Again(int status = StatusCodes.Status422UnprocessableEntity)
    {
        Response.StatusCode = status;
        return Page();
    }

    private ViewResult View(string name)
    {
        ViewData["Return"] = Request.Path.Value;
        return new ViewResult { ViewName = name, StatusCode = StatusCodes.Status403Forbidden, ViewData = new ViewDataDictionary(ViewData) };
    }
}
