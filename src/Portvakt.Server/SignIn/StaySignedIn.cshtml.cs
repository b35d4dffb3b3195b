using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.SignIn;

/// <summary>P8: the employee's choice.</summary>
public sealed class StaySignedInModel(SignInJourney journey, PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings) : AttemptPage(journey, SignInStep.StaySignedIn)
{
    public int Days => Math.Max(1, (int)settings.Value.StaySignedInLifetime.TotalDays);

    /// <summary>Codes on paper that are left, for who has just used one and has few; null otherwise.</summary>
    public int? FewCodesLeft { get; private set; }

    public async Task OnGetAsync()
    {
        if (Current.SecondFactorMethod is not SecondFactorMethod.RecoveryCode) return;
        var left = await db.RecoveryCodes.CountAsync(row => row.PersonId == Current.PersonId && row.UsedAt == null, HttpContext.RequestAborted);
        FewCodesLeft = left <= Domain.Authenticators.RecoveryCode.Few ? left : null;
    }

    public async Task<IActionResult> OnPostAsync(string? stay)
    {
        if (stay is not ("yes" or "no")) return Again(StatusCodes.Status422UnprocessableEntity);
        Current.AnswerStaySignedIn(stay is "yes", clock.GetUtcNow());
        return await ContinueAsync();
    }
}
