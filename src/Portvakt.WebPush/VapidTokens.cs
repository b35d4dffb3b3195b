using System.Collections.Concurrent;

namespace Portvakt.WebPush;

/// <summary>Signs once per origin and twelve hours; RFC 8292, section 5 asks senders to use a token again.</summary>
internal sealed class VapidTokens(VapidKey key, VapidSubject subject, TimeProvider clock)
{
    public static readonly TimeSpan Kept = TimeSpan.FromHours(12);

    // The last message with a token must not arrive after it: clocks differ. Still well below the 24 h of RFC 8292, section 2.
    public static readonly TimeSpan Lifetime = Kept + TimeSpan.FromHours(1);

    // The allow-list knows suffixes, so subscriptions could invent origins without end.
    private const int MostOrigins = 256;

    private readonly ConcurrentDictionary<string, (string Header, DateTimeOffset SignedAt)> _byOrigin = new(StringComparer.Ordinal);

    /// <summary>The value of <c>Authorization</c> for this push resource (RFC 8292, section 3).</summary>
    public string AuthorizationFor(Uri endpoint)
    {
        var origin = endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        var now = clock.GetUtcNow();
        // A clock that was set back makes the token look as if it came from the future: then a new one, too.
        if (_byOrigin.TryGetValue(origin, out var kept) && now >= kept.SignedAt && now - kept.SignedAt < Kept)
            return kept.Header;

        if (_byOrigin.Count >= MostOrigins)
            _byOrigin.Clear();
        var header = $"vapid t={key.Token(origin, subject, now + Lifetime)}, k={key.ApplicationServerKey}";
        _byOrigin[origin] = (header, now);
        return header;
    }
}
