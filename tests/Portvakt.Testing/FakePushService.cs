using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Portvakt.Testing;

/// <summary>
/// A push service and the browser behind it, on loopback (RFC 8030). It is as strict as the strict ones: it checks the
/// VAPID token, the headers and the size, and decrypts with the browser's key, so a test sees only what was really encrypted.
/// <c>POST /subscribe</c> makes a subscription, <c>POST /wp/{id}</c> takes a message.
/// </summary>
public sealed class FakePushService : IAsyncDisposable
{
    private const int MaxBodyLength = 4096;

    private readonly WebApplication _app;
    private readonly TimeProvider _clock;
    private readonly ConcurrentDictionary<string, FakePushSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<FakePushAnswer> _next = new();
    private readonly Channel<string> _arrivals = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _closing = new();
    private int _requests;

    private FakePushService(WebApplication app, TimeProvider clock) => (_app, _clock) = (app, clock);

    /// <summary>Where it listens: http on 127.0.0.1 and a free port.</summary>
    public Uri Address => new(_app.Urls.Single());

    /// <summary>What it answers to every message, until told otherwise. A message is only taken with <see cref="FakePushAnswer.Created"/>.</summary>
    public FakePushAnswer Answer { get; set; } = FakePushAnswer.Created;

    /// <summary>How often <c>/wp/</c> was called, whatever was answered.</summary>
    public int RequestCount => Volatile.Read(ref _requests);

    /// <param name="clock">By which tokens expire: the clock of the server under test.</param>
    public static async Task<FakePushService> StartAsync(TimeProvider clock)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var service = new FakePushService(app, clock);
        app.Run(service.HandleAsync);
        await app.StartAsync();
        return service;
    }

    /// <summary>Answers the next messages in this way, one after the other; then <see cref="Answer"/> holds again.</summary>
    public void AnswerNext(params ReadOnlySpan<FakePushAnswer> answers)
    {
        foreach (var answer in answers)
            _next.Enqueue(answer);
    }

    /// <summary>What the browser does in <c>pushManager.subscribe</c>.</summary>
    /// <param name="applicationServerKey">The only VAPID key that may send, in base64url; null lets every key send.</param>
    public FakePushSubscription Subscribe(string? applicationServerKey = null)
    {
        var id = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        return _subscriptions[id] = new FakePushSubscription(EndpointOf(id), applicationServerKey);
    }

    /// <summary>Where messages for a subscription go.</summary>
    /// <param name="id">What the service knows it by.</param>
    public Uri EndpointOf(string id) => new(Address, "/wp/" + id);

    /// <summary>A browser that subscribed before this service began is there again, with the keys of then.</summary>
    /// <param name="id">See <see cref="EndpointOf"/>.</param>
    /// <param name="key">The subscription's key; disposed with it.</param>
    /// <param name="auth">Its secret of 16 bytes.</param>
    public FakePushSubscription Resubscribe(string id, ECDiffieHellman key, byte[] auth) => _subscriptions[id] = new FakePushSubscription(EndpointOf(id), key: key, auth: auth);

    /// <summary>The browser is gone: from now on there is no such subscription.</summary>
    public void Unsubscribe(string id)
    {
        if (_subscriptions.TryRemove(id, out var subscription)) subscription.Dispose();
    }

    /// <summary>Waits until a message knocks, also one that will not be taken: so a test can act while the sender waits.</summary>
    public async Task NextArrivalAsync() => await _arrivals.Reader.ReadAsync().AsTask().WaitAsync(FakePushSubscription.Patience);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return; // a test may have taken it away already
        await _closing.CancelAsync();
        await _app.DisposeAsync();
        foreach (var subscription in _subscriptions.Values)
            subscription.Dispose();
        _closing.Dispose();
    }

    private Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value!) switch
    {
        ("POST", "/subscribe") => SubscribeAsync(context),
        ("POST", var path) when path.StartsWith("/wp/", StringComparison.Ordinal) => ReceiveAsync(context, path["/wp/".Length..]),
        _ => RefuseAsync(context, 404, "no such resource"),
    };

    private async Task SubscribeAsync(HttpContext context)
    {
        string? key = null;
        if (context.Request.ContentLength > 0)
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            key = body.RootElement.TryGetProperty("applicationServerKey", out var given) ? given.GetString() : null;
        }

        context.Response.StatusCode = 201;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(Subscribe(key).ToJson());
    }

    private async Task ReceiveAsync(HttpContext context, string id)
    {
        Interlocked.Increment(ref _requests);
        _arrivals.Writer.TryWrite(id);

        var answer = _next.TryDequeue(out var next) ? next : Answer;
        if (answer.Hangs)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _closing.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Abort();
            return;
        }

        if (answer != FakePushAnswer.Created)
        {
            if (answer.RetryAfter is not null)
                context.Response.Headers.RetryAfter = answer.RetryAfter;
            if (answer.Location is not null)
                context.Response.Headers.Location = answer.Location.ToString();
            await RefuseAsync(context, answer.Status, answer.Body);
            return;
        }

        if (!_subscriptions.TryGetValue(id, out var subscription))
        {
            await RefuseAsync(context, 404, "no such subscription");
            return;
        }

        var (status, reason, message) = await ReadAsync(context.Request, subscription);
        if (message is null)
        {
            await RefuseAsync(context, status, reason);
            return;
        }

        context.Response.StatusCode = 201;
        context.Response.Headers.Location = new Uri(Address, "/m/" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16))).ToString();
        subscription.Add(message);
    }

    private async Task<(int Status, string Reason, ReceivedPush? Message)> ReadAsync(HttpRequest request, FakePushSubscription subscription)
    {
        if (VapidToken.Refuse(request.Headers.Authorization.ToString(), Address, subscription.ApplicationServerKey, _clock.GetUtcNow()) is { } refusal)
            return (403, refusal, null);
        if (request.Headers.ContentEncoding != "aes128gcm")
            return (415, "Content-Encoding is not aes128gcm", null);
        if (!int.TryParse(request.Headers["TTL"], NumberStyles.None, CultureInfo.InvariantCulture, out var ttl))
            return (400, "TTL is missing", null); // RFC 8030, section 5.2
        var urgency = request.Headers["Urgency"].ToString();
        if (urgency is not ("" or "very-low" or "low" or "normal" or "high"))
            return (400, "Urgency is unknown", null);
        var topic = request.Headers["Topic"].ToString();
        if (topic.Length > 32 || topic.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
            return (400, "Topic is not 32 characters of base64url", null);

        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer);
        if (buffer.Length > MaxBodyLength)
            return (413, "longer than 4096 bytes", null);

        var body = buffer.ToArray();
        return subscription.TryDecrypt(body, out var plaintext)
            ? (201, "", new ReceivedPush(
                plaintext, ttl, urgency.Length > 0 ? urgency : "normal", topic.Length > 0 ? topic : null, body,
                request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)))
            : (400, "cannot be decrypted", null); // a real service cannot know; a test must
    }

    private static async Task RefuseAsync(HttpContext context, int status, string reason)
    {
        context.Response.StatusCode = status;
        if (reason.Length > 0)
            await context.Response.WriteAsync(reason);
    }
}

