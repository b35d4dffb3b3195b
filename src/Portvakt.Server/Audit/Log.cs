namespace Portvakt.Server.Audit;

internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Error, "The audit log could not be chained this time; the next round tries again")]
    public static partial void ChainingFailed(this ILogger logger, Exception problem);

    // Critical: somebody has written into the database. Nothing is chained until an operator has looked, so that nothing forged is sealed anew.
    [LoggerMessage(4002, LogLevel.Critical, "The audit log is no longer chained: {Fault}. Run `portvakt audit verify`")]
    public static partial void ChainStopped(this ILogger logger, string fault);

    [LoggerMessage(4003, LogLevel.Critical, "The audit log was changed: {Fault}. See docs/operating/audit.md")]
    public static partial void ChainBroken(this ILogger logger, string fault);

    [LoggerMessage(4004, LogLevel.Information, "The audit log is whole: {Rows} rows verified")]
    public static partial void ChainWhole(this ILogger logger, long rows);
}
