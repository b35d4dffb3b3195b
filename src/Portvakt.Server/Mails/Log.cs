namespace Portvakt.Server.Mails;

/// <summary>Ids and reply codes; never an address, a text or the password of the mail server.</summary>
internal static partial class Log
{
    [LoggerMessage(6001, LogLevel.Warning, "The mail server cannot be used: {Problem}. Mails wait and are tried again")]
    public static partial void MailServerAway(this ILogger logger, string problem);

    [LoggerMessage(6002, LogLevel.Warning, "Mail {MailId} was not taken ({Code}, try {Tries}); it is tried again")]
    public static partial void MailDelayed(this ILogger logger, Guid mailId, int code, int tries);

    [LoggerMessage(6003, LogLevel.Warning, "Mail {MailId} is given up ({Code}, try {Tries}); administration shows why")]
    public static partial void MailGivenUp(this ILogger logger, Guid mailId, int code, int tries);

    [LoggerMessage(6004, LogLevel.Warning, "Of {Count} mails nobody knows whether the mail server took them; administration can send them again")]
    public static partial void MailsUncertain(this ILogger logger, int count);

    [LoggerMessage(6005, LogLevel.Error, "Mails could not be worked on; it is tried again")]
    public static partial void MailFailed(this ILogger logger, Exception exception);

    [LoggerMessage(6006, LogLevel.Information, "{Count} mails of the rollout were written")]
    public static partial void RolloutMailed(this ILogger logger, int count);
}
