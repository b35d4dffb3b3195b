using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests;

/// <summary>WCAG 2.2 AA as far as a program can judge it: axe, on every screen and in every state of the tour.</summary>
public sealed class AccessibilityTests(Running running)
{
    private static readonly AxeRunOptions Everything = new()
    {
        RunOnly = new RunOnlyOptions { Type = "tag", Values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"] },
    };

    /// <summary>In the dark only the colours are others.</summary>
    private static readonly AxeRunOptions Colours = new() { RunOnly = new RunOnlyOptions { Type = "rule", Values = ["color-contrast"] } };

    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Axe_finds_nothing_on_any_screen(string language)
    {
        var found = new ConcurrentQueue<string>();
        var screens = 0;
        await Tour.TakeAsync(running, language, async (screen, page) =>
        {
            screens++;
            Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
            await JudgeAsync(ColorScheme.Light, Everything);
            if (language is "nb") await JudgeAsync(ColorScheme.Dark, Colours); // the same colours in each language

            async Task JudgeAsync(ColorScheme scheme, AxeRunOptions rules)
            {
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });

                // "Legacy" means that frames of other origins are left out; there are none, and a new tab for each judgement takes a second.
                foreach (var violation in (await page.Locator("html").RunAxeLegacy(rules)).Violations)
                    found.Enqueue($"{screen} ({scheme}): {violation.Id}, {violation.Help}: {string.Join(" | ", violation.Nodes.Select(node => node.Html))}");
            }
        });
        Assert.True(screens > 40, $"{screens} screens were seen.");
        if (!found.IsEmpty) Assert.Fail(string.Join('\n', found));
    }
}
