namespace Portvakt.Dev;

/// <summary>How many tests passed, failed and were skipped, and what the failures said.</summary>
public sealed record Tally(int Passed, int Failed, int Skipped, string[] Failures)
{
    public static readonly Tally None = new(0, 0, 0, []);

    /// <summary>A run in which no test ran proves nothing.</summary>
    public int ExitCode => Failed == 0 && Passed > 0 ? 0 : 1;

    public static Tally operator +(Tally left, Tally right) =>
        new(left.Passed + right.Passed, left.Failed + right.Failed, left.Skipped + right.Skipped, [.. left.Failures, .. right.Failures]);

    public override string ToString() => $"{Passed} passed, {Failed} failed{(Skipped > 0 ? $", {Skipped} skipped" : "")}";
}
