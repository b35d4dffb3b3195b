namespace Portvakt.WebPush;

/// <summary>What became of a message. A closed list: the caller's switch decides what each means for the subscription.</summary>
public abstract record PushOutcome
{
    private PushOutcome()
    {
    }

    /// <summary>2xx: the push service has it. Not that the phone has.</summary>
    public sealed record Delivered : PushOutcome;

    /// <summary>404 or 410: the subscription is no more; delete it (RFC 8030, section 7.3).</summary>
    public sealed record Gone : PushOutcome;

    /// <summary>
    /// 401, 403 and every other answer that says "not like this": wrong VAPID key or subject, a redirect, a bad request.
    /// It never heals by itself: raise an alarm, keep the subscription.
    /// </summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="Detail">The beginning of what the service said, printable ASCII only and at most 200 characters; for the log.</param>
    public sealed record Refused(int Status, string Detail) : PushOutcome;

    /// <summary>413: the body is longer than the service takes.</summary>
    public sealed record TooLarge : PushOutcome;

    /// <summary>408, 429 or 5xx: the same message may succeed later.</summary>
    /// <param name="Status">The HTTP status.</param>
    /// <param name="After">What the service asked for in <c>Retry-After</c>, counted from now; null if it named no time.</param>
    public sealed record RetryLater(int Status, TimeSpan? After) : PushOutcome;

    /// <summary>No answer: no name, no connection, no trust in the certificate, or not in time.</summary>
    /// <param name="Reason">One word for the log.</param>
    public sealed record Unreachable(string Reason) : PushOutcome;

    /// <summary>We do not speak to this address; nothing was sent.</summary>
    /// <param name="Verdict">Why.</param>
    public sealed record EndpointNotAllowed(PushEndpointVerdict Verdict) : PushOutcome;
}
