namespace Portvakt.Bench.Cost;

/// <summary>
/// What each line cost beside the floor when it was last made better, on a machine with nothing else to do. <c>--gate</c> fails where one is more than a quarter worse; one that was made
/// better is lowered here. Ratios only: they are the same on every machine, nearly.
/// </summary>
internal static class Held
{
    /// <summary>How much worse is still noise.</summary>
    public const double Slack = 1.25;

    /// <summary>Strangers come and go: what is too slow is too slow each time.</summary>
    public const int Tries = 3;

    public static IReadOnlyDictionary<string, double> Figures { get; } = new Dictionary<string, double>(StringComparer.Ordinal)
    {
        ["discovery"] = 1.1,
        ["JWKS"] = 1.1,
        ["client credentials, ES256"] = 1.3,
        ["code flow with session and PKCE, durable"] = 2.6,
        ["refresh with rotation, durable"] = 2.2,
    };

    public static bool IsWorse(string line, double measured) => Figures.TryGetValue(line, out var held) && measured > held * Slack;
}
