using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>A walk with every detour on the way, so that whoever looks at screens sees each page in each of its states.</summary>
public static class Tour
{
    public static async Task TakeAsync(Running running, string language, Func<string, IPage, Task> look)
    {
        await using var scene = await Scene.SetAsync(running, language, look: look);
        var (walk, computer, phone, words, kari) = (scene.Walk, scene.Computer, scene.Phone, scene.Words, scene.Employee);
        var page = computer.Page;

        await page.GotoAsync(computer.House.Application + "/");
        await look("X-application-start", page);
        await computer.OpenApplicationAsync();
        await computer.SignInAsync(kari with { Password = "not the password" });
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("P1-wrong-password", page);

        // A camera that sees no picture keeps looking.
        await walk.GetTheAppAsync();
        await phone.TapAsync(words.ScanQr);
        await phone.PointCameraAtAsync(computer, "h1");
        await phone.TapAsync(words.CameraOn);
        await Expect(phone.Page.Locator("video")).ToBeVisibleAsync();
        await look("T6-scan", phone.Page);

        await walk.ToMethodAsync(kari);
        await walk.ChooseCodeAsync();
        await walk.TypeAsync("000000");
        await walk.RefusedAsync();
        await walk.PressHandlerAsync("Other");
        await walk.SetUpPhoneAsync();

        await phone.OpenAsync();
        await phone.TapAsync(words.EnterCode);
        await phone.Page.Locator("#code").FillAsync("ABCD-EFGH-IJKL");
        await phone.TapAsync(words.Next);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("T3-wrong-code", phone.Page);
        _ = await walk.ReadCodeAsync();
        await look("P5-setup-typed", page);
        await phone.OpenAsync();
        await walk.ScanAsync();
        await walk.ConnectedAsync();
        await walk.BindAsync();

        await walk.ReadyAsync();
        await walk.ClickAsync(words.Next);
        await phone.ApproveAsync(await computer.ReadNumberAsync() == "42" ? "43" : "42", words.Approve);
        await Expect(walk.Button(words.SendAgain)).ToBeVisibleAsync();
        await look("P6-wrong-number", page);
        await look("T9-wrong-number", phone.Page);
        await phone.TapAsync(words.Done);
        await walk.ClickAsync(words.SendAgain);
        await walk.AnswerTestAsync();
        _ = await walk.MakeRecoveryCodesAsync();
        await walk.FinishAsync();

        foreach (var address in new[] { "/guides/iphone", "/guides/android", "/account", "/account/security", "/activate", "/sign-out", "/no-such-page" })
        {
            await page.GotoAsync(computer.House.Server + address);
            await look("X" + address.Replace('/', '-'), page);
        }

        await page.GotoAsync(computer.House.Server + "/sign-out");
        await computer.PressAsync("main form button");
        await look("X-signed-out", page);

        await scene.NextDayAsync();
        _ = await phone.RingAsync();
        _ = await phone.RingAsync();
        await walk.SignInAsync(kari);

        await scene.NextDayAsync();
        await walk.ToRecoveryCodeAsync(kari);
        await Expect(phone.Heading(words.ApproveSignIn)).ToBeVisibleAsync();
        await phone.TapAsync(words.NotMe);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("T9-not-me", phone.Page);
        await scene.Computer.Page.ReloadAsync();
        await look("N3-stopped", scene.Computer.Page);
        await phone.TapAsync(words.Done);
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(kari);
        await Expect(scene.Computer.Page.Locator("#live .ds-alert")).ToBeVisibleAsync();
        await look("N1-stopped", scene.Computer.Page);
        await scene.Computer.Page.GotoAsync(scene.House.Server + "/sign-in/over");
        await look("N3-over", scene.Computer.Page);

        await phone.TapAsync(words.AddAccount);
        await Expect(phone.Button(words.OtherAccount)).ToBeVisibleAsync();
        await look("T4-add", phone.Page);
        await phone.TapAsync(words.WorkAccount);
        await Expect(phone.Button(words.ScanQr)).ToBeVisibleAsync();
        await look("T4-work-account", phone.Page);
        await phone.OpenAsync();
        await phone.TapAsync(words.AddAccount);
        await phone.TapAsync(words.OtherAccount);
        await phone.TapAsync(words.EnterCode);
        await Expect(phone.Page.Locator("input").First).ToBeVisibleAsync();
        await look("T4-other-account", phone.Page);
        await phone.OpenAsync();
        await phone.Page.Locator(".bar button").First.ClickAsync();
        await Expect(phone.Page.Locator("h1")).ToBeVisibleAsync();
        await look("X-settings", phone.Page);
        await phone.OpenAsync();
        await phone.Page.Locator(".account button[data-icon]").ClickAsync();
        await Expect(phone.Page.Locator("#name")).ToBeVisibleAsync();
        await look("X-account-options", phone.Page);
        await phone.Page.Locator(".page > .ds-button[data-color=danger]").ClickAsync();
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("X-account-remove", phone.Page);
        await phone.OpenLongAfterAsync();
        await Expect(phone.Page.Locator(".digits")).ToHaveCountAsync(0);
        await Expect(phone.Page.Locator("main > .ds-button")).ToBeVisibleAsync();
        await look("T10-locked", phone.Page);

        await TakeTheHardWayAsync(running, language, look);
    }

