using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>A new phone while the old one works: two phones, each a browser of its own, and a picture that goes from one screen to the other's camera.</summary>
public sealed class MoveTests(Running running)
{
    /// <summary>The words of the two phones; the rest is in <see cref="Labels"/>.</summary>
    internal sealed record Said(string Move, string Show, string Confirm, string Stopped, string Again, string Arrived, string Fetch, string Moved, string Delete, string First);

    internal static Said In(string language) => language switch
    {
        "nb" => new("Flytt til ny telefon", "Lås opp og vis koden", "Bekreft og flytt", "Flyttingen ble stoppet", "Begynn på nytt", "Kontoen er flyttet hit", "Hent de andre kontoene", "Flyttet til {0}", "Slett de andre kontoene her", "Legg til kontoen din"),
        "nn" => new("Flytt til ny telefon", "Lås opp og vis koden", "Stadfest og flytt", "Flyttinga vart stoppa", "Begynn på nytt", "Kontoen er flytta hit", "Hent dei andre kontoane", "Flytta til {0}", "Slett dei andre kontoane her", "Legg til kontoen din"),
        _ => new("Move to a new phone", "Unlock and show the code", "Confirm and move", "The move was stopped", "Begin again", "The account has moved here", "Fetch the other accounts", "Moved to {0}", "Delete the other accounts here", "Add your account"),
    };

    public static bool ArePicturesWanted => Screenshots.AreWanted;

