using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.SignIn;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P3 and P4 on one page, as in the guide: the method, how the app is used, and the button that opens the set-up.</summary>
public sealed class MethodModel(SignInJourney journey, TimeProvider clock) : AttemptPage(journey, SignInStep.ChooseMethod)
{
    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? method, string? use)
    {
        MobileAppUse? chosen = (method, use) switch
        {
            ("app", "notifications") => MobileAppUse.Notifications,
            ("app", "code") => MobileAppUse.Code,
            _ => null,
        };
        if (chosen is null) return Again(StatusCodes.Status422UnprocessableEntity);
        Current.ChooseUse(chosen.Value, clock.GetUtcNow());
        return await ContinueAsync();
    }
}
