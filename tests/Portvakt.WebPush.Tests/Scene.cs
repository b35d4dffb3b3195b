using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

/// <summary>A push service on loopback, a sender, and a clock that both go by.</summary>
internal sealed class Scene : IAsyncDisposable
{
    public static readonly VapidSubject Contact = VapidSubject.TryParse("mailto:drift@portvakt.example", out var subject) ? subject : throw new InvalidOperationException();
    public static readonly PushOptions Minute = new() { Ttl = TimeSpan.FromSeconds(60), Urgency = PushUrgency.High, Topic = "a1b2c3" };
    public static readonly byte[] Payload = Encoding.UTF8.GetBytes("""{"id":"Zm9vYmFy","text":"Åpne Portvakt"}""");

    private Scene(FakePushService service, Clock clock)
    {
        (Service, Time) = (service, clock);
        Sender = new PushSender(new PushEndpointPolicy([], allowLoopback: true), Key, Contact, clock);
    }

    public FakePushService Service { get; }

    public Clock Time { get; }

    public VapidKey Key { get; } = VapidKey.Create();

    public PushSender Sender { get; }

    public static async Task<Scene> SetAsync()
    {
        var clock = new Clock();
        return new Scene(await FakePushService.StartAsync(clock), clock);
    }

    /// <summary>Gives up by the wall clock: where the sender talks to somebody who never answers, its own clock stands still.</summary>
    public Task<PushOutcome> SendAsync(FakePushSubscription to) => Sender.SendAsync(Subscription(to), Payload, Minute).WaitAsync(TimeSpan.FromSeconds(20));

    public static PushSubscription Subscription(FakePushSubscription browser) =>
        PushSubscription.TryCreate(browser.Endpoint.ToString(), browser.P256dh, browser.Auth, out var subscription)
            ? subscription
            : throw new InvalidOperationException();

    public async ValueTask DisposeAsync()
    {
        Sender.Dispose();
        Key.Dispose();
        await Service.DisposeAsync();
    }

    /// <summary>Stands still, and tells what is being waited for.</summary>
    public sealed class Clock() : FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero))
    {
        private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            _waits.Writer.TryWrite(dueTime);
            return timer;
        }

        /// <summary>The next span that anybody began to wait for.</summary>
        public Task<TimeSpan> NextWaitAsync() => _waits.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
    }
}
