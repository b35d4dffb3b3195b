using Microsoft.Extensions.Options;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>The deadline is over and policy leaves the door to the helpdesk.</summary>
public sealed class BlockedModel(SignInJourney journey, IOptions<PortvaktSettings> settings) : AttemptPage(journey, SignInStep.Blocked)
{
    public string Deadline => Standing.Person?.EnrolmentDeadlineAt is { } deadline ? Localisation.Date(deadline, settings.Value.Zone) : "";

    public void OnGet() => Response.StatusCode = StatusCodes.Status403Forbidden;
}
