namespace Portvakt.Domain.Rollout;

/// <summary>What a person without a second factor owes the organisation right now.</summary>
public enum EnrolmentDuty
{
    /// <summary>Nothing has been announced for this person.</summary>
    None,

    /// <summary>Before the deadline: asked at sign-in, may say "not now".</summary>
    MayPostpone,

    /// <summary>After the deadline, where policy lets the person enrol at once.</summary>
    Required,

    /// <summary>After the deadline, where only the helpdesk opens the door.</summary>
    Blocked,
}

/// <summary>What happens after the deadline to one who has no second factor.</summary>
public enum AfterDeadline
{
    Block,
    EnrolNow,
}

/// <summary>The rule of the deadline: a pure function of dates.</summary>
public static class EnrolmentRule
{
    public static EnrolmentDuty DutyAt(DateTimeOffset now, DateTimeOffset? startsAt, DateTimeOffset? deadlineAt, AfterDeadline afterDeadline) =>
        (startsAt, deadlineAt) switch
        {
            (null, _) or (_, null) => EnrolmentDuty.None,
            var (start, _) when now < start => EnrolmentDuty.None,
            var (_, deadline) when now < deadline => EnrolmentDuty.MayPostpone,
            _ => afterDeadline is AfterDeadline.EnrolNow ? EnrolmentDuty.Required : EnrolmentDuty.Blocked,
        };

    /// <summary>Whole days left, counted so that the last day says 1 and not 0.</summary>
    public static int DaysLeft(DateTimeOffset now, DateTimeOffset deadlineAt) =>
        deadlineAt <= now ? 0 : (int)Math.Ceiling((deadlineAt - now).TotalDays);
}
