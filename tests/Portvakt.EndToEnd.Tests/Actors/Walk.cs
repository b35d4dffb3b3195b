using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>
/// The journey, step by step, on a computer and a phone side by side. Every step checks the words of its screen before it acts.
/// Whoever wants to look at the screens (for accessibility, for pictures) is called at each of them.
/// </summary>
/// <param name="computer">Where the person signs in.</param>
/// <param name="phone">What they hold in their hand.</param>
/// <param name="words">What both must say.</param>
/// <param name="look">Called with the name of each screen met; the page waits meanwhile.</param>
public sealed class Walk(Computer computer, PhoneInBrowser phone, Labels words, Func<string, IPage, Task>? look = null)
{
    public Computer Computer { get; set; } = computer;
    public PhoneInBrowser Phone => phone;

    private IPage Page => Computer.Page;

    /// <summary>P1 to P9 and T1 to T10: from the application with a password to the application with two factors.</summary>
    public async Task EnrolAsync(Employee employee)
    {
        await ToSetUpAsync(employee);
        await GetTheAppAsync();
        await ScanAsync();
        await BindAsync();
        await TestAsync();
        await FinishAsync();
    }

    /// <summary>As far as a phone that is bound and not yet tested; the code is typed, which is quicker than the camera.</summary>
    public async Task ToReadyAsync(Employee employee)
    {
        await ToSetUpAsync(employee);
        await GetTheAppAsync();
        await TypeCodeAsync();
        await BindAsync();
        await ReadyAsync();
    }

    /// <summary>P1 to P5: as far as the picture.</summary>
    public async Task ToSetUpAsync(Employee employee)
    {
        await ToMethodAsync(employee);
        await SetUpPhoneAsync();
    }

