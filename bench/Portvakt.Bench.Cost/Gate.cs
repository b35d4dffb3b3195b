using System.Globalization;

namespace Portvakt.Bench.Cost;

/// <summary>A figure, how far it may go, and how far it should.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Bound">Beyond this it is a miss.</param>
/// <param name="Stretch">What would be better still; a miss of it is only said.</param>
/// <param name="Unit"><c>x</c> for a ratio, otherwise µs, ms, kB, KiB or MB.</param>
internal sealed record Gate(string What, double Bound, double? Stretch, string Unit)
{
    public static readonly string Heading = $"{"operation",-46} {"measured",12} {"bound",12} {"stretch",10}";

    /// <summary>The median of the rounds.</summary>
    public double Measured { get; init; }

    /// <summary>What the figure is made of.</summary>
    public string Note { get; init; } = "";

    public bool Holds => Measured <= Bound;

    /// <summary>A line of the table.</summary>
    public string Line => string.Create(
        CultureInfo.InvariantCulture,
        $"{What,-46} {Measured,8:0.##} {Unit,-3} <= {Bound,5:0.##} {Unit,-3} {(Stretch is { } more ? $"{more:0.##} {Unit}" : "–"),10}  {(Holds ? Measured <= Stretch ? "pass, stretch too" : "pass" : "miss")}{(Note.Length > 0 ? $" ({Note})" : "")}");
}