    [Theory]
    [InlineData("nb")]
    [InlineData("nn", Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    [InlineData("en", Skip = "For the pictures only.", SkipUnless = nameof(ArePicturesWanted))]
    public async Task R38_Kari_moves_her_work_account_and_another_one_to_a_new_phone_and_the_old_one_is_nobody(string language)
    {
        await using var scene = await Scene.SetAsync(running, language);
        await using var fresh = await PhoneInBrowser.UnpackAsync(running.House, language, new PhoneOptions { UserAgent = PhoneOptions.Iphone });
        var (old, words, said) = (scene.Phone, scene.Words, In(language));
        await scene.Walk.EnrolAsync(scene.Employee);
        await old.TapAsync(words.AddAccount);
        await old.TapAsync(words.OtherAccount);
        await old.TapAsync(words.TypeKey);
        await old.Page.Locator("#issuer").FillAsync("GitHub");
        await old.Page.Locator("#secret").FillAsync("JBSW Y3DP EHPK 3PXP");
        await old.TapAsync(words.AddIt);
        await Expect(old.Page.Locator(".account h3")).ToHaveTextAsync("GitHub");
        await fresh.OpenAsync();
        await fresh.EnterAsync(words.Open);
        await fresh.TapAsync(words.Agree);

        // One try: a wrong number, and everything is as before. Nobody types 100.
        await old.TapAsync(words.Settings);
        await LookAsync("F0-settings", old);
        await old.TapAsync(said.Move);
        await ShowCodeAsync();
        await PointAsync();
        await fresh.TapAsync(words.YesAdd);
        await fresh.TapAsync(words.Allow);
        var number = await ReadNumberAsync();
        await LookAsync("F4-arrive", fresh);
        await Expect(old.Page.Locator("dl")).ToContainTextAsync("iPhone");
        await LookAsync("F5-number", old);
        foreach (var phone in new[] { old, fresh }) phone.Witness.Expect("401"); // who is refused says so on the console
        await ConfirmAsync(number is "55" ? "56" : "55");
        await Expect(old.Heading(said.Stopped)).ToBeVisibleAsync();
        await LookAsync("F6-wrong", old);
        await Expect(fresh.Heading(said.Stopped)).ToBeVisibleAsync();
        await LookAsync("F6-wrong-new", fresh);
        await fresh.TapAsync(words.Done);

        // Again; and in between the address of the picture is opened by the phone's own camera, outside the app.
        await old.TapAsync(said.Again);
        await ShowCodeAsync();
        await PointAsync();
        var (code, key) = await fresh.Page.EvaluateAsync<string>("localStorage.getItem('portvakt.code')") is var kept && kept.Split(' ') is [_, var first, var second] ? (first, second) : throw new InvalidOperationException(kept);
        await fresh.OpenAsync($"/icon.svg");
        await fresh.OpenAsync($"/phone/#e={code}&k={key}");
        await Expect(fresh.Button(words.YesAdd)).ToBeVisibleAsync();
        Assert.DoesNotContain(key, fresh.Page.Url, StringComparison.Ordinal);
        await LookAsync("F3-confirm", fresh);
        await fresh.TapAsync(words.YesAdd); // notifications are allowed since the first try
        await ReadNumberAsync();

        // Both are opened anew in the middle of it: they are where they were.
        await fresh.OpenAsync();
        number = await ReadNumberAsync();
        await old.OpenAsync();
        await ConfirmAsync(number);
        await Expect(old.Heading(string.Format(System.Globalization.CultureInfo.InvariantCulture, said.Moved, "iPhone · Safari"))).ToBeVisibleAsync();
        await LookAsync("F7-moved", old);

        // The new one has both accounts, and the key of neither can be read.
        await Expect(fresh.Heading(said.Arrived)).ToBeVisibleAsync();
        await LookAsync("F8-arrived", fresh);
        await fresh.TapAsync(said.Fetch);
        await fresh.TapAsync(words.Done);
        await Expect(fresh.Page.Locator(".account h2")).ToHaveTextAsync(House.Organisation);
        await Expect(fresh.Page.Locator(".account h3")).ToHaveTextAsync("GitHub");
        Assert.False((await fresh.Page.EvaluateAsync<string>("JSON.stringify({ ...localStorage })")).Contains(key, StringComparison.Ordinal));
        Assert.DoesNotContain(fresh.Witness.Requests, request => request.Url.Contains(key, StringComparison.Ordinal) && !request.Url.Contains('#', StringComparison.Ordinal) || request.PostData?.Contains(key, StringComparison.Ordinal) is true);
        Assert.DoesNotContain(old.Witness.Requests, request => request.PostData?.Contains(key, StringComparison.Ordinal) is true);

        // The old one has nothing any more, once its owner has said so.
        await old.TapAsync(said.Delete);
        await Expect(old.Heading(said.First)).ToBeVisibleAsync();

        // The next day: the new phone rings and approves, and the old one is asked nothing.
        var rung = old.Subscription!.Messages.Count;
        await scene.NextDayAsync();
        await new Walk(scene.Computer, fresh, words).SignInAsync(scene.Employee);
        Assert.Equal(rung, old.Subscription.Messages.Count);
        await old.OpenAsync();
        await Expect(old.Heading(said.First)).ToBeVisibleAsync();
        Running.NobodyComplained(fresh.Witness);
        scene.NobodyComplained();

        async Task ShowCodeAsync()
        {
            await Expect(old.Button(said.Show)).ToBeEnabledAsync();
            await LookAsync("F1-why", old);
            await old.TapAsync(said.Show);
            await Expect(old.Page.Locator("svg.picture")).ToBeVisibleAsync();
            await LookAsync("F2-code", old);
        }

        Task PointAsync() => MoveTests.PointAsync(fresh, old, scene.Computer, words);

        async Task<string> ReadNumberAsync()
        {
            await Expect(fresh.Page.Locator(".number > [aria-hidden]")).ToHaveTextAsync(new Regex("^[0-9]{2}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
            return await fresh.Page.Locator(".number > [aria-hidden]").InnerTextAsync();
        }

        async Task ConfirmAsync(string typed)
        {
            await old.Page.Locator("#number").FillAsync(typed);
            await old.TapAsync(said.Confirm);
        }
    }

    /// <summary>The new phone's camera sees the old one's screen.</summary>
    internal static async Task PointAsync(PhoneInBrowser fresh, PhoneInBrowser old, Computer computer, Labels words)
    {
        var photograph = Convert.ToBase64String(await old.Page.Locator("svg.picture").ScreenshotAsync());
        await computer.Page.GotoAsync("about:blank");
        await computer.Page.SetContentAsync($"<body style='display: grid; place-items: center; height: 90vh'><img width='440' alt='' src='data:image/png;base64,{photograph}'>");
        await fresh.TapAsync(words.ScanQr);
        await fresh.PointCameraAtAsync(computer, "img");
        await fresh.TapAsync(words.CameraOn);
        await Expect(fresh.Button(words.YesAdd)).ToBeVisibleAsync();
    }

    private static async Task LookAsync(string screen, PhoneInBrowser phone)
    {
        if (!Screenshots.AreWanted) return;
        var language = await phone.Page.Locator("html").GetAttributeAsync("lang");
        foreach (var (scheme, name) in new[] { (ColorScheme.Dark, "dark"), (ColorScheme.Light, "light") })
        {
            await phone.Page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await phone.Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Environment.GetEnvironmentVariable("PORTVAKT_SCREENSHOTS")!, $"{screen}.{language}.390.{name}.png"), FullPage = true });
        }
    }
}
