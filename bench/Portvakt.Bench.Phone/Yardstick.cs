using Microsoft.Playwright;

namespace Portvakt.Bench.Phone;

/// <summary>
/// How slow the machine is at this moment: the same work each time, in a browser page of its own. Strangers on the machine, a slow
/// machine and the measurement's own programs slow the app and the yardstick alike; a slow app slows only itself.
/// </summary>
internal sealed class Yardstick(IPage page, string script)
{
    /// <summary>Milliseconds that the work took on a 2-core machine at a load of 4: the median of 80 was 10.5, the least 8.8. Not yet taken on an idle one.</summary>
    private const double Reference = 10;

    /// <summary>The most that is divided out; set by hand. What is slower still counts against the figure.</summary>
    private const double Slowest = 2.5;

    public static async Task<Yardstick> LayOutAsync(IBrowser browser) => new(await browser.NewPageAsync(), await Measurements.ScriptAsync("yardstick.js"));

    /// <summary>1 is the reference; 2 is half as fast. Never below 1: on a quicker machine a figure counts as the clock says.</summary>
    public async Task<double> SlownessAsync() => Math.Clamp(await page.EvaluateAsync<double>(script) / Reference, 1, Slowest);
}
