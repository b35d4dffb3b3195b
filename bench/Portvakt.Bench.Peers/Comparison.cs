using System.Globalization;
using Portvakt.Bench.Actors;
using Portvakt.Bench.Cost;

namespace Portvakt.Bench.Peers;

/// <summary>Every round visits every provider for every operation, one directly after the other: what strangers do on the machine then happens to all.</summary>
internal sealed class Comparison(IReadOnlyList<Peer> peers, Scale scale)
{
    private const int WarmUps = 2;
    private static readonly (string What, bool Session, bool Token, Func<Application, Task> Once)[] Operations =
    [
        ("discovery", false, false, application => application.GetAsync("/.well-known/openid-configuration")),
        ("JWKS", false, false, application => application.GetAsync("/.well-known/jwks.json")),
        ("client credentials", false, true, application => application.ClientCredentialsAsync()),
        ("code flow, session and PKCE", true, true, application => application.CodeFlowAsync()),
        ("refresh with rotation", true, true, application => application.RefreshAsync()),
    ];

    private readonly List<double>[,] _figures = new List<double>[Operations.Length, peers.Count]; // µs, one for each round

    public int Goals { get; private set; }

    public int Missed { get; private set; }

    public async Task TakeAsync()
    {
        for (var pass = 0; pass < WarmUps; pass++) await PassAsync(scale.WarmUp, (_, _, _) => { });
        for (var round = 0; round < scale.Rounds; round++) await PassAsync(scale.Round, (operation, peer, figure) => (_figures[operation, peer] ??= []).Add(figure));
    }

    /// <summary>Ratios are taken round by round against Portvakt's figure of the same round.</summary>
    public IEnumerable<string> Table()
    {
        (Goals, Missed) = (0, 0);
        yield return $"{"operation",-28} {"provider",-14} {"median µs",10} {"least",8} {"x Portvakt",11} {"goal",8}";
        for (var operation = 0; operation < Operations.Length; operation++)
        {
            for (var peer = 0; peer < peers.Count; peer++)
            {
                var (ours, figures) = (_figures[operation, 0], _figures[operation, peer]);
                var ratio = Measurements.Median([.. figures.Zip(ours, (theirs, our) => theirs / our)]);
                var verdict = "";
                if (Operations[operation].Token && peers[peer].Goal is { } goal)
                {
                    Goals++;
                    if (ratio < goal) Missed++;
                    verdict = string.Create(CultureInfo.InvariantCulture, $" {$">= {goal}",8}  {(ratio < goal ? "miss" : "pass")}");
                }

                yield return string.Create(CultureInfo.InvariantCulture, $"{(peer is 0 ? Operations[operation].What : ""),-28} {peers[peer].Name,-14} {Measurements.Median(figures),10:0} {figures.Min(),8:0} {ratio,11:0.0}{verdict}");
            }
        }
    }

    private async Task PassAsync(TimeSpan time, Action<int, int, double> heard)
    {
        for (var operation = 0; operation < Operations.Length; operation++)
        {
            for (var peer = 0; peer < peers.Count; peer++)
            {
                // New sessions each time, and the lanes go through them in turn: stores that look through all that a session has brought are not punished for one
                // that brings more in a second than a person does in a year, and a small cache still has those that were not asked for a while.
                var applications = Operations[operation].Session ? await peers[peer].SignInAsync(scale.Residents) : [peers[peer].Alone()];
                var turns = new int[Measurements.Lanes];
                var once = Operations[operation].Once;
                heard(operation, peer, await Measurements.RepeatAsync(
                    peers[peer].Program,
                    lane => once(applications[(lane + (Measurements.Lanes * turns[lane]++)) % applications.Length]),
                    time));
            }
        }
    }
}
