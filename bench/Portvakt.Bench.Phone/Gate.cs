using System.Globalization;

namespace Portvakt.Bench.Phone;

/// <summary>
/// A figure and how far it may go. What depends on the machine (times, memory) has a quarter of slack when it is held; sizes and
/// counts are the same everywhere and have none.
/// </summary>
/// <param name="What">What was measured.</param>
/// <param name="Limit">The gate.</param>
/// <param name="Unit">ms, s, kB, MB, or nothing for a count.</param>
/// <param name="AtLeast">Whether more is better.</param>
internal sealed record Gate(string What, double Limit, string Unit = "", bool AtLeast = false)
{
    private const double Slack = 1.25;

    public static readonly string Heading = $"{"figure",-48} {"gate",11} {"measured",12}  {"on the clock",12}  held?";

    /// <summary>The median. A time that was taken beside the <see cref="Yardstick"/> is as on the reference machine.</summary>
    public Figure Measured { get; init; } = 0;

    /// <summary>What else is worth knowing.</summary>
    public string Note { get; init; } = "";

    /// <summary>Within the gate and its slack: beyond that `--gate` fails.</summary>
    public bool Holds => IsMet || (!AtLeast && Unit is "ms" or "s" or "MB" && Measured.AtReference <= Limit * Slack);

    /// <summary>A line of the table.</summary>
    public string Line => string.Create(
        CultureInfo.InvariantCulture,
        $"{What,-48} {(AtLeast ? ">=" : "<=")} {Limit,5:0.##} {Unit,-2} {Measured.AtReference,9:0.##} {Unit,-2}  {Measured.OnTheClock,9:0.##} {Unit,-2}  {(IsMet ? "yes" : Holds ? "within the slack" : "NO")}{(Note.Length > 0 ? $" ({Note})" : "")}");

    /// <summary>Within the gate itself.</summary>
    private bool IsMet => AtLeast ? Measured.AtReference >= Limit : Measured.AtReference <= Limit;
}
