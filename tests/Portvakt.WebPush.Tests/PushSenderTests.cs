using System.Net;
using System.Net.Sockets;
using System.Text;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

public sealed class PushSenderTests
{
    [Fact]
    public async Task A_message_arrives_and_only_the_browser_can_read_it()
    {
        await using var scene = await Scene.SetAsync();
        var phone = scene.Service.Subscribe(scene.Key.ApplicationServerKey);

        Assert.Equal(new PushOutcome.Delivered(), await scene.SendAsync(phone));

        var message = await phone.NextMessageAsync();
        Assert.Equal(Scene.Payload, message.Plaintext);
        Assert.Equal((60, "high", "a1b2c3", 358), (message.Ttl, message.Urgency, message.Topic, message.Body.Length));
        Assert.DoesNotContain("Zm9vYmFy", Encoding.Latin1.GetString(message.Body), StringComparison.Ordinal);
        Assert.Equal("application/octet-stream", message.Headers["Content-Type"]);
        Assert.Equal(
            ["Authorization", "Content-Encoding", "Content-Length", "Content-Type", "Host", "TTL", "Topic", "Urgency"],
            message.Headers.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal); // nothing that tells more about us
    }

    [Fact]
    public async Task A_subscription_made_over_the_wire_works_like_the_browsers()
    {
        await using var scene = await Scene.SetAsync();
        using var http = new HttpClient();
        using var answer = await http.PostAsync(new Uri(scene.Service.Address, "/subscribe"), new StringContent($$"""{"applicationServerKey":"{{scene.Key.ApplicationServerKey}}"}"""));
        using var json = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        var keys = json.RootElement.GetProperty("keys");

        Assert.True(PushSubscription.TryCreate(
            json.RootElement.GetProperty("endpoint").GetString(), keys.GetProperty("p256dh").GetString(), keys.GetProperty("auth").GetString(), out var subscription));
        Assert.Equal(new PushOutcome.Delivered(), await scene.Sender.SendAsync(subscription, Scene.Payload, Scene.Minute));
    }

    [Theory]
    [InlineData(PushUrgency.VeryLow, "very-low")]
    [InlineData(PushUrgency.Low, "low")]
    [InlineData(PushUrgency.Normal, "normal")]
    [InlineData(PushUrgency.High, "high")]
    public async Task Urgency_and_a_life_in_whole_seconds_are_said_in_the_words_of_the_standard(PushUrgency urgency, string word)
    {
        await using var scene = await Scene.SetAsync();
        var phone = scene.Service.Subscribe();

        await scene.Sender.SendAsync(Scene.Subscription(phone), Scene.Payload, new PushOptions { Ttl = TimeSpan.FromMilliseconds(1500), Urgency = urgency });

        var message = await phone.NextMessageAsync();
        Assert.Equal((word, 2, null), (message.Headers["Urgency"], message.Ttl, message.Topic));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("å")]
    [InlineData("a\r\nX: y")]
    [InlineData("123456789012345678901234567890123")]
    public void A_topic_that_is_no_topic_is_our_own_mistake(string topic) =>
        Assert.Throws<ArgumentException>(() => new PushOptions { Ttl = TimeSpan.Zero, Topic = topic });

