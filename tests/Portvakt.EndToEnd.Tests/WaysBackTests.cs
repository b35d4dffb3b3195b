using System.Security.Cryptography;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>
/// The phone is lost or new. The first two of the five ways back in; the helpdesk is in <see cref="DeskTests"/>, the other two have tests of their own.
/// </summary>
public sealed class WaysBackTests(Running running)
{
    [Fact]
    public async Task With_another_method_Kari_signs_in_adds_a_new_phone_and_removes_the_lost_one()
    {
        await using var scene = await EnrolledAsync();
        var (walk, words, security) = (scene.Walk, scene.Words, scene.House.Server + "/account/security");

        // A telephone number beside the phone, while everything is well.
        var page = scene.Computer.Page;
        await page.GotoAsync(security);
        await page.Locator("form[action$='handler=Add'] button").ClickAsync();
        await page.Locator("#method").SelectOptionAsync("telephone");
        await walk.ClickAsync(words.SetUp);
        var number = "41" + RandomNumberGenerator.GetString("0123456789", 6); // a mobile number; the demo's provider reaches nobody
        var texts = new TextsTo(scene.House, number);
        await page.Locator("#number").FillAsync(number);
        await walk.PressHandlerAsync("Send");
        await walk.TypeAsync(await texts.CodeAsync());
        await page.ArriveAsync(security + "**");
        await Expect(page.Locator("li[data-kind=telephone]")).ToHaveCountAsync(1);

        // The phone is gone.
        await scene.NextDayAsync();
        page = scene.Computer.Page;
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(scene.Employee);
        await page.Locator("a[href$='/text']").ClickAsync();
        await walk.PressHandlerAsync("Send");
        await walk.TypeAsync(await texts.CodeAsync());
        await walk.StayAsync();
        await walk.InApplicationAsync();

        await ReplaceAsync(scene);
        await walk.RemoveAsync("telephone");
        scene.NobodyComplained();
    }

    [Fact]
    public async Task With_a_recovery_code_Kari_signs_in_adds_a_new_phone_and_removes_the_lost_one()
    {
        await using var scene = await EnrolledAsync(withCodes: true);
        await scene.NextDayAsync();
        await scene.Walk.ToRecoveryCodeAsync(scene.Employee);
        await scene.Walk.TypeAsync(_codes[0]);
        await scene.Walk.StayAsync();
        await scene.Walk.InApplicationAsync();
        await ReplaceAsync(scene);
        scene.NobodyComplained();
    }

    private IReadOnlyList<string> _codes = [];

    private async Task<Scene> EnrolledAsync(bool withCodes = false)
    {
        var scene = await Scene.SetAsync(running);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Walk.ClickAsync(scene.Words.Next);
        await scene.Walk.AnswerTestAsync();
        if (withCodes) _codes = await scene.Walk.MakeRecoveryCodesAsync();
        await scene.Walk.FinishAsync();
        return scene;
    }

    /// <summary>Never a moment without a factor: the new phone first, then the lost one goes, dead at once. The next day the new one opens the door.</summary>
    private async Task ReplaceAsync(Scene scene)
    {
        var (words, page) = (scene.Words, scene.Computer.Page);
        await using var phone = await PhoneInBrowser.UnpackAsync(scene.House, words.Language, new PhoneOptions { UserAgent = PhoneOptions.Android.Replace("Pixel 9", "Pixel 10", StringComparison.Ordinal) });
        var walk = new Walk(scene.Computer, phone, words);
        await page.GotoAsync(scene.House.Server + "/account/security");
        await walk.AddPhoneAsync();
        await Expect(page.Locator("li[data-kind=app]")).ToHaveCountAsync(2);
        await walk.RemoveAsync("app", "Pixel 9");

        scene.Phone.Witness.Expect("401");
        await scene.Phone.OpenAsync();
        await Expect(scene.Phone.Page.Locator(".account .ds-alert")).ToBeVisibleAsync();
        await Expect(scene.Phone.Page.Locator(".digits")).ToHaveCountAsync(0);

        await using var tomorrow = await Computer.StartAsync(scene.House, words.Language);
        walk.Computer = tomorrow;
        await walk.SignInAsync(scene.Employee);
        Running.NobodyComplained([phone.Witness, tomorrow.Witness]);
    }
}
