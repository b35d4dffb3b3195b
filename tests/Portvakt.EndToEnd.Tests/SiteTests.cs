using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Site;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>The project's website, as <c>dev.cs site</c> makes it: whole, readable by everybody, and silent towards others.</summary>
public sealed class SiteTests(Running running) : IDisposable
{
    private const string Origin = "http://site.example";

    private readonly string _folder = Directory.CreateTempSubdirectory("portvakt-site-").FullName;

    [Fact]
    public async Task Every_page_can_be_read_by_everybody_in_the_light_in_the_dark_and_on_a_narrow_screen()
    {
        var site = Make();
        await using var context = await OpenAsync();
        var witness = await Witness.WatchAsync(context, Origin);
        var page = await context.NewPageAsync();
        var found = new List<string>();
        foreach (var address in site.Pages.Select(page => page.Address))
        {
            await page.SetViewportSizeAsync(1440, 900);
            Assert.True((await page.GotoAsync($"{Origin}/{address}"))!.Ok, address);
            Assert.Equal(1, await page.Locator("h1").CountAsync());
            Assert.Empty(await page.EvaluateAsync<string[]>("[...document.images].filter(image => !image.complete || image.naturalWidth === 0).map(image => image.src)"));
            found.AddRange((await Axe.JudgeAsync(page, ColorScheme.Light)).Select(violation => $"{address} {violation}"));
            await page.SetViewportSizeAsync(320, 800);
            Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 320, $"{address} is pushed sideways");
            found.AddRange((await Axe.JudgeAsync(page, ColorScheme.Dark)).Select(violation => $"{address} {violation}"));
        }

