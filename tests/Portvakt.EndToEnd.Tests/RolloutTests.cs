using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Activation, with two applications that nobody touches: the server tells them, and their next click asks for the password.</summary>
public sealed class RolloutTests(Running running)
{
    [Theory]
    [InlineData("nb", true)]
    [InlineData("nn", true)]
    [InlineData("en", true)]
    [InlineData("nb", false)]
    public async Task Rollout_Kari_activates_and_both_applications_ask_for_the_password_at_the_next_click(string language, bool javaScript)
    {
        await using var scene = await Scene.SetAsync(running, language, computer: new ComputerOptions { JavaScript = javaScript }, look: LookAsync, deadline: TimeProvider.System.GetUtcNow().AddDays(10));
        var (computer, walk, words, house, page) = (scene.Computer, scene.Walk, scene.Words, scene.House, scene.Computer.Page);

        // With the password alone she works in both; the second asks for nothing.
        await computer.OpenApplicationAsync();
        await computer.SignInAsync(scene.Employee);
        await walk.HeadingAsync(words.MoreInformation);
        await walk.ClickAsync(words.NotNow);
        await walk.StayAsync();
        await page.ArriveAsync(house.Application + "/");
        var second = await computer.NewTabAsync(house.SecondApplication + "/");
        await second.Locator("form[action='/sign-in'] button").ClickAsync();
        await second.ArriveAsync(house.SecondApplication + "/");
        await Expect(second.Locator("a[href='/mine']")).ToBeVisibleAsync();

        var own = await computer.NewTabAsync(house.Server + "/activate");
        await LookAsync("R3-activate", own);
        await own.Locator("main form button[type=submit]").ClickAsync();
        await own.ArriveAsync(house.Server + "/signed-out-everywhere/*");
        await FollowAsync(own, javaScript);
        await Expect(own.Locator(".pv-list > li[data-outcome=SignedOut]")).ToHaveCountAsync(2);
        await LookAsync("R3-signed-out-everywhere", own);

        // The next click in each, in the window as it was left.
        foreach (var (tab, application) in new[] { (page, house.Application), (second, house.SecondApplication) })
        {
            Assert.StartsWith(application, tab.Url, StringComparison.Ordinal);
            await tab.Locator("a[href='/mine']").ClickAsync();
            await tab.ArriveAsync(house.Server + "/sign-in/*");
            await Expect(tab.Locator("#password")).ToBeVisibleAsync();
        }

        await second.CloseAsync();
        await own.CloseAsync();
        await computer.SignInAsync(scene.Employee);
        await walk.HeadingAsync(words.MoreInformation);
        await Expect(walk.Button(words.NotNow)).ToHaveCountAsync(0);
        await walk.ClickAsync(words.Next);
        await walk.SetUpPhoneAsync();
        await walk.GetTheAppAsync();
        await walk.TypeCodeAsync();
        await walk.BindAsync();
        await walk.TestAsync();
        await walk.ClickAsync(words.Finished);
        await walk.StayAsync();
        await walk.ClickAsync(words.Done);
        await page.ArriveAsync(house.Application + "/mine");
        await Expect(page.Locator("tr:has(code:text-is('acr')) td")).ToHaveTextAsync(words.TwoFactors);
        scene.NobodyComplained();
    }

    /// <summary>With a script the page follows by itself; without one the person presses the link until all is said.</summary>
    private static async Task FollowAsync(IPage page, bool javaScript)
    {
        for (var patience = 0; !javaScript && patience < 60 && await page.Locator(".pv-list > li[data-outcome=SignedOut]").CountAsync() < 2; patience++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, CancellationToken.None);
            await page.Locator("main a[href^='/signed-out-everywhere/']").ClickAsync();
        }
    }

    private static async Task LookAsync(string screen, IPage page)
    {
        if (!Screenshots.AreWanted || !screen.StartsWith("R3", StringComparison.Ordinal)) return;
        var own = page.ViewportSize!;
        var language = await page.Locator("html").GetAttributeAsync("lang");
        foreach (var width in new[] { 390, own.Width })
        {
            await page.SetViewportSizeAsync(width, own.Height);
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.{language}.{width}.light.png"), FullPage = true });
        }
    }
}
