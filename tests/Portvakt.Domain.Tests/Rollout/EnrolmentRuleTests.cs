using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.Tests.Rollout;

/// <summary>The rule of the deadline: a table to read, then every combination of facts around every instant that matters.</summary>
public sealed class EnrolmentRuleTests
{
    private static readonly TimeZoneInfo Oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private static readonly TimeSpan LastDays = TimeSpan.FromDays(3);
    private static readonly DateTimeOffset Start = EnrolmentRule.StartOf(new DateOnly(2026, 11, 1), Oslo);
    private static readonly DateTimeOffset Deadline = EnrolmentRule.StartOf(new DateOnly(2026, 12, 1), Oslo);
    private static readonly DateTimeOffset Between = Start + TimeSpan.FromDays(10);
    private static readonly EnrolmentFacts Employee = new() { StartsAt = Start, DeadlineAt = Deadline, AfterDeadline = AfterDeadline.EnrolNow, LastUsedAt = Start - TimeSpan.FromDays(1) };

    private static EnrolmentVerdict Judge(DateTimeOffset now, EnrolmentFacts facts) =>
        EnrolmentRule.Judge(now, facts with { LastUsedAt = facts.LastUsedAt == Employee.LastUsedAt ? now - TimeSpan.FromDays(1) : facts.LastUsedAt }, LastDays);

