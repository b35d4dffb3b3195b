using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using StackExchange.Redis;

namespace Portvakt.Server.Tests.Stories;

/// <summary>
/// Two nodes on one PostgreSQL: the browser waits at one, the phone speaks to the other. The clock stands still, so nobody looks again by
/// himself: who hears, hears over the backplane. And what is decided does not depend on it.
/// </summary>
public sealed class BackplaneStories(BackplaneStories.Nodes nodes) : IClassFixture<BackplaneStories.Nodes>
{
    private static readonly TimeSpan TwoSeconds = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private PortvaktServer A => nodes.A;

    private PortvaktServer B => nodes.B;

    [Fact]
    public async Task The_browser_at_one_node_moves_on_when_the_phone_answers_at_the_other_although_no_time_passes()
    {
        await MeetAsync();
        var (browser, phone, page) = await WaitingAsync(A, B);
        await using var _ = page;
        var next = page.NextAsync();
        await ApproveAsync(phone, browser);
        Assert.Equal("changed", (await next.WaitAsync(Patience)).Name);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    [Fact]
    public async Task The_app_that_is_open_at_one_node_shows_the_request_that_was_made_at_the_other_although_no_time_passes()
    {
        await MeetAsync();
        var (kari, phone) = await Cast.EnrolledAsync(A, new Phone(B));
        await using var app = await EventStream.OfPhoneAsync(B, phone);
        Assert.Equal(("pending", ""), await app.NextAsync().WaitAsync(Patience));
        var next = app.NextAsync();
        using var browser = new Browser(A);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var (name, id) = await next.WaitAsync(Patience);
        Assert.Equal(("pending", (await phone.PendingAsync())!.Value.Id), (name, id));
    }

    [Fact]
    public async Task Without_a_backplane_the_browser_moves_on_when_two_seconds_have_passed()
    {
        Assert.SkipWhen(!PortvaktServer.Has(DatabaseKind.Postgres), PortvaktServer.NoPostgres);
        await using var a = await PortvaktServer.StartAsync(DatabaseKind.Postgres);
        await using var b = await a.BesideAsync();
        await HearsAfterTwoSecondsAsync(a, b);
        Assert.DoesNotContain("backplane", a.Log.All, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task When_the_backplane_is_lost_waiting_takes_two_seconds_and_when_it_is_back_no_time()
    {
        await MeetAsync();
        var (lost, found) = (Count(A, "backplane is away"), Count(A, "backplane is there"));
        await nodes.Wire.CutAsync();
        await PortvaktServer.UntilAsync(() => Task.FromResult(Count(A, "backplane is away") > lost && Count(B, "backplane is away") > 0));
        await HearsAfterTwoSecondsAsync(A, B);
        using (var http = new HttpClient(A.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) })
        {
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready")).StatusCode);
        }

        nodes.Wire.Mend();
        await MeetAsync();
        var (browser, phone, page) = await WaitingAsync(A, B);
        await using var _ = page;
        var next = page.NextAsync();
        await ApproveAsync(phone, browser);
        Assert.Equal("changed", (await next.WaitAsync(Patience)).Name);

        // One line each, however often it was tried in between.
        await PortvaktServer.UntilAsync(() => Task.FromResult(Count(A, "backplane is there") > found));
        Assert.Equal((lost + 1, found + 1), (Count(A, "backplane is away"), Count(A, "backplane is there")));
    }

    [Fact]
    public async Task A_backplane_that_hangs_holds_up_no_request()
    {
        await MeetAsync();
        nodes.Wire.Hold();
        try
        {
            await HearsAfterTwoSecondsAsync(A, B);
            for (var wakeUps = 0; wakeUps < 100_000; wakeUps++) SignalsOf(A).Wake("news for nobody"); // returns, and what is not sent is not kept
        }
        finally
        {
            nodes.Wire.Release();
        }

        await MeetAsync();
    }

    [Fact]
    public async Task A_node_whose_backplane_is_away_at_the_start_serves_and_finds_it_later()
    {
        SkipWithoutServers();
        await using var wire = new RedisWire(cut: true);
        await using var a = await PortvaktServer.StartAsync(DatabaseKind.Postgres, new() { ["Portvakt:Backplane"] = wire.Configuration });
        await using var b = await a.BesideAsync();
        await HearsAfterTwoSecondsAsync(a, b);
        await PortvaktServer.UntilAsync(() => Task.FromResult(Count(a, "backplane is away") is 1));
        wire.Mend();
        await MeetAsync(a, b);
        await PortvaktServer.UntilAsync(() => Task.FromResult(Count(a, "backplane is there") is 1));
    }

    [Fact]
    public async Task What_a_node_says_itself_does_not_come_back_to_wake_it_twice()
    {
        await MeetAsync();
        using var here = SignalsOf(A).Listen("news");
        using var there = SignalsOf(B).Listen("news");
        var (first, over) = (here.WaitAsync(TwoSeconds, CancellationToken.None), there.WaitAsync(TwoSeconds, CancellationToken.None));
        SignalsOf(A).Wake("news");
        await first.WaitAsync(Patience);
        var second = here.WaitAsync(TwoSeconds, CancellationToken.None);
        await over.WaitAsync(Patience); // it went over the backplane
        await HeardAsync(); // and so A has had its own words back
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public async Task Whoever_reads_the_backplane_sees_no_id_and_cannot_tell_who_waits()
    {
        await MeetAsync();
        await using var stranger = await ConnectionMultiplexer.ConnectAsync(RedisWire.RedisItself!);
        var heard = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await stranger.GetSubscriber().SubscribeAsync(RedisChannel.Literal(Backplane.ChannelName), (_, message) => heard.Enqueue(message.ToString()));
        var (browser, phone, page) = await WaitingAsync(A, B);
        await using var _ = page;
        var next = page.NextAsync();
        await ApproveAsync(phone, browser);
        await next.WaitAsync(Patience);
        await PortvaktServer.UntilAsync(() => Task.FromResult(heard.Count > 1));
        Assert.All(heard, message => Assert.Matches("^[A-Za-z0-9_-]{22}\\.([A-Za-z0-9_-]{43})?$", message));
        Assert.DoesNotContain(heard, message => message.Contains(browser.AttemptId, StringComparison.Ordinal));
        var plain = System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Signals.OfAttempt(browser.AttemptId))));
        Assert.DoesNotContain(heard, message => message.EndsWith(plain, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Garbage_and_a_flood_of_it_wake_nobody()
    {
        await MeetAsync();
        await using var stranger = await ConnectionMultiplexer.ConnectAsync(RedisWire.RedisItself!);
        var (browser, phone, page) = await WaitingAsync(A, B);
        await using var _ = page;
        var next = page.NextAsync();
        var attempt = Signals.OfAttempt(browser.AttemptId);
        using var waiter = SignalsOf(A).Listen("news");
        var woken = waiter.WaitAsync(TwoSeconds, CancellationToken.None);
        var publisher = stranger.GetSubscriber();
        var channel = RedisChannel.Literal(Backplane.ChannelName);
        foreach (RedisValue garbage in new RedisValue[] { "", ".", "..", "x", $"x.{attempt}", attempt, $"{RandomId.New()}.{RandomId.NewSecret()}", new byte[] { 0, 0xff, 0xfe, (byte)'.' }, new string('a', 2_000_000) })
            await publisher.PublishAsync(channel, garbage);
        await Task.WhenAll(Enumerable.Range(0, 20_000).Select(_ => publisher.PublishAsync(channel, $"{RandomId.New()}.{RandomId.NewSecret()}")));
        await HeardAsync();
        Assert.False(next.IsCompleted);
        Assert.False(woken.IsCompleted);
        await ApproveAsync(phone, browser);
        Assert.Equal("changed", (await next.WaitAsync(Patience)).Name);
    }

    [Fact]
    public async Task Of_a_flood_of_names_that_were_overheard_four_in_two_seconds_lead_to_a_look_into_the_database()
    {
        await MeetAsync();
        await using var stranger = await ConnectionMultiplexer.ConnectAsync(RedisWire.RedisItself!);
        var channel = RedisChannel.Literal(Backplane.ChannelName);
        var overheard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await stranger.GetSubscriber().SubscribeAsync(channel, (_, message) => overheard.TrySetResult(message.ToString()));
        var looks = 0;
        using var end = new CancellationTokenSource();
        using var waiter = SignalsOf(A).Listen("news");
        var looking = Task.Run(async () =>
        {
            while (true)
            {
                await waiter.WaitAsync(TwoSeconds, end.Token);
                Interlocked.Increment(ref looks);
            }
        });

        SignalsOf(B).Wake("news");
        var name = (await overheard.Task.WaitAsync(Patience)).Split('.')[1];
        await LooksAsync(1);
        var before = Volatile.Read(ref looks);
        for (var wave = 0; wave < 50; wave++)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => stranger.GetSubscriber().PublishAsync(channel, $"{RandomId.New()}.{name}")));
            await HeardAsync();
        }

        Assert.InRange(Volatile.Read(ref looks), before, 4);

        // The clock looks again, and then the backplane is heard as before.
        A.Clock.Advance(TwoSeconds);
        await LooksAsync(5);
        SignalsOf(B).Wake("news");
        await LooksAsync(6);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => looking);

