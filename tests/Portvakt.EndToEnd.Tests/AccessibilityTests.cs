using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.EndToEnd.Tests;

/// <summary>WCAG 2.2 AA as far as a program can judge it: axe, on every screen and in every state of the tour.</summary>
public sealed class AccessibilityTests(Running running)
{
    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Axe_finds_nothing_on_any_screen(string language)
    {
        var found = new List<string>();
        var screens = 0;
        await Tour.TakeAsync(running, language, async (screen, page) =>
        {
            screens++;
            Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));

            // The colours do not depend on the language: one tour sees them in the dark as well.
            foreach (var scheme in language is "nb" ? new[] { ColorScheme.Dark, ColorScheme.Light } : [ColorScheme.Light])
                found.AddRange((await Axe.JudgeAsync(page, scheme)).Select(violation => $"{screen} {violation}"));
        });
        Assert.True(screens > 40, $"{screens} screens were seen.");
        if (found.Count > 0) Assert.Fail(string.Join('\n', found));
    }

    [Fact]
    public async Task Axe_finds_what_is_wrong_in_the_light_and_what_is_wrong_only_in_the_dark()
    {
        await using var computer = await Computer.StartAsync(running.House, "nb");
        await computer.OpenApplicationAsync();
        await computer.Page.EvaluateAsync(
            """
            () => {
              document.querySelector('main').append(document.createElement('input'));
              const night = new CSSStyleSheet();
              night.replaceSync('@media (prefers-color-scheme: dark) { h1 { color: #444; background: #333 } }');
              document.adoptedStyleSheets = [night];
            }
            """);

        Assert.StartsWith("(Light) label, ", Assert.Single(await Axe.JudgeAsync(computer.Page, ColorScheme.Light)));
        Assert.StartsWith("(Dark) color-contrast, ", Assert.Single(await Axe.JudgeAsync(computer.Page, ColorScheme.Dark)));
    }
}
