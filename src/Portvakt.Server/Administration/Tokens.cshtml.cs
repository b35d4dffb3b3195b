using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>Where a code generator of plastic is.</summary>
public enum TokenState
{
    /// <summary>In the drawer.</summary>
    Free,

    /// <summary>Handed to somebody who has not activated it.</summary>
    Waiting,
    Active,

    /// <summary>Taken off its owner's account; can be handed out again.</summary>
    Removed,

    /// <summary>Its secret is erased.</summary>
    Scrapped,
}

/// <summary>A code generator with whose it is.</summary>
public sealed record TokenRow(TotpAuthenticator Token, string? UserName, string? Name)
{
    public TokenState State => (Token.State, Token.PersonId == TotpAuthenticator.Nobody) switch
    {
        (AuthenticatorState.Active, _) => TokenState.Active,
        (AuthenticatorState.Unconfirmed, true) => TokenState.Free,
        (AuthenticatorState.Unconfirmed, false) => TokenState.Waiting,
        (_, true) => TokenState.Scrapped,
        _ => TokenState.Removed,
    };

    /// <summary>How far its clock was off when it was last used, in seconds; less than none: behind.</summary>
    public int DriftSeconds => Token.Drift * Token.Period;

    public static IQueryable<TokenRow> Of(PortvaktDb db, IQueryable<TotpAuthenticator> tokens) =>
        from token in tokens.AsNoTracking()
        join person in db.People on token.PersonId equals person.Id into owners
        from owner in owners.DefaultIfEmpty()
        orderby token.SerialNumber
        select new TokenRow(token, owner.UserName, owner.DisplayName);
}

/// <summary>The organisation's code generators of plastic: who has which, and how their clocks go.</summary>
public sealed class TokensModel(Reception reception) : AdministrationPage(reception, Act.ManageMethods)
{
    private const int PageSize = 50;

    /// <summary>Part of a serial number, a name or a user name.</summary>
    [FromQuery(Name = "q")]
    public string? Text { get; set; }

    [FromQuery(Name = "state")]
    public TokenState? Wanted { get; set; }

    [FromQuery(Name = "page")]
    public int Number { get; set; } = 1;

    public IReadOnlyList<TokenRow> Rows { get; private set; } = [];
    public int Total { get; private set; }
    public int Pages => Math.Max(1, (Total + PageSize - 1) / PageSize);

    public async Task<IActionResult> OnGetAsync()
    {
        if (!Desk.AllowsEverywhere(Act.ManageMethods)) return StatusCode(StatusCodes.Status403Forbidden);
        var nobody = TotpAuthenticator.Nobody;
        var tokens = Db.Totps.Where(row => row.SerialNumber != null);
        tokens = Wanted switch
        {
            TokenState.Free => tokens.Where(row => row.State == AuthenticatorState.Unconfirmed && row.PersonId == nobody),
            TokenState.Waiting => tokens.Where(row => row.State == AuthenticatorState.Unconfirmed && row.PersonId != nobody),
            TokenState.Active => tokens.Where(row => row.State == AuthenticatorState.Active),
            TokenState.Removed => tokens.Where(row => row.State == AuthenticatorState.Revoked && row.PersonId != nobody),
            TokenState.Scrapped => tokens.Where(row => row.State == AuthenticatorState.Revoked && row.PersonId == nobody),
            _ => tokens,
        };
        if (Text?.Trim() is { Length: > 0 and <= 200 } text && !text.Contains('\0', StringComparison.Ordinal))
        {
            var (serial, name) = (text.ToUpperInvariant(), text.ToLowerInvariant());
            tokens = tokens.Where(row => row.SerialNumber!.Contains(serial) || Db.People.Any(person => person.Id == row.PersonId && person.SearchText.Contains(name)));
        }

        Total = await tokens.CountAsync(Aborted);
        Number = Math.Clamp(Number, 1, Pages);
        Rows = await TokenRow.Of(Db, tokens).Skip((Number - 1) * PageSize).Take(PageSize).ToListAsync(Aborted);
        return Page();
    }

    /// <summary>Another page of this list.</summary>
    public string Address(int number) => QueryHelpers.AddQueryString("/administration/tokens", new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["q"] = Text,
        ["state"] = Wanted?.ToString(),
        ["page"] = number.ToString(System.Globalization.CultureInfo.InvariantCulture),
    }.Where(pair => !string.IsNullOrEmpty(pair.Value)));
}
