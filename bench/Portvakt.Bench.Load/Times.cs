using System.Globalization;

namespace Portvakt.Bench.Load;

/// <summary>How long something took, each time; in ms.</summary>
internal sealed class Times
{
    /// <summary>Upper ends of the histogram's columns, in ms.</summary>
    private static readonly double[] Ends = [10, 30, 100, 300, 1000, 3000, 10_000];

    private readonly Lock _gate = new();
    private readonly List<double> _all = [];

    public static string Heading { get; } = $"{"step",-34}{"n",7}{"p50",8}{"p90",8}{"p99",8}{"max",8}   {string.Join("", Ends.Select(end => $"{"≤" + end.ToString("0", CultureInfo.InvariantCulture),7}"))}{"more",7}";

    public int Count => _all.Count;

    public void Add(TimeSpan took)
    {
        lock (_gate) _all.Add(took.TotalMilliseconds);
    }

    public void Add(Times other) => _all.AddRange(other._all);

    /// <summary>The time within which that share was done (nearest rank); 0 when nothing was.</summary>
    public double At(double share)
    {
        if (_all.Count is 0) return 0;
        _all.Sort();
        return _all[Math.Clamp((int)Math.Ceiling(share * _all.Count) - 1, 0, _all.Count - 1)];
    }

    public string Line(string what)
    {
        var columns = new int[Ends.Length + 1];
        foreach (var one in _all) columns[Array.FindIndex(Ends, end => one <= end) is >= 0 and var at ? at : Ends.Length]++;
        return string.Create(CultureInfo.InvariantCulture, $"{what,-34}{Count,7}{At(0.5),8:0}{At(0.9),8:0}{At(0.99),8:0}{At(1),8:0}   {string.Join("", columns.Select(count => $"{count,7}"))}");
    }
}
