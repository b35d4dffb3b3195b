using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// Looks at a page in each of its modes, and leaves it as it was. Every test that walks through screens hands each of them here; what was seen goes into the report
/// (<see cref="AccessReport"/>) when one is wanted.
/// </summary>
/// <param name="language">What the pages must say they are written in.</param>
/// <param name="modes">All of them when a report is wanted; otherwise those that the ordinary run can afford.</param>
public sealed class Judge(string language, params Mode[] modes)
{
    private static readonly string Checks = new StreamReader(typeof(Judge).Assembly.GetManifestResourceStream("checks.js")!).ReadToEnd();

    /// <summary>Kept until the page is gone: whoever lets go of the tools takes a phone's unlock along.</summary>
    private readonly Dictionary<IPage, ICDPSession> _tools = [];

    private readonly List<Look> _looks = [];
    private readonly List<string> _found = [];
    private readonly HashSet<string> _criteria = new(StringComparer.Ordinal);
    private readonly Mode[] _modes = AccessReport.IsWanted ? Enum.GetValues<Mode>() : [.. modes.Distinct()];

    /// <summary>One look at one screen.</summary>
    /// <param name="Screen">Its name.</param>
    /// <param name="Language">nb, nn or en.</param>
    /// <param name="Mode">How.</param>
    /// <param name="Checks">How many things were looked at.</param>
    /// <param name="Wrong">What is not as it should be.</param>
    /// <param name="Picture">File name of a picture of it, where something is wrong.</param>
    public sealed record Look(string Screen, string Language, Mode Mode, int Checks, string[] Wrong, string? Picture);

    /// <summary>Looks at a screen in all modes.</summary>
    public async Task LookAsync(string screen, IPage page)
    {
        Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
        foreach (var mode in _modes)
        {
            var finding = await InAsync(mode, page, async () => await FindAsync(mode, page));
            var picture = finding.Wrong.Length > 0 && AccessReport.IsWanted ? await PictureAsync(screen, mode, page) : null;
            _criteria.UnionWith(finding.Criteria ?? []);
            _looks.Add(new Look(screen, language, mode, finding.Looked, finding.Wrong, picture));
            _found.AddRange(finding.Wrong.Select(wrong => $"{screen} {mode}: {wrong}"));
        }
    }

    /// <summary>Whether a screen fits into the window it is in, however wide that is.</summary>
    public async Task MeasureAsync(string screen, IPage page)
    {
        await PutInAsync(page);
        _found.AddRange((await CheckAsync(page, "sideways()")).Wrong.Select(wrong => $"{screen} {page.ViewportSize!.Width}: {wrong}"));
    }

    /// <summary>Fails with everything that was found; before that it is in the report.</summary>
    /// <param name="walk">Name of the walk.</param>
    /// <param name="least">So many screens at least were on the way: a walk that meets nothing finds nothing.</param>
    public async Task DecideAsync(string walk, int least)
    {
        if (AccessReport.IsWanted) await AccessReport.AddAsync($"{walk}-{language}", new AccessReport.Part(_looks, [.. _criteria]));
        var screens = _looks.Select(look => look.Screen).Distinct(StringComparer.Ordinal).Count();
        Assert.True(screens >= least, $"{screens} screens were seen.");
        Assert.All(_modes, mode => Assert.Contains(_looks, look => look.Mode == mode && look.Checks > 0));
        if (_found.Count > 0) Assert.Fail(string.Join('\n', _found));
    }

    /// <summary>What is wrong with the page in this mode.</summary>
    public async Task<string[]> WrongAsync(Mode mode, IPage page) => (await InAsync(mode, page, async () => await FindAsync(mode, page))).Wrong;

