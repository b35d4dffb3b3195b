using System.Globalization;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.SignIn;

/// <summary>The deadline is over and policy leaves the door to the helpdesk.</summary>
public sealed class BlockedModel(SignInJourney journey) : AttemptPage(journey, SignInStep.Blocked)
{
    public string Deadline => Standing.Person?.EnrolmentDeadlineAt?.ToString("d MMMM yyyy", CultureInfo.CurrentCulture) ?? "";

    public void OnGet() => Response.StatusCode = StatusCodes.Status403Forbidden;
}
