using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>A passkey in a real browser with a virtual authenticator: made, used beside the password, used alone, and not unlocked.</summary>
public sealed class PasskeyTests(Running running)
{
    [Theory]
    [InlineData("nb", "Sett opp passnøkkel", "Bruk passnøkkel", "Logg på med passnøkkel", "fikk ikke bekreftet at det er deg")]
    [InlineData("nn", "Set opp passnøkkel", "Bruk passnøkkel", "Logg på med passnøkkel", "fekk ikkje stadfesta at det er deg")]
    [InlineData("en", "Set up passkey", "Use passkey", "Sign in with a passkey", "could not confirm that it is you")]
    public async Task A_passkey_is_made_used_beside_the_password_used_alone_and_refused_when_it_is_not_unlocked(string language, string make, string use, string alone, string notUnlocked)
    {
        var kari = await running.House.AddAsync();
        var words = Labels.For(language);
        await using var computer = await Computer.StartAsync(running.House, language);
        var page = computer.Page;
        var (tools, authenticator) = await computer.PlugInAuthenticatorAsync();

        // The virtual authenticator answers what a page offers in its list of names as soon as it is offered: only where that is wanted.
        await page.AddInitScriptAsync("if (!sessionStorage.offers) PublicKeyCredential.isConditionalMediationAvailable = async () => false;");
        await computer.OpenApplicationAsync();
        await LookAsync("K1-password", page);
        await computer.SignInAsync(kari);
        await ClickAsync(words.Next);
        await page.Locator("#method").SelectOptionAsync("passkey");
        await ClickAsync(words.SetUp);
        await Expect(Button(make)).ToBeVisibleAsync();
        await Expect(page.Locator("[data-without]")).ToBeHiddenAsync();
        await LookAsync("K2-set-up", page);
        await ClickAsync(make);
        await ClickAsync(words.Finished);
        await InAsync();

        await TomorrowAsync();
        await computer.SignInAsync(kari);
        await Expect(Button(use)).ToBeVisibleAsync();
        await LookAsync("K3-second-factor", page);
        await ClickAsync(use);
        await ClickAsync(words.No);
        await page.ArriveAsync(running.House.Application + "/");

        await TomorrowAsync();
        await ClickAsync(alone);
        await ClickAsync(words.No);
        await page.ArriveAsync(running.House.Application + "/");
        await Expect(page.Locator("tr:has(code:text-is('amr')) td")).Not.ToContainTextAsync("pwd");

        // The same from the list of names under the field, without a button.
        await TomorrowAsync();
        await page.EvaluateAsync("sessionStorage.offers = 1");
        await page.ReloadAsync();
        await Expect(Button(words.No)).ToBeVisibleAsync();
        await page.EvaluateAsync("sessionStorage.removeItem('offers')");
        await ClickAsync(words.No);
        await page.ArriveAsync(running.House.Application + "/");

        await tools.SendAsync("WebAuthn.setUserVerified", new Dictionary<string, object>(StringComparer.Ordinal) { ["authenticatorId"] = authenticator, ["isUserVerified"] = false });
        await TomorrowAsync();
        await computer.SignInAsync(kari);
        await ClickAsync(use);
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync(notUnlocked);
        await LookAsync("K4-not-unlocked", page);
        Running.NobodyComplained(computer.Witness);

        async Task InAsync()
        {
            await ClickAsync(words.No);
            await ClickAsync(words.Done);
            await page.ArriveAsync(running.House.Application + "/");
            await Expect(page.Locator("tr:has(code:text-is('amr')) td")).ToContainTextAsync("pwd");
        }

        // Another session of the same browser: the authenticator stays in it.
        async Task TomorrowAsync()
        {
            await page.Context.ClearCookiesAsync();
            await computer.OpenApplicationAsync();
        }

        ILocator Button(string name) => page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

        Task ClickAsync(string name) => Button(name).ClickAsync();
    }

    private static async Task LookAsync(string screen, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        var own = page.ViewportSize!;
        var language = await page.Locator("html").GetAttributeAsync("lang");
        foreach (var width in new[] { 390, own.Width })
        {
            await page.SetViewportSizeAsync(width, own.Height);
            foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
            {
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.{language}.{width}.{name}.png"), FullPage = true });
            }
        }
    }
}