/// <summary>How the push service answers. Anything but <see cref="Created"/> is said without looking at the message.</summary>
public sealed record FakePushAnswer(int Status)
{
    /// <summary>201, after all checks have passed.</summary>
    public static FakePushAnswer Created { get; } = new(201);

    public static FakePushAnswer NotFound { get; } = new(404);

    public static FakePushAnswer Gone { get; } = new(410);

    public static FakePushAnswer Forbidden { get; } = new(403) { Body = """{"reason":"BadJwtToken"}""" };

    public static FakePushAnswer TooLarge { get; } = new(413);

    public static FakePushAnswer ServerError { get; } = new(500);

    /// <summary>Takes the connection and says nothing.</summary>
    public static FakePushAnswer Hang { get; } = new(0) { Hangs = true };

    /// <param name="retryAfter">Seconds or a date, as it stands in the header.</param>
    public static FakePushAnswer TooManyRequests(string? retryAfter = null) => new(429) { RetryAfter = retryAfter };

    public string? RetryAfter { get; init; }

    public Uri? Location { get; init; }

    public string Body { get; init; } = "";

    public bool Hangs { get; init; }
}

/// <summary>A message as the browser gets it, and as it came over the wire.</summary>
public sealed record ReceivedPush(
    byte[] Plaintext, int Ttl, string Urgency, string? Topic, byte[] Body, IReadOnlyDictionary<string, string> Headers)
{
    public string Text => Encoding.UTF8.GetString(Plaintext);
}
