using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// The guides name their pictures; whoever walks the journey takes them. A step that the journey no longer has, or a place on it that cannot be marked, fails here, so that no guide is ever
/// older than the product. <c>dev.cs guides</c> keeps the pictures and makes HTML and PDF of the guides as well.
/// </summary>
public sealed class GuideTests(Running running)
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("PORTVAKT_GUIDES");
    private static readonly string[] Guides = ["iphone", "android", "computer", "new-phone", "lost-phone", "no-smartphone"];

    // What a picture shows: a window that is little wider than what stands in it, and the upper part of a phone.
    private static readonly PageViewportSizeResult Window = new() { Width = 780, Height = 560 };
    private static readonly PageViewportSizeResult Handset = new() { Width = 390, Height = 600 };

    // Kept until the page is gone: whoever lets go of the tools takes the phone's unlock along.
    private readonly Dictionary<IPage, ICDPSession> _tools = [];

    public static bool AreWanted => !string.IsNullOrEmpty(Folder);

    [Theory]
    [InlineData("nb")]
    [InlineData("nn", Skip = "PORTVAKT_GUIDES names no folder.", SkipUnless = nameof(AreWanted))]
    [InlineData("en", Skip = "PORTVAKT_GUIDES names no folder.", SkipUnless = nameof(AreWanted))]
    public async Task Every_step_of_every_guide_is_met_on_the_way(string language)
    {
        var named = await NamedPicturesAsync(language);
        Assert.True(named.Count > 25, $"{named.Count}");
        var marks = MarksOf(Labels.For(language), MoveTests.In(language));
        var taken = new HashSet<string>(StringComparer.Ordinal);
        await WalkAsync(running, language, async (screen, page) =>
        {
            foreach (var (picture, places) in marks.Where(mark => mark.Screen == screen && named.ContainsKey(mark.Picture)).Select(mark => (mark.Picture, mark.Places)))
            {
                if (!taken.Add(picture)) continue;
                Assert.Equal(named[picture], places.Length); // the text names as many places as are marked
                await TakeAsync(page, picture, [.. places.Select(place => place(page))], language);
            }
        });

        Assert.Equal([], named.Keys.Except(taken, StringComparer.Ordinal).Order(StringComparer.Ordinal));
        if (AreWanted) await PrintAsync(language);
    }

    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Every_guide_can_be_used_by_everybody(string language)
    {
        var judge = new Judge(language, Mode.Light, Mode.Dark, Mode.Narrow, Mode.Keyboard);
        await using var computer = await Computer.StartAsync(running.House, language);
        foreach (var address in Guides.Append("poster").Select(guide => $"/guides/{guide}").Prepend("/guides"))
        {
            await computer.Page.GotoAsync(running.House.Server + address);
            Assert.StartsWith(await computer.Page.Locator("h1").InnerTextAsync(), await computer.Page.TitleAsync(), StringComparison.Ordinal);
            await judge.LookAsync($"G{address.Replace('/', '-')}", computer.Page);
        }

        await judge.DecideAsync("guides", least: 8);
        Running.NobodyComplained(computer.Witness);
    }

    [Fact]
    public async Task A_guide_in_another_tab_knows_where_the_set_up_stands_and_leads_back()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToSetUpAsync(scene.Employee);
        var guide = await scene.Computer.NewTabAsync(running.House.Server + "/guides/iphone");

        await Expect(guide.Locator("li[aria-current=step]")).ToHaveCountAsync(1);
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light }) Assert.Empty(await Axe.JudgeAsync(guide, scheme));
        await guide.Locator("main .ds-alert a").ClickAsync();
        await guide.ArriveAsync(scene.Computer.Page.Url);
        scene.NobodyComplained();
    }

    /// <summary>The pictures that the six guides name, and how many places in each.</summary>
    private async Task<Dictionary<string, int>> NamedPicturesAsync(string language)
    {
        var named = new Dictionary<string, int>(StringComparer.Ordinal);
        await using var computer = await Computer.StartAsync(running.House, language);
        foreach (var guide in Guides)
        {
            await computer.Page.GotoAsync($"{running.House.Server}/guides/{guide}");
            foreach (var step in await computer.Page.Locator("li[data-picture]:not([data-picture=''])").AllAsync())
                named[(await step.GetAttributeAsync("data-picture"))!] = Numbers.Matches(await step.InnerTextAsync()).Select(match => match.Value).Distinct(StringComparer.Ordinal).Count();
        }

        return named;
    }

    /// <summary>Once through everything that a guide shows.</summary>
    internal static async Task WalkAsync(Running running, string language, Func<string, IPage, Task> look)
    {
        await using var scene = await Scene.SetAsync(running, language, look: look, deadline: TimeProvider.System.GetUtcNow().AddDays(14));
        await using var iphone = await PhoneInBrowser.UnpackAsync(running.House, language, new PhoneOptions { UserAgent = PhoneOptions.Iphone });
        var (walk, old, words, said) = (scene.Walk, scene.Phone, scene.Words, MoveTests.In(language));
        await iphone.OpenAsync("/phone/get");
        await Expect(iphone.Page.Locator(".pv-scene").First).ToBeVisibleAsync();
        await look("T1-get-iphone", iphone.Page);

        await walk.ToSetUpAsync(scene.Employee);
        await walk.GetTheAppAsync();
        await walk.ScanAsync();
        await walk.BindAsync();
        await walk.TestAsync();
        _ = await walk.MakeRecoveryCodesAsync();
        await walk.FinishAsync();
        await scene.Computer.Page.GotoAsync(running.House.Server + "/account/security");
        await look("S1-security-info", scene.Computer.Page);
        await Tour.LookAtMethodsAsync(scene, look);

        // To the new phone: the iPhone, while the old one works.
        await iphone.OpenAsync();
        await iphone.EnterAsync(words.Open);
        await iphone.TapAsync(words.Agree);
        await old.TapAsync(words.Settings);
        await Expect(old.Button(said.Move)).ToBeVisibleAsync();
        await look("F0-settings", old.Page);
        await old.TapAsync(said.Move);
        await Expect(old.Button(said.Show)).ToBeEnabledAsync();
        await look("F1-why", old.Page);
        await old.TapAsync(said.Show);
        await Expect(old.Page.Locator("svg.picture")).ToBeVisibleAsync();
        await look("F2-code", old.Page);
        await MoveTests.PointAsync(iphone, old, scene.Computer, words);
        await look("F3-confirm", iphone.Page);
        await iphone.TapAsync(words.YesAdd);
        await iphone.TapAsync(words.Allow);
        await Expect(iphone.Page.Locator(".number")).ToBeVisibleAsync();
        await look("F4-arrive", iphone.Page);
        await Expect(old.Page.Locator("#number")).ToBeVisibleAsync();
        await look("F5-number", old.Page);

        await scene.NextDayAsync();
        await walk.ToRecoveryCodeAsync(scene.Employee);
        scene.NobodyComplained();
    }

    /// <summary>Each picture: on which screen it is taken, and where one clicks there, in the order of the text.</summary>
    private static (string Picture, string Screen, Func<IPage, ILocator>[] Places)[] MarksOf(Labels words, MoveTests.Said said) =>
    [
        Mark("P1-password", page => page.Locator("#user"), page => page.Locator("#password"), page => Button(page, words.SignIn)),
        Mark("P2-more-information", page => Button(page, words.Next)),
        Mark("P4-method", page => page.Locator("#method"), page => page.Locator(".ds-field:has(#use-notifications)"), page => Button(page, words.SetUp)),
        Mark("P5-setup", page => page.Locator("svg.pv-qr")),
        Mark("T1-get-iphone", page => page.Locator(".pv-install-steps .pv-install-text").First),
        Mark("T1-get", page => Button(page, words.Get)),
        Mark("T2-privacy", page => Button(page, words.Agree)),
        Mark("T3-first", page => Button(page, words.ScanQr)),
        Mark("T5-camera", page => Button(page, words.CameraOn)),
        Mark("T7-confirm", page => Button(page, words.YesAdd)),
        Mark("T8-notifications", page => Button(page, words.Allow)),
        Mark("P5-ready", page => Button(page, words.Next)),
        Mark("P6-test", page => page.Locator("[data-number]")),
        Mark("T9-approve-test", page => page.Locator("#number"), page => Button(page, words.Approve)),
        Mark("P7-backup", page => Button(page, words.Finished), page => page.Locator("button[formaction='?handler=Codes']")),
        Mark("P8-stay", page => Button(page, words.Yes), page => Button(page, words.No)),
        Mark("P9-done", page => Button(page, words.Done)),
        Mark("T10-accounts", page => Button(page, words.Settings)),
        Mark("F0-settings", page => Button(page, said.Move)),
        Mark("F1-why", page => Button(page, said.Show)),
        Mark("F2-code", page => page.Locator("svg.picture")),
        Mark("F3-confirm", page => Button(page, words.YesAdd)),
        Mark("F4-arrive", page => page.Locator(".number")),
        Mark("F5-number", page => page.Locator("#number"), page => Button(page, said.Confirm)),
        Mark("N1-second-factor", page => page.Locator("nav.pv-other ul")),
        Mark("N2-recovery-code", page => page.Locator("#code"), page => page.Locator("form:has(#code) button[type=submit]")),
        ("S1-add", "S1-security-info", [page => page.Locator("form[action$='handler=Add'] button")]),
        ("S1-remove", "S1-security-info", [page => page.Locator("li[data-kind=app] summary")]),
        ("P4-ways", "P4-method", [page => page.Locator("#method")]),
        Mark("P5-setup-passkey", page => page.Locator("[data-passkey] button")),
        Mark("P5-setup-telephone", page => page.Locator("#number"), page => page.Locator("fieldset"), page => page.Locator("button[formaction='?handler=Send']")),
        Mark("P5-telephone-code", page => page.Locator("#code"), page => page.Locator("form:has(#code) button[type=submit]")),
    ];

    private static (string Picture, string Screen, Func<IPage, ILocator>[] Places) Mark(string screen, params Func<IPage, ILocator>[] places) => (screen, screen, places);

    private static ILocator Button(IPage page, string name) => page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    /// <summary>Draws a ring and a number around each place, takes the picture, and wipes them away.</summary>
    private async Task TakeAsync(IPage page, string picture, ILocator[] places, string language)
    {
        var own = page.ViewportSize!;
        var isPhone = own.Width <= Handset.Width;
        var frame = isPhone ? Handset : Window;
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light, ReducedMotion = ReducedMotion.Reduce });
        await page.SetViewportSizeAsync(frame.Width, frame.Height);
        foreach (var place in places) await Expect(place).ToBeVisibleAsync();
        await page.EvaluateAsync("() => { document.activeElement?.blur(); scrollTo(0, 0); }");
        await page.EvaluateAsync(Naming, new[] { new Uri(running.House.Server).Authority, ExampleHost });
        var handles = await Task.WhenAll(places.Select(place => place.ElementHandleAsync()));
        var outside = await page.EvaluateAsync<int>(Drawing, handles);
        Assert.True(outside is 0, $"{picture} ({language}): {outside} of its places do not fit into the picture.");
        if (AreWanted)
        {
            // The one format that is small enough, which only the browser's own tools write.
            if (!_tools.TryGetValue(page, out var tools)) _tools[page] = tools = await page.Context.NewCDPSessionAsync(page);
            var taken = await tools.SendAsync("Page.captureScreenshot", new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["format"] = "webp",
                ["quality"] = 50,
                ["clip"] = new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["x"] = await page.EvaluateAsync<double>("scrollX"),
                    ["y"] = await page.EvaluateAsync<double>("scrollY"),
                    ["width"] = frame.Width,
                    ["height"] = frame.Height,
                    ["scale"] = isPhone ? 0.6 : 0.9, // of a phone's doubled pixels: 468 wide, and 702
                },
            });
            var folder = Directory.CreateDirectory(Path.Combine(RunningProgram.Root, "src", "Portvakt.Server", "wwwroot", "guides", language)).FullName;
            await File.WriteAllBytesAsync(Path.Combine(folder, picture + ".webp"), taken!.Value.GetProperty("data").GetBytesFromBase64());
        }

        await page.EvaluateAsync("() => { document.querySelectorAll('[data-mark]').forEach(mark => mark.remove()); scrollTo(0, 0); }");
        await page.EvaluateAsync(Naming, new[] { ExampleHost, new Uri(running.House.Server).Authority });
        await page.SetViewportSizeAsync(own.Width, own.Height);
    }

    // Styles are set by the script's own hand, which the content policy allows. A QR code is covered by its number: one that can be scanned from the guide would lead nowhere.
    private const string Drawing = """
        places => {
          const margin = 18, isPhone = innerWidth < 500;
          const bottom = Math.max(...places.map(place => place.getBoundingClientRect().bottom)) + margin;
          if (bottom > innerHeight) scrollTo(0, bottom - innerHeight);
          const add = style => {
            const mark = document.createElement('div');
            mark.dataset.mark = '';
            Object.assign(mark.style, { position: 'fixed', boxSizing: 'border-box', zIndex: 2147483647, pointerEvents: 'none', ...style });
            document.body.append(mark);
            return mark;
          };
          let outside = 0;
          places.forEach((place, index) => {
            const box = place.getBoundingClientRect(), isCode = place instanceof SVGElement, gap = isCode ? 0 : 5, size = isCode ? box.width * .62 : 30;
            if (box.top < 0 || box.left < 0 || box.bottom > innerHeight || box.right > innerWidth) outside++;
            // Beside its place, where it hides no word: on a computer before it, on a phone at its lower right.
            const [left, top] = [Math.max(2, box.left - gap), box.top - gap], width = Math.min(innerWidth - 2, box.right + gap) - left, height = box.height + 2 * gap;
            add({ left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`, border: '3px solid #c8102e', borderRadius: '10px' });
            const number = add({
              left: `${isCode ? box.left + (box.width - size) / 2 : isPhone ? Math.min(left + width - size / 2, innerWidth - size - 2) : left - size + 6}px`,
              top: `${isCode ? box.top + (box.height - size) / 2 : isPhone ? top + height - size / 2 : top + (height - size) / 2}px`,
              width: `${size}px`, height: `${size}px`, borderRadius: '50%', background: '#c8102e', color: '#fff', border: '2px solid #fff', display: 'grid', placeItems: 'center',
              font: `700 ${isCode ? size / 2 : 17}px system-ui, sans-serif`,
            });
            number.textContent = index + 1;
          });
          return outside;
        }
        """;

    /// <summary>The address of the machine that the pictures are taken on means nothing to anybody.</summary>
    private const string ExampleHost = "id.eksempel.no";

    private const string Naming = """
        ([from, to]) => {
          const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) if (texts.currentNode.data.includes(from)) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to);
        }
        """;

    /// <summary>Each guide, and the poster, as one file that needs no server, and as A4 for the printer.</summary>
    private async Task PrintAsync(string language)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder!, language)).FullName;
        await using var computer = await Computer.StartAsync(running.House, language);
        foreach (var guide in Guides.Append("poster"))
        {
            await computer.Page.GotoAsync($"{running.House.Server}/guides/{guide}");
            Assert.True(await computer.Page.EvaluateAsync<bool>("[...document.images].every(image => image.complete && image.naturalWidth > 0)"), $"{guide}: a picture is missing.");
            await computer.Page.EvaluateAsync(Naming, new[] { new Uri(running.House.Server).Authority, ExampleHost });
            await computer.Page.PdfAsync(new PagePdfOptions
            {
                Path = Path.Combine(folder, guide + ".pdf"),
                Format = "A4",
                PrintBackground = true,
                Tagged = true,
                Outline = true,
                Margin = new Margin { Top = "16mm", Bottom = "18mm", Left = "18mm", Right = "18mm" },
                DisplayHeaderFooter = true,
                HeaderTemplate = "<span></span>",
                FooterTemplate = "<div style='width:100%;text-align:center;font:9px sans-serif'><span class='pageNumber'></span> / <span class='totalPages'></span></div>",
            });
            await File.WriteAllTextAsync(Path.Combine(folder, guide + ".html"), await computer.Page.EvaluateAsync<string>(
                """
                async () => {
                  const page = document.documentElement.cloneNode(true);
                  const data = async address => {
                    const picture = await (await fetch(address)).blob();
                    return await new Promise(done => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(picture); });
                  };
                  page.querySelectorAll('script, nav, .pv-not-on-paper, .ds-skip-link').forEach(part => part.remove());
                  for (const link of page.querySelectorAll('link')) {
                    if (link.rel === 'stylesheet') {
                      const style = document.createElement('style');
                      style.textContent = await (await fetch(link.getAttribute('href'))).text();
                      link.replaceWith(style);
                    } else link.setAttribute('href', await data(link.getAttribute('href')));
                  }
                  for (const picture of page.querySelectorAll('img')) picture.src = await data(picture.getAttribute('src'));
                  return '<!DOCTYPE html>\n' + page.outerHTML;
                }
                """));
        }
    }

    private static readonly Regex Numbers = new(@"\([1-9]\)", RegexOptions.None, TimeSpan.FromSeconds(1));
}
