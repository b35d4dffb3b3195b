namespace Portvakt.Server.Approvals;

internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "A phone's proof was refused: {Code} ({Reason})")]
    public static partial void ProofRefused(this ILogger logger, string code, string reason);

    [LoggerMessage(3002, LogLevel.Information, "Approval {ApprovalId} answered: {State}")]
    public static partial void Answered(this ILogger logger, string approvalId, string state);

    // Warning: an answer that does not hold is either a broken app or somebody trying.
    [LoggerMessage(3003, LogLevel.Warning, "An answer to approval {ApprovalId} by phone {PhoneId} was refused: {Reason}")]
    public static partial void AnswerRefused(this ILogger logger, string approvalId, Guid phoneId, string reason);

    [LoggerMessage(3010, LogLevel.Information, "The push service no longer knows phone {PhoneId}; its subscription is removed")]
    public static partial void SubscriptionGone(this ILogger logger, Guid phoneId);

    // Error: 403 means a wrong VAPID key or contact, and it never heals by itself.
    [LoggerMessage(3011, LogLevel.Error, "A push service refuses us for phone {PhoneId}: {Detail}. Check Portvakt:PushContact")]
    public static partial void PushRefused(this ILogger logger, Guid phoneId, string detail);

    [LoggerMessage(3012, LogLevel.Warning, "A push to phone {PhoneId} was not delivered: {Outcome}")]
    public static partial void PushFailed(this ILogger logger, Guid phoneId, string outcome);

    [LoggerMessage(3013, LogLevel.Error, "Sending a push failed")]
    public static partial void PushBroke(this ILogger logger, Exception exception);
}
