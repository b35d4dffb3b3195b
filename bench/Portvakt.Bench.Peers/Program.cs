// The same work done by Portvakt, by the floor, by oidc-provider and by OpenIddict, all in one run: CPU time of each for each operation. `bench peers [--short]`;
// ends with 1 when a goal is missed. What is run and how it is set up: bench/README.md.

using System.Diagnostics;
using System.Globalization;
using Portvakt.Bench.Actors;
using Portvakt.Bench.Cost;
using Portvakt.Bench.Peers;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.FirstOrDefault(word => word is not "--short") is { } unknown)
{
    Console.WriteLine($"bench peers does not know {unknown}; it knows --short.");
    return 2;
}

var clock = Stopwatch.StartNew();
var scale = args.Contains("--short", StringComparer.Ordinal) ? Scale.Short : Scale.Full;
await using var stage = await Stage.OpenAsync();
await using var peers = await Company.GatherAsync(stage, scale);
Console.WriteLine(Machine.Say());
foreach (var peer in peers.All) await Proof.OfAsync(peer);
Console.WriteLine($"Proved with {string.Join(", ", peers.All.Select(peer => peer.Name))}: tokens are JWT under ES256, the id token answers the nonce, a code is good once and only with its verifier, a refresh token is replaced.");
var comparison = new Comparison(peers.All, scale);
await comparison.TakeAsync();
foreach (var line in comparison.Table()) Console.WriteLine(line);
Console.WriteLine(Machine.Say());
Console.WriteLine($"{comparison.Goals} goals, {comparison.Missed} missed. {clock.Elapsed.TotalMinutes:0.0} minutes.");
return comparison.Missed is 0 ? 0 : 1;
