using Microsoft.Playwright;
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

        foreach (var address in new[] { "/guides/iphone", "/guides/android", "/account", "/activate", "/sign-out", "/no-such-page" })
        {
            await page.GotoAsync(computer.House.Server + address);
            await look("X" + address.Replace('/', '-'), page);
        }

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
        await look("N3-over", scene.Computer.Page);
        await phone.TapAsync(words.Done);

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
    }
}
