using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Portvakt.Domain.People;

/// <summary>A user name, normalised once (NFKC, lower case, trimmed) so that no database collation ever decides who somebody is.</summary>
public readonly record struct UserName
{
    public const int MaximumLength = 128;

    private UserName(string value) => Value = value;

    public string Value { get; }

    public static bool TryParse(string? typed, [NotNullWhen(true)] out UserName? userName)
    {
        userName = null;
        if (string.IsNullOrWhiteSpace(typed) || typed.Length > MaximumLength) return false;

        string value;
        try
        {
            value = typed.Trim().Normalize(NormalizationForm.FormKC).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            return false; // a lone surrogate has no normal form
        }

        if (value.Length is 0 or > MaximumLength || value.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))) return false;
        userName = new UserName(value);
        return true;
    }

    public static UserName Parse(string typed) =>
        TryParse(typed, out var userName) ? userName.Value : throw new FormatException("Not a user name.");

    public override string ToString() => Value;
}
