using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>What is told to somebody who does not look at the screen: the phone's answer, the number, and that time is running out. The clocks are the browsers', put forward.</summary>
public sealed class AnnouncementTests(Running running)
{
    [Fact]
    public async Task The_number_is_read_digit_by_digit_and_the_answer_of_the_phone_is_announced_where_one_listens()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToReadyAsync(scene.Employee);
        await scene.Walk.ClickAsync(scene.Words.Next);
        var page = scene.Computer.Page;
        var tools = await page.Context.NewCDPSessionAsync(page);
        var number = await scene.Computer.ReadNumberAsync();

        var before = await AccessibilityTree.ReadAsync(tools);
        Assert.Contains(before, node => node.Text.Trim().EndsWith($" {number[0]} {number[1]}", StringComparison.Ordinal));
        Assert.DoesNotContain(before, node => node.Text.Contains($"Tallet {number}", StringComparison.Ordinal));
        var waiting = Assert.Single(before, node => node.Live is "polite" && node.Text.Contains("Venter på telefonen", StringComparison.Ordinal));

        // A region that is put in together with its text is not read out: it must be the very element that was there before.
        await scene.Phone.ApproveAsync(number == "42" ? "43" : "42", scene.Words.Approve);
        await Expect(scene.Walk.Button(scene.Words.SendAgain)).ToBeVisibleAsync();
        var after = Assert.Single(await AccessibilityTree.ReadAsync(tools), node => node.Id == waiting.Id);
        Assert.Equal("polite", after.Live);
        Assert.Contains("Det ble skrevet et annet tall", after.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Twenty_seconds_before_a_request_is_over_the_computer_and_the_phone_say_so_and_it_can_be_sent_again()
    {
        await using var scene = await Scene.SetAsync(running);
        var (computer, phone) = (scene.Computer.Page, scene.Phone.Page);
        await computer.Clock.InstallAsync();
        await phone.Clock.InstallAsync();
        await scene.Walk.ToSetUpAsync(scene.Employee);

        // The picture lives ten minutes. A minute before its end that is said, and that there are more.
        var announced = computer.Locator("[data-announce]");
        await Expect(announced).ToBeEmptyAsync();
        await computer.Clock.FastForwardAsync("09:05");
        await Expect(announced).ToHaveTextAsync("Koden virker i 1 minutt til. Du kan hente en ny kode.");
        await Expect(scene.Walk.Button(scene.Words.NewCode)).ToBeVisibleAsync();

        await scene.Walk.GetTheAppAsync();
        await scene.Walk.TypeCodeAsync();
        await scene.Walk.BindAsync();
        await scene.Walk.ReadyAsync();
        await scene.Walk.ClickAsync(scene.Words.Next);
        await Expect(scene.Phone.Heading(scene.Words.ApproveTest)).ToBeVisibleAsync();
        await Expect(announced).ToBeEmptyAsync();

        // Three minutes, in this house.
        await phone.Clock.FastForwardAsync("02:41");
        await Expect(phone.Locator("p.ds-sr-only[role=status]")).ToContainTextAsync("sekunder igjen");
        await computer.Clock.FastForwardAsync("02:41");
        await Expect(announced).ToContainTextAsync("sekunder igjen Når tiden er ute, kan du sende på nytt.");
    }

    [Fact]
    public async Task Two_minutes_before_a_page_ends_one_is_told_and_more_time_costs_nothing_that_was_typed()
    {
        await using var scene = await Scene.SetAsync(running);
        var page = scene.Computer.Page;
        await page.Clock.InstallAsync();
        await scene.Walk.ToMethodAsync(scene.Employee);
        await scene.Walk.ChooseCodeAsync();
        await page.Locator("#code").FillAsync("123");
        var tools = await page.Context.NewCDPSessionAsync(page);
        var place = Assert.Single(await AccessibilityTree.ReadAsync(tools), node => node.Live is "assertive");
        Assert.Equal("", place.Text);

        foreach (var _ in new[] { "once", "and again" })
        {
            await page.Clock.FastForwardAsync("27:30");
            await Expect(page.Locator("[data-limit]")).ToBeEmptyAsync();
            await page.Clock.FastForwardAsync("01:00");
            await Expect(page.Locator("[data-limit]")).ToContainTextAsync("Denne påloggingen avsluttes om to minutter.");
            Assert.Contains("to minutter", Assert.Single(await AccessibilityTree.ReadAsync(tools), node => node.Id == place.Id).Text, StringComparison.Ordinal);
            await page.Keyboard.PressAsync("Tab"); // from the field to the button of its form …
            await scene.Walk.ClickAsync("Jeg trenger mer tid");
            await Expect(page.Locator("[data-limit]")).ToBeEmptyAsync();
        }

        await Expect(page.Locator("#code")).ToHaveValueAsync("123");
        scene.NobodyComplained();
    }
}
