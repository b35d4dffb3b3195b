using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Enrolment;

/// <summary>P3 and P4 on one page, as in the guide: the method that policy allows, how the app is used, and the button that opens the set-up.</summary>
public sealed class MethodModel(SignInJourney journey, PortvaktDb db, TimeProvider clock) : AttemptPage(journey, SignInStep.ChooseMethod)
{
    /// <summary>The values of the list, in the order of the guide; the first is chosen.</summary>
    public IEnumerable<string> Choices =>
        from choice in All
        where (Offered & choice.Opens) is not Methods.None
        select choice.Value;

    public bool OffersNotifications => Offered.HasFlag(Methods.App);
    public bool OffersCodes => Offered.HasFlag(Methods.Code);

    /// <summary>What policy allows; a code generator only to whom one was handed.</summary>
    private Methods Offered { get; set; }

    /// <summary>Somebody adds a method and may leave it at that.</summary>
    public string? BackTo => Current.Adds ? Current.ReturnPath : null;

    private static readonly (string Value, Methods Opens)[] All =
        [("app", Methods.App | Methods.Code), ("passkey", Methods.Passkey), ("telephone", Methods.Text | Methods.Call), ("office", Methods.Call), ("token", Methods.Token)];

    public Task OnGetAsync() => LookAsync();

    public async Task<IActionResult> OnPostAsync(string? method, string? use)
    {
        await LookAsync();
        (EnrolmentMethod Method, Methods Needs)? chosen = (method, use) switch
        {
            ("app", "notifications") => (EnrolmentMethod.Notifications, Methods.App),
            ("app", "code") => (EnrolmentMethod.Code, Methods.Code),
            ("passkey", _) => (EnrolmentMethod.Passkey, Methods.Passkey),
            ("telephone", _) => (EnrolmentMethod.Telephone, Methods.Text | Methods.Call),
            ("office", _) => (EnrolmentMethod.OfficeTelephone, Methods.Call),
            ("token", _) => (EnrolmentMethod.Token, Methods.Token),
            _ => null,
        };
        if (chosen is not { } choice || (Offered & choice.Needs) is Methods.None) return Again(StatusCodes.Status422UnprocessableEntity);
        Current.Choose(choice.Method, clock.GetUtcNow());
        return await ContinueAsync();
    }

    private async Task LookAsync()
    {
        Offered = Standing.ForEnrolment;
        if (Offered.HasFlag(Methods.Token) && !await SetUpTokenModel.WaitingOf(db, Standing.Person!.Id).AnyAsync(HttpContext.RequestAborted)) Offered &= ~Methods.Token;
    }
}
