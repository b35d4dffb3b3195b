using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Administration in a real browser, over the demo's people: the administrator enrols like everybody else, and then finds what a newcomer looks for.</summary>
public sealed class DeskTests
{
    private static readonly string[] Languages = ["nb", "nn", "en"];

    [Fact]
    public async Task Rollout_the_desk_is_opened_with_the_phone_and_every_page_of_it_can_be_used_by_everybody()
    {
        await using var house = await House.OpenAsync();
        var admin = await house.FillAsync();
        await using var computer = await Computer.StartAsync(house, "nb");
        await using var phone = await PhoneInBrowser.UnpackAsync(house, "nb");
        var (words, page) = (Labels.For("nb"), computer.Page);
        var walk = new Walk(computer, phone, words);

        // The address of the desk leads through the enrolment, and back.
        await page.GotoAsync(house.Server + "/administration");
        await computer.SignInAsync(admin);
        await walk.HeadingAsync(words.MoreInformation);
        await Expect(walk.Button(words.NotNow)).ToHaveCountAsync(0);
        await walk.ClickAsync(words.Next);
        await walk.SetUpPhoneAsync();
        await walk.GetTheAppAsync();
        await walk.TypeCodeAsync();
        await walk.BindAsync();
        await walk.TestAsync();
        await walk.ClickAsync(words.Finished);
        await walk.ClickAsync(words.Done); // nobody who administers is asked to stay signed in
        await page.WaitForURLAsync(house.Server + "/administration?*");

        // Within a minute: who is stuck, one of them, an extension, a pass.
        await page.Locator("a[href*='state=stuck' i]").First.ClickAsync();
        await page.Locator("table a[href^='/administration/people/']").First.ClickAsync();
        var person = page.Url;
        var extend = page.Locator("form[action*='kind=Extension']");
        if (!await extend.IsVisibleAsync()) await page.Locator("details:has(form[action*='kind=Extension']) > summary").ClickAsync();
        await extend.Locator("input[type=date]").FillAsync(TimeProvider.System.GetUtcNow().AddDays(20).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
        await extend.Locator("[name=reason]").FillAsync("Venter på ny telefon");
        await extend.Locator("button[type=submit]").ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        var issue = page.Locator("form[action*='Issue']");
        if (!await issue.IsVisibleAsync()) await page.Locator("details:has(form[action*='Issue']) > summary").ClickAsync();
        await issue.Locator("[name=reason]").FillAsync("Ringte, viste legitimasjon");
        await issue.Locator("button[type=submit]").ClickAsync();
        await Expect(page.Locator("[data-pass]")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$", System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1)));

        var found = new List<string>();
        foreach (var language in Languages)
        {
            (string Name, string Path)[] pages =
            [
                ("board", "/administration"), ("people", "/administration/people"), ("stuck", "/administration/people?state=stuck"), ("person", new Uri(person).AbsolutePath),
                ("cases", "/administration/cases"), ("waves", "/administration/waves"), ("wave-new", "/administration/waves/new"), ("import", "/administration/import"), ("mails", "/administration/mails"),
                ("templates", "/administration/mails/templates"), ("roles", "/administration/roles"), ("methods", "/administration/methods"), ("method-policy", "/administration/methods/new"), ("audit", "/administration/audit"), ("account", "/account"), ("security", "/account/security"), ("activate", "/activate"),
            ];
            foreach (var (name, path) in pages)
            {
                await page.GotoAsync($"{house.Server}{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}lang={language}");
                Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
                foreach (var width in new[] { 390, 1280 })
                {
                    await page.SetViewportSizeAsync(width, 900);
                    foreach (var scheme in language is "nb" && width > 390 ? new[] { ColorScheme.Dark, ColorScheme.Light } : [ColorScheme.Light])
                        found.AddRange((await Axe.JudgeAsync(page, scheme)).Select(violation => $"{name} {language} {width} {violation}"));
                    if (await page.EvaluateAsync<int>("document.documentElement.scrollWidth") is var wide && wide > width) found.Add($"{name} {language} {width}: the page is {wide} wide");
                    await LookAsync($"A-{name}.{language}.{width}", page);
                }
            }
        }

        if (found.Count > 0) Assert.Fail(string.Join('\n', found));
        Running.NobodyComplained(computer.Witness, phone.Witness);
    }

    private static async Task LookAsync(string name, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{name}.light.png"), FullPage = true });
    }
}
