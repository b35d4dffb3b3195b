using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Portvakt.WebPush;

/// <summary>Sends messages to push services (RFC 8030), encrypted for the browser (RFC 8291) and signed by the server (RFC 8292).</summary>
/// <remarks>One for the life of the process; safe to use from many threads. It brings its own connections, so that none is made past <see cref="PushEndpointPolicy"/>.</remarks>
public sealed class PushSender : IDisposable
{
    private const int MaxDetailLength = 200;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly PushEndpointPolicy _policy;
    private readonly VapidTokens _tokens;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    /// <param name="policy">Whom we speak to.</param>
    /// <param name="key">Who we are; disposed by the caller.</param>
    /// <param name="subject">Whom the push service can write to.</param>
    /// <param name="clock">For the token's expiry, time limits and pauses.</param>
    public PushSender(PushEndpointPolicy policy, VapidKey key, VapidSubject subject, TimeProvider clock)
        : this(policy, key, subject, clock, PushNetwork.Real)
    {
    }

    internal PushSender(PushEndpointPolicy policy, VapidKey key, VapidSubject subject, TimeProvider clock, PushNetwork network)
    {
        _policy = policy;
        _tokens = new VapidTokens(key, subject, clock);
        _clock = clock;
        _http = new HttpClient(network.CreateHandler(policy))
        {
            Timeout = Timeout.InfiniteTimeSpan, // the limit is ours, by the clock that was handed in
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
    }

    /// <summary>Sends one message, once; at most 5 s.</summary>
    /// <param name="subscription">To whom.</param>
    /// <param name="payload">What the browser's service worker will read: shorter than <see cref="PushOptions.PaddedLength"/>.</param>
    /// <param name="options">How it shall be treated.</param>
    /// <param name="cancellation">The only thing that makes this throw.</param>
    public async Task<PushOutcome> SendAsync(
        PushSubscription subscription, ReadOnlyMemory<byte> payload, PushOptions options, CancellationToken cancellation = default)
    {
        if (_policy.Check(subscription.Endpoint) is not PushEndpointVerdict.Allowed and var verdict)
            return new PushOutcome.EndpointNotAllowed(verdict);

        using var request = Request(subscription, payload.Span, options);
        using var limit = new CancellationTokenSource(PushNetwork.TimeLimit, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return await OutcomeAsync(response, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new PushOutcome.Unreachable(nameof(SocketError.TimedOut));
        }
        catch (HttpRequestException error)
        {
            return error.InnerException switch
            {
                AddressNotPublicException => new PushOutcome.EndpointNotAllowed(PushEndpointVerdict.AddressNotPublic),
                SocketException socket => new PushOutcome.Unreachable(socket.SocketErrorCode.ToString()),
                _ => new PushOutcome.Unreachable(error.HttpRequestError.ToString()),
            };
        }
    }

    /// <summary>
    /// Sends one message and tries again, as long as it can still be of use, while the service is busy or cannot be reached:
    /// after the time it asked for, or else after 1, 2, 4 … s. The message lives until the deadline, not longer.
    /// </summary>
    /// <param name="subscription">To whom.</param>
    /// <param name="payload">As in <see cref="SendAsync"/>.</param>
    /// <param name="options">As in <see cref="SendAsync"/>; <see cref="PushOptions.Ttl"/> is what is left until the deadline, if that is less.</param>
    /// <param name="deadline">When the message is of no more use.</param>
    /// <param name="cancellation">The only thing that makes this throw.</param>
    /// <returns>The last outcome.</returns>
    public async Task<PushOutcome> SendWithRetryAsync(
        PushSubscription subscription, ReadOnlyMemory<byte> payload, PushOptions options, DateTimeOffset deadline, CancellationToken cancellation = default)
    {
        for (var pause = FirstPause; ; pause *= 2)
        {
            var left = deadline - _clock.GetUtcNow();
            var limited = left < options.Ttl ? options with { Ttl = left > TimeSpan.Zero ? left : TimeSpan.Zero } : options;
            var outcome = await SendAsync(subscription, payload, limited, cancellation);

            var asked = outcome switch
            {
                PushOutcome.RetryLater busy => busy.After ?? pause,
                PushOutcome.Unreachable => pause,
                _ => (TimeSpan?)null,
            };
            if (asked is not { } wait)
                return outcome;
            wait = wait > FirstPause ? wait : FirstPause; // "Retry-After: 0" is no invitation to hammer
            if (wait >= deadline - _clock.GetUtcNow())
                return outcome;
            await Task.Delay(wait, _clock, cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // RFC 8030, section 5; the payload's headers by RFC 8291, section 4.
    private HttpRequestMessage Request(PushSubscription subscription, ReadOnlySpan<byte> payload, PushOptions options)
    {
        var content = new ByteArrayContent(PushEncryption.Encrypt(subscription, payload, options.PaddedLength));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        content.Headers.ContentEncoding.Add("aes128gcm");

        var request = new HttpRequestMessage(HttpMethod.Post, subscription.Endpoint) { Content = content };
        request.Headers.TryAddWithoutValidation("Authorization", _tokens.AuthorizationFor(subscription.Endpoint));
        request.Headers.Add("TTL", Math.Ceiling(options.Ttl.TotalSeconds).ToString("F0", CultureInfo.InvariantCulture));
        request.Headers.Add("Urgency", options.Urgency switch
        {
            PushUrgency.VeryLow => "very-low",
            PushUrgency.Low => "low",
            PushUrgency.High => "high",
            _ => "normal",
        });
        if (options.Topic is not null)
            request.Headers.Add("Topic", options.Topic);
        return request;
    }

    private async Task<PushOutcome> OutcomeAsync(HttpResponseMessage response, CancellationToken cancellation) => (int)response.StatusCode switch
    {
        >= 200 and < 300 => new PushOutcome.Delivered(),
        404 or 410 => new PushOutcome.Gone(),
        413 => new PushOutcome.TooLarge(),
        (408 or 429 or >= 500) and var status => new PushOutcome.RetryLater(status, RetryAfter(response.Headers.RetryAfter)),
        var status => new PushOutcome.Refused(status, await DetailAsync(response, cancellation)),
    };

    // RFC 9110, section 10.2.3: seconds or a date. Both read, both as a span from now.
    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header switch
    {
        { Delta: { } seconds } => seconds,
        { Date: { } date } => date > _clock.GetUtcNow() ? date - _clock.GetUtcNow() : TimeSpan.Zero,
        _ => null,
    };

    private static async Task<string> DetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var buffer = new byte[PushNetwork.MaxAnswerLength];
        int length;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            length = await body.ReadAtLeastAsync(buffer, MaxDetailLength, throwOnEndOfStream: false, cancellation);
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException)
        {
            return ""; // the status has already said what matters
        }

        // It ends in a log: a stranger's line breaks and escape codes do not.
        var text = new StringBuilder(MaxDetailLength);
        foreach (var character in buffer.AsSpan(0, Math.Min(length, MaxDetailLength)))
            text.Append(character is >= 0x20 and < 0x7f ? (char)character : ' ');
        return text.ToString().Trim();
    }
}
