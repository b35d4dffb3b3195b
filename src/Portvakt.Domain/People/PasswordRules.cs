using System.Text;

namespace Portvakt.Domain.People;

public enum PasswordProblem
{
    None,
    TooShort,
    TooLong,

    /// <summary>On the list of common passwords.</summary>
    Common,

    /// <summary>Contains the user name, the person's name or a word of the house.</summary>
    Expected,

    /// <summary>Not text that Unicode can normalise.</summary>
    Unreadable,
}

/// <summary>What makes a password good enough: length and not being expected. No composition rules (NIST SP 800-63B section 3.1.1.2).</summary>
public static class PasswordRules
{
    public const int MinimumLength = 8;
    public const int MinimumLengthAlone = 15;
    public const int MaximumLength = 256;

    /// <summary>The form that is hashed: the whole text, NFC, nothing cut, nothing folded. Null when there is none.</summary>
    public static string? Normalise(string typed)
    {
        try
        {
            return typed.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <param name="typed">As typed.</param>
    /// <param name="withSecondFactor">A password that is never alone may be shorter.</param>
    /// <param name="houseWords">User name, names, the organisation: whatever somebody would try first.</param>
    /// <param name="isCommon">Whether the list of common passwords has this text, in lower case.</param>
    public static PasswordProblem Judge(string typed, bool withSecondFactor, IEnumerable<string> houseWords, Func<string, bool> isCommon)
    {
        if (Normalise(typed) is not { } password) return PasswordProblem.Unreadable;
        var length = password.EnumerateRunes().Count();
        if (length < (withSecondFactor ? MinimumLength : MinimumLengthAlone)) return PasswordProblem.TooShort;
        if (password.Length > MaximumLength) return PasswordProblem.TooLong;

        var lower = password.ToLowerInvariant();
        if (isCommon(lower)) return PasswordProblem.Common;

        // A house word decides only when little else is there: "Eksempel2026" is expected, a sentence that mentions it is not.
        return houseWords.Any(word => word.Length >= 3 && lower.Contains(word.ToLowerInvariant(), StringComparison.Ordinal) && length - word.Length < MinimumLength)
            ? PasswordProblem.Expected
            : PasswordProblem.None;
    }
}
