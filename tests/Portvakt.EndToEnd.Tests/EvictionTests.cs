using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>The phone's browser clears what the app has stored: the app says so, and the passkey that was left brings the account back.</summary>
public sealed class EvictionTests(Running running)
{
    /// <summary>What the new screens say. The buttons and headings of <see cref="Labels"/> are the guide's; these are not in it.</summary>
    private sealed record Said(string Gone, string Before, string UsedBefore, string GetBack, string Ways, string Password, string Wrong, string IsBack, string Missing, string Dismiss, string Shut);

    private static Said In(string language) => language switch
    {
        "nb" => new("Telefonen har slettet det appen hadde lagret", "Har du brukt appen her før?", "Jeg har brukt appen her før", "Hent kontoen tilbake", "Andre måter", "Skriv passordet ditt", "Passordet var feil",
            "Kontoen er tilbake. Kodene er nye", "En konto mangler", "Jeg trenger den ikke", "Appen får ikke åpnet det den har lagret"),
        "nn" => new("Telefonen har sletta det appen hadde lagra", "Har du brukt appen her før?", "Eg har brukt appen her før", "Hent kontoen tilbake", "Andre måtar", "Skriv passordet ditt", "Passordet var feil",
            "Kontoen er tilbake. Kodane er nye", "Ein konto manglar", "Eg treng han ikkje", "Appen får ikkje opna det han har lagra"),
        _ => new("Your phone has deleted what the app had stored", "Have you used the app here before?", "I have used the app here before", "Get the account back", "Other ways", "Type your password", "The password was wrong",
            "The account is back. Its codes are new", "An account is missing", "I don't need it", "The app cannot open what it has stored"),
    };

    public static bool ArePicturesWanted => Screenshots.AreWanted;

    [Theory]
    [InlineData("nb", false, false)]
    [InlineData("nb", true, true)]
    [InlineData("nn", true, false, Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    [InlineData("nn", false, true, Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    [InlineData("en", true, false, Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    [InlineData("en", false, true, Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    public async Task What_the_phone_has_deleted_comes_back_by_the_passkey_that_was_left(string language, bool copiesPasskeys, bool losesCookies)
    {
        var said = In(language);
        await using var scene = await Scene.SetAsync(running, language, new PhoneOptions { CopiesPasskeys = copiesPasskeys });
        var (phone, page) = (scene.Phone, scene.Phone.Page);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Walk.TestAsync();
        await scene.Walk.FinishAsync();

        await phone.LoseStorageAsync(losesCookies);
        if (losesCookies)
        {
            // Nothing is left that could tell: the person does.
            await scene.Walk.GetTheAppAsync();
            await LookAsync("E0-first", page);
            await phone.TapAsync(said.UsedBefore);
            await Expect(phone.Heading(said.Before)).ToBeVisibleAsync();
            await LookAsync("E1-maybe", page);
        }
        else
        {
            await phone.OpenAsync();
            await Expect(phone.Heading(said.Gone)).ToBeVisibleAsync();
            await Expect(phone.Button(said.GetBack)).Not.ToHaveAttributeAsync("aria-busy", "true");
            await LookAsync("E1-evicted", page);
            await phone.TapAsync(said.Ways);
            await Expect(phone.Heading(said.Ways)).ToBeVisibleAsync();
            await Expect(page.GetByText("55 50 00 00")).ToBeVisibleAsync(); // whom to call
            await LookAsync("E2-ways", page);
            await page.GoBackAsync();
            await Expect(phone.Heading(said.Gone)).ToBeVisibleAsync();
        }

        await Expect(phone.Button(said.GetBack)).Not.ToHaveAttributeAsync("aria-busy", "true");
        await phone.TapAsync(said.GetBack);
        if (copiesPasskeys)
        {
            phone.Witness.Expect("422");
            await Expect(phone.Heading(said.Password)).ToBeVisibleAsync();
            await LookAsync("E3-password", page);
            await page.Locator("#password").FillAsync("en blå elefant på taket");
            await phone.TapAsync(said.GetBack);
            await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync(said.Wrong);
            await LookAsync("E3-password-wrong", page);
            await page.Locator("#password").FillAsync(scene.Employee.Password);
            await Expect(phone.Button(said.GetBack)).Not.ToHaveAttributeAsync("aria-busy", "true");
            await phone.TapAsync(said.GetBack); // and the passkey signs once more
        }

        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync(said.IsBack);
        await scene.Walk.CodeIsShownAsync();
        await LookAsync("E4-back", page);

        // The next sign-in comes to the new key.
        await scene.NextDayAsync();
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(scene.Employee);
        await Expect(phone.Heading(scene.Words.ApproveSignIn)).ToBeVisibleAsync();
        await phone.ApproveAsync(await scene.Computer.ReadNumberAsync(), scene.Words.Approve);
        await Expect(phone.Heading(scene.Words.Approved)).ToBeVisibleAsync();
        await phone.TapAsync(scene.Words.Done);
        await scene.Walk.StayAsync();
        await scene.Walk.InApplicationAsync();

        // One of two is gone: said above the other, until it is back or nobody wants it.
        await page.EvaluateAsync("localStorage.setItem('portvakt.accounts', '2')");
        await phone.OpenAsync();
        await page.ReloadAsync();
        await Expect(page.GetByText(said.Missing, new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await scene.Walk.CodeIsShownAsync();
        await LookAsync("E5-missing", page);
        await phone.TapAsync(said.Dismiss);
        await Expect(page.GetByText(said.Missing, new PageGetByTextOptions { Exact = true })).ToHaveCountAsync(0);
        Assert.Equal("1", await page.EvaluateAsync<string>("localStorage.getItem('portvakt.accounts')"));

        // It is there and cannot be opened: nothing is thrown away.
        await page.AddInitScriptAsync("if (sessionStorage.shut) indexedDB.open = () => { throw new Error('it does not open'); };");
        await page.EvaluateAsync("sessionStorage.shut = 1");
        await page.ReloadAsync();
        await Expect(phone.Heading(said.Shut)).ToBeVisibleAsync();
        await LookAsync("E6-shut", page);
        await page.EvaluateAsync("sessionStorage.removeItem('shut')");
        await page.ReloadAsync();
        await scene.Walk.CodeIsShownAsync();
        scene.NobodyComplained();
    }

    private static async Task LookAsync(string screen, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        var language = await page.Locator("html").GetAttributeAsync("lang");
        foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
        {
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.{language}.390.{name}.png"), FullPage = true });
        }
    }
}
