using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Account;

/// <summary>
/// 2-factor switched on by the person, before the deadline: from then on it is demanded, and every session ends everywhere, so that the next click in any
/// application leads through the password and the set-up.
/// </summary>
public sealed class ActivateModel(SignInJourney journey, SessionStore sessions, Rulings rulings, TimeProvider clock, IOptions<PortvaktSettings> settings) : PageModel
{
    public const string Address = "/activate";

    public Ruling Ruling { get; private set; } = null!;

    /// <summary>The password is not enough to set it up. Whoever activated now would only be locked out.</summary>
    public bool NeedsPass => Ruling.Verdict is { Door: EnrolmentDoor.Closed } or { Duty: EnrolmentDuty.Blocked };

    /// <summary>Until the deadline; null when none lies ahead.</summary>
    public int? DaysLeft => Ruling.Verdict.DeadlineAt is { } deadline && deadline > clock.GetUtcNow() ? EnrolmentRule.DaysLeft(clock.GetUtcNow(), deadline, settings.Value.Zone) : null;

    public string? LastDay => Ruling.Verdict.DeadlineAt is { } deadline ? Localisation.LastDay(deadline, settings.Value.Zone) : null;

    public async Task<IActionResult> OnGetAsync() => await RuleAsync() is null ? await SignInFirstAsync() : Page();

    public async Task<IActionResult> OnPostAsync()
    {
        if (await RuleAsync() is not { } ruling) return await SignInFirstAsync();
        if (ruling.HasAuthenticator || NeedsPass) return SignInJourney.SeeOther(Address);
        return SignInJourney.SeeOther(await sessions.EndEverywhereAsync(HttpContext, ruling.Person, activates: true) is { } round ? SignedOutEverywhereModel.AddressOf(round) : Address);
    }

    private async Task<Ruling?> RuleAsync() =>
        await sessions.CurrentAsync(HttpContext) is { } current && await rulings.OfAsync(current.Person.Id, HttpContext, HttpContext.RequestAborted) is { } ruling ? Ruling = ruling : null;

    private async Task<IActionResult> SignInFirstAsync() => SignInJourney.SeeOther(await journey.BeginAsync(HttpContext, new SignInRequest(ReturnPath: Address)));
}