    /// <summary>P4 and P5: notifications, and the picture.</summary>
    public async Task SetUpPhoneAsync()
    {
        await Expect(Page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = words.ReceiveNotifications })).ToBeCheckedAsync();
        await Expect(Page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = words.UseVerificationCode })).Not.ToBeCheckedAsync();
        await LookAsync("P4-method", Page);
        await ClickAsync(words.SetUp);

        await HeadingAsync(words.SetUpMobileApp);
        await Expect(Page.Locator("svg.pv-qr")).ToBeVisibleAsync();
        await Expect(Page.GetByText(words.CannotScan, new PageGetByTextOptions { Exact = true })).ToBeVisibleAsync();
        await Expect(Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = words.GuideIphone, Exact = true })).ToBeVisibleAsync();
        await Expect(Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = words.GuideAndroid, Exact = true })).ToBeVisibleAsync();
        await Expect(Button(words.Next)).ToBeDisabledAsync(); // opens when the phone is ready, not before
        await LookAsync("P5-setup", Page);
    }

    /// <summary>P1 to P3: password, interruption, choice of method.</summary>
    public async Task ToMethodAsync(Employee employee)
    {
        await Computer.OpenApplicationAsync();
        await HeadingAsync(words.SignIn);
        await LookAsync("P1-password", Page);
        await Computer.SignInAsync(employee);

        await HeadingAsync(words.MoreInformation);
        await LookAsync("P2-more-information", Page);
        await ClickAsync(words.Next);

        await HeadingAsync(words.Additional);
        await Expect(Page.GetByRole(AriaRole.Combobox)).ToHaveValueAsync("app");
        await Expect(Page.GetByRole(AriaRole.Combobox).Locator("option:checked")).ToHaveTextAsync(words.MobileApp);
    }

    /// <summary>T1 to T3: from the address to the app's first screen.</summary>
    public async Task GetTheAppAsync()
    {
        await phone.OpenAsync();
        await Expect(phone.Button(words.Get)).ToBeVisibleAsync();
        await LookAsync("T1-get", phone.Page);
        await phone.TapAsync(words.Get);
        await phone.EnterAsync(words.Open);

        await Expect(phone.Button(words.Agree)).ToBeVisibleAsync();
        await LookAsync("T2-privacy", phone.Page);
        await phone.TapAsync(words.Agree);

        await Expect(phone.Button(words.ScanQr)).ToBeVisibleAsync();
        await Expect(phone.Button(words.EnterCode)).ToBeVisibleAsync();
        await LookAsync("T3-first", phone.Page);
    }

    /// <summary>T5 and T6: the camera reads the picture on the computer's screen.</summary>
    public async Task ScanAsync()
    {
        await phone.TapAsync(words.ScanQr);
        await LookAsync("T5-camera", phone.Page);
        await phone.PointCameraAtAsync(Computer);
        await phone.TapAsync(words.CameraOn);
        await Expect(phone.Button(words.YesAdd)).ToBeVisibleAsync();
    }

    /// <summary>T3 without a camera: the code under "Can't scan the image?" is typed.</summary>
    public async Task TypeCodeAsync()
    {
        await phone.TapAsync(words.EnterCode);
        await TypeIntoFieldAsync();
        await Expect(phone.Button(words.YesAdd)).ToBeVisibleAsync();
    }

    /// <summary>The code that was typed last.</summary>
    public string? Code { get; private set; }

    /// <summary>The code as it stands on the computer, into the field of the phone.</summary>
    public async Task TypeIntoFieldAsync()
    {
        await Expect(phone.Page.Locator("#code")).ToBeVisibleAsync();
        await LookAsync("T3-enter-code", phone.Page);
        await phone.Page.Locator("#code").FillAsync(Code = await ReadCodeAsync());
        await phone.TapAsync(words.Next);
    }

    public async Task<string> ReadCodeAsync()
    {
        var code = Page.Locator("[data-typed-code]");
        if (!await code.IsVisibleAsync()) await Page.Locator("details summary").ClickAsync();
        await Expect(code).ToBeVisibleAsync();
        return (await code.InnerTextAsync()).Trim();
    }

    /// <summary>T7, T8 and T10: keys, unlock, notifications, the account in the list.</summary>
    public async Task BindAsync()
    {
        await AcceptAsync();
        await Expect(phone.Button(words.Allow)).ToBeVisibleAsync();
        await LookAsync("T8-notifications", phone.Page);
        await phone.TapAsync(words.Allow);
        await BoundAsync();
    }

    /// <summary>T7: the person says yes to the account, and chooses a PIN where the phone has no unlock.</summary>
    public async Task AcceptAsync()
    {
        await LookAsync("T7-confirm", phone.Page);
        await phone.TapAsync(words.YesAdd);
        if (phone.Pin is not { } pin) return;
        await Expect(phone.Page.Locator("#pin2")).ToBeVisibleAsync();
        await LookAsync("T7-choose-pin", phone.Page);
        await phone.Page.Locator("#pin").FillAsync(pin);
        await phone.Page.Locator("#pin2").FillAsync(pin);
        await phone.TapAsync(words.Next);
    }

    /// <summary>T10: the account in the list with its code, and the phone has said that it was activated.</summary>
    public async Task BoundAsync()
    {
        await CodeIsShownAsync();
        await Expect(phone.Page.Locator("html")).ToHaveAttributeAsync("data-said", new Regex(Regex.Escape(words.Activating), RegexOptions.None, TimeSpan.FromSeconds(1)));
        await LookAsync("T10-accounts", phone.Page);
    }

    /// <summary>P5: the code has been presented, and the computer says so.</summary>
    public async Task ConnectedAsync()
    {
        await Expect(Page.Locator("[data-wait] svg.pv-qr")).ToBeVisibleAsync();
        await LookAsync("P5-connected", Page);
    }

    /// <summary>P5: the phone is ready, and so is the button.</summary>
    public async Task ReadyAsync()
    {
        await FollowAsync();
        await Expect(Button(words.Next)).ToBeEnabledAsync();
        await LookAsync("P5-ready", Page);
    }

    public async Task CodeIsShownAsync()
    {
        await Expect(phone.Heading(words.Accounts)).ToBeVisibleAsync();
        await Expect(phone.Page.Locator(".digits")).ToHaveTextAsync(SixDigits);
    }

    /// <summary>P5 to P7 with T9: the computer has followed the phone, and a real approval proves it.</summary>
    public async Task TestAsync()
    {
        await ReadyAsync();
        await ClickAsync(words.Next);
        await AnswerTestAsync();
    }

    /// <summary>P6 and T9: the number is carried to the phone.</summary>
    public async Task AnswerTestAsync()
    {
        await Expect(Page.Locator("[data-number]")).ToBeVisibleAsync();
        await LookAsync("P6-test", Page);
        await Expect(phone.Heading(words.ApproveTest)).ToBeVisibleAsync();
        await LookAsync("T9-approve-test", phone.Page);
        await phone.ApproveAsync(await Computer.ReadNumberAsync(), words.Approve);
        await Expect(phone.Heading(words.Approved)).ToBeVisibleAsync();
        await LookAsync("T9-approved-test", phone.Page);
        await phone.TapAsync(words.Done);
        await ApprovedAsync();
        await HeadingAsync(words.Additional);
        await LookAsync("P7-backup", Page);
    }

    /// <summary>
    /// From security info: a new phone beside the others, as far as its approved test, and back. Nothing is asked on the way that was asked at the first enrolment.
    /// </summary>
    public async Task AddPhoneAsync()
    {
        await Page.Locator("form[action$='handler=Add'] button").ClickAsync();
        await SetUpPhoneAsync();
        await GetTheAppAsync();
        await TypeCodeAsync();
        await BindAsync();
        await ReadyAsync();
        await ClickAsync(words.Next);
        await Expect(phone.Heading(words.ApproveTest)).ToBeVisibleAsync();
        await phone.ApproveAsync(await Computer.ReadNumberAsync(), words.Approve);
        await Expect(phone.Heading(words.Approved)).ToBeVisibleAsync();
        await phone.TapAsync(words.Done);
        await Page.ArriveAsync(Computer.House.Server + "/account/security**");
    }

    /// <summary>Security info: a method of this kind is taken away, and the page says so.</summary>
    public async Task RemoveAsync(string kind, string? name = null)
    {
        var method = Page.Locator($"li[data-kind={kind}]", new PageLocatorOptions { HasText = name });
        await method.Locator("summary").ClickAsync();
        await method.Locator("form[action$='handler=Remove'] button").ClickAsync();
        await Expect(method).ToHaveCountAsync(0);
    }

    /// <summary>P4, the other way: codes of any authenticator app.</summary>
    public async Task ChooseCodeAsync()
    {
        await Page.GetByRole(AriaRole.Radio, new PageGetByRoleOptions { Name = words.UseVerificationCode }).CheckAsync();
        await ClickAsync(words.SetUp);
        await HeadingAsync(words.SetUpMobileApp);
        await Expect(Page.Locator("svg.pv-qr")).ToBeVisibleAsync();
        await LookAsync("P5-setup-code", Page);
    }

    /// <summary>The secret under "Can't scan the image?", for another app.</summary>
    public async Task<string> ReadSecretAsync()
    {
        await Page.Locator("details summary").ClickAsync();
        await Expect(Page.Locator("[data-secret]")).ToBeVisibleAsync();
        return (await Page.Locator("[data-secret]").InnerTextAsync()).Trim();
    }

    /// <summary>Types a code on the computer and sends it.</summary>
    public async Task TypeAsync(string code)
    {
        await Page.Locator("#code").FillAsync(code);
        await Page.Locator("form:has(#code) button[type=submit]").ClickAsync();
    }

    /// <summary>The code was not taken, and the field says why to those who see it and to those who hear it.</summary>
    public async Task RefusedAsync()
    {
        Computer.Witness.Expect("422");
        await Expect(Page.Locator("#code")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(Page.Locator("#code")).ToHaveAccessibleDescriptionAsync(Something);
        await LookAsync("P5-refused", Page);
    }

    /// <summary>P7: ten codes for the day without a phone.</summary>
    public async Task<IReadOnlyList<string>> MakeRecoveryCodesAsync()
    {
        await PressHandlerAsync("Codes");
        await Expect(Page.Locator(".pv-codes li")).ToHaveCountAsync(10);
        await LookAsync("P7-codes", Page);
        return await Page.Locator(".pv-codes li code").AllInnerTextsAsync();
    }

    /// <summary>The next day without the phone.</summary>
    public async Task ToRecoveryCodeAsync(Employee employee)
    {
        await Computer.OpenApplicationAsync();
        await Computer.SignInAsync(employee);
        await Expect(Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = words.AnotherMethod, Exact = true })).ToBeVisibleAsync();
        await LookAsync("N1-second-factor", Page);
        await Page.Locator("a[href$='/recovery-code']").ClickAsync();
        await Expect(Page.Locator("#code")).ToBeVisibleAsync();
        await LookAsync("N2-recovery-code", Page);
    }

    /// <summary>P7 to P9 and back in the application, which sees two factors.</summary>
    public async Task FinishAsync()
    {
        await ClickAsync(words.Finished);
        await StayAsync();
        await LookAsync("P9-done", Page);
        await ClickAsync(words.Done);
        await InApplicationAsync();
    }

    /// <summary>P8: the person says no.</summary>
    public async Task StayAsync()
    {
        await HeadingAsync(words.StaySignedIn);
        await Expect(Button(words.Yes)).ToBeVisibleAsync();
        await LookAsync("P8-stay", Page);
        await ClickAsync(words.No);
    }

    /// <summary>The application has a token that says two factors.</summary>
    public async Task InApplicationAsync()
    {
        await Page.ArriveAsync(Computer.House.Application + "/");
        await Expect(Page.Locator("tr:has(code:text-is('acr')) td")).ToHaveTextAsync(words.TwoFactors);
        await Expect(Page.Locator("tr:has(code:text-is('amr')) td")).ToContainTextAsync("mfa");
        await LookAsync("X-application", Page);
    }

    /// <summary>The next day: password, the phone rings, the number is typed, and the person is in.</summary>
    public async Task SignInAsync(Employee employee)
    {
        await phone.CloseAppAsync();
        await Computer.OpenApplicationAsync();
        await Computer.SignInAsync(employee);
        await Expect(Page.Locator("[data-number]")).ToBeVisibleAsync();
        await LookAsync("N1-second-factor", Page);
        await phone.OpenAsync($"/phone/#r={await phone.RingAsync()}");
        await Expect(phone.Heading(words.ApproveSignIn)).ToBeVisibleAsync();
        await Expect(phone.Button(words.NotMe)).ToBeVisibleAsync();
        await Expect(phone.Button(words.Cancel)).ToBeVisibleAsync();
        await LookAsync("T9-approve", phone.Page);
        await phone.ApproveAsync(await Computer.ReadNumberAsync(), words.Approve);
        await Expect(phone.Heading(words.Approved)).ToBeVisibleAsync();
        await LookAsync("T9-approved", phone.Page);
        await phone.TapAsync(words.Done);
        await ApprovedAsync();
        await StayAsync();
        await InApplicationAsync();
    }

    public Task HeadingAsync(string name) => Expect(Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = name, Exact = true, Level = 1 })).ToBeVisibleAsync();

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    public Task ClickAsync(string name) => Button(name).ClickAsync();

    /// <summary>The button that calls this handler of the page.</summary>
    public Task PressHandlerAsync(string handler) => Page.Locator($"button[formaction='?handler={handler}']").ClickAsync();

    /// <summary>Without a script the page does not follow the phone: the person asks it again.</summary>
    public async Task FollowAsync()
    {
        if (!Computer.HasJavaScript) await Page.Locator("noscript a").ClickAsync();
    }

    /// <summary>Without a script the person says that they have approved.</summary>
    private async Task ApprovedAsync()
    {
        if (!Computer.HasJavaScript) await Page.Locator("#actions button").ClickAsync();
    }

    public Task LookAsync(string screen, IPage page) => look?.Invoke(screen, page) ?? Task.CompletedTask;

    private static readonly Regex Something = new(@"\w", RegexOptions.None, TimeSpan.FromSeconds(1));
    private static readonly Regex SixDigits = new("^[0-9]{3} [0-9]{3}$", RegexOptions.None, TimeSpan.FromSeconds(1));
}
