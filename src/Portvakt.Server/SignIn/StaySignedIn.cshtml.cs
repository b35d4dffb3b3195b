using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>P8: the employee's choice.</summary>
public sealed class StaySignedInModel(SignInJourney journey, TimeProvider clock, IOptions<PortvaktSettings> settings) : AttemptPage(journey, SignInStep.StaySignedIn)
{
    public int Days => Math.Max(1, (int)settings.Value.StaySignedInLifetime.TotalDays);

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? stay)
    {
        if (stay is not ("yes" or "no")) return Again(StatusCodes.Status422UnprocessableEntity);
        Current.AnswerStaySignedIn(stay is "yes", clock.GetUtcNow());
        return await ContinueAsync();
    }
}
