using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Microsoft.AspNetCore.Html;
using Microsoft.Extensions.Localization;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Shared;

/// <summary>What is on a telephone's screen at one step of putting the app on it.</summary>
public enum InstallScene
{
    ShareMenu,
    ShareBar,
    ShareIpad,
    AddHome,
    Confirm,
    HomeScreen,
    Copy,
    Safari,
    PasteIphone,
    LeaveIphone,
    Menu,
    AddStart,
    Install,
    SamsungMenu,
    SamsungPage,
    SamsungHome,
    FirefoxAdd,
    FirefoxConfirm,
    LeaveAndroid,
    PasteAndroid,
}

/// <summary>
/// The part of a telephone's screen where one presses, drawn as lines: Safari cannot be photographed by a test, and a drawing follows light, dark and the reader's language. Each place to press
/// has a ring with the number that the text names.
/// </summary>
public sealed class InstallPicture
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);
    private readonly StringBuilder _svg = new();
    private readonly IStringLocalizer<GuideWords> _words;
    private int _marks;

    private InstallPicture(IStringLocalizer<GuideWords> words) => _words = words;

    /// <param name="scene">What is shown.</param>
    /// <param name="description">What it shows, for those who do not see it.</param>
    /// <param name="words">What the menus say in the reader's language.</param>
    public static IHtmlContent Draw(InstallScene scene, string description, IStringLocalizer<GuideWords> words)
    {
        var picture = new InstallPicture(words);
        picture.Draw(scene);
        var svg = new HtmlContentBuilder();
        svg.AppendHtml("<svg class=\"pv-scene\" role=\"img\" viewBox=\"0 0 320 200\" aria-label=\"");
        svg.Append(description);
        return svg.AppendHtml("\">").AppendHtml(picture._svg.ToString()).AppendHtml("</svg>");
    }

    private void Draw(InstallScene scene)
    {
        switch (scene)
        {
            case InstallScene.ShareMenu:
                Lower(hasPage: true);
                Box(48, 146, 36, 36, 18, "bar");
                Icon(66, 164, Back);
                Box(92, 146, 136, 36, 18, "bar");
                Word(160, 168, "portvakt", "faint", "middle");
                Box(236, 146, 36, 36, 18, "bar");
                Icon(254, 164, Dots);
                Box(112, 18, 160, 116, 16, "sheet");
                Row(112, 24, 160, null, Bookmark);
                Row(112, 92, 160, null, Plus);
                Mark(236, 146, 36, 36);
                Row(112, 58, 160, _words["MenuShare"], Share);
                Mark(116, 60, 152, 30);
                break;
            case InstallScene.ShareBar:
                Lower(hasPage: true);
                Box(41, 138, 238, 62, 0, "bar");
                foreach (var (at, icon) in new[] { (70, Back), (115, Forward), (160, Share), (205, Bookmark), (250, Tabs) }) Icon(at, 164, icon);
                Mark(140, 144, 40, 40);
                break;
            case InstallScene.ShareIpad:
                Box(8, 8, 304, 230, 18, "body");
                Box(9, 9, 302, 48, 17, "bar");
                Box(92, 20, 136, 26, 13, "sheet");
                Word(160, 38, "portvakt", "faint", "middle");
                Icon(30, 33, Back);
                Icon(250, 33, Share);
                Icon(282, 33, Tabs);
                Lines(40, 80, 200);
                Mark(232, 15, 36, 36);
                break;
            case InstallScene.AddHome:
                Lower();
                Box(41, 14, 238, 190, 18, "sheet");
                Row(46, 24, 228, null, Pages);
                Row(46, 62, 228, null, Bookmark);
                Row(46, 100, 228, _words["MenuAddHome"], PlusBox);
                Row(46, 138, 228, _words["MenuMore"], Down);
                Mark(48, 101, 224, 34);
                break;
            case InstallScene.Confirm:
                Lower();
                Box(41, 14, 238, 190, 18, "sheet");
                Icon(62, 38, Cross);
                App(56, 70, 44);
                Word(114, 97, "Portvakt", "word");
                Word(68, 159, _words["MenuWebApp"], "word");
                Box(222, 143, 42, 24, 12, "brand");
                Circle(252, 155, 10, "knob");
                Mark(50, 138, 220, 36);
                Word(264, 43, _words["MenuAdd"], "link", "end");
                Mark(176, 24, 96, 30);
                break;
            case InstallScene.HomeScreen:
                Lower();
                for (var at = 0; at < 8; at++)
                {
                    if (at is not 5) Box(60 + (at % 4 * 53), 16 + (at / 4 * 78), 40, 40, 10, "bar");
                }

                App(113, 94, 40);
                Word(133, 150, "Portvakt", "label", "middle");
                Mark(104, 86, 58, 74);
                break;
            case InstallScene.Copy:
                Upper();
                Lines(60, 36, 160);
                Box(60, 96, 200, 32, 8, "bar");
                Word(72, 117, "portvakt", "faint");
                Box(60, 140, 200, 36, 8, "outline");
                Word(160, 163, _words["InstallCopyButton"], "link", "middle");
                Mark(54, 136, 212, 44);
                break;
            case InstallScene.Safari:
                Lower();
                for (var at = 0; at < 4; at++) Box(60 + (at * 53), 20, 40, 40, 10, "bar");
                Box(50, 110, 220, 76, 22, "bar");
                for (var at = 0; at < 4; at++)
                {
                    if (at is not 1) Box(62 + (at * 52), 122, 40, 40, 10, "sheet");
                }

                Box(114, 122, 40, 40, 10, "brand");
                Compass(134, 142, 14);
                Word(134, 178, "Safari", "label", "middle");
                Mark(106, 114, 56, 70);
                break;
            case InstallScene.PasteIphone:
                Lower(hasPage: true);
                Box(56, 140, 208, 38, 19, "bar");
                Box(96, 84, 128, 36, 12, "sheet");
                Mark(56, 140, 208, 38);
                Word(160, 107, _words["MenuPaste"], "word", "middle");
                Mark(96, 84, 128, 36);
                break;
            case InstallScene.PasteAndroid:
                Upper();
                Box(56, 28, 208, 38, 19, "bar");
                Box(76, 88, 128, 36, 8, "sheet");
                Mark(56, 28, 208, 38);
                Word(140, 111, _words["MenuPaste"], "word", "middle");
                Mark(76, 88, 128, 36);
                break;
            case InstallScene.LeaveIphone:
                Upper();
                Box(41, 24, 238, 36, 0, "bar");
                Icon(60, 42, Cross);
                Word(160, 47, "portvakt", "faint", "middle");
                Icon(258, 42, Dots);
                Box(92, 72, 182, 76, 14, "sheet");
                Row(92, 110, 182, _words["MenuOpenBrowser"], Open);
                Mark(240, 26, 36, 32);
                Row(92, 74, 182, _words["MenuOpenSafari"], CompassIcon);
                Mark(94, 75, 178, 34);
                break;
            case InstallScene.LeaveAndroid:
                Upper();
                Box(41, 24, 238, 36, 0, "bar");
                Icon(60, 42, Cross);
                Word(84, 47, "portvakt", "faint");
                Icon(262, 42, DotsDown);
                Box(92, 66, 182, 86, 6, "sheet");
                Row(92, 112, 182, _words["MenuOpenBrowser"], Open);
                Mark(246, 26, 32, 32);
                Row(92, 72, 182, _words["MenuOpenChrome"], Open);
                Mark(94, 73, 178, 34);
                break;
            case InstallScene.Menu:
                Upper();
                AndroidBar();
                Lines(60, 90, 160);
                Mark(246, 28, 32, 32);
                break;
            case InstallScene.AddStart:
            case InstallScene.FirefoxAdd:
                Upper();
                AndroidBar();
                Box(44, 34, 232, 190, 8, "sheet");
                Row(44, 42, 232, null, Bookmark);
                Row(44, 80, 232, null, Pages);
                Row(44, 118, 232, _words[scene is InstallScene.AddStart ? "MenuAddStart" : "MenuFirefoxAdd"], Phone);
                Row(44, 156, 232, null, Share);
                Mark(46, 119, 228, 34);
                break;
            case InstallScene.Install:
            case InstallScene.FirefoxConfirm:
                Upper();
                AndroidBar();
                Box(60, 66, 200, 118, 14, "sheet");
                App(76, 82, 40);
                Word(128, 107, "Portvakt", "word");
                Word(244, 164, _words[scene is InstallScene.Install ? "MenuInstall" : "MenuAdd"], "link", "end");
                Mark(164, 142, 88, 34);
                break;
            case InstallScene.SamsungMenu:
                Lower(hasPage: true);
                Box(41, 138, 238, 62, 0, "bar");
                foreach (var (at, icon) in new[] { (66, Back), (113, Forward), (160, House), (207, Bookmark), (254, Bars) }) Icon(at, 164, icon);
                Mark(234, 144, 40, 40);
                break;
            case InstallScene.SamsungPage:
                Lower();
                Box(41, 30, 238, 180, 18, "sheet");
                foreach (var (at, icon) in new[] { (76, Bookmark), (244, Share) })
                {
                    Icon(at, 66, icon);
                    Box(at - 22, 92, 44, 6, 3, "line");
                }

                Icon(160, 66, PlusBox);
                Word(160, 101, _words["MenuAddPage"], "label", "middle");
                foreach (var (at, icon) in new[] { (76, Pages), (160, House), (244, Tabs) })
                {
                    Icon(at, 142, icon);
                    Box(at - 22, 168, 44, 6, 3, "line");
                }

                Mark(108, 44, 104, 70);
                break;
            case InstallScene.SamsungHome:
                Lower();
                Box(50, 12, 220, 84, 14, "sheet");
                Row(50, 16, 220, null, Bookmark);
                Row(50, 54, 220, _words["MenuHomePage"], House);
                Mark(52, 55, 216, 34);
                Box(50, 112, 220, 74, 14, "sheet");
                App(64, 128, 40);
                Word(254, 156, _words["MenuAdd"], "link", "end");
                Mark(170, 134, 92, 34); // wider than its word: letters may stand further apart (WCAG 1.4.12)
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(scene));
        }
    }

    // What a scene is made of. Icons are paths around their own middle.
    private const string Share = "M-5-3h-3v11h16V-3H5M0 3v-13m-4 4 4-4 4 4", Back = "M3-7-4 0l7 7", Forward = "M-3-7 4 0l-7 7", Down = "M-7-3 0 4l7-7", Plus = "M0-7V7M-7 0H7", Cross = "M-5-5 5 5M5-5-5 5",
        Bookmark = "M-6-8H6V8L0 3l-6 5Z", Tabs = "M-8-3H3V8H-8ZM-3-3v-5H8V3H3", Pages = "M-6-8H3l3 3V8H-6ZM-2-1h5M-2 3h5", PlusBox = "M-8-8H8V8H-8ZM0-4V4M-4 0H4",
        Dots = "M-6 0h.1M0 0h.1M6 0h.1", DotsDown = "M0-6v.1M0 0v.1M0 6v.1", Bars = "M-8-5H8M-8 0H8M-8 5H8", House = "M-8 0 0-8 8 0M-5-2v9H5v-9", Phone = "M-5-8H5V8H-5ZM-1 5h2M0-4v5m-2-2 2 2 2-2",
        Open = "M-1-6h-6V7H6V1M2-7h5v5M7-7 0 0", Sign = "M24 20H76V50C76 67 65 78 50 85C35 78 24 67 24 50ZM39 66V49C39 42.9 43.9 38 50 38C56.1 38 61 42.9 61 49V66Z", CompassIcon = "M0-8a8 8 0 1 0 .1 0ZM4-4 1 1l-5 3 3-5Z";

    private void Lower(bool hasPage = false)
    {
        Box(40, -40, 240, 236, 28, "body");
        if (hasPage) Lines(60, 24, 150);
    }

    private void Upper() => Box(40, 6, 240, 240, 24, "body");

    private void AndroidBar()
    {
        Box(52, 28, 184, 32, 16, "bar");
        Word(68, 49, "portvakt", "faint");
        Icon(262, 44, DotsDown);
    }

    private void Lines(int x, int y, int width)
    {
        for (var at = 0; at < 3; at++) Box(x, y + (at * 18), width - (at * 30), 8, 4, "line");
    }

    /// <summary>A line of a menu: what it says and its icon, or only that there is one.</summary>
    private void Row(int x, int y, int width, string? word, string icon)
    {
        if (word is null) Box(x + 16, y + 14, width / 3, 8, 4, "line");
        else Word(x + 16, y + 23, word, "word", longest: width - 60);
        Icon(x + width - 24, y + 18, icon);
    }

    private void App(int x, int y, int size)
    {
        Box(x, y, size, size, 10, "brand");
        Add($"<path class=\"pv-i-knob\" fill-rule=\"evenodd\" transform=\"translate({x} {y}) scale({size / 100.0})\" d=\"{Sign}\"/>");
    }

    private void Compass(int x, int y, int radius)
    {
        Circle(x, y, radius, "knob");
        Add($"<path class=\"pv-i-needle\" d=\"M{x + 8} {y - 8} {x + 3} {y + 3}l-11 5 5-11Z\"/>");
    }

    /// <summary>A ring around where one presses, and the number by which the text calls it.</summary>
    private void Mark(int x, int y, int width, int height)
    {
        _marks++;
        Add($"<rect class=\"pv-i-ring\" x=\"{x - 3}\" y=\"{y - 3}\" width=\"{width + 6}\" height=\"{height + 6}\" rx=\"10\"/>");
        var middle = width > 60 ? y + (height / 2) : y; // beside a small place it would hide what is in it
        Add($"<circle class=\"pv-i-mark\" cx=\"{x - 3}\" cy=\"{middle}\" r=\"11\"/><text class=\"pv-i-count\" x=\"{x - 3}\" y=\"{middle + 5}\" text-anchor=\"middle\">{_marks}</text>");
    }

    private void Box(int x, int y, int width, int height, int radius, string look) =>
        Add($"<rect class=\"pv-i-{look}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>");

    private void Circle(int x, int y, int radius, string look) => Add($"<circle class=\"pv-i-{look}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");

    private void Icon(int x, int y, string path) => Add($"<path class=\"pv-i-ink\" transform=\"translate({x} {y})\" d=\"{path}\"/>");

    /// <summary>Words in the system's own letters, of unknown width: those that might be too long are drawn together.</summary>
    private void Word(int x, int y, string word, string look, string anchor = "start", int longest = int.MaxValue)
    {
        if (word.Length * 9 > longest) Add($"<text class=\"pv-i-{look}\" x=\"{x}\" y=\"{y}\" textLength=\"{longest}\" lengthAdjust=\"spacingAndGlyphs\">{Encoder.Encode(word)}</text>");
        else Add($"<text class=\"pv-i-{look}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{Encoder.Encode(word)}</text>");
    }

    private void Add(FormattableString markup) => _svg.Append(markup.ToString(CultureInfo.InvariantCulture));
}
