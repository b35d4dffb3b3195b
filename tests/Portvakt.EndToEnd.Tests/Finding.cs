using System.Text.Json;

namespace Portvakt.EndToEnd.Tests;

/// <summary>What a check saw.</summary>
/// <param name="Looked">How many things: rules, controls, lines of text.</param>
/// <param name="Wrong">Which of them are not as they should be, each in words and with its element.</param>
/// <param name="Criteria">Success criteria that axe's rules for what was there have to do with, as <c>1.4.3</c>.</param>
public sealed record Finding(int Looked, string[] Wrong, string[]? Criteria = null)
{
    public static Finding operator +(Finding one, Finding other) => new(one.Looked + other.Looked, [.. one.Wrong, .. other.Wrong], [.. one.Criteria ?? [], .. other.Criteria ?? []]);

    /// <summary>As the scripts in the page write it.</summary>
    public static Finding Read(string json) => JsonSerializer.Deserialize<Finding>(json, JsonSerializerOptions.Web)!;
}
