using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Administration;

/// <summary>
/// One code generator of plastic. Handing it to somebody opens nothing: they activate it themselves, within their own sign-in. What is in use is a factor of its owner's,
/// and is removed where factors are: on the person's page, by whoever may (R44), or by the owner.
/// </summary>
public sealed class TokenModel(Reception reception, Outbox outbox, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMethods)
{
    public override string Section => "/administration/tokens";

    public TokenRow Row { get; private set; } = null!;
    public string? Problem { get; private set; }

    /// <summary>What was typed, when a form comes back.</summary>
    public string? UserName { get; private set; }

    public string? Reason { get; private set; }

    public bool MayBeAssigned => Row.State is TokenState.Free or TokenState.Waiting or TokenState.Removed;

    public Task<IActionResult> OnGetAsync(string id) => WithAsync(id, (_, _) => Task.FromResult<IActionResult>(Page()));

    public Task<IActionResult> OnPostAssignAsync(string id, string? userName) => WithAsync(id, async (token, owner) =>
    {
        UserName = userName;
        var person = Domain.People.UserName.TryParse(userName, out var name) ? await Db.People.AsNoTracking().SingleOrDefaultAsync(row => row.UserName == name.Value.Value, Aborted) : null;
        if (person is null) return Refuse("NoSuchPerson");
        if (!MayBeAssigned) return Refuse("TokenInUse", StatusCodes.Status409Conflict);
        if (Row.State is TokenState.Waiting && owner?.Id == person.Id) return Refuse("TokenTheirsAlready");
        if (await Db.Totps.CountAsync(row => row.PersonId == person.Id && row.SerialNumber != null && row.State != AuthenticatorState.Revoked, Aborted) >= TotpAuthenticator.MostTokens) return Refuse("TokenTroubleTooMany");

        if (Row.State is TokenState.Waiting) await TakeBackAsync(token, owner, null);
        token.Assign(person.Id);
        Record(SecurityEvent.TokenAssigned, person.Id, token.Id.ToString("N"), token.SerialNumber);
        await outbox.TellAsync(SecurityEvent.TokenAssigned, person, http: null, Now, Aborted);
        var mayActivate = TokenImport.MayActivate(await MethodPolicies.LoadAsync(Db, Aborted), person);
        return await SavedAsync(admin[mayActivate ? "TokenIsAssigned" : "TokenIsAssignedForbidden", token.SerialNumber!, person.DisplayName]);
    });

    public Task<IActionResult> OnPostTakeBackAsync(string id, string? reason) => WithAsync(id, async (token, owner) =>
    {
        if (Row.State is not TokenState.Waiting) return Refuse("TokenInUse", StatusCodes.Status409Conflict);
        if (!HasReason(reason)) return Refuse("ReasonNeeded");
        await TakeBackAsync(token, owner, reason);
        return await SavedAsync(admin["TokenIsTakenBack", token.SerialNumber!]);
    });

    public Task<IActionResult> OnPostScrapAsync(string id, string? reason) => WithAsync(id, async (token, owner) =>
    {
        if (Row.State is TokenState.Active or TokenState.Scrapped) return Refuse("TokenInUse", StatusCodes.Status409Conflict);
        if (!HasReason(reason)) return Refuse("ReasonNeeded");
        if (Row.State is TokenState.Waiting) await TakeBackAsync(token, owner, reason);
        token.Scrap();
        Record(SecurityEvent.TokenScrapped, null, token.Id.ToString("N"), $"{token.SerialNumber}: {reason}");
        return await SavedAsync(admin["TokenIsScrapped", token.SerialNumber!]);
    });

    private async Task TakeBackAsync(TotpAuthenticator token, Person? owner, string? reason)
    {
        token.TakeBack();
        if (owner is null) return;
        Record(SecurityEvent.TokenTakenBack, owner.Id, token.Id.ToString("N"), reason ?? token.SerialNumber);
        await outbox.TellAsync(SecurityEvent.TokenTakenBack, owner, http: null, Now, Aborted);
    }

    private bool HasReason(string? reason)
    {
        Reason = reason;
        return !string.IsNullOrWhiteSpace(reason) && reason.Length <= PersonalTerm.LongestReason;
    }

    private async Task<IActionResult> WithAsync(string id, Func<TotpAuthenticator, Person?, Task<IActionResult>> act)
    {
        if (!Desk.AllowsEverywhere(Act.ManageMethods)) return StatusCode(StatusCodes.Status403Forbidden);
        if (!Guid.TryParse(id, out var key) || await Db.Totps.SingleOrDefaultAsync(row => row.Id == key && row.SerialNumber != null, Aborted) is not { } token) return NotFound();
        var owner = await Db.People.AsNoTracking().SingleOrDefaultAsync(row => row.Id == token.PersonId, Aborted);
        Row = new TokenRow(token, owner?.UserName, owner?.DisplayName);
        return await act(token, owner);
    }

    /// <summary>Under the version of the row: of two administrators who press at once, or one and its owner who activates it, one wins.</summary>
    private async Task<IActionResult> SavedAsync(string sentence) => Done(await Db.TrySaveAsync(Aborted) ? sentence : admin["ChangedMeanwhile"]);

    private IActionResult Refuse(string word, int status = StatusCodes.Status422UnprocessableEntity)
    {
        Problem = admin[word];
        return Again(status);
    }
}
