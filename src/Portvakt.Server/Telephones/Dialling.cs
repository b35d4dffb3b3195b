using System.Globalization;
using PhoneNumbers;
using Portvakt.Domain.Authenticators;

namespace Portvakt.Server.Telephones;

/// <summary>Why a number is not called.</summary>
public enum DialProblem
{
    None,

    /// <summary>No number of any country, or one with an extension behind it, which a machine cannot reach.</summary>
    NotANumber,

    /// <summary>Of a country that is not called. Calls to some are how fraudsters earn money with other people's sign-in pages.</summary>
    ForeignCountry,

    /// <summary>Premium rate, shared cost and whatever else is neither a person's telephone nor a desk's.</summary>
    NotForPeople,

    /// <summary>A fixed line takes no text messages.</summary>
    NoTexts,
}

/// <summary>What people type as a telephone number, and which numbers are called (E.164; the numbering plans come with libphonenumber).</summary>
public static class Dialling
{
    private const string HomeRegion = "NO";
    private const int Longest = 40;
    private static readonly PhoneNumberUtil Plans = PhoneNumberUtil.GetInstance();

    /// <param name="typed">As people write it, with or without country code.</param>
    /// <param name="method">How it is to be reached: <see cref="Methods.Text"/> or <see cref="Methods.Call"/>.</param>
    /// <param name="countries">Country codes that may be called.</param>
    /// <param name="number">E.164; empty when there is a problem.</param>
    public static DialProblem Read(string? typed, Methods method, IReadOnlyList<string> countries, out string number)
    {
        number = "";
        if (Parse(typed) is not { } parsed) return DialProblem.NotANumber;
        if (!countries.Contains(CodeOf(parsed), StringComparer.Ordinal)) return DialProblem.ForeignCountry;
        var kind = Plans.GetNumberType(parsed);
        if (kind is not (PhoneNumberType.MOBILE or PhoneNumberType.FIXED_LINE or PhoneNumberType.FIXED_LINE_OR_MOBILE or PhoneNumberType.VOIP)) return DialProblem.NotForPeople;
        if (method is Methods.Text && kind is PhoneNumberType.FIXED_LINE) return DialProblem.NoTexts;
        number = Plans.Format(parsed, PhoneNumberFormat.E164);
        return DialProblem.None;
    }

    /// <summary>Country code of a number in E.164: 47.</summary>
    public static string CountryOf(string number) => Parse(number) is { } parsed ? CodeOf(parsed) : throw new ArgumentException("Not a number in E.164.", nameof(number));

    /// <summary>As its country writes it, with the country code and on one line: +47 91 23 45 67.</summary>
    public static string Shown(string number) => Parse(number) is { } parsed ? Plans.Format(parsed, PhoneNumberFormat.INTERNATIONAL).Replace(' ', '\u00A0') : number;

    private static string CodeOf(PhoneNumber number) => number.CountryCode.ToString(CultureInfo.InvariantCulture);

    private static PhoneNumber? Parse(string? typed)
    {
        if (string.IsNullOrWhiteSpace(typed) || typed.Length > Longest) return null;
        try
        {
            var parsed = Plans.Parse(typed, HomeRegion);
            return Plans.IsValidNumber(parsed) && !parsed.HasExtension ? parsed : null;
        }
        catch (NumberParseException)
        {
            return null;
        }
    }
}
