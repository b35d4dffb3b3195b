using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// Pictures of the style page against those that were approved: who changes a rule of the stylesheet sees all it changes, on narrow and on very wide screens, in the dark and in forced colours.
/// The pictures hold only where they were taken, as fonts differ from machine to machine: <c>dev.cs looks</c> compares them, the ordinary run only proves that a difference would be seen.
/// </summary>
public sealed class Looks(Running running)
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("PORTVAKT_LOOKS");
    private static readonly bool Approves = Environment.GetEnvironmentVariable("PORTVAKT_LOOKS_APPROVE") is "yes";
    private static readonly string ApprovedFolder = Path.Combine(RunningProgram.Root, "tests", "Portvakt.EndToEnd.Tests", "Looks");

    public static bool AreWanted => !string.IsNullOrEmpty(Folder);

    /// <summary>One way to look at the page.</summary>
    private sealed record View(string Language, int Width, string Mode)
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Language}.{Width}.{Mode}");

        /// <summary>Of one CSS pixel: enough to see a border go, little enough to be checked in.</summary>
        public double Scale => Width > 2000 ? .25 : .5;
    }

    /// <summary>What differs: how much of the picture, in which sections of the page, and the picture with the places marked.</summary>
    private sealed record Difference(double Share, string[] Sections, string Marked);

    [Fact(Skip = "PORTVAKT_LOOKS names no folder.", SkipUnless = nameof(AreWanted))]
    public async Task The_style_page_looks_as_it_was_approved()
    {
        Directory.CreateDirectory(Folder!);
        Directory.CreateDirectory(ApprovedFolder);
        var rows = new List<(View View, string State, Difference? Difference)>();
        await using var computer = await Computer.StartAsync(running.House, "nb");
        var table = await computer.NewTabAsync("about:blank");
        foreach (var view in Views())
        {
            var now = await TakeAsync(computer.Page, view);
            var approved = Path.Combine(ApprovedFolder, view.Name + ".webp");
            await File.WriteAllBytesAsync(Path.Combine(Folder!, view.Name + ".after.webp"), now);
            var before = File.Exists(approved) ? await File.ReadAllBytesAsync(approved) : null;
            var difference = before is null ? null : await CompareAsync(table, before, now, await SectionsAsync(computer.Page, view));
            var isSame = before is not null && difference is null;
            if (before is not null) await File.WriteAllBytesAsync(Path.Combine(Folder!, view.Name + ".before.webp"), before);
            if (difference is not null) await File.WriteAllBytesAsync(Path.Combine(Folder!, view.Name + ".marked.webp"), Convert.FromBase64String(difference.Marked));
            if (Approves && !isSame) await File.WriteAllBytesAsync(approved, now);
            rows.Add((view, before is null ? "new" : isSame ? "same" : "differs", difference));
        }

        if (Approves)
        {
            foreach (var left in Directory.GetFiles(ApprovedFolder, "*.webp").Where(file => rows.TrueForAll(row => row.View.Name != Path.GetFileNameWithoutExtension(file)))) File.Delete(left);
        }

        await File.WriteAllTextAsync(Path.Combine(Folder!, "index.html"), Report(rows));
        var others = rows.Where(row => row.State is not "same").Select(row => $"{row.View.Name} {row.State}{(row.Difference is { } difference ? $" in {string.Join(", ", difference.Sections)}" : "")}").ToList();
        if (!Approves && others.Count > 0) Assert.Fail($"See {Path.Combine(Folder!, "index.html")}; if that is meant: dotnet run dev.cs looks --approve\n{string.Join('\n', others)}");
    }

    /// <summary>One rule more in the stylesheet, as whoever changes it would write it: the picture differs, and says where.</summary>
    [Fact]
    public async Task A_changed_stylesheet_is_seen_and_the_place_is_named()
    {
        var view = new View("nb", 390, "light");
        await using var computer = await Computer.StartAsync(running.House, "nb");
        var table = await computer.NewTabAsync("about:blank");
        var first = await TakeAsync(computer.Page, view);
        var again = await TakeAsync(computer.Page, view);
        var sections = await SectionsAsync(computer.Page, view);
        Assert.True(sections.Length > 10, $"{sections.Length}");
        Assert.Null(await CompareAsync(table, first, again, sections)); // nothing on the page changes by itself

        await computer.Page.EvaluateAsync(
            """
            () => {
              const rule = new CSSStyleSheet();
              rule.replaceSync('.pv-number { border-color: transparent; background: none }');
              document.adoptedStyleSheets = [rule];
            }
            """);
        var difference = await CompareAsync(table, first, await PhotographAsync(computer.Page, view), sections);
        Assert.NotNull(difference);
        Assert.Equal(["number"], difference.Sections);
        Assert.InRange(difference.Share, 0.0001, 0.2);
        Running.NobodyComplained(computer.Witness);
    }

    /// <summary>Every width and mode in one language; the others where long words would be in the way.</summary>
    private static IEnumerable<View> Views()
    {
        foreach (var width in new[] { 320, 390, 1280, 3840 })
        {
            foreach (var mode in new[] { "light", "dark", "forced" }) yield return new("nb", width, mode);
        }

        foreach (var language in new[] { "nn", "en" })
        {
            foreach (var width in new[] { 320, 1280 }) yield return new(language, width, "light");
        }
    }

    private async Task<byte[]> TakeAsync(IPage page, View view)
    {
        await page.EmulateMediaAsync(new PageEmulateMediaOptions
        {
            ColorScheme = view.Mode is "dark" ? ColorScheme.Dark : ColorScheme.Light,
            ForcedColors = view.Mode is "forced" ? ForcedColors.Active : ForcedColors.None,
            ReducedMotion = ReducedMotion.Reduce,
        });
        await page.SetViewportSizeAsync(view.Width, 900);
        var answer = await page.GotoAsync($"{running.House.Server}/design?lang={view.Language}");
        Assert.Equal(200, answer!.Status);
        await page.EvaluateAsync("() => document.fonts.ready.then(() => true)");
        return await PhotographAsync(page, view);
    }

    /// <summary>The whole page, as the one format that is small enough, which only the browser's own tools write.</summary>
    private static async Task<byte[]> PhotographAsync(IPage page, View view)
    {
        var tools = await page.Context.NewCDPSessionAsync(page);
        var taken = await tools.SendAsync("Page.captureScreenshot", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["format"] = "webp",
            ["quality"] = 20,
            ["captureBeyondViewport"] = true,
            ["clip"] = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["x"] = 0,
                ["y"] = 0,
                ["width"] = view.Width,
                ["height"] = await page.EvaluateAsync<double>("document.documentElement.scrollHeight"),
                ["scale"] = view.Scale,
            },
        });
        await tools.DetachAsync();
        return taken!.Value.GetProperty("data").GetBytesFromBase64();
    }

    /// <summary>Name, top and bottom of each section, in pixels of the picture.</summary>
    private static Task<string[]> SectionsAsync(IPage page, View view) => page.EvaluateAsync<string[]>(
        """
        scale => [...document.querySelectorAll('main > section')].map(section => {
          const { top, bottom } = section.getBoundingClientRect();
          return `${section.id} ${Math.floor((top + scrollY) * scale)} ${Math.ceil((bottom + scrollY) * scale)}`;
        })
        """,
        view.Scale);

    /// <summary>Pixel by pixel, in the browser: it reads the format, and no library has to. Null where nothing differs that an eye would see.</summary>
    private static async Task<Difference?> CompareAsync(IPage table, byte[] before, byte[] after, string[] sections)
    {
        var answer = await table.EvaluateAsync<string[]>(
            """
            async ([before, after, ...sections]) => {
              const pixels = async data => {
                const image = new Image();
                image.src = `data:image/webp;base64,${data}`;
                await image.decode();
                const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
                const context = canvas.getContext('2d', { willReadFrequently: true });
                context.drawImage(image, 0, 0);
                return { canvas, context, data: context.getImageData(0, 0, image.width, image.height).data };
              };
              const [a, b] = [await pixels(before), await pixels(after)];
              const width = Math.max(a.canvas.width, b.canvas.width), height = Math.max(a.canvas.height, b.canvas.height);
              const canvas = Object.assign(document.createElement('canvas'), { width, height }), context = canvas.getContext('2d');
              context.globalAlpha = .35;
              context.drawImage(b.canvas, 0, 0);
              context.globalAlpha = 1;
              context.fillStyle = '#d00';
              const at = ({ canvas, data }, x, y, part) => x < canvas.width && y < canvas.height ? data[(y * canvas.width + x) * 4 + part] : -99;
              const rows = new Set();
              let count = 0;
              for (let y = 0; y < height; y++) {
                for (let x = 0; x < width; x++) {
                  // The eye forgives less than this; the picture's own compression is the same both times.
                  if ([0, 1, 2].every(part => Math.abs(at(a, x, y, part) - at(b, x, y, part)) <= 6)) continue;
                  count++;
                  rows.add(y);
                  context.fillRect(x - 1, y - 1, 3, 3);
                }
              }
              if (count === 0) return [];
              const hit = sections.map(section => section.split(' ')).filter(([, top, bottom]) => [...rows].some(y => y >= top && y < bottom)).map(([name]) => name);
              return [String(count / width / height), canvas.toDataURL('image/webp', .6).split(',')[1], ...hit];
            }
            """,
            (string[])[Convert.ToBase64String(before), Convert.ToBase64String(after), .. sections]);
        return answer is [var share, var marked, .. var hit] ? new Difference(double.Parse(share, CultureInfo.InvariantCulture), hit, marked) : null;
    }

    private static string Report(List<(View View, string State, Difference? Difference)> rows)
    {
        var html = new StringBuilder("""
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Looks</title>
            <style>body{font:1rem system-ui;margin:2rem;color-scheme:light dark}figure{display:inline-block;vertical-align:top;margin:0 1rem 1rem 0}img{max-width:30vw;border:1px solid #888}summary{cursor:pointer;font-size:1.2rem}.differs{color:#d00}</style>
            <h1>The style page, before and after</h1>
            """);
        foreach (var (view, state, difference) in rows.OrderBy(row => row.State is "same"))
        {
            var detail = difference is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {difference.Share:P2} of the picture, in: {string.Join(", ", difference.Sections)}");
            html.Append(CultureInfo.InvariantCulture, $"<details{(state is "same" ? "" : " open")}><summary class=\"{state}\">{view.Name}: {state}{WebUtility.HtmlEncode(detail)}</summary>");
            foreach (var (kind, name) in new[] { ("before", "Before"), ("after", "After"), ("marked", "What differs") })
            {
                if (File.Exists(Path.Combine(Folder!, $"{view.Name}.{kind}.webp")) && (kind is not "marked" || difference is not null))
                    html.Append(CultureInfo.InvariantCulture, $"<figure><img loading=\"lazy\" src=\"{view.Name}.{kind}.webp\" alt=\"{view.Name}, {kind}\"><figcaption>{name}</figcaption></figure>");
            }

            html.Append("</details>\n");
        }

        return html.ToString();
    }
}