    [Fact]
    public void Rollout_the_policy_as_a_table()
    {
        var postponed = Employee with { PostponedUntil = Between + TimeSpan.FromHours(3) };
        var exempt = Employee with { ExemptUntil = Deadline + TimeSpan.FromDays(5) };
        var extended = Employee with { ExtendedUntil = Deadline + TimeSpan.FromDays(5) };
        var blocking = Employee with { AfterDeadline = AfterDeadline.Block };
        (string Who, DateTimeOffset Now, EnrolmentFacts Facts, EnrolmentDuty Duty, EnrolmentDoor Door)[] rows =
        [
            ("Somebody of no wave", Deadline, Employee with { StartsAt = null, DeadlineAt = null }, EnrolmentDuty.None, EnrolmentDoor.Open),
            ("Before the start", Start - Tick, Employee, EnrolmentDuty.None, EnrolmentDoor.Open),
            ("From the start on", Start, Employee, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("Said not now an hour ago", Between, postponed, EnrolmentDuty.Postponed, EnrolmentDoor.Open),
            ("Not now is over", Between + TimeSpan.FromHours(3), postponed, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("In the last days not now holds for one sign-in", Deadline - LastDays, Employee with { PostponedUntil = Deadline }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("Just before the last days", Deadline - LastDays - Tick, Employee with { PostponedUntil = Deadline }, EnrolmentDuty.Postponed, EnrolmentDoor.Open),
            ("The last moment", Deadline - Tick, Employee, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("The deadline, where one enrols at once", Deadline, Employee, EnrolmentDuty.Required, EnrolmentDoor.Open),
            ("The deadline, where the helpdesk opens", Deadline, blocking, EnrolmentDuty.Blocked, EnrolmentDoor.Open),
            ("A postponement never reaches beyond the deadline", Deadline, blocking with { PostponedUntil = DateTimeOffset.MaxValue }, EnrolmentDuty.Blocked, EnrolmentDoor.Open),
            ("Exempt, after the deadline", Deadline, exempt, EnrolmentDuty.None, EnrolmentDoor.Open),
            ("The exemption is over", Deadline + TimeSpan.FromDays(5), exempt, EnrolmentDuty.Required, EnrolmentDoor.Open),
            ("Extended, after the common deadline", Deadline, extended, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("Extended, and that is over", Deadline + TimeSpan.FromDays(5), extended, EnrolmentDuty.Required, EnrolmentDoor.Open),
            ("An extension to an earlier day changes nothing", Between, Employee with { ExtendedUntil = Start + Tick }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("Switched on before the start", Start - Tick, Employee with { MustHave = true }, EnrolmentDuty.Required, EnrolmentDoor.Open),
            ("Switched on: no exemption any more", Between, exempt with { MustHave = true }, EnrolmentDuty.Required, EnrolmentDoor.Open),
            ("A lost phone that the helpdesk removed", Between, Employee with { MustHave = true, NeedsPass = true }, EnrolmentDuty.Blocked, EnrolmentDoor.Closed),
            ("Codes are needed, before the deadline", Between, Employee with { Access = EnrolmentAccess.CodeRequired }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Closed),
            ("Codes are needed, after the deadline", Deadline, Employee with { Access = EnrolmentAccess.CodeRequired }, EnrolmentDuty.Blocked, EnrolmentDoor.Closed),
            ("At home, where only the office counts", Between, Employee with { Access = EnrolmentAccess.TrustedNetworks }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Closed),
            ("In the office", Between, Employee with { Access = EnrolmentAccess.TrustedNetworks, FromTrustedNetwork = true }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("An account that nobody ever used", Between, Employee with { LastUsedAt = null }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Closed),
            ("Unused for thirty days", Between, Employee with { LastUsedAt = Between - EnrolmentRule.UnusedLimit }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Closed),
            ("Unused for a moment less", Between, Employee with { LastUsedAt = Between - EnrolmentRule.UnusedLimit + Tick }, EnrolmentDuty.MayPostpone, EnrolmentDoor.Open),
            ("Never used, after the deadline", Deadline, Employee with { LastUsedAt = null }, EnrolmentDuty.Blocked, EnrolmentDoor.Closed),
        ];
        Assert.All(rows, row =>
        {
            var verdict = Judge(row.Now, row.Facts);
            Assert.True((verdict.Duty, verdict.Door) == (row.Duty, row.Door), $"{row.Who}: {verdict} instead of {row.Duty}, {row.Door}");
        });
    }

    [Fact]
    public void Rollout_later_is_never_weaker_whatever_the_facts()
    {
        DateTimeOffset[] instants = [.. new[] { Start, Between, Deadline - LastDays, Deadline, Deadline + TimeSpan.FromDays(5) }.SelectMany(at => new[] { at - Tick, at, at + Tick })];
        foreach (var facts in Every().Where(facts => facts.ExemptUntil is null)) // an exemption may begin at any time; that somebody answers for it is its point
        {
            var last = EnrolmentDuty.None;
            foreach (var now in instants)
            {
                var duty = Judge(now, facts).Duty;
                var weaker = duty < last && !(last is EnrolmentDuty.MayPostpone && duty is EnrolmentDuty.Postponed);
                Assert.False(weaker, $"{last} became {duty} at {now:O}: {facts}");
                last = duty;
            }
        }
    }

    [Fact]
    public void Rollout_a_shorter_deadline_bites_at_once_and_no_postponement_helps()
    {
        foreach (var facts in Every().Where(facts => facts is { ExemptUntil: null, ExtendedUntil: null }))
        {
            var verdict = Judge(Between, facts with { DeadlineAt = Between });
            Assert.True(verdict.Duty is EnrolmentDuty.Required or EnrolmentDuty.Blocked, $"{verdict}: {facts}");
        }
    }

    [Fact]
    public void Rollout_a_closed_door_never_lets_a_duty_be_met_with_a_password_alone() =>
        Assert.All(Every(), facts => Assert.False(Judge(Deadline, facts) is { Duty: EnrolmentDuty.Required, Door: EnrolmentDoor.Closed }));

    [Theory]
    [InlineData("2026-03-29", 23)]
    [InlineData("2026-10-25", 25)]
    [InlineData("2026-11-02", 24)]
    public void Rollout_the_days_when_the_clocks_change_are_days_like_others(string day, int hours)
    {
        var today = DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture);
        var (morning, midnight) = (EnrolmentRule.StartOf(today, Oslo), EnrolmentRule.StartOf(today.AddDays(1), Oslo));
        Assert.Equal(TimeSpan.FromHours(hours), midnight - morning);
        var facts = Employee with { StartsAt = morning - TimeSpan.FromDays(20), DeadlineAt = midnight, AfterDeadline = AfterDeadline.Block };
        for (var minute = 0; minute < hours * 60; minute++)
        {
            var now = morning + TimeSpan.FromMinutes(minute);
            Assert.Equal(1, EnrolmentRule.DaysLeft(now, midnight, Oslo));
            Assert.Equal(2, EnrolmentRule.DaysLeft(morning - Tick - TimeSpan.FromMinutes(minute % (23 * 60)), midnight, Oslo));
            Assert.Equal(EnrolmentDuty.MayPostpone, Judge(now, facts).Duty);
        }

        Assert.Equal(EnrolmentDuty.MayPostpone, Judge(midnight - Tick, facts).Duty);
        Assert.Equal(EnrolmentDuty.Blocked, Judge(midnight, facts).Duty);
        Assert.Equal(0, EnrolmentRule.DaysLeft(midnight, midnight, Oslo));
        Assert.Equal(2, EnrolmentRule.DaysLeft(morning - Tick, midnight, Oslo));
        Assert.Equal(today, EnrolmentRule.LastDay(midnight, Oslo));
    }

    [Fact]
    public void Rollout_a_deadline_at_midnight_belongs_to_the_day_before()
    {
        Assert.Equal(new DateOnly(2026, 11, 30), EnrolmentRule.LastDay(Deadline, Oslo));
        Assert.Equal(new DateOnly(2026, 12, 1), EnrolmentRule.LastDay(Deadline + TimeSpan.FromHours(8), Oslo));
        Assert.Equal(30, EnrolmentRule.DaysLeft(Start, Deadline, Oslo));
    }

    [Fact]
    public void Rollout_a_day_whose_midnight_does_not_exist_begins_at_its_first_instant()
    {
        var beirut = TimeZoneInfo.FindSystemTimeZoneById("Asia/Beirut"); // the clocks jump from 00:00 to 01:00
        var start = EnrolmentRule.StartOf(new DateOnly(2026, 3, 29), beirut);
        Assert.Equal(new DateTime(2026, 3, 29, 1, 0, 0), TimeZoneInfo.ConvertTime(start, beirut).DateTime);
    }

    private static IEnumerable<EnrolmentFacts> Every() =>
        from bits in Enumerable.Range(0, 1 << 8)
        from access in Enum.GetValues<EnrolmentAccess>()
        select new EnrolmentFacts
        {
            StartsAt = Start,
            DeadlineAt = Deadline,
            AfterDeadline = (bits & 1) != 0 ? AfterDeadline.Block : AfterDeadline.EnrolNow,
            ExtendedUntil = (bits & 2) != 0 ? Deadline + TimeSpan.FromDays(5) : null,
            ExemptUntil = (bits & 4) != 0 ? Between : null,
            PostponedUntil = (bits & 8) != 0 ? Between + TimeSpan.FromDays(1) : null,
            MustHave = (bits & 16) != 0,
            FromTrustedNetwork = (bits & 32) != 0,
            NeedsPass = (bits & 64) != 0,
            LastUsedAt = (bits & 128) != 0 ? null : Employee.LastUsedAt,
            Access = access,
        };
}
