// Many people: `load` lets them come to a server, `seed` fills a database with them, `growth` tells what becomes dearer with their number.
// What each line means: bench/README.md. Ends with 1 when a bound is missed or somebody failed, with 2 when the command was wrong.

using System.Globalization;
using Portvakt.Bench.Load;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return args switch
    {
        ["load", .. var rest] => await LoadRun.RunAsync(rest),
        ["seed", .. var rest] => await SeedRun.RunAsync(rest),
        ["growth", .. var rest] => await GrowthRun.RunAsync(rest),
        _ => throw new UsageException("It is load, seed or growth."),
    };
}
catch (UsageException wrong)
{
    Console.WriteLine(wrong.Message);
    return 2;
}
