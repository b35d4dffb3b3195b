using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.EndToEnd.Tests;

/// <summary>WCAG 2.2 AA as far as a program can judge it, on every screen and in every state of the tour; and that each check can fail.</summary>
public sealed class AccessibilityTests(Running running)
{
    [Theory]
    [InlineData("nb", Mode.Dark, Mode.Keyboard)]
    [InlineData("nn", Mode.Narrow, Mode.Spaced)]
    [InlineData("en", Mode.Forced, Mode.Still)]
    public async Task Every_screen_can_be_used_by_everybody(string language, Mode one, Mode other)
    {
        // How a page is drawn hardly depends on its language: the ordinary run sees each mode in one of them, and what is read in all.
        var judge = new Judge(language, Mode.Light, one, other);
        await Tour.TakeAsync(running, language, judge.LookAsync);
        await judge.DecideAsync("tour", least: 90);
    }

    public static bool IsReportWanted => AccessReport.IsWanted;

    /// <summary>What the tour does not come to.</summary>
    [Theory(Skip = "PORTVAKT_ACCESSIBILITY names no folder.", SkipUnless = nameof(IsReportWanted))]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task The_way_to_a_new_phone_can_be_used_by_everybody(string language)
    {
        var judge = new Judge(language);
        await GuideTests.WalkAsync(running, language, (screen, page) => screen[0] is 'F' ? judge.LookAsync(screen, page) : Task.CompletedTask);
        await judge.DecideAsync("move", least: 6);
    }

    [Fact]
    public async Task Axe_finds_what_is_wrong_in_the_light_and_what_is_wrong_only_in_the_dark()
    {
        await using var computer = await Computer.StartAsync(running.House, "nb");
        await computer.OpenApplicationAsync();
        await computer.Page.EvaluateAsync(
            """
            () => {
              document.querySelector('main').append(document.createElement('input'));
              const night = new CSSStyleSheet();
              night.replaceSync('@media (prefers-color-scheme: dark) { h1 { color: #444; background: #333 } }');
              document.adoptedStyleSheets = [night];
            }
            """);

        Assert.StartsWith("(Light) label, ", Assert.Single(await Axe.JudgeAsync(computer.Page, ColorScheme.Light)));
        Assert.StartsWith("(Dark) color-contrast, ", Assert.Single(await Axe.JudgeAsync(computer.Page, ColorScheme.Dark)));
    }

    /// <summary>A page that is all right but for one thing, and what is said of it.</summary>
    [Theory]
    [InlineData(Mode.Light, "<button></button>", "a button without a name")]
    [InlineData(Mode.Light, "<h1>Two</h1>", "2 headings of level 1")]
    [InlineData(Mode.Light, "<button class=small>x</button>", "not 24: <button class=\"small\">")]
    [InlineData(Mode.Light, "<button tabindex=3>Jumps</button>", "jumps the queue: <button tabindex=\"3\">")]
    [InlineData(Mode.Narrow, "<div class=wide>Wide</div>", "the page is 700 wide, in a window of 320, because of <div class=\"wide\">")]
    [InlineData(Mode.Narrow, "<div class=wide-inside><p class=wide>Wide</p></div>", "scrolls sideways without a name: <div class=\"wide-inside\">")]
    [InlineData(Mode.Narrow, "<p class=out>Outside</p>", "beyond the window: <p class=\"out\">")]
    [InlineData(Mode.Spaced, "<p class=tight>A line of text that needs more room than it is given</p>", "cut off: <p class=\"tight\">")]
    [InlineData(Mode.Narrow, "<p>Below</p><p class=upon>Upon</p>", "lies upon another: <p>Below</p> | <p class=\"upon\">")]
    [InlineData(Mode.Still, "<p class=turns>Turns</p>", "moves for ever: <p class=\"turns\">")]
    [InlineData(Mode.Forced, "<input class=bare aria-label=Bare>", "cannot be seen: <input class=\"bare\"")]
    [InlineData(Mode.Forced, "<svg width=40 height=40 class=faint role=img aria-label=Faint><path d='M0 0h40v40z'/></svg>", "is drawn in a colour that cannot be seen: <svg")]
    [InlineData(Mode.Keyboard, "<button class=ringless>No ring</button>", "has the focus, and it cannot be seen: <button class=\"ringless\">")]
    [InlineData(Mode.Keyboard, "<p class=order>Another order</p>", "comes after what stands below it: <a href=\"#first\">")]
    [InlineData(Mode.Keyboard, "<button class=trap>Trap</button>", "the key never comes to it: <button id=\"last\">")]
    [InlineData(Mode.Zoomed, "<div class=banner>In its place</div>", "has the focus below something else")]
    public async Task Each_check_finds_the_page_that_is_wrong(Mode mode, string wrong, string found)
    {
        await using var computer = await Computer.StartAsync(running.House, "en");
        await computer.Page.SetContentAsync(Sound);
        var judge = new Judge("en");
        Assert.Empty(await judge.WrongAsync(mode, computer.Page));

        await computer.Page.EvaluateAsync("html => document.querySelector('#here').insertAdjacentHTML('afterend', html)", wrong);
        await computer.Page.EvaluateAsync(
            """
            () => {
              const send = (from, to) => document.querySelector(from).addEventListener('keydown', event => {
                if (event.key !== 'Tab') return;
                event.preventDefault();
                document.querySelector(to).focus();
              });
              if (document.querySelector('.trap')) send('.trap', '.trap');
              if (document.querySelector('.order')) {
                send('#first', '#last');
                send('#last', 'p > a');
              }
            }
            """);
        var all = await judge.WrongAsync(mode, computer.Page);
        Assert.Contains(all, one => one.Contains(found, StringComparison.Ordinal));
    }

    private const string Sound =
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <title>Sound</title>
        <meta name="viewport" content="width=device-width">
        <style>
        body { margin: 8px; font: 16px/1.5 sans-serif; color: #000; background: #fff; }
        button { min-height: 32px; }
        button:focus-visible { outline: 3px solid #000; }
        .small { min-height: 0; width: 16px; height: 16px; padding: 0; }
        .wide { width: 692px; margin: 0; }
        .wide-inside { overflow-x: auto; }
        .out { position: relative; left: -40px; }
        .tight { height: 1.4em; width: 20em; overflow: hidden; white-space: nowrap; }
        .upon { margin-top: -2.2em; }
        .turns { animation: turn 1s linear infinite; }
        @keyframes turn { to { opacity: .9; } }
        .bare { appearance: none; border: 0; outline: 0; }
        .faint { forced-color-adjust: none; fill: Canvas; }
        .ringless:focus-visible { outline: none; }
        .banner { position: fixed; inset: 0; background: #fff; }
        #end { height: 1000px; }
        </style>
        </head>
        <body>
        <main>
        <h1>Sound</h1>
        <button id="first">First</button>
        <p id="here">A text with <a href="#first">a link</a> in it.</p>
        <button id="last">Last</button>
        <p id="end">End</p>
        </main>
        </body>
        </html>
        """;
}
