namespace Portvakt.Server.OpenIdConnect;

internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Warning, "{Sentence}")]
    public static partial void RelyingPartyWarning(this ILogger logger, string sentence);

    [LoggerMessage(301, LogLevel.Information, "{Count} relying parties are registered; tokens are signed with key {KeyId}.")]
    public static partial void ProviderReady(this ILogger logger, int count, string keyId);

    // An application that cannot be reached is the application's trouble until it is given up.
    [LoggerMessage(302, LogLevel.Information, "{ClientId} did not hear of a sign-out (try {Tries}): {Answer}. Next try {NextTryAt:u}.")]
    public static partial void LogoutNotHeard(this ILogger logger, string clientId, int tries, string answer, DateTimeOffset nextTryAt);

    [LoggerMessage(303, LogLevel.Warning, "{ClientId} has not heard of a sign-out in a day; given up after {Tries} tries.")]
    public static partial void LogoutGivenUp(this ILogger logger, string clientId, int tries);

    [LoggerMessage(304, LogLevel.Error, "Sign-outs could not be delivered this time; the next round tries again.")]
    public static partial void DeliveryFailed(this ILogger logger, Exception problem);

    [LoggerMessage(305, LogLevel.Error, "The signing keys could not be read anew; those in memory go on. Tried again in an hour.")]
    public static partial void KeysNotReloaded(this ILogger logger, Exception problem);
}
