namespace Portvakt.Server.Mails;

/// <summary>The closed list of mails. Each has a standard text in three languages, and may have the organisation's own.</summary>
public enum MailKind
{
    /// <summary>The wave has started: switch 2-factor on by the deadline.</summary>
    Announcement,

    /// <summary>Some days are left.</summary>
    Reminder,

    /// <summary>A phone or an app was added to the account (R37).</summary>
    MethodAdded,

    /// <summary>A phone or an app was taken away (R37).</summary>
    MethodRemoved,

    /// <summary>Something else that an owner wants to know at once: new recovery codes, one used, a new password (R37).</summary>
    AccountChanged,

    /// <summary>The helpdesk made a Temporary Access Pass. The pass itself is never mailed.</summary>
    PassIssued,

    /// <summary>To the person who said "it wasn't me": what happened and what to do (R18).</summary>
    NotMe,

    /// <summary>To the helpdesk: somebody said "it wasn't me" (R18).</summary>
    NotMeAlert,

    /// <summary>To the helpdesk and every administrator: an account for the worst day was used (R45).</summary>
    BreakGlassAlarm,
}
