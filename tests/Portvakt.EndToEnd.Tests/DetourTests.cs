using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Things that go wrong, and what the person then meets.</summary>
public sealed class DetourTests(Running running)
{
    [Fact]
    public async Task Ola_postpones_and_sees_how_many_days_are_left()
    {
        var ola = await running.House.AddAsync("Ola Nordmann", TimeProvider.System.GetUtcNow().AddDays(5));
        var words = Labels.Bokmaal;
        await using var computer = await Computer.StartAsync(running.House, "nb");
        await computer.OpenApplicationAsync();
        await computer.SignInAsync(ola);
        await Expect(computer.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = words.MoreInformation })).ToBeVisibleAsync();
        await Expect(computer.Page.Locator("main .ds-alert")).ToContainTextAsync("Du har 6 dager igjen"); // today and the last day count
        await computer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = words.NotNow, Exact = true }).ClickAsync();
        await computer.Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = words.No, Exact = true }).ClickAsync();
        await computer.Page.ArriveAsync(running.House.Application + "/");
        await Expect(computer.Page.Locator("tr:has(code:text-is('acr')) td")).ToHaveTextAsync("bare passord");
        Running.NobodyComplained(computer.Witness);
    }

    [Fact]
    public async Task A_wrong_number_ends_the_request_and_a_new_one_can_be_asked_for()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Walk.ClickAsync(scene.Words.Next);
        var number = await scene.Computer.ReadNumberAsync();
        await scene.Phone.ApproveAsync(number == "42" ? "43" : "42", scene.Words.Approve);
        await Expect(scene.Phone.Heading("Feil tall")).ToBeVisibleAsync();
        await scene.Phone.TapAsync(scene.Words.Done);

        await scene.Walk.ClickAsync(scene.Words.SendAgain);
        await scene.Walk.AnswerTestAsync();
        await scene.Walk.FinishAsync();
        scene.NobodyComplained();
    }

    [Fact]
    public async Task It_wasnt_me_stops_the_sign_in_and_ends_the_other_sessions()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.EnrolAsync(scene.Employee);
        var office = scene.Computer;

        await scene.NextDayAsync(); // a stranger who knows the password
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(scene.Employee);
        await Expect(scene.Phone.Heading(scene.Words.ApproveSignIn)).ToBeVisibleAsync();
        await scene.Phone.TapAsync(scene.Words.NotMe);
        await Expect(scene.Phone.Heading("Påloggingen er stoppet")).ToBeVisibleAsync();
        scene.Computer.Witness.Expect("/sign-in/over"); // 410: the attempt is gone
        await scene.Computer.Page.ArriveAsync("**/sign-in/over?*");
        await scene.Walk.HeadingAsync("Påloggingen er stoppet");
        await Expect(scene.Computer.Page.Locator("main .ds-alert")).ToContainTextAsync(scene.Words.NotMe);

        // Back-channel logout has reached the application where the person was signed in.
        await UntilAsync(async () =>
        {
            await office.Page.ReloadAsync();
            return await office.Page.Locator("form[action='/sign-in']").CountAsync() is 1;
        });

        // And the stranger's next try rings no phone.
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(scene.Employee);
        await Expect(scene.Computer.Page.Locator("#live .ds-alert")).ToContainTextAsync(scene.Words.NotMe);
        scene.NobodyComplained();
    }

    [Fact]
    public async Task A_code_that_two_phones_present_is_void_for_both()
    {
        await using var scene = await Scene.SetAsync(running);
        await using var stranger = await PhoneInBrowser.UnpackAsync(running.House, "nb");
        await scene.Walk.ToSetUpAsync(scene.Employee);
        await scene.Walk.GetTheAppAsync();
        await scene.Walk.TypeCodeAsync();

        var second = new Walk(scene.Computer, stranger, scene.Words);
        await second.GetTheAppAsync();
        await stranger.TapAsync(scene.Words.EnterCode);
        // The picture and the code are gone from the computer; the stranger had read it before.
        stranger.Witness.Expect("409");
        scene.Phone.Witness.Expect("409");
        await stranger.Page.Locator("#code").FillAsync(scene.Walk.Code!);
        await stranger.TapAsync(scene.Words.Next);
        await Expect(stranger.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("To telefoner brukte samme kode");

        await Expect(scene.Computer.Page.Locator("#live")).ToContainTextAsync("To telefoner har brukt denne koden");
        await Expect(scene.Computer.Page.Locator("svg.pv-qr")).ToHaveCountAsync(0);
        await scene.Phone.TapAsync(scene.Words.YesAdd);
        await scene.Phone.TapAsync(scene.Words.Allow);
        await Expect(scene.Phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("To telefoner brukte samme kode");

        // A new code, shown to nobody else, works.
        await scene.Walk.ClickAsync(scene.Words.NewCode);
        await scene.Phone.TapAsync("Prøv igjen");
        await scene.Phone.TapAsync(scene.Words.EnterCode);
        await scene.Walk.TypeIntoFieldAsync();
        await scene.Phone.TapAsync(scene.Words.YesAdd);
        await scene.Walk.BoundAsync();
        await scene.Walk.TestAsync();
        await scene.Walk.FinishAsync();
        scene.NobodyComplained();
        Running.NobodyComplained(stranger.Witness);
    }

    [Fact]
    public async Task The_code_under_the_picture_stays_open_while_the_page_follows_the_phone()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToSetUpAsync(scene.Employee);
        await scene.Walk.GetTheAppAsync();
        await scene.Walk.TypeCodeAsync();
        var page = scene.Computer.Page;
        await Expect(page.Locator("#live")).ToContainTextAsync("Telefonen er koblet til");
        await Expect(page.Locator("[data-typed-code]")).ToBeVisibleAsync();

        // Another tab asks for a new code: this one shows it as well, where the person was reading the old one.
        var tab = await scene.Computer.NewTabAsync(page.Url);
        await tab.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = scene.Words.NewCode, Exact = true }).ClickAsync();
        await Expect(tab.Locator("#live")).ToContainTextAsync("Venter på telefonen");
        await tab.CloseAsync();
        await Expect(page.Locator("[data-typed-code]")).Not.ToHaveTextAsync(scene.Walk.Code!);
        await Expect(page.Locator("[data-typed-code]")).ToBeVisibleAsync();
        scene.NobodyComplained();
    }

    [Fact]
    public async Task A_phone_that_may_use_neither_camera_nor_notifications_gets_there_all_the_same()
    {
        await using var scene = await Scene.SetAsync(running, phone: new PhoneOptions { AllowsCamera = false, AllowsNotifications = false });
        await scene.Walk.ToSetUpAsync(scene.Employee);
        await scene.Walk.GetTheAppAsync();
        await scene.Phone.TapAsync(scene.Words.ScanQr);
        await scene.Phone.PointCameraAtAsync(scene.Computer);
        await scene.Phone.TapAsync(scene.Words.CameraOn);
        await Expect(scene.Phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Appen får ikke bruke kameraet");
        await scene.Walk.TypeCodeAsync();
        await scene.Walk.BindAsync();
        await Expect(scene.Phone.Page.GetByText("Varsler er av")).ToBeVisibleAsync();
        Assert.Null(scene.Phone.Subscription);

        // No push will come; the open app fetches the request itself.
        await scene.Walk.TestAsync();
        await scene.Walk.FinishAsync();
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Codes_are_shown_without_a_network()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Phone.Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");
        scene.Phone.Witness.Expect("net::ERR_INTERNET_DISCONNECTED");
        await scene.Phone.Page.Context.SetOfflineAsync(true);
        await scene.Phone.Page.ReloadAsync();
        await scene.Walk.CodeIsShownAsync();
        await Expect(scene.Phone.Page.GetByText("Ikke noe nett. Kodene virker likevel.")).ToBeVisibleAsync();
        scene.NobodyComplained();
    }

    [Theory]
    [InlineData("isBadUV")]
    [InlineData("isBogusSignature")]
    public async Task An_authenticator_that_lies_approves_nothing(string lie)
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Walk.ClickAsync(scene.Words.Next);
        await scene.Phone.TellAuthenticatorAsync("WebAuthn.setResponseOverrideBits", lie, true);
        scene.Phone.Witness.Expect("422");
        await scene.Phone.ApproveAsync(await scene.Computer.ReadNumberAsync(), scene.Words.Approve);
        await Expect(scene.Phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Opplåsingen ble ikke godtatt");
        await Expect(scene.Computer.Page.Locator("[data-number]")).ToBeVisibleAsync(); // nothing has happened here

        await scene.Phone.TellAuthenticatorAsync("WebAuthn.setResponseOverrideBits", lie, false);
        await scene.Walk.AnswerTestAsync();
        scene.NobodyComplained();
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(Patience.Milliseconds));
        while (!await isSo()) await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience.Token);
    }
}
