using Microsoft.Extensions.Options;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>The person must enrol and a password is not enough for that: the helpdesk opens the door with a pass.</summary>
public sealed class BlockedModel(SignInJourney journey, TimeProvider clock, IOptions<PortvaktSettings> settings) : AttemptPage(journey, SignInStep.Blocked)
{
    /// <summary>The last day, when that is why. Null: the door is closed for another reason.</summary>
    public string? Deadline => Standing.Verdict.DeadlineAt is { } deadline && deadline <= clock.GetUtcNow() ? Localisation.LastDay(deadline, settings.Value.Zone) : null;

    public void OnGet() => Response.StatusCode = StatusCodes.Status403Forbidden;
}
