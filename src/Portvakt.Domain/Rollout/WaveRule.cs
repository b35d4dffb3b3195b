using System.Diagnostics.CodeAnalysis;

namespace Portvakt.Domain.Rollout;

/// <summary>What an import knows of a person and a rule may ask for.</summary>
public sealed record PersonAttributes(string UserName, string? Email, string? Unit, string? Manager, string? Language);

/// <summary>
/// Who belongs to a wave: conditions, one a line, all of which must hold. <c>everyone</c>, or an attribute (<c>unit</c>, <c>manager</c>, <c>mail</c>,
/// <c>user name</c>, <c>language</c>), a comparison (<c>is</c>, <c>is not</c>, <c>under</c>, <c>starts with</c>, <c>ends with</c>) and one or more values
/// between commas, of which one is enough (of <c>is not</c>: none may be equal). Letters' case does not count. <c>unit under Skole</c> is Skole and whatever lies below it: units are paths with slashes.
/// </summary>
public sealed class WaveRule
{
    private static readonly string[] Attributes = ["unit", "manager", "mail", "user name", "language"];
    private static readonly string[] Comparisons = ["is not", "is", "under", "starts with", "ends with"]; // "is not" before "is"
    private readonly List<Func<PersonAttributes, bool>> _conditions = [];

    private WaveRule() { }

    /// <param name="text">The rule.</param>
    /// <param name="rule">The rule that was read.</param>
    /// <param name="wrongLine">The number of the first line that is not a condition, from 1.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out WaveRule? rule, out int wrongLine)
    {
        rule = null;
        var read = new WaveRule();
        wrongLine = 0;
        foreach (var line in text.Split('\n'))
        {
            wrongLine++;
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (Condition(line.Trim()) is not { } condition) return false;
            read._conditions.Add(condition);
        }

        wrongLine = 0;
        rule = read;
        return true;
    }

    /// <summary>A rule without conditions has no members: nobody is in a wave by accident.</summary>
    public bool Includes(PersonAttributes person) => _conditions.Count > 0 && _conditions.TrueForAll(condition => condition(person));

    /// <summary>Whether a unit is another one or lies below it.</summary>
    public static bool IsUnder(string? unit, string above) =>
        unit is not null && (Same(unit, above) || unit.StartsWith(above + "/", StringComparison.OrdinalIgnoreCase));

    private static Func<PersonAttributes, bool>? Condition(string line)
    {
        if (Same(line, "everyone")) return _ => true;
        if (Attributes.FirstOrDefault(name => line.StartsWith(name + " ", StringComparison.OrdinalIgnoreCase)) is not { } attribute) return null;
        var rest = line[attribute.Length..].Trim();
        if (Comparisons.FirstOrDefault(name => rest.StartsWith(name + " ", StringComparison.OrdinalIgnoreCase)) is not { } comparison) return null;
        var values = rest[comparison.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (values.Length is 0) return null;

        Func<PersonAttributes, string?> of = attribute switch
        {
            "unit" => person => person.Unit,
            "manager" => person => person.Manager,
            "mail" => person => person.Email,
            "language" => person => person.Language,
            _ => person => person.UserName,
        };
        return comparison switch
        {
            "is" => person => values.Any(value => Same(of(person), value)),
            "is not" => person => !values.Any(value => Same(of(person), value)),
            "under" => person => values.Any(value => IsUnder(of(person), value)),
            "starts with" => person => values.Any(value => of(person)?.StartsWith(value, StringComparison.OrdinalIgnoreCase) is true),
            _ => person => values.Any(value => of(person)?.EndsWith(value, StringComparison.OrdinalIgnoreCase) is true),
        };
    }

    private static bool Same(string? one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
