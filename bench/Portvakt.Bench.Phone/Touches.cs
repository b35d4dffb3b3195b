using Microsoft.Playwright;

namespace Portvakt.Bench.Phone;

/// <summary>What the fingers of a person do in one browser.</summary>
internal sealed class Touches
{
    private int _presses;
    private int _characters;

    /// <summary>Clicks or taps.</summary>
    public int Presses => _presses;

    /// <summary>Characters typed into fields.</summary>
    public int Characters => _characters;

    /// <summary>Counts from the next page on.</summary>
    public static async Task<Touches> CountAsync(IBrowserContext browser)
    {
        var touches = new Touches();
        await browser.ExposeFunctionAsync("touched", (int presses, int characters) =>
        {
            Interlocked.Add(ref touches._presses, presses);
            Interlocked.Add(ref touches._characters, characters);
            return true;
        });
        await browser.AddInitScriptAsync(await Measurements.ScriptAsync("touch.js"));
        return touches;
    }
}
