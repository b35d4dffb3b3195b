namespace Portvakt.Domain.Rollout;

/// <summary>What a person without a second factor owes the organisation right now. In order: later ones never let more through.</summary>
public enum EnrolmentDuty
{
    /// <summary>Nothing has been announced for this person, or somebody answers for an exemption.</summary>
    None,

    /// <summary>Before the deadline, and "not now" was said a short while ago: not asked again today, in no browser and no application.</summary>
    Postponed,

    /// <summary>Before the deadline: asked at sign-in, may say "not now".</summary>
    MayPostpone,

    /// <summary>The person enrols now, or does not get in.</summary>
    Required,

    /// <summary>Only a pass from the helpdesk opens enrolment.</summary>
    Blocked,
}

/// <summary>What happens after the deadline to one who has no second factor.</summary>
public enum AfterDeadline
{
    /// <summary>Only a Temporary Access Pass from the helpdesk opens enrolment.</summary>
    Block,

    /// <summary>The person enrols at the next sign-in.</summary>
    EnrolNow,
}

/// <summary>Who may enrol before the deadline with a password alone.</summary>
public enum EnrolmentAccess
{
    /// <summary>Everybody, as in the guide.</summary>
    Open,

    /// <summary>Browsers in the organisation's own networks; elsewhere a pass is needed.</summary>
    TrustedNetworks,

    /// <summary>Nobody: a pass is needed.</summary>
    CodeRequired,
}

/// <summary>Whether the way into enrolment is open in this sign-in.</summary>
public enum EnrolmentDoor
{
    Closed,

    /// <summary>The password is enough.</summary>
    Open,

    /// <summary>A Temporary Access Pass was used in this sign-in, a moment ago.</summary>
    OpenedByPass,
}

/// <summary>What is known of a person without a second factor, and of the browser, when the rule is asked.</summary>
public sealed record EnrolmentFacts
{
    /// <summary>From when the person's wave asks; null while no rollout concerns the person.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>From this instant nobody of the wave gets in without a second factor.</summary>
    public DateTimeOffset? DeadlineAt { get; init; }

    public AfterDeadline AfterDeadline { get; init; }

    /// <summary>This person's own later deadline.</summary>
    public DateTimeOffset? ExtendedUntil { get; init; }

    /// <summary>Until then nothing is demanded of this person.</summary>
    public DateTimeOffset? ExemptUntil { get; init; }

    /// <summary>"Not now" holds until then.</summary>
    public DateTimeOffset? PostponedUntil { get; init; }

    /// <summary>The person has switched 2-factor on before the deadline, or holds a role in administration: no way around it any more.</summary>
    public bool MustHave { get; init; }

    public EnrolmentAccess Access { get; init; }

    /// <summary>The browser is in one of the organisation's own networks.</summary>
    public bool FromTrustedNetwork { get; init; }

    /// <summary>When the account was last used; null: never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>A factor was taken away, or the account lay unused: a password alone binds nothing any more (R29).</summary>
    public bool NeedsPass { get; init; }
}

/// <summary>What the rule says: the duty, whether a password is enough to enrol, and the deadline that holds for this person.</summary>
public sealed record EnrolmentVerdict(EnrolmentDuty Duty, EnrolmentDoor Door, DateTimeOffset? DeadlineAt);

/// <summary>The rule of the deadline: a pure function of facts and an instant.</summary>
public static class EnrolmentRule
{
    /// <summary>An account that nobody used for so long cannot enrol with its password alone (R29).</summary>
    public static readonly TimeSpan UnusedLimit = TimeSpan.FromDays(30);

    /// <param name="now">The instant of the sign-in.</param>
    /// <param name="facts">What is known.</param>
    /// <param name="askAlwaysFor">So long before the deadline the question comes at every sign-in, whatever was said before.</param>
    public static EnrolmentVerdict Judge(DateTimeOffset now, EnrolmentFacts facts, TimeSpan askAlwaysFor)
    {
        var deadline = DeadlineOf(facts);
        var access = facts switch
        {
            { NeedsPass: true } => EnrolmentDoor.Closed,
            _ when IsUnused(now, facts.LastUsedAt) => EnrolmentDoor.Closed,
            { Access: EnrolmentAccess.CodeRequired } or { Access: EnrolmentAccess.TrustedNetworks, FromTrustedNetwork: false } => EnrolmentDoor.Closed,
            _ => EnrolmentDoor.Open,
        };
        var duty = facts switch
        {
            { MustHave: true } => EnrolmentDuty.Required,
            _ when now < facts.ExemptUntil => EnrolmentDuty.None,
            _ when facts.StartsAt is null || deadline is null || now < facts.StartsAt => EnrolmentDuty.None,
            _ when now >= deadline => facts.AfterDeadline is AfterDeadline.EnrolNow ? EnrolmentDuty.Required : EnrolmentDuty.Blocked,
            _ when now < facts.PostponedUntil && now < deadline - askAlwaysFor => EnrolmentDuty.Postponed,
            _ => EnrolmentDuty.MayPostpone,
        };

        // Who has to enrol and may not do so with a password alone stands before a closed door, whatever the reason.
        return new EnrolmentVerdict(duty is EnrolmentDuty.Required && access is EnrolmentDoor.Closed ? EnrolmentDuty.Blocked : duty, access, deadline);
    }

    /// <summary>An extension moves the deadline of one person, and never to an earlier day.</summary>
    public static DateTimeOffset? DeadlineOf(EnrolmentFacts facts) =>
        facts is { DeadlineAt: { } common, ExtendedUntil: { } own } && own > common ? own : facts.DeadlineAt;

    public static bool IsUnused(DateTimeOffset now, DateTimeOffset? lastUsedAt) => lastUsedAt is null || now - lastUsedAt >= UnusedLimit;

    /// <summary>Days left as people count them, in the organisation's time zone: tomorrow is 1, whatever the hour and however long the day; on the last day it says 1 as well.</summary>
    public static int DaysLeft(DateTimeOffset now, DateTimeOffset deadlineAt, TimeZoneInfo zone)
    {
        if (deadlineAt <= now) return 0;
        var days = LastDay(deadlineAt, zone).DayNumber - DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime).DayNumber + 1;
        return Math.Max(days, 1);
    }

    /// <summary>The last day on which a password alone is enough: a deadline at midnight belongs to the day before.</summary>
    public static DateOnly LastDay(DateTimeOffset deadlineAt, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(deadlineAt, zone).DateTime.AddTicks(-1));

    /// <summary>The instant when a day begins in a time zone: on a day whose midnight the clocks skip, the first instant that exists.</summary>
    public static DateTimeOffset StartOf(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(local)) local = local.AddMinutes(15);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
