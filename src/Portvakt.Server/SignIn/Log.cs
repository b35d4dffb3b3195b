namespace Portvakt.Server.SignIn;

internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Password rejected for account {PersonId}")]
    public static partial void PasswordRejected(this ILogger logger, Guid? personId);

    [LoggerMessage(1002, LogLevel.Warning, "Sign-in slowed down for {Seconds} s: too many failures")]
    public static partial void Throttled(this ILogger logger, double seconds);

    // Warning: the answer is 503; if it stays, the machine is too small for the morning or somebody floods it.
    [LoggerMessage(1003, LogLevel.Warning, "Too many passwords at once; asked to come back")]
    public static partial void TooBusy(this ILogger logger);
}
