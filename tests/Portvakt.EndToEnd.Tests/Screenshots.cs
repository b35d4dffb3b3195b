using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Pictures of every screen, for eyes: three languages, light and dark, the computer also as narrow as a phone. Only on demand.</summary>
public sealed class Screenshots(Running running)
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS");

    public static bool AreWanted => !string.IsNullOrEmpty(Folder);

    [Theory(Skip = "PORTVAKT_SCREENSHOTS names no folder.", SkipUnless = nameof(AreWanted))]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public Task Pictures_of_every_screen(string language) => Tour.TakeAsync(running, language, async (screen, page) =>
    {
        var own = page.ViewportSize!;
        foreach (var width in own.Width > 390 ? new[] { 390, own.Width } : [own.Width])
        {
            if (width != page.ViewportSize!.Width) await page.SetViewportSizeAsync(width, own.Height);
            foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
            {
                await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Folder!, $"{screen}.{language}.{width}.{name}.png"), FullPage = true });
            }
        }
    });
}
