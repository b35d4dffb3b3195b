using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Testing;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Security info in a real browser: what Kari changes about how she signs in.</summary>
public sealed class SecurityInfoTests(Running running)
{
    [Fact]
    public async Task Kari_adds_an_app_names_it_puts_it_first_removes_it_keeps_the_last_and_makes_codes()
    {
        await using var scene = await Scene.SetAsync(running);
        var (walk, page, address) = (scene.Walk, scene.Computer.Page, scene.House.Server + "/account/security");
        await walk.ToReadyAsync(scene.Employee);
        await walk.ClickAsync(scene.Words.Next);
        await walk.AnswerTestAsync();
        await walk.FinishAsync();

        await page.GotoAsync(address);
        await Expect(page.Locator("li[data-kind=app]")).ToHaveCountAsync(1);
        await page.Locator("form[action$='handler=Add'] button").ClickAsync();
        await walk.ChooseCodeAsync();
        await walk.TypeAsync(await OathTool.CodeAsync(await walk.ReadSecretAsync()));
        await page.ArriveAsync(address + "**");
        var app = page.Locator("li[data-kind=code]");
        await LookAsync("S1-security-info", page);

        await app.Locator("summary").ClickAsync();
        await app.Locator("input[name=name]").FillAsync("Jobbappen");
        await app.Locator("form[action$='handler=Rename'] button").ClickAsync();
        await Expect(app.Locator("strong")).ToHaveTextAsync("Jobbappen");
        await page.Locator("#prefer").SelectOptionAsync("Code");
        await page.Locator("form[action$='handler=Prefer'] button").ClickAsync();
        await Expect(page.Locator("#prefer option").First).ToHaveAttributeAsync("value", "Code");

        await app.Locator("summary").ClickAsync();
        await app.Locator("form[action$='handler=Remove'] button").ClickAsync();
        await Expect(app).ToHaveCountAsync(0);
        await page.Locator("li[data-kind=app] summary").ClickAsync();
        await Expect(page.Locator("li[data-kind=app] [data-last]")).ToBeVisibleAsync();
        await Expect(page.Locator("form[action$='handler=Remove']")).ToHaveCountAsync(0);
        await LookAsync("S2-last-method", page);

        await page.Locator("form[action$='handler=Codes'] button").ClickAsync();
        await Expect(page.Locator(".pv-codes li")).ToHaveCountAsync(10);
        await Expect(page.Locator("[data-print]")).ToBeVisibleAsync();
        await LookAsync("S3-codes", page);
        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("form[action$='handler=Download'] button[type=submit]").ClickAsync());
        Assert.Equal("gjenopprettingskoder.txt", download.SuggestedFilename);
        scene.NobodyComplained();
    }

    private static async Task LookAsync(string screen, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        var own = page.ViewportSize!;
        foreach (var width in new[] { 390, own.Width })
        {
            await page.SetViewportSizeAsync(width, own.Height);
            foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
            {
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.nb.{width}.{name}.png"), FullPage = true });
            }
        }
    }
}
