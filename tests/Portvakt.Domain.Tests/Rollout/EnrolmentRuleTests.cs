using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.Tests.Rollout;

public sealed class EnrolmentRuleTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly DateTimeOffset Start = new(2026, 10, 1, 0, 0, 0, TimeSpan.FromHours(2));
    private static readonly DateTimeOffset Deadline = new(2026, 11, 1, 0, 0, 0, TimeSpan.FromHours(1));

    [Fact]
    public void The_duty_changes_exactly_at_start_and_deadline()
    {
        foreach (var (policy, after) in new[] { (AfterDeadline.EnrolNow, EnrolmentDuty.Required), (AfterDeadline.Block, EnrolmentDuty.Blocked) })
        {
            Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(DateTimeOffset.MinValue, Start, Deadline, policy));
            Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(Start - Tick, Start, Deadline, policy));
            Assert.Equal(EnrolmentDuty.MayPostpone, EnrolmentRule.DutyAt(Start, Start, Deadline, policy));
            Assert.Equal(EnrolmentDuty.MayPostpone, EnrolmentRule.DutyAt(Deadline - Tick, Start, Deadline, policy));
            Assert.Equal(after, EnrolmentRule.DutyAt(Deadline, Start, Deadline, policy));
            Assert.Equal(after, EnrolmentRule.DutyAt(DateTimeOffset.MaxValue, Start, Deadline, policy));
        }
    }

    [Fact]
    public void Nothing_announced_is_no_duty_and_a_deadline_without_days_is_one_at_once()
    {
        Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(Deadline, null, null, AfterDeadline.Block));
        Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(Deadline, Start, null, AfterDeadline.Block));
        Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(Deadline, null, Deadline, AfterDeadline.Block));
        Assert.Equal(EnrolmentDuty.None, EnrolmentRule.DutyAt(Deadline - Tick, Deadline, Deadline, AfterDeadline.EnrolNow));
        Assert.Equal(EnrolmentDuty.Required, EnrolmentRule.DutyAt(Deadline, Deadline, Deadline, AfterDeadline.EnrolNow));
    }

    [Fact]
    public void The_last_day_says_one_and_the_deadline_none()
    {
        Assert.Equal(0, EnrolmentRule.DaysLeft(Deadline, Deadline));
        Assert.Equal(0, EnrolmentRule.DaysLeft(Deadline + TimeSpan.FromDays(400), Deadline));
        Assert.Equal(1, EnrolmentRule.DaysLeft(Deadline - Tick, Deadline));
        Assert.Equal(1, EnrolmentRule.DaysLeft(Deadline - TimeSpan.FromDays(1), Deadline));
        Assert.Equal(2, EnrolmentRule.DaysLeft(Deadline - TimeSpan.FromDays(1) - Tick, Deadline));
        Assert.Equal(30, EnrolmentRule.DaysLeft(Deadline - TimeSpan.FromDays(30), Deadline));
    }

    [Theory]
    [InlineData("2026-03-29", 23)]
    [InlineData("2026-10-25", 25)]
    [InlineData("2026-11-02", 24)]
    public void The_days_when_the_clocks_change_are_counted_in_hours_that_pass(string day, int hours)
    {
        var oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");
        var midnight = DateTime.Parse(day, System.Globalization.CultureInfo.InvariantCulture);
        var morning = new DateTimeOffset(midnight, oslo.GetUtcOffset(midnight));
        var next = midnight.AddDays(1);
        var deadline = new DateTimeOffset(next, oslo.GetUtcOffset(next)); // the end of that day
        Assert.Equal(TimeSpan.FromHours(hours), deadline - morning);

        // Never fewer days than there are. The hour that autumn gives twice belongs to the day before: nobody is told too little.
        for (var minute = 0; minute < hours * 60; minute++)
        {
            var now = morning + TimeSpan.FromMinutes(minute);
            Assert.Equal(deadline - now > TimeSpan.FromDays(1) ? 2 : 1, EnrolmentRule.DaysLeft(now, deadline));
            Assert.Equal(EnrolmentDuty.MayPostpone, EnrolmentRule.DutyAt(now, morning, deadline, AfterDeadline.Block));
        }

        Assert.Equal(EnrolmentDuty.Blocked, EnrolmentRule.DutyAt(deadline, morning, deadline, AfterDeadline.Block));
        Assert.Equal(EnrolmentRule.DaysLeft(morning, deadline), EnrolmentRule.DaysLeft(morning.ToUniversalTime(), TimeZoneInfo.ConvertTime(deadline, oslo)));
    }
}
