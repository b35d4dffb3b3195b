using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>The deadline is over and policy leaves the door to the helpdesk.</summary>
public sealed class BlockedModel(SignInJourney journey) : AttemptPage(journey, SignInStep.Blocked)
{
    public string Deadline => Standing.Person?.EnrolmentDeadlineAt is { } deadline ? Localisation.Date(deadline) : "";

    public void OnGet() => Response.StatusCode = StatusCodes.Status403Forbidden;
}
