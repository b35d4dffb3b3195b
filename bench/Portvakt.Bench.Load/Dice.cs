namespace Portvakt.Bench.Load;

/// <summary>The same throws in every run; nothing here is a secret.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>From 0 to one less than <paramref name="sides"/>.</summary>
    public int Throw(int sides) => (int)(Next() * sides);

    /// <summary>From 0 to less than 1 (SplitMix64).</summary>
    public double Next()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return ((mixed ^ (mixed >> 31)) >> 11) / (double)(1UL << 53);
        }
    }
}
