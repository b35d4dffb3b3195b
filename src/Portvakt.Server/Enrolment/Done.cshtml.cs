using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.SignIn;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P9: back to the application that asked, signed in with two factors.</summary>
public sealed class DoneModel(SignInJourney journey, TimeProvider clock) : AttemptPage(journey, SignInStep.Done)
{
    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync()
    {
        Current.AcknowledgeDone(clock.GetUtcNow());
        return await ContinueAsync();
    }
}
