using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;

namespace Portvakt.Server.SignIn;

/// <summary>
/// The person asks for more time (WCAG 2.2, 2.2.1); the page that they are on stays as it is, with all that was typed. Answers with the seconds that are left.
/// The password holds no longer than <see cref="SignInAttempt.LongestLifetime"/> all the same.
/// </summary>
public sealed class MoreTimeModel(SignInJourney journey, PortvaktDb db, TimeProvider clock) : AttemptPage(journey, Enum.GetValues<SignInStep>())
{
    public async Task<IActionResult> OnPostAsync()
    {
        var now = clock.GetUtcNow();
        if (Current.PersonId is not null)
        {
            Current.GiveMoreTime(now);
            if (!await db.TrySaveAsync(HttpContext.RequestAborted)) return StatusCode(StatusCodes.Status409Conflict);
        }

        return Content(Current.SecondsLeft(now).ToString(CultureInfo.InvariantCulture));
    }
}
