namespace Portvakt.Dev;

/// <summary>People who come to a server of their own, as many as are asked for: bench/Portvakt.Bench.Load.</summary>
public static class Load
{
    public static Task<int> RunAsync(Options options) => Bench.RunAsync("load", options.Words.ToArray());
}
