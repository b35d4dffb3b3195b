using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>T1 in a real browser that calls itself as others do: what the script adds to the steps, and that nothing is in anybody's way.</summary>
public sealed class InstallTests(Running running)
{
    private const string Mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15";

    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Axe_finds_nothing_in_any_place_and_nothing_is_pushed_sideways(string language)
    {
        var found = new List<string>();
        await using var computer = await Computer.StartAsync(running.House, language);
        foreach (var place in new[] { "iphone-safari", "iphone-earlier-safari", "ipad", "iphone-other", "iphone-app", "android-chrome", "android-samsung", "android-firefox", "android-app", "computer" })
        {
            await computer.Page.GotoAsync($"{running.House.Server}/phone/get?on={place}");
            foreach (var width in new[] { 1280, 320 })
            {
                await computer.Page.SetViewportSizeAsync(width, 800);
                Assert.Equal(width, await computer.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
                if (language is not "nb") continue; // the tour judges the others
                foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light }) found.AddRange((await Axe.JudgeAsync(computer.Page, scheme)).Select(violation => $"{place} {width} {violation}"));
            }
        }

        if (found.Count > 0) Assert.Fail(string.Join('\n', found));
        Running.NobodyComplained(computer.Witness);
    }

    [Fact]
    public async Task An_iPad_that_calls_itself_a_Macintosh_is_known_by_its_fingers()
    {
        await using var ipad = await PhoneInBrowser.UnpackAsync(running.House, "nb", new PhoneOptions { UserAgent = Mac });
        await ipad.Page.AddInitScriptAsync("Object.defineProperty(navigator, 'maxTouchPoints', { get: () => 5 })"); // this browser's glass has room for one finger
        await ipad.OpenAsync("/phone/get");
        await Expect(ipad.Page.Locator("[data-place=Ipad]")).ToBeVisibleAsync();

        // Whoever says that it is a computer is believed.
        await ipad.OpenAsync("/phone/get?on=computer");
        await Expect(ipad.Page.Locator("svg.pv-qr")).ToBeVisibleAsync();
        Running.NobodyComplained(ipad.Witness);
    }

    [Fact]
    public async Task Chrome_on_an_iPhone_copies_the_address_for_Safari()
    {
        await using var iphone = await PhoneInBrowser.UnpackAsync(running.House, "nb", new PhoneOptions { UserAgent = PhoneOptions.IphoneChrome });
        await iphone.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await iphone.OpenAsync(); // the app itself leads here first
        await Expect(iphone.Page.Locator("[data-place=IphoneOther]")).ToBeVisibleAsync();
        await iphone.TapAsync("Kopier adressen");
        await Expect(iphone.Page.Locator("[data-told]")).ToHaveTextAsync("Adressen er kopiert");
        Assert.Equal(running.House.Server + "/phone/get", await iphone.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        Running.NobodyComplained(iphone.Witness);
    }

    [Fact]
    public async Task A_phone_that_has_the_app_is_told_so_and_finds_the_steps_below()
    {
        await using var phone = await PhoneInBrowser.UnpackAsync(running.House, "nb");
        await phone.OpenAsync("/phone/get");
        await Expect(phone.Page.Locator("[data-there]")).ToBeHiddenAsync();
        await phone.TapAsync("Hent");
        await Expect(phone.Page.Locator("[data-there] a")).ToBeFocusedAsync();
        await Expect(phone.Page.Locator("[data-told]")).ToHaveTextAsync("Appen er på denne telefonen");
        await Expect(phone.Page.Locator("[data-offer]")).ToBeHiddenAsync();
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light }) Assert.Empty(await Axe.JudgeAsync(phone.Page, scheme));

        // The app ran as one, and left a mark where this browser reads it.
        await phone.Page.AddInitScriptAsync(
            "const own = window.matchMedia.bind(window); window.matchMedia = query => query.includes('standalone') && location.pathname === '/phone/' ? { matches: true, addEventListener() {} } : own(query);");
        await phone.OpenAsync();
        await Expect(phone.Button("Jeg er enig")).ToBeVisibleAsync(); // nobody is led to the install page from within the app
        await phone.OpenAsync("/phone/get");
        await Expect(phone.Page.Locator("[data-there]")).ToBeVisibleAsync();
        await Expect(phone.Page.Locator(".pv-scene").First).ToBeVisibleAsync();
        Running.NobodyComplained(phone.Witness);
    }

    [Fact]
    public async Task A_code_that_the_camera_read_survives_the_way_through_the_install_page()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToSetUpAsync(scene.Employee);
        var code = await scene.Walk.ReadCodeAsync();
        await scene.Phone.OpenAsync($"/e/{code.Replace(" ", "", StringComparison.Ordinal)}");
        await scene.Phone.EnterAsync(scene.Words.Open);
        await scene.Phone.TapAsync(scene.Words.Agree);
        await Expect(scene.Phone.Button(scene.Words.YesAdd)).ToBeVisibleAsync();
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Without_a_script_the_steps_and_every_other_place_are_there()
    {
        await using var computer = await Computer.StartAsync(running.House, "nb", new ComputerOptions { JavaScript = false, Width = 390 });
        await computer.Page.GotoAsync(running.House.Server + "/phone/get");
        await computer.Page.Locator("details summary").ClickAsync();
        await computer.Page.Locator("a[href$='on=iphone-app']").ClickAsync();
        await Expect(computer.Page.Locator(".pv-scene")).ToHaveCountAsync(4);
        await Expect(computer.Page.Locator("[data-copy]")).ToBeHiddenAsync();
        await Expect(computer.Page.Locator("[data-address]")).ToBeVisibleAsync();
    }
}
