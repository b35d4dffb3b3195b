using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Portvakt.WebPush;

/// <summary>Where a browser wants its messages, and the keys that only it can read them with (W3C Push API; RFC 8291, section 2).</summary>
/// <remarks>There is no other way to one than through the checks: whoever holds a subscription holds a valid one.</remarks>
public sealed class PushSubscription
{
    /// <summary>Length of the authentication secret in bytes (RFC 8291, section 3.2).</summary>
    public const int AuthLength = 16;

    private PushSubscription(Uri endpoint, ReadOnlySpan<byte> p256dh, ReadOnlySpan<byte> auth) =>
        (Endpoint, P256dh, Auth) = (endpoint, p256dh.ToArray(), auth.ToArray());

    /// <summary>The push resource (RFC 8030, section 2). Whether we may speak to it says <see cref="PushEndpointPolicy"/>.</summary>
    public Uri Endpoint { get; }

    /// <summary>The browser's public key: 65 bytes, an uncompressed point on P-256.</summary>
    public ReadOnlyMemory<byte> P256dh { get; }

    /// <summary>The secret shared with the browser: 16 bytes. Never logged.</summary>
    public ReadOnlyMemory<byte> Auth { get; }

    /// <summary>From stored bytes.</summary>
    /// <returns>False if the address is not absolute, a length is wrong, or the key is not a point on the curve.</returns>
    public static bool TryCreate(
        Uri endpoint, ReadOnlySpan<byte> p256dh, ReadOnlySpan<byte> auth, [NotNullWhen(true)] out PushSubscription? subscription)
    {
        subscription = endpoint.IsAbsoluteUri && P256.IsPoint(p256dh) && auth.Length == AuthLength
            ? new PushSubscription(endpoint, p256dh, auth)
            : null;
        return subscription is not null;
    }

    /// <summary>From the three texts of the browser's <c>PushSubscription.toJSON()</c>; the keys are base64url without padding.</summary>
    /// <returns>As <see cref="TryCreate(Uri, ReadOnlySpan{byte}, ReadOnlySpan{byte}, out PushSubscription?)"/>, and false if a text is missing or not base64url.</returns>
    public static bool TryCreate(
        string? endpoint, string? p256dh, string? auth, [NotNullWhen(true)] out PushSubscription? subscription)
    {
        subscription = null;
        Span<byte> key = stackalloc byte[P256.PointLength];
        Span<byte> secret = stackalloc byte[AuthLength];
        return Uri.TryCreate(endpoint, UriKind.Absolute, out var address)
            && TryDecode(p256dh, key)
            && TryDecode(auth, secret)
            && TryCreate(address, key, secret, out subscription);
    }

    // The length of the text is exact, so that padding, white space and trailing text have no room: one key has one spelling.
    private static bool TryDecode(string? text, Span<byte> bytes) =>
        text is not null
        && text.Length == Base64Url.GetEncodedLength(bytes.Length)
        && Base64Url.DecodeFromChars(text, bytes, out _, out var written) is OperationStatus.Done // TryDecodeFromChars throws
        && written == bytes.Length;
}
