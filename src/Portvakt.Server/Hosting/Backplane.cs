using System.Threading.Channels;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using StackExchange.Redis;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Carries wake-ups from node to node by publish/subscribe of Valkey or Redis. Nothing is kept there, nothing depends on it: while it is away, waiting
/// pages hear of another node's news when they next look into the database. What travels is who says it and the name of a topic (see <see cref="Signals"/>).
/// </summary>
public sealed class Backplane(Signals signals, IOptions<PortvaktSettings> settings, TimeProvider clock, ILogger<Backplane> logger) : BackgroundService
{
    /// <summary>The one channel; installations that share a server do not understand each other's names.</summary>
    public const string ChannelName = "portvakt";

    private const string Greeting = "";
    private static readonly RedisChannel News = RedisChannel.Literal(ChannelName);

    // Requests put names here and go on: whatever the client library does with a server that hangs, it does to the loop below. The oldest are worth least.
    private readonly Channel<string> _outgoing = Channel.CreateBounded<string>(new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly string _self = RandomId.New();
    private readonly Lock _lock = new();
    private bool? _isThere;

    /// <summary>Whether this names a server, in words that the client library knows.</summary>
    public static bool IsConfiguration(string text) => OptionsOf(text) is not null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        signals.Elsewhere = name => _outgoing.Writer.TryWrite(name);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ConnectAsync(stoppingToken);
            }
            catch (Exception fault) when (fault is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                Lost(fault.GetType().Name); // not its message: nobody promises what stands in it
                await Task.Delay(TimeSpan.FromSeconds(10), clock, stoppingToken);
            }
        }
    }

    private static ConfigurationOptions? OptionsOf(string text)
    {
        try
        {
            // What comes later counts: the operator's words. A node that does not answer is noticed after four such timeouts.
            var options = ConfigurationOptions.Parse($"keepAlive=10,asyncTimeout=2000,{text}", ignoreUnknown: false);
            if (options.EndPoints.Count is 0 || text.Contains("://", StringComparison.Ordinal)) return null;
            options.AbortOnConnectFail = false; // it may come later
            options.ReconnectRetryPolicy = new LinearRetry(2000);
            options.BacklogPolicy = BacklogPolicy.FailFast; // a hint that waits is none
            (options.ConfigurationChannel, options.TieBreaker) = ("", ""); // nothing else is read, written or listened to
            return options;
        }
        catch (Exception wrong) when (wrong is ArgumentException or FormatException or OverflowException)
        {
            return null;
        }
    }

    private async Task ConnectAsync(CancellationToken stoppingToken)
    {
        await using var redis = await ConnectionMultiplexer.ConnectAsync(OptionsOf(settings.Value.Backplane!)!);
        redis.ConnectionFailed += (_, lost) => Lost(lost.FailureType.ToString());
        redis.ConnectionRestored += (_, _) => _outgoing.Writer.TryWrite(Greeting);
        var subscriber = redis.GetSubscriber();
        (await subscriber.SubscribeAsync(News, CommandFlags.FireAndForget)).OnMessage(Hear);
        if (!redis.IsConnected) Lost(nameof(ConnectionFailureType.UnableToConnect));
        _outgoing.Writer.TryWrite(Greeting);
        await foreach (var name in _outgoing.Reader.ReadAllAsync(stoppingToken))
        {
            if (!redis.IsConnected) continue;
            try
            {
                // When the ping is answered the subscription stands, and one hears oneself.
                if (name is Greeting) await subscriber.PingAsync();
                await subscriber.PublishAsync(News, $"{_self}.{name}", CommandFlags.FireAndForget);
            }
            catch (Exception fault) when (fault is RedisException or TimeoutException)
            {
                // A hint less; the library goes on trying, and says so when it is connected again.
            }
        }
    }

    /// <summary>Anybody who may publish is heard here. Our own words come back too: they prove that the way is open in both directions, and wake nobody twice.</summary>
    private void Hear(ChannelMessage message)
    {
        if (message.Message.Length() > 100) return;
        var text = message.Message.ToString();
        if (text.StartsWith(_self, StringComparison.Ordinal)) Found();
        else if (text.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot) signals.WakeFromElsewhere(text[(dot + 1)..]);
    }

    private void Found()
    {
        lock (_lock)
        {
            if (_isThere is true) return;
            _isThere = true;
        }

        logger.BackplaneFound();
    }

    private void Lost(string why)
    {
        lock (_lock)
        {
            if (_isThere is false) return;
            _isThere = false;
        }

        logger.BackplaneLost(why);
    }
}

internal static partial class Log
{
    [LoggerMessage(9201, LogLevel.Information, "The backplane is there: whoever waits at this node hears of the other nodes' news at once")]
    public static partial void BackplaneFound(this ILogger logger);

    [LoggerMessage(9202, LogLevel.Warning, "The backplane is away ({Why}): whoever waits at this node hears of the other nodes' news within two seconds. It is looked for all the time")]
    public static partial void BackplaneLost(this ILogger logger, string why);
}
