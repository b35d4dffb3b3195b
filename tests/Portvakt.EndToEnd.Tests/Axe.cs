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

    /// <summary>Every rule of WCAG 2.2 A and AA.</summary>
    private static readonly object Everything = new { type = "tag", values = new[] { "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa" } };

    /// <summary>In the dark only the colours are others.</summary>
    private static readonly object Colours = new { type = "rule", values = new[] { "color-contrast" } };

    /// <summary>What is wrong with the page as it is now: everything in the light, the colours in the dark.</summary>
    public static async Task<string[]> JudgeAsync(IPage page, ColorScheme scheme)
    {
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
        if (!await page.EvaluateAsync<bool>("'axe' in window")) await page.EvaluateAsync(Script);
        var violations = await page.EvaluateAsync<string[]>(
            """
            async runOnly => {
              const { violations } = await axe.run({ runOnly, resultTypes: ['violations'] });
              return violations.map(({ id, help, nodes }) => `${id}, ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
            }
            """,
            scheme is ColorScheme.Dark ? Colours : Everything);
        return [.. violations.Select(violation => $"({scheme}) {violation}")];
    }
}