    private async Task<Finding> FindAsync(Mode mode, IPage page) => mode switch
    {
        Mode.Light => await Axe.LookAsync(page, coloursOnly: false) + await NamesAsync(page) + await CheckAsync(page, $"targets({(IsPhone(page) ? 44 : 24)})") + await CheckAsync(page, "queue()"),
        Mode.Dark => await Axe.LookAsync(page, coloursOnly: true),
        Mode.Forced => await Axe.LookAsync(page, coloursOnly: true) + await CheckAsync(page, "forced()"),
        Mode.Narrow or Mode.Spaced => await CheckAsync(page, "sideways()") + await CheckAsync(page, "cut()") + await CheckAsync(page, "overlapping()"),
        Mode.Zoomed => await CheckAsync(page, "sideways()") + await CheckAsync(page, "cut()") + await PressTabAsync(page),
        Mode.Still => await CheckAsync(page, "motion()"),
        Mode.Keyboard => await PressTabAsync(page),
        _ => throw new ArgumentOutOfRangeException(nameof(mode)),
    };

    /// <summary>Puts the page into a mode, and back.</summary>
    private static async Task<T> InAsync<T>(Mode mode, IPage page, Func<Task<T>> work)
    {
        await PutInAsync(page);
        var own = page.ViewportSize!;
        await page.EmulateMediaAsync(new PageEmulateMediaOptions
        {
            ColorScheme = mode is Mode.Dark ? ColorScheme.Dark : ColorScheme.Light,
            ForcedColors = mode is Mode.Forced ? ForcedColors.Active : ForcedColors.None,
            ReducedMotion = ReducedMotion.Reduce,
        });
        if (mode is Mode.Narrow or Mode.Zoomed) await page.SetViewportSizeAsync(320, mode is Mode.Narrow ? own.Height : 256);
        if (mode is Mode.Spaced) await page.EvaluateAsync("pageChecks.spacing(true)");
        try
        {
            return await work();
        }
        finally
        {
            if (mode is Mode.Spaced) await page.EvaluateAsync("pageChecks.spacing(false)");
            if (mode is Mode.Narrow or Mode.Zoomed) await page.SetViewportSizeAsync(own.Width, own.Height);
            if (mode is Mode.Dark or Mode.Forced)
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light, ForcedColors = ForcedColors.None, ReducedMotion = ReducedMotion.Reduce });
        }
    }

    private static async Task PutInAsync(IPage page)
    {
        if (!await page.EvaluateAsync<bool>("'pageChecks' in window")) await page.EvaluateAsync(Checks);
    }

    private static async Task<Finding> CheckAsync(IPage page, string check) => Finding.Read(await page.EvaluateAsync<string>($"JSON.stringify(pageChecks.{check})"));

    /// <summary>With the Tab key through the whole page.</summary>
    private static async Task<Finding> PressTabAsync(IPage page)
    {
        for (var presses = await page.EvaluateAsync<int>("pageChecks.begin()"); presses > 0; presses--)
        {
            await page.Keyboard.PressAsync("Tab");
            if (!await page.EvaluateAsync<bool>("pageChecks.step()")) break;
        }

        return await CheckAsync(page, "end()");
    }

    /// <summary>What a screen reader is told: every control has a name, one heading is the first, there is a main part, and the page has a title.</summary>
    private async Task<Finding> NamesAsync(IPage page)
    {
        if (!_tools.TryGetValue(page, out var tools)) tools = _tools[page] = await page.Context.NewCDPSessionAsync(page);
        var nodes = await AccessibilityTree.ReadAsync(tools);
        var wrong = nodes.Where(node => node.MustHaveName && string.IsNullOrWhiteSpace(node.Name)).Select(node => $"a {node.Role} without a name").ToList();
        var first = nodes.Count(node => node is { Role: "heading", Level: 1 });
        if (first != 1) wrong.Add($"{first} headings of level 1");
        var main = nodes.Count(node => node.Role is "main");
        if (main != 1) wrong.Add($"{main} main parts");
        if (string.IsNullOrWhiteSpace(await page.TitleAsync())) wrong.Add("the page has no title");
        return new Finding(nodes.Count(node => node.MustHaveName) + 3, [.. wrong]);
    }

    private static async Task<string> PictureAsync(string screen, Mode mode, IPage page) => await InAsync(mode, page, async () =>
    {
        var name = $"{screen}.{await page.Locator("html").GetAttributeAsync("lang")}.{mode}.png";
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(AccessReport.Folder!, name), FullPage = true });
        return name;
    });

    private static bool IsPhone(IPage page) => new Uri(page.Url).AbsolutePath.StartsWith("/phone", StringComparison.Ordinal);
}
