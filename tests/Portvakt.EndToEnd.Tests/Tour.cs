using System.Security.Cryptography;
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

        foreach (var address in new[] { "/guides/iphone", "/guides/android", "/accessibility", "/account", "/account/security", "/activate", "/sign-out", "/no-such-page" })
        {
            await page.GotoAsync(computer.House.Server + address);
            await look("X" + address.Replace('/', '-'), page);
        }

        await LookAtMethodsAsync(scene, look);

        await page.GotoAsync(computer.House.Server + "/sign-out");
        await computer.PressAsync("main form button");
        await look("X-signed-out", page);

        await scene.NextDayAsync();
        _ = await phone.RingAsync();
        _ = await phone.RingAsync();
        await walk.SignInAsync(kari);

        await scene.NextDayAsync();
        await walk.ToRecoveryCodeAsync(kari);
        await scene.Computer.Page.Locator("a[href$='/text']").ClickAsync();
        await Expect(scene.Computer.Page.Locator("button[formaction='?handler=Send']")).ToBeVisibleAsync();
        await look("N2-text", scene.Computer.Page);
        await scene.Computer.Page.Locator("a[href$='/code']").ClickAsync();
        await Expect(scene.Computer.Page.Locator("#code")).ToBeVisibleAsync();
        await look("N2-code", scene.Computer.Page);
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
        await LookAtOthersAsync(scene, look);
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

    /// <summary>From security info: the page of each method that can be added, and security info with one more than before.</summary>
    internal static async Task LookAtMethodsAsync(Scene scene, Func<string, IPage, Task> look)
    {
        var (walk, page, words) = (scene.Walk, scene.Computer.Page, scene.Words);
        await page.GotoAsync(scene.House.Server + "/account/security");
        await page.Locator("form[action$='handler=Add'] button").ClickAsync();
        await Expect(page.Locator("#method")).ToBeVisibleAsync();
        await look("P4-add", page);
        foreach (var method in new[] { "passkey", "office", "telephone" })
        {
            await page.Locator("#method").SelectOptionAsync(method);
            await walk.ClickAsync(words.SetUp);
            await Expect(page.Locator("button[formaction='?handler=Other']")).ToBeVisibleAsync();
            await look($"P5-setup-{method}", page);
            if (method is not "telephone") await walk.PressHandlerAsync("Other");
        }

        scene.Computer.Witness.Expect("422");
        await page.Locator("#number").FillAsync("112");
        await walk.PressHandlerAsync("Send");
        await Expect(page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("P5-telephone-refused", page);
        var texts = new TextsTo(scene.House, "41" + RandomNumberGenerator.GetString("0123456789", 6));
        await page.Locator("#number").FillAsync(texts.Number);
        await walk.PressHandlerAsync("Send");
        await Expect(page.Locator("#code")).ToBeVisibleAsync();
        await look("P5-telephone-code", page);
        await walk.TypeAsync(await texts.CodeAsync());
        await page.ArriveAsync(scene.House.Server + "/account/security**");
        await page.Locator("li[data-kind=telephone] summary").ClickAsync();
        await look("S1-security-info", page);
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
        await iphone.OpenAsync();
        await Expect(iphone.Page.Locator(".pv-scene").First).ToBeVisibleAsync();
        await look("T1-get-iphone", iphone.Page);
        foreach (var place in new[] { "iphone-earlier-safari", "ipad", "iphone-other", "iphone-app", "android-samsung", "android-firefox", "android-app" })
        {
            await iphone.OpenAsync($"/phone/get?on={place}");
            await look($"T1-get-{place}", iphone.Page);
        }

        await iphone.OpenAsync("/phone/get");
        await phone.OpenAsync();
        await phone.TapAsync(words.Get); // and then it is there
        await Expect(phone.Page.Locator("[data-there]")).ToBeVisibleAsync();
        await look("T1-get-there", phone.Page);
        await computer.Page.GotoAsync(scene.House.Server + "/phone/get");
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

        await iphone.EnterAsync(words.Open);
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

    /// <summary>Every screen of other accounts, from the choice of how to add one; the phone's unlock releases keys.</summary>
    private static async Task LookAtOthersAsync(Scene scene, Func<string, IPage, Task> look)
    {
        var (phone, words) = (scene.Phone, scene.Words);
        await Expect(phone.Button(words.TypeKey)).ToBeVisibleAsync();
        await look("T4-other-account", phone.Page);
        await phone.TapAsync(words.TypeKey);
        await phone.Page.Locator("#issuer").FillAsync("GitHub");
        await phone.Page.Locator("#secret").FillAsync("0189");
        await phone.TapAsync(words.AddIt);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("O1-type", phone.Page);
        await phone.Page.Locator("#secret").FillAsync("otpauth://totp/GitHub:kari-nordmann@eksempel.kommune.no?secret=JBSWY3DPEHPK3PXP&issuer=GitHub");
        await phone.TapAsync(words.AddIt);
        await Expect(phone.Button(words.YesAdd)).ToBeVisibleAsync();
        await look("O2-confirm", phone.Page);
        await phone.TapAsync(words.YesAdd);
        await Expect(phone.Page.Locator("h3")).ToBeVisibleAsync();
        await look("O3-added", phone.Page);

        await OthersAsync("otpauth://steam/Spill?secret=JBSWY3DPEHPK3PXP");
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("O2-unusable", phone.Page);
        await phone.OpenAsync();
        await OthersAsync("otpauth-migration://offline?data=CiIKFDEyMzQ1Njc4OTAxMjM0NTY3ODkwEgRrYXJpIAEoATACGAIgACgB");
        await Expect(phone.Button(words.ScanNext)).ToBeVisibleAsync();
        await look("O4-pictures", phone.Page);

        await phone.OpenAsync();
        await phone.TapAsync(words.AddAccount);
        await phone.TapAsync(words.OtherAccount);
        await phone.TapAsync(words.FromAnotherApp);
        await Expect(phone.Page.Locator("#file")).ToBeVisibleAsync();
        await look("O5-import", phone.Page);
        await ChooseAsync("{}");
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("O5-import-unknown", phone.Page);
        var names = new[] { "Alfa", "Beta", "Gamma", "Delta", "Epsilon", "En tjeneste med et svært langt navn som går over flere linjer", "GitHub" };
        await ChooseAsync(System.Text.Json.JsonSerializer.Serialize(new
        {
            header = new { },
            db = new
            {
                entries = names.Select((name, at) => new
                {
                    type = at is 1 ? "steam" : at is 2 ? "hotp" : "totp",
                    issuer = name,
                    name = "kari.nordmann@eksempel.kommune.no",
                    info = new { secret = at is 6 ? "JBSWY3DPEHPK3PXP" : $"JBSWY3DPEHPK3PX{(char)('A' + at)}AAAAAAAA", counter = 7, digits = at is 3 ? 8 : 6 },
                }),
            },
        }));
        await Expect(phone.Button(words.FetchAccounts)).ToBeVisibleAsync();
        await look("O5-import-found", phone.Page);
        await phone.TapAsync(words.FetchAccounts);
        await Expect(phone.Button(words.Done)).ToBeVisibleAsync();
        await look("O6-summary", phone.Page);
        await phone.TapAsync(words.Done);
        await Expect(phone.Page.Locator("h3")).ToHaveCountAsync(6);
        await phone.Page.Locator("main section button.ds-button[data-variant=secondary]").ClickAsync();
        await look("O7-list", phone.Page);
        await phone.Page.Locator("main section li button[data-icon]").First.ClickAsync();
        await Expect(phone.Page.Locator("#account")).ToBeVisibleAsync();
        await look("O8-one", phone.Page);
        await phone.Page.Locator("main > button.ds-button").ClickAsync();
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("O8-remove", phone.Page);

        await phone.OpenAsync();
        await Expect(phone.Button(words.UnlockOthers)).ToBeVisibleAsync();
        await look("O7-locked", phone.Page);
        await phone.TapAsync(words.UnlockOthers);
        await Expect(phone.Page.Locator("h3")).ToHaveCountAsync(6);
        await phone.TapAsync(words.ManageOthers);
        await Expect(phone.Button(words.RemoveAll)).ToBeVisibleAsync();
        await look("O9-manage", phone.Page);
        await phone.TapAsync(words.ChangeOrder);
        await Expect(phone.Page.Locator("ol li")).ToHaveCountAsync(6);
        await look("O9-order", phone.Page);
        await phone.Page.Locator(".bar button").First.ClickAsync();
        await phone.TapAsync(words.RemoveAll);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToBeVisibleAsync();
        await look("O9-remove-all", phone.Page);
        await phone.Page.Locator(".bar button").First.ClickAsync();
        await phone.TapAsync(words.ManageOthers);
        await phone.TapAsync(words.SaveToFile);
        await Expect(phone.Page.Locator("#password2")).ToBeVisibleAsync();
        await look("O10-export", phone.Page);
        await phone.Page.Locator("#password").FillAsync("riktig hest batteri");
        await phone.Page.Locator("#password2").FillAsync("riktig hest batteri");
        await phone.TapAsync(words.MakeFile);
        await Expect(phone.Page.Locator("a[download]")).ToBeVisibleAsync();
        await look("O10-file", phone.Page);

        // An address as text goes where its picture would go.
        async Task OthersAsync(string text)
        {
            await phone.TapAsync(words.AddAccount);
            await phone.TapAsync(words.OtherAccount);
            await phone.TapAsync(words.TypeKey);
            await phone.Page.Locator("#secret").FillAsync(text);
            await phone.TapAsync(words.AddIt);
        }

        Task ChooseAsync(string content) => phone.Page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = "kontoer.json", MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(content) });
    }
}