        Task LooksAsync(int least) => PortvaktServer.UntilAsync(() => Task.FromResult(Volatile.Read(ref looks) >= least));
    }

    [Fact]
    public async Task The_password_of_the_backplane_stands_in_no_line_of_the_log_whether_it_is_right_or_wrong()
    {
        await MeetAsync();
        Assert.DoesNotContain(PasswordOf(RedisWire.RedisItself!), A.Log.All, StringComparison.Ordinal);
        var wrong = RedisWire.RedisItself!.Replace(PasswordOf(RedisWire.RedisItself!), "hemmelig-og-feil", StringComparison.Ordinal);
        await using var node = await PortvaktServer.StartAsync(DatabaseKind.Postgres, new() { ["Portvakt:Backplane"] = wrong });
        await PortvaktServer.UntilAsync(() => Task.FromResult(Count(node, "backplane is away") is 1));
        Assert.DoesNotContain("hemmelig-og-feil", node.Log.All, StringComparison.Ordinal);

        static string PasswordOf(string configuration) => ConfigurationOptions.Parse(configuration).Password is { Length: > 0 } password ? password : throw new InvalidOperationException(RedisWire.NoRedis);
    }

    [Theory]
    [InlineData("password=hemmelig")]
    [InlineData("redis://portvakt:hemmelig@redis.example.no:6379")]
    [InlineData("redis.example.no,hemmelig=1")]
    [InlineData("redis.example.no,password=hemmelig,ssl=perhaps")]
    [InlineData("redis.example.no,password=hemmelig,connectTimeout=soon")]
    public void A_configuration_that_names_no_server_or_has_unknown_words_refuses_to_start_and_is_not_repeated(string configuration)
    {
        var problem = Assert.Single(Problems(configuration, "postgres://portvakt@db.example.no/portvakt"));
        Assert.StartsWith("Portvakt:Backplane must be like", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hemmelig", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backplane_for_SQLite_refuses_to_start() =>
        Assert.Contains("Portvakt:Database", Assert.Single(Problems("redis.example.no", null)), StringComparison.Ordinal);

    [Theory]
    [InlineData("redis.example.no")]
    [InlineData("redis.example.no:6380,ssl=true,user=portvakt,password=hemmelig")]
    [InlineData("10.0.0.1:6379,10.0.0.2:6379,serviceName=portvakt")]
    public void What_StackExchange_Redis_understands_is_a_backplane(string configuration) => Assert.Empty(Problems(configuration, "postgres://portvakt@db.example.no/portvakt"));

    private static IEnumerable<string> Problems(string backplane, string? database) =>
        new PortvaktSettings { PublicAddress = PortvaktServer.Origin, Organisation = "Eksempel", PushContact = "mailto:it@eksempel.no", Database = database, Backplane = backplane }.Problems();

    private static void SkipWithoutServers()
    {
        Assert.SkipWhen(!PortvaktServer.Has(DatabaseKind.Postgres), PortvaktServer.NoPostgres);
        Assert.SkipWhen(RedisWire.RedisItself is null, RedisWire.NoRedis);
    }

    private static Signals SignalsOf(PortvaktServer server) => server.Services.GetRequiredService<Signals>();

    private static int Count(PortvaktServer server, string words) => server.Log.All.Split(words).Length - 1;

    /// <summary>A person at a waiting page of one node, which has looked once and now waits, and the phone at the other.</summary>
    private static async Task<(Browser Browser, Phone Phone, EventStream Page)> WaitingAsync(PortvaktServer browsersNode, PortvaktServer phonesNode)
    {
        var (kari, phone) = await Cast.EnrolledAsync(browsersNode, new Phone(phonesNode));
        var browser = new Browser(browsersNode);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        var page = await EventStream.OfPageAsync(browsersNode, browser);
        Assert.Equal("changed", (await page.NextAsync().WaitAsync(Patience)).Name);
        return (browser, phone, page);
    }

    private static async Task ApproveAsync(Phone phone, Browser browser) => Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));

    private static async Task HearsAfterTwoSecondsAsync(PortvaktServer a, PortvaktServer b)
    {
        var (browser, phone, page) = await WaitingAsync(a, b);
        await using var _ = page;
        var (other, othersPhone, othersPage) = await WaitingAsync(a, a);
        await using var __ = othersPage;
        var (next, othersNext) = (page.NextAsync(), othersPage.NextAsync());
        await ApproveAsync(phone, browser);

        // No time passes. Who waits at the node itself hears of a later answer; had the earlier one come over from the other node, it would be here by now.
        await ApproveAsync(othersPhone, other);
        Assert.Equal("changed", (await othersNext.WaitAsync(Patience)).Name);
        Assert.False(next.IsCompleted);
        a.Clock.Advance(TwoSeconds);
        Assert.Equal("changed", (await next.WaitAsync(Patience)).Name);
    }

    /// <summary>Until each of the two hears the other.</summary>
    private Task MeetAsync() => MeetAsync(A, B);

    private static async Task MeetAsync(PortvaktServer a, PortvaktServer b)
    {
        foreach (var (from, to) in new[] { (a, b), (b, a) })
        {
            using var waiter = SignalsOf(to).Listen("hello");
            var heard = waiter.WaitAsync(TwoSeconds, CancellationToken.None);
            await PortvaktServer.UntilAsync(() =>
            {
                SignalsOf(from).Wake("hello");
                return Task.FromResult(heard.IsCompleted);
            });
        }
    }

    /// <summary>Until A has heard everything that was published before this.</summary>
    private async Task HeardAsync()
    {
        var topic = RandomId.New();
        using var waiter = SignalsOf(A).Listen(topic);
        var heard = waiter.WaitAsync(TwoSeconds, CancellationToken.None);
        SignalsOf(B).Wake(topic);
        await heard.WaitAsync(Patience);
    }

    /// <summary>Two nodes on one database and one backplane, with a wire to it.</summary>
    public sealed class Nodes : IAsyncLifetime
    {
        private PortvaktServer? _a;
        private PortvaktServer? _b;
        private RedisWire? _wire;

        public PortvaktServer A
        {
            get
            {
                SkipWithoutServers();
                return _a!;
            }
        }

        public PortvaktServer B => _b!;

        public RedisWire Wire => _wire!;

        public async ValueTask InitializeAsync()
        {
            if (!PortvaktServer.Has(DatabaseKind.Postgres) || RedisWire.RedisItself is null) return;
            _wire = new RedisWire();
            _a = await PortvaktServer.StartAsync(DatabaseKind.Postgres, new() { ["Portvakt:Backplane"] = _wire.Configuration });
            _b = await _a.BesideAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (_b is not null) await _b.DisposeAsync();
            if (_a is not null) await _a.DisposeAsync();
            if (_wire is not null) await _wire.DisposeAsync();
        }
    }
}
