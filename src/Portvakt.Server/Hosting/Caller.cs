using System.Net;
using System.Net.Sockets;
using Portvakt.Domain;

namespace Portvakt.Server.Hosting;

/// <summary>Who is at the other end of a request, in the coarse words that people and counters need.</summary>
public static class Caller
{
    /// <summary>What is counted and throttled: an IPv4 address, or the /64 of an IPv6 address. Null when unknown.</summary>
    public static string? Source(this HttpContext http)
    {
        if (Address(http) is not { } address) return null;
        if (address.AddressFamily is AddressFamily.InterNetwork) return address.ToString();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return $"{new IPAddress(bytes)}/64";
    }

    /// <summary>The address as a person may see it on the phone: the last part is nobody's business.</summary>
    public static string? CoarseAddress(this HttpContext http)
    {
        if (Address(http) is not { } address) return null;
        if (IPAddress.IsLoopback(address)) return address.ToString();
        var bytes = address.GetAddressBytes();
        return bytes.Length is 4 ? $"{bytes[0]}.{bytes[1]}.{bytes[2]}.x" : $"{bytes[0]:x2}{bytes[1]:x2}:{bytes[2]:x2}{bytes[3]:x2}::";
    }

    /// <summary>Whether the request comes from this machine or a private network, where a place on the map means nothing.</summary>
    public static bool IsNearby(this HttpContext http)
    {
        if (Address(http) is not { } address) return false;
        var bytes = address.GetAddressBytes();
        return IPAddress.IsLoopback(address) || (bytes.Length is 4
            ? bytes[0] is 10 || (bytes[0] is 192 && bytes[1] is 168) || (bytes[0] is 172 && bytes[1] is >= 16 and < 32)
            : address.IsIPv6UniqueLocal || address.IsIPv6LinkLocal);
    }

    /// <summary>Whether the request comes from one of the organisation's own networks.</summary>
    public static bool IsFrom(this HttpContext http, IEnumerable<string> networks) =>
        Address(http) is { } address && networks.Any(network => IPNetwork.Parse(network).Contains(address));

    /// <summary>Browser and system in two words, for instance "Firefox, Windows". Told by the browser, so a hint for people and never a decision.</summary>
    public static string Browser(this HttpContext http)
    {
        var agent = http.Request.Headers.UserAgent.ToString();
        var browser = agent switch
        {
            _ when Has("Edg/") || Has("EdgA/") || Has("EdgiOS/") => "Edge",
            _ when Has("Firefox/") || Has("FxiOS/") => "Firefox",
            _ when Has("SamsungBrowser/") => "Samsung Internet",
            _ when Has("OPR/") => "Opera",
            _ when Has("Chrome/") || Has("CriOS/") => "Chrome",
            _ when Has("Safari/") => "Safari",
            _ => null,
        };
        var system = agent switch
        {
            _ when Has("iPhone") => "iPhone",
            _ when Has("iPad") => "iPad",
            _ when Has("Android") => "Android",
            _ when Has("Windows") => "Windows",
            _ when Has("CrOS") => "ChromeOS",
            _ when Has("Mac OS X") => "Mac",
            _ when Has("Linux") => "Linux",
            _ => null,
        };
        return (browser, system) switch
        {
            (null, null) => "?",
            (null, _) => system!,
            (_, null) => browser,
            _ => $"{browser}, {system}",
        };

        bool Has(string mark) => agent.Contains(mark, StringComparison.Ordinal);
    }

    private static IPAddress? Address(HttpContext http) =>
        http.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : http.Connection.RemoteIpAddress;
}

/// <summary>The browser's own name for itself: a random cookie that binds attempts to the browser that began them.</summary>
public static class BrowserCookie
{
    public const string Name = "__Host-portvakt-browser";

    /// <summary>Browsers keep no cookie longer than this (RFC 6265bis, section 5.5). A browser that was seen longer ago is not known any more.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(400);

    public static byte[]? Hash(HttpContext http) =>
        http.Request.Cookies[Name] is { Length: 43 } secret ? RandomId.Hash(secret) : null;

    /// <summary>The browser's hash; gives the browser its cookie when it has none.</summary>
    public static byte[] Ensure(HttpContext http)
    {
        if (Hash(http) is { } known) return known;
        var secret = RandomId.NewSecret();
        http.Response.Cookies.Append(Name, secret, Options(Lifetime));
        return RandomId.Hash(secret);
    }

    /// <summary>How every cookie of ours is set (R61): this host only, not for scripts, not for other sites' forms.</summary>
    public static CookieOptions Options(TimeSpan? maxAge) => new()
    {
        HttpOnly = true,
        Secure = true,
        SameSite = SameSiteMode.Lax,
        Path = "/",
        MaxAge = maxAge,
        IsEssential = true,
    };
}
