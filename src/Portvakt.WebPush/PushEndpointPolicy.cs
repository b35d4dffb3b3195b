using System.Net;
using System.Text.RegularExpressions;

namespace Portvakt.WebPush;

/// <summary>Whether we speak to an address that a browser named, and if not, why.</summary>
public enum PushEndpointVerdict
{
    Allowed,

    /// <summary>Longer than 2048 characters, not printable ASCII, a backslash, a fragment, or a text that two readers understand differently.</summary>
    Malformed,

    NotHttps,
    HasUserInfo,
    NotPort443,

    /// <summary>An IP address in any spelling, a single label, a trailing dot, capitals, an internationalised name: push services have plain names.</summary>
    NotAPlainName,

    NotOnTheList,

    /// <summary>The name is allowed, but not all of its addresses are on the public internet.</summary>
    AddressNotPublic,
}

/// <summary>
/// Which push services we speak to. The address of a subscription comes from whoever holds a phone, and the server will
/// call it: without this list anyone could make it call its own neighbours (server-side request forgery).
/// </summary>
public sealed partial class PushEndpointPolicy
{
    /// <summary>The push services of Chrome and most of Android, Firefox, Safari, and Edge.</summary>
    public static IReadOnlyList<string> DefaultHosts { get; } =
        ["fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

    private const string Https = "https://";
    private const string Http = "http://";
    private const int MaxLength = 2048;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<string> _suffixes = []; // with the leading dot: it is the label's border
    private readonly bool _allowLoopback;

    /// <param name="hosts">Names, or <c>*.</c> and a name of at least two labels for everything below it.</param>
    /// <param name="allowLoopback">For tests and demonstrations: localhost, 127.0.0.1 and [::1] too, on any port, also by http.</param>
    /// <exception cref="ArgumentException">An entry is not a rule; see <see cref="IsHostRule"/>.</exception>
    public PushEndpointPolicy(IEnumerable<string> hosts, bool allowLoopback = false)
    {
        _allowLoopback = allowLoopback;
        foreach (var host in hosts)
        {
            if (!IsHostRule(host))
                throw new ArgumentException($"'{host}' is neither a host name nor *. and a host name.", nameof(hosts));
            if (host[0] == '*')
                _suffixes.Add(host[1..]);
            else
                _names.Add(host);
        }
    }

    /// <summary>Whether a text can stand in the list; for the page where an administrator edits it.</summary>
    public static bool IsHostRule(string? text) =>
        text is not null && IsPlainName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text);

    /// <summary>Judges the address by its text; the addresses behind the name are judged when we connect.</summary>
    public PushEndpointVerdict Check(Uri endpoint)
    {
        // What was written, not what a parser made of it: "0x7f.1" and "①.com" have become something else by then.
        var text = endpoint.OriginalString;
        if (!endpoint.IsAbsoluteUri || text.Length > MaxLength || text.AsSpan().ContainsAnyExceptInRange('!', '~') || text.AsSpan().ContainsAny('\\', '#'))
            return PushEndpointVerdict.Malformed;
        if (_allowLoopback && IsLoopbackService(endpoint))
            return PushEndpointVerdict.Allowed;
        if (!text.StartsWith(Https, StringComparison.Ordinal))
            return PushEndpointVerdict.NotHttps;

        var authority = Authority(text, Https);
        if (authority.Contains('@'))
            return PushEndpointVerdict.HasUserInfo;
        var host = authority;
        if (authority.IndexOf(':') is >= 0 and var colon && authority[0] != '[')
        {
            host = authority[..colon];
            if (authority[colon..] is not ":443")
                return PushEndpointVerdict.NotPort443;
        }

        var name = host.ToString();
        if (!IsPlainName(name))
            return PushEndpointVerdict.NotAPlainName;
        if (!IsListed(name))
            return PushEndpointVerdict.NotOnTheList;

        // HttpClient will follow its own reading of the text. Both must see the same place.
        return endpoint.Port == 443 && endpoint.UserInfo.Length == 0
            && string.Equals(endpoint.IdnHost, name, StringComparison.Ordinal)
                ? PushEndpointVerdict.Allowed
                : PushEndpointVerdict.Malformed;
    }

    /// <summary>Whether a connection to this host may go to this address.</summary>
    internal bool Admits(string host, IPAddress address) =>
        _allowLoopback && IsLoopbackName(host) ? IPAddress.IsLoopback(address)
        : IsListed(host) && PublicAddress.Is(address);

    private bool IsListed(string name)
    {
        if (_names.Contains(name))
            return true;
        foreach (var suffix in _suffixes)
        {
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static bool IsLoopbackService(Uri endpoint)
    {
        var scheme = endpoint.OriginalString.StartsWith(Http, StringComparison.Ordinal) ? Http : Https;
        if (!endpoint.OriginalString.StartsWith(scheme, StringComparison.Ordinal))
            return false;

        var authority = Authority(endpoint.OriginalString, scheme);
        var host = authority[..(authority.LastIndexOf(':') is > 0 and var colon && authority[^1] != ']' ? colon : authority.Length)];
        return IsLoopbackName(host) && endpoint.UserInfo.Length == 0 && host.SequenceEqual(endpoint.Host);
    }

    private static bool IsLoopbackName(ReadOnlySpan<char> host) => host is "localhost" or "127.0.0.1" or "[::1]" or "::1";

    private static ReadOnlySpan<char> Authority(string text, string scheme)
    {
        var rest = text.AsSpan(scheme.Length);
        var end = rest.IndexOfAny('/', '?');
        return end < 0 ? rest : rest[..end];
    }

    private static bool IsPlainName(string host) => host.Length <= 253 && NamePattern.IsMatch(host);

    // Two labels or more, none of them punycode, the last one without digits: so neither an IPv4 address nor anything that
    // a lenient resolver reads as one (0x7f.1, 017700000001) has this form.
    [GeneratedRegex(@"\A(?:(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NamePattern { get; }
}
