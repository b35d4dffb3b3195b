using System.Globalization;
using System.Security.Cryptography;
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
    private static readonly string ApprovedHashes = Path.Combine(ApprovedFolder, "approved.txt");

    public static bool AreWanted => !string.IsNullOrEmpty(Folder);

    /// <summary>One way to look at the page.</summary>
    private sealed record View(string Language, int Width, string Mode)
    {
        public string Name => string.Create(CultureInfo.InvariantCulture, $"{Language}.{Width}.{Mode}");
    }

    /// <param name="Picture">For eyes: small, and a little blurred by its compression.</param>
    /// <param name="Hashes">What decides: of the exact pixels of each section.</param>
    /// <param name="Sections">Name, top and bottom of each section, as shares of the picture's height.</param>
    private sealed record Look(byte[] Picture, IReadOnlyDictionary<string, string> Hashes, string[] Sections);

    [Fact(Skip = "PORTVAKT_LOOKS names no folder.", SkipUnless = nameof(AreWanted))]
    public async Task The_style_page_looks_as_it_was_approved()
    {
        Directory.CreateDirectory(Folder!);
        Directory.CreateDirectory(ApprovedFolder);
        var approved = File.Exists(ApprovedHashes) ? (await File.ReadAllLinesAsync(ApprovedHashes)).Select(line => line.Split(' ')).ToDictionary(line => $"{line[0]} {line[1]}", line => line[2], StringComparer.Ordinal) : [];
        var hashes = new List<string>();
        var rows = new List<(View View, string[] Differs)>();
        await using var computer = await Computer.StartAsync(running.House, "nb");
        var table = await computer.NewTabAsync("about:blank");
        foreach (var view in Views())
        {
            var look = await TakeAsync(computer.Page, table, view);
            var kept = Path.Combine(ApprovedFolder, view.Name + ".webp");
            string[] differs = [.. look.Hashes.Where(hash => approved.GetValueOrDefault($"{view.Name} {hash.Key}") != hash.Value).Select(hash => hash.Key)];
            hashes.AddRange(look.Hashes.Select(hash => $"{view.Name} {hash.Key} {hash.Value}"));
            rows.Add((view, differs));
            foreach (var old in Directory.GetFiles(Folder!, view.Name + ".*")) File.Delete(old);
            await File.WriteAllBytesAsync(Path.Combine(Folder!, view.Name + ".after.webp"), look.Picture);
            if (File.Exists(kept))
            {
                File.Copy(kept, Path.Combine(Folder!, view.Name + ".before.webp"));
                if (differs.Length > 0) await File.WriteAllBytesAsync(Path.Combine(Folder!, view.Name + ".marked.webp"), await MarkAsync(table, await File.ReadAllBytesAsync(kept), look, differs));
            }

            if (Approves && (differs.Length > 0 || !File.Exists(kept))) await File.WriteAllBytesAsync(kept, look.Picture);
        }

        await File.WriteAllTextAsync(Path.Combine(Folder!, "index.html"), Report(rows));
        if (Approves)
        {
            await File.WriteAllLinesAsync(ApprovedHashes, hashes);
            foreach (var left in Directory.GetFiles(ApprovedFolder, "*.webp").Where(file => rows.TrueForAll(row => row.View.Name != Path.GetFileNameWithoutExtension(file)))) File.Delete(left);
            return;
        }

        var others = rows.Where(row => row.Differs.Length > 0).Select(row => $"{row.View.Name}: {string.Join(", ", row.Differs)}").ToList();
        if (others.Count > 0) Assert.Fail($"See {Path.Combine(Folder!, "index.html")}; if that is meant: dotnet run dev.cs looks --approve\n{string.Join('\n', others)}");
    }

    /// <summary>One rule more in the stylesheet, as whoever changes it would write it: the picture differs, and it is known where.</summary>
    [Fact]
    public async Task A_changed_stylesheet_is_seen_and_the_place_is_named()
    {
        var view = new View("nb", 390, "light");
        await using var computer = await Computer.StartAsync(running.House, "nb");
        var table = await computer.NewTabAsync("about:blank");
        var first = await TakeAsync(computer.Page, table, view);
        Assert.Equal(view.Width, await computer.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.True(first.Hashes.Count > 10, $"{first.Hashes.Count}");
        Assert.Equal(first.Hashes.Count, first.Hashes.Values.Distinct(StringComparer.Ordinal).Count()); // each is a picture of its own
        Assert.Equal(first.Hashes, (await TakeAsync(computer.Page, table, view)).Hashes); // nothing on the page changes by itself
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light }) Assert.Empty(await Axe.JudgeAsync(computer.Page, scheme)); // a part that is wrong here is wrong wherever it is used

        await computer.Page.EvaluateAsync(
            """
            () => {
              const rule = new CSSStyleSheet();
              rule.replaceSync('.pv-number { border-color: transparent }');
              document.adoptedStyleSheets = [rule];
            }
            """);
        var second = await LookAsync(computer.Page, table, view);
        string[] differs = [.. first.Hashes.Where(hash => second.Hashes[hash.Key] != hash.Value).Select(hash => hash.Key)];
        Assert.Equal(["number"], differs);
        Assert.NotEmpty(await MarkAsync(table, first.Picture, second, differs));
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

    private async Task<Look> TakeAsync(IPage page, IPage table, View view)
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
        return await LookAsync(page, table, view);
    }

    private static async Task<Look> LookAsync(IPage page, IPage table, View view)
    {
        var sections = await page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll('main > section')].map(section => {
              const { top, bottom } = section.getBoundingClientRect(), { scrollHeight } = document.documentElement;
              return `${section.id} ${(top + scrollY) / scrollHeight} ${(bottom + scrollY) / scrollHeight}`;
            })
            """);

        // Cut by the browser: it reads the format, and no library has to.
        var cuts = await table.EvaluateAsync<string[]>(
            $$"""
            async ([data, ...sections]) => {
              {{Reading}}
              const whole = await read('png', data);
              return sections.map(section => section.split(' ')).map(([name, top, bottom]) => {
                const y = Math.floor(top * whole.height), height = Math.max(1, Math.ceil(bottom * whole.height) - y);
                const canvas = Object.assign(document.createElement('canvas'), { width: whole.width, height });
                canvas.getContext('2d').drawImage(whole, 0, -y);
                return `${name} ${canvas.toDataURL('image/png')}`;
              });
            }
            """,
            (string[])[Convert.ToBase64String(await PhotographAsync(page, view, "png", view.Width > 2000 ? .25 : .5)), .. sections]);
        var hashes = cuts.Select(cut => cut.Split(' ')).ToDictionary(cut => cut[0], cut => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(cut[1])))[..16], StringComparer.Ordinal);
        return new Look(await PhotographAsync(page, view, "webp", view.Width > 2000 ? .15 : .35), hashes, sections);
    }

    /// <summary>The whole page, by the browser's own tools: Playwright neither shrinks nor writes WebP.</summary>
    private static async Task<byte[]> PhotographAsync(IPage page, View view, string format, double scale)
    {
        var tools = await page.Context.NewCDPSessionAsync(page);
        var options = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["format"] = format,
            ["captureBeyondViewport"] = true,
            ["clip"] = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["x"] = 0,
                ["y"] = 0,
                ["width"] = view.Width,
                ["height"] = await page.EvaluateAsync<double>("document.documentElement.scrollHeight"),
                ["scale"] = scale,
            },
        };
        if (format is "webp") options["quality"] = 10;
        var taken = await tools.SendAsync("Page.captureScreenshot", options);
        await tools.DetachAsync();
        return taken!.Value.GetProperty("data").GetBytesFromBase64();
    }

    /// <summary>The sections that differ in a frame, and in them what an eye would see; the rest faint.</summary>
    private static async Task<byte[]> MarkAsync(IPage table, byte[] before, Look after, string[] differs)
    {
        var wanted = after.Sections.Where(section => differs.Contains(section.Split(' ')[0], StringComparer.Ordinal));
        return Convert.FromBase64String(await table.EvaluateAsync<string>(
            $$"""
            async ([before, after, ...sections]) => {
              {{Reading}}
              const old = await read('webp', before), now = await read('webp', after), { width, height } = now;
              const pixels = image => {
                const canvas = Object.assign(document.createElement('canvas'), { width, height }), context = canvas.getContext('2d', { willReadFrequently: true });
                context.drawImage(image, 0, 0);
                return context.getImageData(0, 0, width, height).data;
              };
              const [a, b] = [pixels(old), pixels(now)];
              const canvas = Object.assign(document.createElement('canvas'), { width, height }), context = canvas.getContext('2d');
              context.globalAlpha = .5;
              context.drawImage(now, 0, 0);
              context.globalAlpha = 1;
              context.fillStyle = context.strokeStyle = '#d00';
              for (const [, top, bottom] of sections.map(section => section.split(' '))) {
                const from = Math.floor(top * height), to = Math.ceil(bottom * height);
                context.strokeRect(1, from, width - 2, to - from);
                for (let y = from; y < to; y++) {
                  for (let x = 0; x < width; x++) {
                    const at = (y * width + x) * 4;
                    if ([0, 1, 2].some(part => Math.abs(a[at + part] - b[at + part]) > 40)) context.fillRect(x, y, 1, 1);
                  }
                }
              }
              return canvas.toDataURL('image/webp', .6).split(',')[1];
            }
            """,
            (string[])[Convert.ToBase64String(before), Convert.ToBase64String(after.Picture), .. wanted]));
    }

    private const string Reading = """
        const read = async (format, data) => {
          const image = new Image();
          image.src = `data:image/${format};base64,${data}`;
          await image.decode();
          return image;
        };
        """;

    private static string Report(List<(View View, string[] Differs)> rows)
    {
        var html = new StringBuilder("""
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Looks</title>
            <style>body{font:1rem system-ui;margin:2rem;color-scheme:light dark}figure{display:inline-block;vertical-align:top;margin:0 1rem 1rem 0}img{max-width:30vw;border:1px solid #888}summary{cursor:pointer;font-size:1.2rem}.differs{color:#d00}</style>
            <h1>The style page, before and after</h1>

            """);
        foreach (var (view, differs) in rows.OrderBy(row => row.Differs.Length is 0))
        {
            html.Append(CultureInfo.InvariantCulture, $"<details{(differs.Length > 0 ? " open" : "")}><summary{(differs.Length > 0 ? " class=\"differs\"" : "")}>{view.Name}: {(differs.Length > 0 ? string.Join(", ", differs) : "as before")}</summary>\n");
            foreach (var (kind, name) in new[] { ("before", "Before"), ("after", "After"), ("marked", "What differs") })
            {
                if (File.Exists(Path.Combine(Folder!, $"{view.Name}.{kind}.webp"))) html.Append(CultureInfo.InvariantCulture, $"<figure><img loading=\"lazy\" src=\"{view.Name}.{kind}.webp\" alt=\"{view.Name}, {kind}\"><figcaption>{name}</figcaption></figure>\n");
            }

            html.Append("</details>\n");
        }

        return html.ToString();
    }
}
