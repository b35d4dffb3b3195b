using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;

namespace Portvakt.Server.Data;

/// <summary>A person with what they hold, in one statement for one or for all. What counts as held is said here, and row by row in <see cref="PersonMethods"/>.</summary>
public sealed class Holding
{
    public required Person Person { get; init; }
    public required bool Phone { get; init; }
    public required bool Code { get; init; }
    public required bool Token { get; init; }
    public required bool Passkey { get; init; }
    public required bool Mobile { get; init; }
    public required bool Office { get; init; }
    public required bool RecoveryCode { get; init; }

    /// <summary>Every method that is set up and proven, whether it may be used or not.</summary>
    public Methods Held => Together(Phone, Code, Token, Passkey, Mobile, Office, RecoveryCode);

    public static IQueryable<Holding> Of(PortvaktDb db, IQueryable<Person> people) => people.Select(row => new Holding
    {
        Person = row,
        Phone = db.Phones.Any(phone => phone.PersonId == row.Id && phone.State == AuthenticatorState.Active),
        Code = db.Totps.Any(totp => totp.PersonId == row.Id && totp.State == AuthenticatorState.Active && totp.SerialNumber == null),
        Token = db.Totps.Any(totp => totp.PersonId == row.Id && totp.State == AuthenticatorState.Active && totp.SerialNumber != null),
        Passkey = db.Passkeys.Any(passkey => passkey.PersonId == row.Id),
        Mobile = db.TelephoneNumbers.Any(number => number.PersonId == row.Id && number.State == AuthenticatorState.Active && number.Kind == TelephoneKind.Mobile),
        Office = db.TelephoneNumbers.Any(number => number.PersonId == row.Id && number.State == AuthenticatorState.Active && number.Kind == TelephoneKind.Office),
        RecoveryCode = db.RecoveryCodes.Any(code => code.PersonId == row.Id && code.UsedAt == null),
    });

    internal static Methods Together(bool phone, bool code, bool token, bool passkey, bool mobile, bool office, bool recoveryCode)
    {
        return Has(phone, Methods.App) | Has(code, Methods.Code) | Has(token, Methods.Token) | Has(passkey, Methods.Passkey)
            | Has(mobile, MethodOrder.Telephone) | Has(office, Methods.Call) | Has(recoveryCode, Methods.RecoveryCode);

        static Methods Has(bool has, Methods method) => has ? method : Methods.None;
    }
}
