using System.Net;
using System.Text.RegularExpressions;
using Portvakt.Server.Guides;
using Portvakt.Server.Shared;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.House;

namespace Portvakt.Server.Tests.Stories;

/// <summary>T1: whoever opens the install page gets the steps of what they hold.</summary>
public sealed partial class InstallStories(HouseServer house) : IClassFixture<HouseServer>
{
    private const string Apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)", Google = "AppleWebKit/537.36 (KHTML, like Gecko)";
    private const string Iphone = $"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) {Apple}", Ipad = $"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) {Apple}", Mac = $"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {Apple}";
    private const string Android = $"Mozilla/5.0 (Linux; Android 10; K) {Google}";

    [Theory]
    [InlineData(InstallPlace.IphoneSafari, $"{Iphone} Version/26.1 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneSafari, "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneEarlierSafari, $"{Iphone} Version/18.6 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneEarlierSafari, "Mozilla/5.0 (iPhone; CPU iPhone OS 16_7_10 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6.1 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.Ipad, $"{Ipad} Version/18.5 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneOther, $"{Iphone} CriOS/143.0.7499.38 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneOther, $"{Iphone} FxiOS/145.0 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneOther, $"{Iphone} Version/18.0 EdgiOS/142.0.3595.66 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneOther, $"{Iphone} Version/18.7 Mobile/15E148 Safari/604.1 OPT/6.0.3")]
    [InlineData(InstallPlace.IphoneOther, $"{Iphone} Version/18.7 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15")]
    [InlineData(InstallPlace.IphoneOther, $"{Ipad} CriOS/143.0.7499.38 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneOther, $"{Mac} CriOS/143 Version/11.1.1 Safari/605.1.15")]
    [InlineData(InstallPlace.IphoneOther, $"{Mac} FxiOS/145.0 Safari/605.1.15")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} Mobile/15E148")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} Mobile/15E148 Teams/7.20.0")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} Mobile/15E148 OutlookMobile-iOS/4.2546.0")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} Mobile/22H124 [FBAN/FBIOS;FBAV/538.0.0.41.70;FBBV/826087340;FBDV/iPhone17,1;FBMD/iPhone;FBSN/iOS;FBSV/18.7;FBSS/3;FBCR/;FBID/phone;FBLC/nb_NO;FBOP/80]")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} Mobile/22H20 Instagram 408.0.0.33.74 (iPhone17,1; iOS 18_7; nb_NO; nb; scale=3.00; 1206x2622; IABMV/1)")]
    [InlineData(InstallPlace.IphoneApp, $"{Iphone} GSA/394.0.828169010 Mobile/15E148 Safari/604.1")]
    [InlineData(InstallPlace.IphoneApp, $"{Ipad} Mobile/15E148 [LinkedInApp]/9.31.2")]
    [InlineData(InstallPlace.AndroidChrome, $"{Android} Chrome/143.0.0.0 Mobile Safari/537.36")]
    [InlineData(InstallPlace.AndroidChrome, $"{Android} Chrome/142.0.0.0 Mobile Safari/537.36 EdgA/142.0.0.0")]
    [InlineData(InstallPlace.AndroidChrome, $"{Android} Chrome/140.0.0.0 Mobile Safari/537.36 OPR/92.0.0.0")]
    [InlineData(InstallPlace.AndroidSamsung, $"{Android} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36")]
    [InlineData(InstallPlace.AndroidFirefox, "Mozilla/5.0 (Android 16; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0")]
    [InlineData(InstallPlace.AndroidApp, "Mozilla/5.0 (Linux; Android 16; Pixel 9 Build/BP3A.250905.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36")]
    [InlineData(InstallPlace.AndroidApp, "Mozilla/5.0 (Linux; Android 16; SM-S931B Build/BP2A.250605.031; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.102 Mobile Safari/537.36 Instagram 408.0.0.51.78 Android")]
    [InlineData(InstallPlace.AndroidApp, "Mozilla/5.0 (Linux; Android 15; SM-A556B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/538.0.0.50.83;]")]
    [InlineData(InstallPlace.AndroidApp, "Mozilla/5.0 (Linux; Android 15; SM-A556B) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 TeamsMobile-Android")]
    [InlineData(InstallPlace.Computer, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Edg/143.0.0.0")]
    [InlineData(InstallPlace.Computer, $"{Mac} Version/26.1 Safari/605.1.15")]
    [InlineData(InstallPlace.Computer, "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    [InlineData(InstallPlace.Computer, "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36")]
    [InlineData(InstallPlace.Computer, "")]
    public void A_browser_is_known_by_what_it_calls_itself(InstallPlace place, string agent) => Assert.Equal(place, InstallBook.Of(agent));

    [Theory]
    [InlineData("nb", $"{Iphone} Version/26.1 Mobile/15E148 Safari/604.1", "iPhone med Safari", "«Del»")]
    [InlineData("nn", $"{Iphone} CriOS/143.0.7499.38 Mobile/15E148 Safari/604.1", "iPhone eller iPad med ein annan nettlesar", "Kopier adressa")]
    [InlineData("en", $"{Iphone} Mobile/15E148", "iPhone or iPad, inside another app", "“Open in Safari”")]
    [InlineData("nb", $"{Android} Chrome/143.0.0.0 Mobile Safari/537.36", "Android med Chrome", "menyen ⋮")]
    [InlineData("nb", $"{Android} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36", "Android med Samsung Internet", "tre streker")]
    [InlineData("en", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "On a computer", "camera of your phone")]
    public async Task The_page_shows_the_steps_of_exactly_that_browser(string language, string agent, string place, string first)
    {
        using var browser = new Browser(house.Server, language);
        var request = new HttpRequestMessage(HttpMethod.Get, "/phone/get");
        Assert.True(request.Headers.TryAddWithoutValidation("User-Agent", agent));
        await browser.SendAsync(request);

        Assert.Equal(place, browser.Page.QuerySelector("#steps")!.TextContent);
        Assert.Contains(first, browser.Page.QuerySelector("ol li")!.TextContent, StringComparison.Ordinal);
        Assert.Equal($"/phone/?lang={language}#open", browser.Page.QuerySelector("[data-open]")!.GetAttribute("href"));
        Assert.Equal("/phone/manifest.webmanifest", browser.Page.QuerySelector("link[rel=manifest]")!.GetAttribute("href"));
    }

    /// <summary>Where the browser was not recognised, or by an iPad without a script, the steps are one press away.</summary>
    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Every_place_can_be_chosen_and_each_mark_in_a_picture_is_named(string language)
    {
        using var browser = new Browser(house.Server, language);
        await browser.OpenAsync("/phone/get");
        Assert.Equal(InstallBook.All.Count - 1, browser.Page.QuerySelectorAll("details a[href^='/phone/get?on=']").Length);
        var scenes = new HashSet<InstallScene>();
        foreach (var (place, address) in InstallBook.All)
        {
            await browser.OpenAsync($"/phone/get?on={address}");
            Assert.Equal($"{place}", browser.Page.QuerySelector("[data-install]")!.GetAttribute("data-place"));
            var steps = browser.Page.QuerySelectorAll("ol > li").ToList();
            Assert.Equal(InstallBook.StepsOf(place).Count, steps.Count);
            scenes.UnionWith(InstallBook.StepsOf(place).Select(step => step.Scene).OfType<InstallScene>());
            foreach (var step in steps.Where(_ => place is not InstallPlace.Computer))
            {
                var (text, picture) = (step.QuerySelector("p")!.TextContent, Assert.Single(step.QuerySelectorAll("svg[role=img]")));
                var (alt, marks) = (picture.GetAttribute("aria-label")!, picture.QuerySelectorAll(".pv-i-count").Select(count => count.TextContent).ToList());
                Assert.NotEmpty(marks);
                Assert.Equal(marks, Numbers().Matches(text).Select(match => match.Groups[1].Value)); // in the order of the text
                Assert.All(marks, mark => Assert.Contains($" {mark}: ", alt, StringComparison.Ordinal));

                // What a mark stands beside is drawn in the words that the text quotes, where the picture has words.
                foreach (var drawn in picture.QuerySelectorAll("text.pv-i-link").Select(word => word.TextContent)) Assert.Contains(drawn, text + step.QuerySelector("button")?.TextContent, StringComparison.Ordinal);
            }
        }

        Assert.Equal(Enum.GetValues<InstallScene>(), scenes.Order());
    }

    [Fact]
    public async Task What_people_type_leads_to_the_install_page_and_the_app_stays_where_it_is()
    {
        using var http = new HttpClient(house.Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var typed = await http.GetAsync("/phone?lang=nn");
        Assert.Equal(HttpStatusCode.Redirect, typed.StatusCode);
        Assert.Equal("/phone/get?lang=nn", typed.Headers.Location!.OriginalString);
        using var app = await http.GetAsync("/phone/");
        Assert.Contains("id=\"app\"", await app.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var manifest = await http.GetAsync("/phone/manifest.webmanifest");
        Assert.Contains("related_applications", await manifest.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\((\d)\)")]
    private static partial Regex Numbers();
}
