using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.EndToEnd.Tests;

/// <summary>The main job, whole: the picture on the computer is photographed, decoded, answered, tested, and used the next day.</summary>
public sealed class JourneyTests(Running running)
{
    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task Journey_from_the_password_to_two_factors_and_again_the_next_day(string language)
    {
        await using var scene = await Scene.SetAsync(running, language);
        await scene.Walk.EnrolAsync(scene.Employee);
        _ = await scene.Phone.RingAsync(); // the push of the test came as well, although the open app was quicker

        await scene.NextDayAsync();
        await scene.Walk.SignInAsync(scene.Employee);
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Journey_without_JavaScript_on_the_computer()
    {
        var without = new ComputerOptions { JavaScript = false };
        await using var scene = await Scene.SetAsync(running, computer: without);
        await scene.Walk.EnrolAsync(scene.Employee);
        _ = await scene.Phone.RingAsync();

        await scene.NextDayAsync(without);
        await scene.Walk.SignInAsync(scene.Employee);
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Journey_with_a_typed_code_and_recovery_codes()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToSetUpAsync(scene.Employee);
        await scene.Walk.GetTheAppAsync();
        await scene.Walk.TypeCodeAsync();
        await scene.Walk.BindAsync();
        await scene.Walk.TestAsync();
        var codes = await scene.Walk.MakeRecoveryCodesAsync();
        Assert.Equal(10, codes.Distinct(StringComparer.Ordinal).Count());
        await scene.Walk.FinishAsync();

        // The phone is lost: one of the codes lets the person in, once.
        await scene.NextDayAsync();
        await scene.Walk.ToRecoveryCodeAsync(scene.Employee);
        await scene.Walk.TypeAsync(codes[3]);
        await scene.Walk.StayAsync();
        await scene.Walk.InApplicationAsync();

        await scene.NextDayAsync();
        await scene.Walk.ToRecoveryCodeAsync(scene.Employee);
        await scene.Walk.TypeAsync(codes[3]);
        await scene.Walk.RefusedAsync();
    }

    [Fact]
    public async Task Journey_on_a_phone_without_an_unlock_of_its_own()
    {
        await using var scene = await Scene.SetAsync(running, phone: new PhoneOptions { HasUnlock = false, Pin = "2580" });
        await scene.Walk.EnrolAsync(scene.Employee);
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Journey_with_another_authenticator_app()
    {
        await using var scene = await Scene.SetAsync(running);
        await scene.Walk.ToMethodAsync(scene.Employee);
        await scene.Walk.ChooseCodeAsync();
        var secret = await scene.Walk.ReadSecretAsync();
        await scene.Walk.TypeAsync("000000");
        await scene.Walk.RefusedAsync();
        await scene.Walk.TypeAsync(await OathTool.CodeAsync(secret));
        await scene.Walk.HeadingAsync(scene.Words.Additional);
        await scene.Walk.FinishAsync();

        await scene.NextDayAsync();
        await scene.Computer.OpenApplicationAsync();
        await scene.Computer.SignInAsync(scene.Employee);
        await scene.Walk.TypeAsync(await OathTool.CodeAsync(secret, TimeSpan.FromSeconds(30))); // that of today is used up
        await scene.Walk.StayAsync();
        await scene.Walk.InApplicationAsync();
    }

    [Fact]
    public async Task Journey_goes_on_where_it_was_after_reload_back_and_in_a_second_tab()
    {
        Computer? computer = null;
        IPage? left = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await using var scene = await Scene.SetAsync(running, look: async (screen, page) =>
        {
            if (computer is null || page != computer.Page || !page.Url.Contains("/enrol/", StringComparison.Ordinal)) return;
            var (address, title) = (page.Url, await page.TitleAsync());
            await page.ReloadAsync();
            Assert.Equal((screen, address, title), (screen, page.Url, await page.TitleAsync()));
            if (seen.Add(address))
            {
                await page.GoBackAsync(); // the step before is over: the server leads back to this one
                await page.ArriveAsync(address);
            }

            var tab = await computer.NewTabAsync(address);
            Assert.Equal((screen, address, title), (screen, tab.Url, await tab.TitleAsync()));
            if (screen is "P4-method") left = tab;
            else await tab.CloseAsync();
            if (screen is not "P6-test") return;

            // A button pressed in a tab that was left behind changes nothing and leads to where the journey is.
            await left!.Locator("main form button[type=submit]").ClickAsync();
            await left.ArriveAsync(address);
            await left.CloseAsync();
        });
        computer = scene.Computer;
        await scene.Walk.EnrolAsync(scene.Employee);
        scene.NobodyComplained();
    }
}
