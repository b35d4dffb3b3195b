using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Administration in a real browser, over the demo's people: the administrator enrols like everybody else, and then finds what a newcomer looks for.</summary>
public sealed class DeskTests
{
    private static readonly string[] Languages = ["nb", "nn", "en"];

    /// <summary>Beside the modes of the judge: 600 is the narrowest that shows tables as tables.</summary>
    private static readonly int[] Widths = [390, 600, 800, 1280];

    [Fact]
    public async Task Rollout_the_desk_is_opened_with_the_phone_and_every_page_of_it_can_be_used_by_everybody()
    {
        await using var house = await House.OpenAsync();
        var admin = await house.FillAsync();
        await using var computer = await Computer.StartAsync(house, "nb");
        try
        {
            await WalkAsync(house, admin, computer);
        }
        catch (PlaywrightException lost)
        {
            // The picture of a page that does not move says nothing of whether it asked, and of what became of that.
            throw new InvalidOperationException($"{lost.Message}\nNot answered: {string.Join(", ", computer.Witness.Unanswered)}\nThe server said:\n{house.ServerProgram.Said}", lost);
        }
    }

    private static async Task WalkAsync(House house, Employee admin, Computer computer)
    {
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
        await page.ArriveAsync(house.Server + "/administration?*");

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

        var kari = await KariHasLostHerPhoneAsync(house, words, page);

        // A file that is compared, with a long name, a mistake and a change.
        await page.GotoAsync(house.Server + "/administration/import");
        var file = $"brukernavn;navn;e-post;enhet\nadmin;Demo-administrator med et langt nytt navn;;Organisasjon og utvikling/IT\n{new string('x', 60)};Anne-Grethe Kristoffersen-Lindstrøm;{new string('y', 50)}@eksempel.kommune.no;Oppvekst/Skole\nfeil bruker;Navn;;\n";
        await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "personer-fra-lønnssystemet-2026-11-22.csv", MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes(file) });
        await page.Locator("form[enctype='multipart/form-data'] button").ClickAsync();
        await Expect(page.Locator("#changes")).ToBeVisibleAsync();
        var compared = new Uri(page.Url).PathAndQuery;

        // Code generators: one handed out, and a file with mistakes.
        const string seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        await UploadAsync($"kari,GA-2026-000000000000000000000000000001,{seed},30,Produsenten av lange navn på modeller,c200\n,GA-2,{seed},60,Feitian,c200\n");
        await page.Locator("form[action*='BringIn'] button").ClickAsync();
        await page.Locator("tr[data-token] a").First.ClickAsync();
        var token = new Uri(page.Url).AbsolutePath;
        await UploadAsync($",GA-2,{seed},60,,\nola,GA-3,{seed},30,Feitian,c200\n,GA-4,kort,30,,\n{new string('x', 60)},GA-5,{seed},30,,\n");
        await Expect(page.Locator("#problems")).ToBeVisibleAsync();
        var tokensCompared = new Uri(page.Url).PathAndQuery;

        foreach (var language in Languages)
        {
            // A longer word shows where it has the least room; how a page is built and drawn is the same in all languages, and `dev.cs accessibility` looks at all of it in each.
            var judge = new Judge(language, [Mode.Narrow, .. language is "nb" ? [Mode.Light, Mode.Dark, Mode.Keyboard] : Array.Empty<Mode>()]);
            (string Name, string Path)[] pages =
            [
                ("board", "/administration"), ("people", "/administration/people"), ("stuck", "/administration/people?state=stuck"), ("person", new Uri(person).AbsolutePath), ("person-enrolled", "/administration/people/" + kari.UserName),
                ("cases", "/administration/cases"), ("waves", "/administration/waves"), ("wave-new", "/administration/waves/new"), ("import", "/administration/import"), ("import-compared", compared), ("mails", "/administration/mails"),
                ("templates", "/administration/mails/templates"), ("look", "/administration/look?colour=%23c8102e&tinted=true"), ("texts", "/administration/texts"), ("roles", "/administration/roles"), ("tokens", "/administration/tokens"), ("tokens-import", "/administration/tokens/import"), ("tokens-compared", tokensCompared), ("token", token), ("methods", "/administration/methods"), ("method-policy", "/administration/methods/new"), ("audit", "/administration/audit"), ("account", "/account"), ("security", "/account/security"), ("activate", "/activate"),
            ];
            foreach (var (name, path) in pages)
            {
                await page.GotoAsync($"{house.Server}{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}lang={language}");
                foreach (var width in Widths)
                {
                    await page.SetViewportSizeAsync(width, 900);
                    await judge.MeasureAsync($"A-{name}", page);
                    if (width is 390 or 1280) await LookAsync($"A-{name}.{language}.{width}", page);
                }

                await judge.LookAsync($"A-{name}", page);
            }

            await judge.DecideAsync("desk", least: 20);
        }

        // In the colour and with the logo of an organisation, however hard the colour: what people meet before they are signed in.
        await page.GotoAsync(house.Server + "/administration/look?colour=%23ffd500&tinted=true&lang=nb");
        await page.Locator("form:has(input[name=Colour][type=hidden]) button").ClickAsync();
        await page.Locator("#logo-file").SetInputFilesAsync(new FilePayload { Name = "logo.png", MimeType = "image/png", Buffer = await page.Locator("h1").ScreenshotAsync() });
        await page.Locator("form:has(#logo-file) button").ClickAsync();
        await page.Locator("#background-file").SetInputFilesAsync(new FilePayload { Name = "bakgrunn.png", MimeType = "image/png", Buffer = await page.Locator("h1").ScreenshotAsync() });
        await page.Locator("form:has(#background-file) button").ClickAsync();
        await Expect(page.Locator("#background ~ img")).ToBeVisibleAsync();
        var dressed = new Judge("nb", Mode.Light, Mode.Dark, Mode.Narrow);
        foreach (var (name, path) in ((string, string)[])[("look-kept", "/administration/look"), ("guides", "/guides/computer"), ("poster", "/guides/poster"), ("sign-in", "/account/security")])
        {
            if (name is "sign-in") await page.Context.ClearCookiesAsync();
            await page.GotoAsync($"{house.Server}{path}?lang=nb");
            Assert.NotEqual(0, await page.EvaluateAsync<int>("() => document.querySelector('.pv-logo').naturalWidth"));
            foreach (var width in Widths)
            {
                await page.SetViewportSizeAsync(width, 900);
                await dressed.MeasureAsync($"B-{name}", page);
                if (width is 390 or 1280) await LookAsync($"B-{name}.{width}", page);
            }

            await dressed.LookAsync($"B-{name}", page);
        }

        await dressed.DecideAsync("dressed", least: 4);
        Running.NobodyComplained(computer.Witness, phone.Witness);

        async Task UploadAsync(string lines)
        {
            await page.GotoAsync(house.Server + "/administration/tokens/import");
            await page.Locator("input[type=file]").SetInputFilesAsync(new FilePayload { Name = "kodegeneratorer.csv", MimeType = "text/csv", Buffer = System.Text.Encoding.UTF8.GetBytes("upn,serial number,secret key,time interval,manufacturer,model\n" + lines) });
            await page.Locator("form[enctype='multipart/form-data'] button").ClickAsync();
        }
    }

    /// <summary>
    /// The third way back in: identity confirmed, the old phone dead at once, a pass that opens a new enrolment, and the next day with the new phone.
    /// </summary>
    private static async Task<Employee> KariHasLostHerPhoneAsync(House house, Labels words, IPage desk)
    {
        var kari = await house.AddAsync();
        await using var lost = await PhoneInBrowser.UnpackAsync(house, "nb");
        await using (var before = await Computer.StartAsync(house, "nb"))
        {
            var walk = new Walk(before, lost, words);
            await walk.ToReadyAsync(kari);
            await walk.ClickAsync(words.Next);
            await walk.AnswerTestAsync();
            await walk.FinishAsync();
        }

        await desk.GotoAsync($"{house.Server}/administration/people/{kari.UserName}");
        await desk.Locator("details:has(form[action*='RequireEnrolment']) > summary").ClickAsync();
        await desk.Locator("form[action*='RequireEnrolment'] [name=reason]").FillAsync("Mistet telefonen, viste legitimasjon");
        await desk.Locator("form[action*='RequireEnrolment'] button[type=submit]").ClickAsync();
        await Expect(desk.GetByRole(AriaRole.Status)).ToBeVisibleAsync();
        await desk.Locator("details:has(form[action*='Issue']) > summary").ClickAsync();
        await desk.Locator("form[action*='Issue'] [name=reason]").FillAsync("Mistet telefonen, viste legitimasjon");
        await desk.Locator("form[action*='Issue'] button[type=submit]").ClickAsync();
        var pass = await desk.Locator("[data-pass]").InnerTextAsync();

        lost.Witness.Expect("401");
        await lost.OpenAsync();
        await Expect(lost.Page.Locator(".account .ds-alert")).ToBeVisibleAsync();
        await Expect(lost.Page.Locator(".digits")).ToHaveCountAsync(0);

        await using var phone = await PhoneInBrowser.UnpackAsync(house, "nb");
        await using (var now = await Computer.StartAsync(house, "nb"))
        {
            var walk = new Walk(now, phone, words);
            await now.OpenApplicationAsync();
            await now.SignInAsync(kari);
            await now.Page.Locator("a[href$='/pass']").ClickAsync();
            await now.Page.Locator("#pass").FillAsync(pass);
            await now.PressAsync("form:has(#pass) button[type=submit]");
            await walk.HeadingAsync(words.MoreInformation);
            await walk.ClickAsync(words.Next);
            await walk.SetUpPhoneAsync();
            await walk.GetTheAppAsync();
            await walk.TypeCodeAsync();
            await walk.BindAsync();
            await walk.TestAsync();
            await walk.FinishAsync();
        }

        await using var tomorrow = await Computer.StartAsync(house, "nb");
        await new Walk(tomorrow, phone, words).SignInAsync(kari);
        Running.NobodyComplained([lost.Witness, phone.Witness, tomorrow.Witness]);
        return kari;
    }

    private static async Task LookAsync(string name, IPage page)
    {
        if (!Screenshots.AreWanted) return;
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{name}.light.png"), FullPage = true });
    }
}