    [Fact]
    public void A_negative_life_is_our_own_mistake() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PushOptions { Ttl = TimeSpan.FromSeconds(-1) });

    public static TheoryData<int, PushOutcome> Answers => new()
    {
        { 200, new PushOutcome.Delivered() },
        { 201, new PushOutcome.Delivered() },
        { 202, new PushOutcome.Delivered() },
        { 204, new PushOutcome.Delivered() },
        { 301, new PushOutcome.Refused(301, "why") },
        { 304, new PushOutcome.Refused(304, "") },
        { 400, new PushOutcome.Refused(400, "why") },
        { 401, new PushOutcome.Refused(401, "why") },
        { 403, new PushOutcome.Refused(403, "why") },
        { 404, new PushOutcome.Gone() },
        { 407, new PushOutcome.Refused(407, "why") },
        { 408, new PushOutcome.RetryLater(408, null) },
        { 410, new PushOutcome.Gone() },
        { 413, new PushOutcome.TooLarge() },
        { 415, new PushOutcome.Refused(415, "why") },
        { 429, new PushOutcome.RetryLater(429, null) },
        { 500, new PushOutcome.RetryLater(500, null) },
        { 502, new PushOutcome.RetryLater(502, null) },
        { 503, new PushOutcome.RetryLater(503, null) },
        { 599, new PushOutcome.RetryLater(599, null) },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task Every_answer_of_a_push_service_has_one_meaning(int status, PushOutcome expected)
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = new FakePushAnswer(status) { Body = status is 304 or < 300 ? "" : "why" };

        Assert.Equal(expected, await scene.SendAsync(scene.Service.Subscribe()));
        Assert.Equal(1, scene.Service.RequestCount);
    }

    [Theory]
    [InlineData("120", 120L)]
    [InlineData("0", 0L)]
    [InlineData("Sun, 22 Nov 2026 12:00:45 GMT", 45L)]
    [InlineData("Sunday, 22-Nov-26 12:00:45 GMT", 45L)]
    [InlineData("Sun Nov 22 12:00:45 2026", 45L)]
    [InlineData("Sun, 22 Nov 2026 11:59:00 GMT", 0L)]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", 251_606_951_999)]
    [InlineData("soon", null)]
    [InlineData("-5", null)]
    [InlineData("99999999999999999999", null)]
    public async Task Retry_after_is_read_in_both_forms(string header, long? seconds)
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = FakePushAnswer.TooManyRequests(header);

        var outcome = Assert.IsType<PushOutcome.RetryLater>(await scene.SendAsync(scene.Service.Subscribe()));

        Assert.Equal(seconds is null ? null : TimeSpan.FromSeconds(seconds.Value), outcome.After);
    }

    [Fact]
    public async Task A_key_that_the_subscription_is_not_bound_to_is_refused_with_the_services_reason()
    {
        await using var scene = await Scene.SetAsync();
        using var older = VapidKey.Create();

        Assert.Equal(new PushOutcome.Refused(403, "not the key of the subscription"), await scene.SendAsync(scene.Service.Subscribe(older.ApplicationServerKey)));
    }

    [Fact]
    public async Task What_a_service_says_cannot_forge_a_line_in_the_log()
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = new FakePushAnswer(403) { Body = "a\r\nb\u001b[31m\u0000\u2028å" + new string('x', 100_000) };

        var refused = Assert.IsType<PushOutcome.Refused>(await scene.SendAsync(scene.Service.Subscribe()));

        Assert.StartsWith("a  b [31m", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(200, refused.Detail.Length);
        Assert.All(refused.Detail, character => Assert.InRange(character, ' ', '~'));
    }

    [Theory]
    [InlineData("HTTP/1.1 201 Created\r\nContent-Length: 1000000000\r\n\r\n")]
    [InlineData("HTTP/1.1 403 Forbidden\r\nContent-Length: 1000000000\r\n\r\n")]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n")]
    [InlineData("HTTP/1.1 500 Error\r\nTransfer-Encoding: chunked\r\n\r\n3B9ACA00\r\n")]
    public async Task An_endless_answer_is_not_listened_to(string head)
    {
        using var key = VapidKey.Create();
        await using var answer = new EndlessStream(head);
        var network = new PushNetwork((_, _) => throw new InvalidOperationException(), (_, _, _) => Task.FromResult<Stream>(answer));
        using var sender = new PushSender(new PushEndpointPolicy([], allowLoopback: true), key, Scene.Contact, new Scene.Clock(), network);
        using var phone = new FakePushSubscription(new Uri("http://127.0.0.1:1234/wp/1"));

        Assert.IsNotType<PushOutcome.Unreachable>(await sender.SendAsync(Scene.Subscription(phone), Scene.Payload, Scene.Minute).WaitAsync(TimeSpan.FromSeconds(20)));

        await answer.Closed.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.InRange(answer.Served, head.Length, 3 * PushNetwork.MaxAnswerLength); // one buffer for the head, 4 KiB, and what was under way
    }

    [Fact]
    public async Task A_service_that_says_nothing_is_given_up_after_five_seconds()
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = FakePushAnswer.Hang;

        var sending = scene.SendAsync(scene.Service.Subscribe());
        await scene.Service.NextArrivalAsync();
        scene.Time.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        Assert.False(sending.IsCompleted);
        scene.Time.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(new PushOutcome.Unreachable("TimedOut"), await sending.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_caller_who_gives_up_is_told_by_the_usual_exception()
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = FakePushAnswer.Hang;
        using var patience = new CancellationTokenSource();

        var sending = scene.Sender.SendAsync(Scene.Subscription(scene.Service.Subscribe()), Scene.Payload, Scene.Minute, patience.Token);
        await scene.Service.NextArrivalAsync();
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_unreachable()
    {
        await using var scene = await Scene.SetAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var phone = new FakePushSubscription(new Uri($"http://{listener.LocalEndpoint}/wp/1"));
        listener.Stop();

        Assert.Equal(new PushOutcome.Unreachable("ConnectionRefused"), await scene.SendAsync(phone));
    }

    [Fact]
    public async Task Busy_and_broken_services_are_asked_again_after_the_time_they_named_or_twice_as_long_each_time()
    {
        await using var scene = await Scene.SetAsync();
        var phone = scene.Service.Subscribe();
        scene.Service.AnswerNext(FakePushAnswer.ServerError, FakePushAnswer.ServerError, FakePushAnswer.TooManyRequests("7"), FakePushAnswer.TooManyRequests("0"));

        var sending = scene.Sender.SendWithRetryAsync(Scene.Subscription(phone), Scene.Payload, Scene.Minute, scene.Time.GetUtcNow().AddSeconds(60));
        foreach (var pause in new[] { 1, 2, 7, 1 })
        {
            Assert.Equal(PushNetwork.TimeLimit, await scene.Time.NextWaitAsync()); // the attempt
            Assert.Equal(TimeSpan.FromSeconds(pause), await scene.Time.NextWaitAsync());
            scene.Time.Advance(TimeSpan.FromSeconds(pause));
        }

        Assert.Equal(new PushOutcome.Delivered(), await sending.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(5, scene.Service.RequestCount);
        Assert.Equal(60 - 11, (await phone.NextMessageAsync()).Ttl); // not a second longer than the request itself
    }

    [Theory]
    [InlineData("60")]
    [InlineData("3600")]
    [InlineData("Sun, 22 Nov 2026 12:01:00 GMT")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    public async Task A_request_that_will_be_over_by_then_is_not_sent_again(string retryAfter)
    {
        await using var scene = await Scene.SetAsync();
        scene.Service.Answer = FakePushAnswer.TooManyRequests(retryAfter);

        var outcome = await scene.Sender.SendWithRetryAsync(
            Scene.Subscription(scene.Service.Subscribe()), Scene.Payload, Scene.Minute, scene.Time.GetUtcNow().AddSeconds(60));

        Assert.IsType<PushOutcome.RetryLater>(outcome);
        Assert.Equal(1, scene.Service.RequestCount);
    }

    [Fact]
    public async Task What_does_not_heal_is_not_tried_again()
    {
        await using var scene = await Scene.SetAsync();
        foreach (var answer in new[] { FakePushAnswer.NotFound, FakePushAnswer.Gone, FakePushAnswer.Forbidden, FakePushAnswer.TooLarge })
        {
            scene.Service.AnswerNext(answer);
            Assert.IsNotType<PushOutcome.Delivered>(await scene.Sender.SendWithRetryAsync(
                Scene.Subscription(scene.Service.Subscribe()), Scene.Payload, Scene.Minute, scene.Time.GetUtcNow().AddSeconds(60)));
        }

        Assert.Equal(4, scene.Service.RequestCount);
    }

    [Fact]
    public async Task A_service_that_comes_back_within_the_life_of_the_request_still_gets_the_message()
    {
        await using var scene = await Scene.SetAsync();
        var phone = scene.Service.Subscribe();
        scene.Service.AnswerNext(FakePushAnswer.Hang);

        var sending = scene.Sender.SendWithRetryAsync(Scene.Subscription(phone), Scene.Payload, Scene.Minute, scene.Time.GetUtcNow().AddSeconds(60));
        await scene.Service.NextArrivalAsync();
        Assert.Equal(PushNetwork.TimeLimit, await scene.Time.NextWaitAsync());
        scene.Time.Advance(PushNetwork.TimeLimit);
        Assert.Equal(TimeSpan.FromSeconds(1), await scene.Time.NextWaitAsync());
        scene.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(new PushOutcome.Delivered(), await sending.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(54, (await phone.NextMessageAsync()).Ttl);
    }

    /// <summary>Takes any request, answers with a head and then with x for ever, and counts.</summary>
    private sealed class EndlessStream(string head) : Stream
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private long _served;

        public Task Closed => _closed.Task;

        public long Served => Interlocked.Read(ref _served);

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await _asked.Task.WaitAsync(cancellationToken);
            buffer.Span.Fill((byte)'x');
            if (_served < head.Length)
                Encoding.ASCII.GetBytes(head.AsSpan((int)_served, Math.Min(buffer.Length, head.Length - (int)_served)), buffer.Span);
            Interlocked.Add(ref _served, buffer.Length);
            return buffer.Length;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _asked.TrySetResult();
            return ValueTask.CompletedTask;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => _asked.TrySetResult();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            _closed.TrySetResult();
            base.Dispose(disposing);
        }
    }
}
