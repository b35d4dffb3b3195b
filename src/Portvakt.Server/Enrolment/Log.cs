namespace Portvakt.Server.Enrolment;

internal static partial class Log
{
    // Warning: a code presented twice or late is either a lost person or somebody else's phone.
    [LoggerMessage(2001, LogLevel.Warning, "Binding code {BindingId} was refused: {Outcome}")]
    public static partial void CodeRefused(this ILogger logger, Guid bindingId, string outcome);

    [LoggerMessage(2002, LogLevel.Warning, "A phone could not be bound: {Reason}")]
    public static partial void BindingRefused(this ILogger logger, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "A phone could not be bound anew: {Reason}")]
    public static partial void RebindingRefused(this ILogger logger, string reason);
}
