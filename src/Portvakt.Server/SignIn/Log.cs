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

    // What was wrong, in the words of Web Authentication Level 3; nothing of the answer itself.
    [LoggerMessage(1004, LogLevel.Information, "Passkey {PasskeyId} refused: {Refusal}")]
    public static partial void PasskeyRefused(this ILogger logger, Guid? passkeyId, string refusal);

    [LoggerMessage(1005, LogLevel.Information, "Passkey not registered: {Refusal}")]
    public static partial void PasskeyNotRegistered(this ILogger logger, string refusal);

    // Warning: either the authenticator is broken, or somebody has a copy of its key.
    [LoggerMessage(1006, LogLevel.Warning, "Passkey {PasskeyId} refused: its counter did not grow, so there may be a copy of it")]
    public static partial void PasskeyCloneSuspected(this ILogger logger, Guid passkeyId);
}
