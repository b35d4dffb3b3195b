namespace Portvakt.Server.Hosting;

/// <summary>
/// Reminds the phone app that this browser held a work account. Browsers clear what an app has stored and often keep cookies, so it can outlive the keys; then the app can
/// say what has happened. It names nobody, holds no secret and opens nothing: the server never reads it. That is why the app's script may.
/// </summary>
public static class PhoneHint
{
    public const string Name = "__Host-portvakt-app";

    /// <summary>Browsers keep no cookie longer than this (RFC 6265bis, section 5.5).</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(400);

    public static void Leave(HttpContext http)
    {
        var options = BrowserCookie.Options(Lifetime);
        (options.HttpOnly, options.SameSite) = (false, SameSiteMode.Strict);
        http.Response.Cookies.Append(Name, "1", options);
    }
}