        if (found.Count > 0) Assert.Fail(string.Join('\n', found));
        Running.NobodyComplained(witness);
    }

    [Fact]
    public async Task The_search_finds_with_the_keyboard_alone()
    {
        Make();
        await using var context = await OpenAsync();
        var witness = await Witness.WatchAsync(context, Origin);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{Origin}/operating/install.html");
        await FindMasterKeyAsync(page);
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light }) Assert.Empty(await Axe.JudgeAsync(page, scheme));

        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(page.Locator("search li:first-child a")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("ArrowUp");
        await Expect(page.GetByLabel("Search")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.Locator(".found")).ToBeHiddenAsync();

        await page.GetByLabel("Search").FillAsync("xyzzy");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Nothing found");
        await page.GetByLabel("Search").FillAsync("two accounts worst day");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync($"{Origin}/operating/break-glass.html*");
        Running.NobodyComplained(witness);
    }

    [Fact]
    public async Task Opened_from_the_disk_it_needs_no_server()
    {
        Make();
        await using var context = await running.House.Computers.NewContextAsync();
        var witness = await Witness.WatchAsync(context);
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(Path.Combine(_folder, "site", "index.html")).AbsoluteUri);
        await FindMasterKeyAsync(page);
        await page.Locator("search li a").First.ClickAsync();
        await Expect(page.Locator("h1")).ToBeVisibleAsync();
        Running.NobodyComplained(witness);
    }

    [Fact]
    public async Task Without_JavaScript_there_is_no_search_and_everything_else()
    {
        Make();
        await using var context = await OpenAsync(javaScript: false);
        var page = await context.NewPageAsync();
        await page.GotoAsync($"{Origin}/index.html");
        await Expect(page.GetByLabel("Search")).ToBeHiddenAsync();
        await page.GetByRole(AriaRole.Navigation, new PageGetByRoleOptions { Name = "Contents", Exact = true }).GetByRole(AriaRole.Link, new LocatorGetByRoleOptions { Name = "Security model" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Security model");
    }

    [Fact]
    public void Every_text_of_the_repository_has_its_page()
    {
        var docs = Directory.EnumerateFiles(Path.Combine(RunningProgram.Root, "docs"), "*.md", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(RunningProgram.Root, file)).ToList();
        Assert.True(docs.Count > 30);
        Assert.Empty(docs.Except(Website.Read(RunningProgram.Root).Pages.Select(page => page.Source)));
    }

    [Theory]
    [InlineData("[away](away.md)", "README.md: links to away.md, which is not there.")]
    [InlineData("[deeper](docs/text.md#nowhere)", "README.md: links to docs/text.md#nowhere, and there is no such heading.")]
    [InlineData("[here](#nowhere)", "README.md: links to #nowhere, and there is no such heading.")]
    [InlineData("[code](src/code.cs)", "README.md: links to src/code.cs, which is not a page of the website.")]
    [InlineData("[plain](http://id.example.no/)", "README.md: links to http://id.example.no/, which is not a page of the website.")]
    [InlineData("![words](docs/away.svg)", "README.md: shows or links to docs/away.svg, which is not there.")]
    [InlineData("![](docs/here.svg)", "README.md: the picture docs/here.svg has no words for those who cannot see it.")]
    [InlineData("# Again", "README.md: begins with one heading of the first level, and has no other.")]
    [InlineData("[text](docs/text.md#a-part-of-it) [up](docs/) ![words](docs/here.svg)", "README.md: shows or links to docs/, which is not there.")]
    public void What_leads_nowhere_is_refused(string line, string problem)
    {
        Plant("README.md", $"# A house\n\n[its text](docs/text.md#a-part-of-it) ![a picture](docs/here.svg)\n\n{line}\n");
        Plant("docs/text.md", "# A text\n\n[up](../README.md)\n\n## A part of it\n");
        Plant("docs/here.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>");
        Plant("src/code.cs", "");
        Plant("src/Portvakt.Server/wwwroot/design/portvakt.css", "");
        Plant("src/Portvakt.Server/wwwroot/icon.svg", "");

        var site = Website.Read(_folder);
        Assert.Equal([problem], site.Problems);
        Assert.Throws<InvalidOperationException>(() => site.Write(Path.Combine(_folder, "site")));
    }

    [Fact]
    public void The_guides_are_there_when_they_were_made_and_nobody_elses_folder_is_emptied()
    {
        Plant("guides/nn/iphone.html", "<title>Med iPhone – Eksempel kommune</title>");
        Plant("guides/nn/iphone.pdf", "");
        var site = Website.Read(RunningProgram.Root, Path.Combine(_folder, "guides"));
        site.Write(Path.Combine(_folder, "site"));
        Assert.Contains("<li><a href=\"guides/nn/iphone.html\">Med iPhone</a> (<a href=\"guides/nn/iphone.pdf\"", File.ReadAllText(Path.Combine(_folder, "site", "guides.html")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "site", "guides", "nn", "iphone.pdf")));

        Assert.Throws<InvalidOperationException>(() => site.Write(Path.Combine(_folder, "guides")));
        Assert.True(File.Exists(Path.Combine(_folder, "guides", "nn", "iphone.html")));
        site.Write(Path.Combine(_folder, "site")); // its own it may
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task FindMasterKeyAsync(IPage page)
    {
        await page.GetByLabel("Search").FocusAsync();
        await page.Keyboard.TypeAsync("master key");
        await Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^\d+ places, the best 12$"));
        await Expect(page.Locator("search li")).ToHaveCountAsync(12);
        await Expect(page.Locator("search mark").First).ToBeVisibleAsync();
    }

    private Website Make()
    {
        var site = Website.Read(RunningProgram.Root);
        Assert.Empty(site.Problems);
        site.Write(Path.Combine(_folder, "site"));
        return site;
    }

    /// <summary>A browser to which the folder is a place on the network. Nothing else is.</summary>
    private async Task<IBrowserContext> OpenAsync(bool javaScript = true)
    {
        var context = await running.House.Computers.NewContextAsync(new BrowserNewContextOptions { JavaScriptEnabled = javaScript });
        context.SetDefaultTimeout(Patience.Milliseconds);
        await context.RouteAsync("**/*", async route =>
        {
            var file = Path.Combine(_folder, "site", new Uri(route.Request.Url).AbsolutePath[1..]);
            if (File.Exists(file)) await route.FulfillAsync(new RouteFulfillOptions { Path = file, ContentType = TypeOf(file) });
            else await route.FulfillAsync(new RouteFulfillOptions { Status = 404 });
        });
        return context;
    }

    private static string TypeOf(string file) => Path.GetExtension(file) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css",
        ".js" => "text/javascript",
        ".svg" => "image/svg+xml",
        ".webp" => "image/webp",
        _ => "text/plain",
    };

    private void Plant(string path, string text)
    {
        var file = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
