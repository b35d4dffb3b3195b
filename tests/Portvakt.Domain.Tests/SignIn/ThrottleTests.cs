using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Tests.SignIn;

public sealed class ThrottleTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(9, 0)]
    [InlineData(10, 60)]
    [InlineData(11, 120)]
    [InlineData(12, 240)]
    [InlineData(13, 480)]
    [InlineData(14, 900)]
    [InlineData(15, 900)]
    [InlineData(1_000, 900)]
    [InlineData(int.MaxValue, 900)]
    public void Ten_wrong_passwords_cost_a_minute_then_twice_as_much_up_to_a_quarter_of_an_hour(int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Throttle.Password.PauseAfter(failures));

    [Theory]
    [InlineData(4, 0)]
    [InlineData(5, 15)]
    [InlineData(6, 30)]
    [InlineData(7, 60)]
    [InlineData(11, 960)]
    [InlineData(12, 1440)]
    [InlineData(13, 1440)]
    public void Five_wrong_codes_cost_a_quarter_of_an_hour_then_twice_as_much_up_to_a_day(int failures, int minutes) =>
        Assert.Equal(TimeSpan.FromMinutes(minutes), Throttle.SecondFactor.PauseAfter(failures));

    [Theory]
    [InlineData(99, 0)]
    [InlineData(100, 30)]
    [InlineData(103, 240)]
    [InlineData(104, 300)]
    public void A_school_behind_one_address_may_fail_a_hundred_times(int failures, int seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Throttle.PasswordSource.PauseAfter(failures));

    [Theory]
    [InlineData(99, 0)]
    [InlineData(100, 3650)]
    [InlineData(1_000, 3650)]
    public void A_hundred_wrong_codes_in_a_row_are_the_end_of_codes(int failures, int days) =>
        Assert.Equal(TimeSpan.FromDays(days), Throttle.Ever.PauseAfter(failures));

    [Fact]
    public void More_failures_never_cost_less()
    {
        foreach (var throttle in new[] { Throttle.Password, Throttle.PasswordSource, Throttle.SecondFactor, Throttle.Number, Throttle.Ever, Throttle.Pass, Throttle.BindingSource })
        {
            for (var failures = 0; failures < 300; failures++) Assert.True(throttle.PauseAfter(failures + 1) >= throttle.PauseAfter(failures));
        }
    }
}
