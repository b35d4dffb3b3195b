using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Testing;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>A code generator of plastic in a real browser, from the maker's file to the second sign-in with it; the plastic is <c>oathtool</c>.</summary>
public sealed class TokenTests(Running running)
{
    [Fact]
    public async Task An_administrator_imports_a_code_generator_and_Kari_activates_it_and_signs_in_with_it()
    {
        var (house, words) = (running.House, Labels.For("nb"));
        var kari = await house.AddAsync();
        var (serial, secret) = ($"GA-{RandomNumberGenerator.GetString("0123456789", 10)}", RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32));

        // The first administrator, with a passkey.
        await using var desk = await Computer.StartAsync(house, "nb");
        await desk.PlugInAuthenticatorAsync();
        var page = desk.Page;
        var admin = new Employee("ada", "Ada Lund", "riktig hest batteri stift 7");
        await page.GotoAsync(house.Server + "/administration/first");
        await page.Locator("#token").FillAsync(Regex.Match(house.ServerProgram.Said, @"type this token: (\S+)").Groups[1].Value);
        await page.Locator("#user-name").FillAsync(admin.UserName);
        await page.Locator("#name").FillAsync(admin.Name);
        await page.Locator("#password").FillAsync(admin.Password);
        await desk.PressAsync("main form button[type=submit]");
        await desk.SignInAsync(admin);
        await ClickAsync(page, words.Next);
        await page.Locator("#method").SelectOptionAsync("passkey");
        await ClickAsync(page, words.SetUp);
        await ClickAsync(page, "Sett opp passnøkkel");
        await ClickAsync(page, words.Finished);
        await ClickAsync(page, words.Done);

        await page.GotoAsync(house.Server + "/administration/tokens/import");
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload
        {
            Name = "kodegeneratorer.csv",
            MimeType = "text/csv",
            Buffer = Encoding.UTF8.GetBytes($"upn,serial number,secret key,time interval,manufacturer,model\r\n{kari.UserName},{serial},{secret},30,Feitian,c200\r\n"),
        });
        await ClickAsync(page, "Les og sammenlign");
        await Expect(page.Locator("#lines tbody tr")).ToContainTextAsync(kari.Name);
        await Expect(page.Locator("body")).Not.ToContainTextAsync(secret);
        await ClickAsync(page, "Importer dem");
        await Expect(page.Locator($"tr[data-token='{serial}']")).ToContainTextAsync("venter på aktivering");

        await using (var computer = await Computer.StartAsync(house, "nb"))
        {
            var own = computer.Page;
            await computer.OpenApplicationAsync();
            await computer.SignInAsync(kari);
            await ClickAsync(own, words.Next);
            await own.Locator("#method").SelectOptionAsync("token");
            await ClickAsync(own, words.SetUp);
            await Expect(own.Locator("dl")).ToContainTextAsync(serial);
            await LookAsync("H1-set-up-token", own);
            await own.Locator("#code").FillAsync(await OathTool.CodeAsync(secret));
            await ClickAsync(own, words.Next);
            await ClickAsync(own, words.Finished);
            await ClickAsync(own, words.No);
            await ClickAsync(own, words.Done);
            await own.ArriveAsync(house.Application + "/");
            Running.NobodyComplained(computer.Witness);
        }

        await using (var computer = await Computer.StartAsync(house, "nb"))
        {
            var own = computer.Page;
            await computer.OpenApplicationAsync();
            await computer.SignInAsync(kari);
            await Expect(own.Locator("#how")).ToContainTextAsync("kodegeneratoren");
            await LookAsync("H2-code", own);
            await own.Locator("#code").FillAsync(await OathTool.CodeAsync(secret, TimeSpan.FromSeconds(30))); // its clock is a little ahead, so nobody has to wait for the next code
            await ClickAsync(own, "Bekreft");
            await ClickAsync(own, words.No);
            await own.ArriveAsync(house.Application + "/");
            await Expect(own.Locator("tr:has(code:text-is('amr')) td")).ToContainTextAsync("otp");
            await own.GotoAsync(house.Server + "/account/security");
            await Expect(own.Locator("li[data-kind=token]")).ToContainTextAsync(serial);
            await LookAsync("H3-security", own);
            Running.NobodyComplained(computer.Witness);
        }

        await page.GotoAsync($"{house.Server}/administration/tokens?q={serial}");
        await Expect(page.Locator($"tr[data-token='{serial}']")).ToContainTextAsync("i bruk");
        await LookAsync("H4-tokens", page);
        await page.GotoAsync($"{house.Server}/administration/people/{kari.UserName}");
        await Expect(page.Locator("main")).ToContainTextAsync(serial);
        await LookAsync("H5-person", page);
        Running.NobodyComplained(desk.Witness);
    }

    private static Task ClickAsync(IPage page, string name) => page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true }).ClickAsync();

    /// <summary>The page in each language, narrow and wide, light and dark.</summary>
    private static async Task LookAsync(string screen, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        var (own, address) = (page.ViewportSize!, page.Url);
        foreach (var language in new[] { "en", "nn", "nb" })
        {
            await page.GotoAsync($"{address}{(address.Contains('?', StringComparison.Ordinal) ? '&' : '?')}lang={language}");
            foreach (var width in new[] { 390, own.Width })
            {
                await page.SetViewportSizeAsync(width, own.Height);
                foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
                {
                    await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                    await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.{language}.{width}.{name}.png"), FullPage = true });
                }
            }
        }
    }
}