    /// <summary>A phone without unlock, camera, notifications and, in the end, network; other browsers; and a code that two phones present.</summary>
    private static async Task TakeTheHardWayAsync(Running running, string language, Func<string, IPage, Task> look)
    {
        var own = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["T7-choose-pin"] = "T7-choose-pin",
            ["T9-approve-test"] = "T9-approve-pin",
            ["T10-accounts"] = "T10-notifications-off",
        };
        await using var scene = await Scene.SetAsync(
            running, language, new PhoneOptions { HasUnlock = false, Pin = "2580", AllowsCamera = false, AllowsNotifications = false },
            look: (screen, page) => own.TryGetValue(screen, out var name) ? look(name, page) : Task.CompletedTask);
        var (walk, computer, phone, words) = (scene.Walk, scene.Computer, scene.Phone, scene.Words);

        await using var iphone = await PhoneInBrowser.UnpackAsync(running.House, language, new PhoneOptions { UserAgent = PhoneOptions.Iphone });
        await iphone.OpenAsync("/phone/get");
        await Expect(iphone.Button(words.Open)).ToBeVisibleAsync();
        await look("T1-get-iphone", iphone.Page);
        await using (var other = await PhoneInBrowser.UnpackAsync(running.House, language, new PhoneOptions { UserAgent = PhoneOptions.IphoneChrome }))
        {
            await other.OpenAsync("/phone/get");
            await Expect(other.Button(words.Open)).ToBeVisibleAsync();
            await look("T1-get-iphone-chrome", other.Page);
        }

        await phone.OpenAsync();
        await phone.TapAsync(words.Get); // and then without the browser's offer
        await Expect(phone.Page.Locator("ol.steps")).ToBeVisibleAsync();
        await look("T1-get-android", phone.Page);
        await computer.Page.GotoAsync(scene.House.Server + "/phone/get");
        await Expect(computer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = words.Open, Exact = true })).ToBeVisibleAsync();
        await look("T1-get-computer", computer.Page);

        await using (var ola = await Computer.StartAsync(scene.House, language))
        {
            await ola.OpenApplicationAsync();
            await ola.SignInAsync(await scene.House.AddAsync("Ola Nordmann", TimeProvider.System.GetUtcNow().AddDays(5)));
            await Expect(ola.Page.Locator("main .ds-alert")).ToBeVisibleAsync();
            await look("P2-not-now", ola.Page);
        }

        await walk.ToSetUpAsync(scene.Employee);
        await walk.GetTheAppAsync();
        await phone.TapAsync(words.ScanQr);
        await phone.PointCameraAtAsync(computer);
        await phone.TapAsync(words.CameraOn);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("T6-camera-refused", phone.Page);
        await walk.TypeCodeAsync();

        await iphone.TapAsync(words.Open);
        await iphone.TapAsync(words.Agree);
        await iphone.TapAsync(words.EnterCode);
        await iphone.Page.Locator("#code").FillAsync(walk.Code!);
        await iphone.TapAsync(words.Next);
        await Expect(iphone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("T3-used-twice", iphone.Page);
        await Expect(computer.Page.Locator("svg.pv-qr")).ToHaveCountAsync(0);
        await look("P5-used-twice", computer.Page);
        await walk.AcceptAsync();
        await phone.TapAsync(words.Allow);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("T7-used-twice", phone.Page);

        await walk.ClickAsync(words.NewCode);
        await phone.Page.Locator("main > .ds-button").ClickAsync();
        await phone.TapAsync(words.EnterCode);
        await walk.TypeIntoFieldAsync();
        await Expect(phone.Button(words.YesAdd)).ToBeVisibleAsync();
        await walk.AcceptAsync();
        await walk.BoundAsync();
        await walk.TestAsync();
        await walk.FinishAsync();

        await phone.Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");
        await phone.Page.Context.SetOfflineAsync(true);
        await phone.Page.ReloadAsync();
        await walk.CodeIsShownAsync();
        await look("T10-offline", phone.Page);
        await phone.Page.Context.SetOfflineAsync(false);
        await phone.OpenLongAfterAsync();
        await Expect(phone.Page.Locator("#pin")).ToBeVisibleAsync();
        await look("T10-locked-pin", phone.Page);
    }
}
