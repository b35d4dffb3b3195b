using Portvakt.EndToEnd.Tests.Actors;
using static Portvakt.EndToEnd.Tests.Running;

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
        var kari = await running.House.AddAsync();
        await using var phone = await PhoneInBrowser.UnpackAsync(running.House, language);
        await using var today = await Computer.StartAsync(running.House, language);
        await using var tomorrow = await Computer.StartAsync(running.House, language);

        var walk = new Walk(today, phone, Labels.For(language));
        await walk.EnrolAsync(kari);
        _ = await phone.RingAsync(); // the push of the test came as well, although the open app was quicker
        walk.Computer = tomorrow;
        await walk.SignInAsync(kari);

        NobodyComplained(today.Witness, tomorrow.Witness, phone.Witness);
    }
}
