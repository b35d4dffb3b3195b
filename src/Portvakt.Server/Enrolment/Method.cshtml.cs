using Microsoft.AspNetCore.Mvc;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P3 and P4 on one page, as in the guide: the method that policy allows, how the app is used, and the button that opens the set-up.</summary>
public sealed class MethodModel(SignInJourney journey, TimeProvider clock) : AttemptPage(journey, SignInStep.ChooseMethod)
{
    /// <summary>The values of the list, in the order of the guide; the first is chosen.</summary>
    public IEnumerable<string> Choices =>
        from choice in All
        where (Standing.ForEnrolment & choice.Opens) is not Methods.None
        select choice.Value;

    public bool OffersNotifications => Standing.ForEnrolment.HasFlag(Methods.App);
    public bool OffersCodes => Standing.ForEnrolment.HasFlag(Methods.Code);

    /// <summary>Somebody adds a method and may leave it at that.</summary>
    public string? BackTo => Current.Adds ? Current.ReturnPath : null;

    private static readonly (string Value, Methods Opens)[] All =
        [("app", Methods.App | Methods.Code), ("passkey", Methods.Passkey), ("telephone", Methods.Text | Methods.Call), ("office", Methods.Call)];

    public void OnGet()
    {
        // The page has nothing to prepare.
    }

    public async Task<IActionResult> OnPostAsync(string? method, string? use)
    {
        (EnrolmentMethod Method, Methods Needs)? chosen = (method, use) switch
        {
            ("app", "notifications") => (EnrolmentMethod.Notifications, Methods.App),
            ("app", "code") => (EnrolmentMethod.Code, Methods.Code),
            ("passkey", _) => (EnrolmentMethod.Passkey, Methods.Passkey),
            ("telephone", _) => (EnrolmentMethod.Telephone, Methods.Text | Methods.Call),
            ("office", _) => (EnrolmentMethod.OfficeTelephone, Methods.Call),
            _ => null,
        };
        if (chosen is not { } choice || (Standing.ForEnrolment & choice.Needs) is Methods.None) return Again(StatusCodes.Status422UnprocessableEntity);
        Current.Choose(choice.Method, clock.GetUtcNow());
        return await ContinueAsync();
    }
}
