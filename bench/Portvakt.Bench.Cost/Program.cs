// What an operation costs the server, in CPU time of its process, beside the least that the same work can cost on this machine. `bench cost [--short] [--only WORD]`,
// or `bench cost --gate`: only what is taken beside the floor, shortly, and held against what it cost before;
// and how soon a page that waits at one node hears of a phone that answered at another: `bench wake [--short]`;
// and what a crowd at the password does to tokens: `bench storm [--short]`. Ends with 1 when a bound is missed. What each line means: bench/README.md.

using System.Diagnostics;
using System.Globalization;
using Portvakt.Bench.Actors;
using Portvakt.Bench.Cost;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["--wake"] or ["--wake", "--short"]) return await Wake.RunAsync(isShort: args.Length > 1);
if (args is ["--storm"] or ["--storm", "--short"]) return await Storm.RunAsync(isShort: args.Length > 1);
var isGate = args is ["--gate"];
var rest = args.Where(word => word is not "--short" && !isGate).ToArray();
if (rest is not ([] or ["--only", _]))
{
    Console.WriteLine($"bench cost does not know {string.Join(' ', rest)}; it knows --short, --only with a word of the lines that are wanted, and --gate alone.");
    return 2;
}

var clock = Stopwatch.StartNew();
await using var stage = await Stage.OpenAsync();
var measurements = new Measurements(stage, isGate ? Scale.Gate : args.Contains("--short", StringComparer.Ordinal) ? Scale.Short : Scale.Full, rest is [_, var word] ? word : "", isGate);
Console.WriteLine(Machine.Say());
Console.WriteLine(Gate.Heading);
await measurements.TakeAsync();
Console.WriteLine();
foreach (var fact in measurements.Facts) Console.WriteLine(fact);
Console.WriteLine(Machine.Say());
if (isGate)
{
    var worse = measurements.Gates.Where(gate => Held.IsWorse(gate.What, gate.Measured)).Select(gate => string.Create(CultureInfo.InvariantCulture, $"{gate.What} costs {gate.Measured:0.##} times the floor, and cost {Held.Figures[gate.What]:0.##}.")).ToArray();
    foreach (var line in worse) Console.WriteLine(line);
    return worse.Length is 0 ? 0 : 1;
}

var missed = measurements.Gates.Count(gate => !gate.Holds);
Console.WriteLine($"{measurements.Gates.Count} bounds, {missed} missed. {clock.Elapsed.TotalMinutes:0.0} minutes.");
return missed is 0 ? 0 : 1;
