using System.Text.RegularExpressions;

namespace Portvakt.WebPush;

/// <summary>How important a message is to a phone that saves its battery (RFC 8030, section 5.3).</summary>
public enum PushUrgency
{
    VeryLow,
    Low,
    Normal,
    High,
}

/// <summary>How a message shall be treated on its way (RFC 8030, section 5).</summary>
public sealed partial record PushOptions
{
    /// <summary>How long the push service keeps it for a phone that is not connected; whole seconds, rounded up. Zero means now or never.</summary>
    public required TimeSpan Ttl
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A message cannot live for less than no time.");
    }

    public PushUrgency Urgency { get; init; } = PushUrgency.Normal;

    /// <summary>A newer message replaces an older one with the same topic: at most 32 characters of base64url, or none.</summary>
    public string? Topic
    {
        get;
        init => field = value is null || TopicPattern.IsMatch(value) ? value : throw new ArgumentException("A topic is 1 to 32 characters of base64url.", nameof(value));
    }

    /// <summary>What the payload is padded to, in bytes; see <see cref="PushEncryption.Encrypt(PushSubscription, ReadOnlySpan{byte}, int)"/>.</summary>
    public int PaddedLength { get; init; } = PushEncryption.DefaultPaddedLength;

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,32}\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex TopicPattern { get; }
}
