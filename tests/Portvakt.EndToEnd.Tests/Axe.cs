using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// Deque's axe, put into each page once and asked only for what is wrong. Reading what is right as well, from a new tab for each
/// judgement, takes longer than judging.
/// </summary>
internal static class Axe
{
    private static readonly string Script = new BundledAxeScriptProvider().GetScript();
    private static readonly string[] Levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"];

    /// <summary>Every rule of WCAG 2.2 A and AA.</summary>
    private static readonly object Everything = new { type = "tag", values = Levels };

    /// <summary>In the dark only the colours are others.</summary>
    private static readonly object Colours = new { type = "rule", values = new[] { "color-contrast" } };

    /// <summary>What is wrong with the page as it is now: everything in the light, the colours in the dark.</summary>
    public static async Task<string[]> JudgeAsync(IPage page, ColorScheme scheme)
    {
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
        return [.. (await LookAsync(page, coloursOnly: scheme is ColorScheme.Dark)).Wrong.Select(violation => $"({scheme}) {violation}")];
    }

    /// <summary>The same, of the page in the colours it has.</summary>
    public static async Task<Finding> LookAsync(IPage page, bool coloursOnly)
    {
        await PutInAsync(page);
        return Finding.Read(await page.EvaluateAsync<string>(
            """
            async runOnly => {
              const { violations, passes } = await axe.run({ runOnly, resultTypes: ['violations'] });
              return JSON.stringify({
                looked: violations.length + passes.length,
                criteria: [...violations, ...passes].flatMap(({ tags }) => tags).filter(tag => /^wcag\d{3,4}$/.test(tag)).map(tag => tag.replace(/^wcag(\d)(\d)(\d+)$/, '$1.$2.$3')),
                wrong: violations.map(({ id, help, nodes }) => `${id}, ${help}: ${nodes.map(({ html }) => html).join(' | ')}`),
              });
            }
            """,
            coloursOnly ? Colours : Everything));
    }

    private static async Task PutInAsync(IPage page)
    {
        if (!await page.EvaluateAsync<bool>("'axe' in window")) await page.EvaluateAsync(Script);
    }
}
