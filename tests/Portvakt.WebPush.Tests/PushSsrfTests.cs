using System.Net;
using System.Net.Sockets;
using Portvakt.Testing;

namespace Portvakt.WebPush.Tests;

/// <summary>R86, G24: a subscription is somebody else's text, and the server would call it. It must not call its neighbours.</summary>
public sealed class PushSsrfTests
{
    private const string Public = "142.250.74.10";

    /// <summary>Addresses that must not even be looked up.</summary>
    private static readonly string[] ForbiddenAddresses =
    [
        // Other schemes
        "http://fcm.googleapis.com/", "http://fcm.googleapis.com:443/", "ftp://fcm.googleapis.com/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x",
        "ws://fcm.googleapis.com/", "wss://fcm.googleapis.com/", "javascript:alert(1)", "data:text/plain,x", "unix:///var/run/docker.sock", "HTTPS://fcm.googleapis.com/",
        "https:fcm.googleapis.com/", "https:/fcm.googleapis.com/", "https:\\\\fcm.googleapis.com\\", "//fcm.googleapis.com/", "jar:https://fcm.googleapis.com!/",
        // User information
        "https://user@fcm.googleapis.com/", "https://user:password@fcm.googleapis.com/", "https://@fcm.googleapis.com/", "https://:@fcm.googleapis.com/",
        "https://fcm.googleapis.com@127.0.0.1/", "https://fcm.googleapis.com:443@127.0.0.1/", "https://127.0.0.1@fcm.googleapis.com/",
        "https://fcm.googleapis.com%40127.0.0.1/", "https://fcm.googleapis.com%2f@127.0.0.1/", "https://a@b@fcm.googleapis.com/",
        // Ports
        "https://fcm.googleapis.com:80/", "https://fcm.googleapis.com:8443/", "https://fcm.googleapis.com:22/", "https://fcm.googleapis.com:6379/", "https://fcm.googleapis.com:0/",
        "https://fcm.googleapis.com:/", "https://fcm.googleapis.com:0443/", "https://fcm.googleapis.com:443x/", "https://fcm.googleapis.com:65979/", "https://fcm.googleapis.com:-443/",
        "https://fcm.googleapis.com:443:443/", "https://fcm.googleapis.com:4430/", "https://fcm.googleapis.com:４４３/",
        // IPv4 in every spelling
        "https://127.0.0.1/", "https://127.0.0.1:443/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/", "https://0.0.0.0/", "https://0/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://017700000001/", "https://0x7f000001/",
        "https://0x7f.0.0.1/", "https://0x7f.1/", "https://0177.0.0.1/", "https://0177.0.0.01/", "https://127.0.0.01/", "https://000127.0.0.1/", "https://127.0.0.1./", "https://①②⑦.⓪.⓪.①/",
        "https://１２７.０.０.１/", "https://127。0。0。1/", "https://3232235777/", "https://0xa9fea9fe/", "https://2852039166/", "https://255.255.255.255/", "https://224.0.0.1/",
        "https://142.250.74.10/", "https://8.8.8.8/", "https://1.1.1.1:443/", "https://127.0.0.1%00.fcm.googleapis.com/", "https://4294967296/", "https://127.0.0.1.1/",
        // IPv6
        "https://[::1]/", "https://[::1]:443/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
        "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/", "https://[ff02::1]/", "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::127.0.0.1]/", "https://[2002:7f00:1::]/", "https://[2001:db8::1]/", "https://[2001:0:7f00:1::]/", "https://[2a00:1450:400f::1]/", "https://[v1.x]/", "https://[::1/", "https://::1/",
        // Names of neighbours
        "https://localhost/", "https://localhost:443/", "https://localhost./", "https://LOCALHOST/", "https://localhost.localdomain/", "https://ip6-localhost/", "https://metadata.google.internal/",
        "https://metadata/", "https://kubernetes.default.svc/", "https://postgres/", "https://redis.local/", "https://127.0.0.1.nip.io/", "https://localtest.me/", "https://router/",
        // Look-alikes
        "https://fcm.googleapis.com.example.org/", "https://evil-fcm.googleapis.com/", "https://evilfcm.googleapis.com/", "https://fcm.googleapis.com-evil.example/", "https://x.fcm.googleapis.com/",
        "https://googleapis.com/", "https://storage.googleapis.com/", "https://fcm.googleapis.co/", "https://fcm.googleapis.comm/", "https://fcmgoogleapis.com/", "https://fcm-googleapis.com/",
        "https://push.apple.com/", "https://evilpush.apple.com/", "https://web.push.apple.com.evil.example/", "https://web.pushXapple.com/", "https://web.push.apple.comevil/", "https://.push.apple.com/",
        "https://web..push.apple.com/", "https://notify.windows.com/", "https://xnotify.windows.com/", "https://a.notify.windows.com.cdn.example/", "https://updates.push.services.mozilla.org/",
        "https://push.services.mozilla.com/", "https://a.updates.push.services.mozilla.com/", "https://*.push.apple.com/", "https://-.push.apple.com/", "https://a-.push.apple.com/", "https://a_b.push.apple.com/",
        // Trailing dots, capitals, other scripts, control characters, encodings
        "https://fcm.googleapis.com./", "https://fcm.googleapis.com../", "https://FCM.googleapis.com/", "https://web.push.apple.com./", "https://xn--fcm-googleapis.com/", "https://xn--80ak6aa92e.push.apple.com/",
        "https://xn--a.push.apple.com/", "https://а.push.apple.com/", "https://fcm.googleapis。com/", "https://fcm.googleapis｡com/", "https://ｆｃｍ.googleapis.com/", "https://fcm.googleapis.ⅽom/", "https://ﬀ.push.apple.com/",
        "https://fcm.googleapis.com\u200b/", "https://fcm\u00ad.googleapis.com/", "https://fcm.googleapis.com%2eevil.example/", "https://fcm%2egoogleapis%2ecom/", "https://%66cm.googleapis.com/",
        " https://fcm.googleapis.com/", "https://fcm.googleapis.com/ ", "https://fcm.googleapis.com/\r\nHost: evil", "https://fcm.googleapis.com\t/", "https://fcm.googleapis.com\0.evil.example/", "ht\ntps://fcm.googleapis.com/",
        // Where two readers may disagree on where the name ends
        "https://127.0.0.1\\@fcm.googleapis.com/", "https://fcm.googleapis.com\\@127.0.0.1/", "https://127.0.0.1#@fcm.googleapis.com/", "https://127.0.0.1?@fcm.googleapis.com/", "https://fcm.googleapis.com#@127.0.0.1/",
        "https://127.0.0.1;fcm.googleapis.com/", "https://fcm.googleapis.com;.evil.example/", "https://127.0.0.1,fcm.googleapis.com/", "https://fcm.googleapis.com&@127.0.0.1/", "https://[fcm.googleapis.com]/",
        "https:///fcm.googleapis.com/", "https:////127.0.0.1/", "https://\\127.0.0.1/", "https://fcm.googleapis.com/#fragment", "https://fcm.googleapis.com/\\..\\", "https://(fcm.googleapis.com)/",
        // Lengths
        "https://", "https:///", "https://.", "https://./", "https://..", "https://" + new string('a', 64) + ".push.apple.com/", "https://" + string.Concat(Enumerable.Repeat("a.", 130)) + "push.apple.com/",
        "https://fcm.googleapis.com/" + new string('a', 2048),
    ];

    public static TheoryData<string> Forbidden => [.. ForbiddenAddresses];

    [Fact]
    public void The_corpus_is_as_large_as_it_claims_without_what_is_no_address_at_all() =>
        Assert.InRange(ForbiddenAddresses.Distinct(StringComparer.Ordinal).Count(address => Uri.TryCreate(address, UriKind.Absolute, out _)), 120, int.MaxValue);

    [Theory]
    [MemberData(nameof(Forbidden))]
    public async Task An_address_outside_the_list_is_neither_looked_up_nor_called(string address)
    {
        using var world = new World(Public);
        using var browser = new FakePushSubscription(new Uri("https://unused.example"));
        if (!PushSubscription.TryCreate(address, browser.P256dh, browser.Auth, out var subscription))
            return; // not an address at all: there is nothing that could be sent

        Assert.IsType<PushOutcome.EndpointNotAllowed>(await world.Sender.SendAsync(subscription, Scene.Payload, Scene.Minute));

        Assert.Empty(world.LookedUp);
        Assert.Empty(world.Called);
    }

    [Theory]
    [InlineData("https://fcm.googleapis.com/fcm/send/dGVzdA:APA91b_x-y", "fcm.googleapis.com")]
    [InlineData("https://fcm.googleapis.com:443/wp/abc", "fcm.googleapis.com")]
    [InlineData("https://updates.push.services.mozilla.com/wpush/v2/gAAAAA", "updates.push.services.mozilla.com")]
    [InlineData("https://web.push.apple.com/QGuQ~x%20y?z=1", "web.push.apple.com")]
    [InlineData("https://a.b.push.apple.com/", "a.b.push.apple.com")]
    [InlineData("https://wns2-db5p.notify.windows.com/w/?token=BQYAAAD%2f", "wns2-db5p.notify.windows.com")]
    public async Task The_real_push_services_are_called_once_at_the_address_that_was_judged(string address, string host)
    {
        using var world = new World(Public, "2a00:1450:400f:80d::200a");

        Assert.Equal(new PushOutcome.Unreachable("ConnectionRefused"), await world.SendAsync(address));

        Assert.Equal([host], world.LookedUp);
        Assert.Equal([$"{Public}, 2a00:1450:400f:80d::200a : 443"], world.Called);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("10.255.255.255")]
    [InlineData("100.64.0.1")]
    [InlineData("100.127.255.255")]
    [InlineData("169.254.169.254")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.8")]
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::1")]
    [InlineData("::")]
    [InlineData("::127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.0.0.1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("::ffff:0:127.0.0.1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:0:7f00:1::")]
    [InlineData("2001:2::1")]
    [InlineData("2001:10::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2002:808:808::1")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("ff0e::1")]
    public async Task An_allowed_name_that_leads_to_a_neighbour_is_not_called_not_even_beside_a_public_address(string address)
    {
        foreach (var addresses in new[] { new[] { address }, [Public, address], [address, Public] })
        {
            using var world = new World(addresses);

            Assert.Equal(
                new PushOutcome.EndpointNotAllowed(PushEndpointVerdict.AddressNotPublic),
                await world.SendAsync("https://fcm.googleapis.com/fcm/send/x"));
            Assert.Empty(world.Called);
        }
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2001:200::1")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2003::1")]
    [InlineData("2620:149:a44::1")]
    [InlineData("2a00:1450:400f::1")]
    public void An_address_on_the_public_internet_is_called_also_close_to_the_borders(string address) =>
        Assert.True(PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public async Task A_name_that_changes_its_mind_after_the_check_is_not_asked_again()
    {
        var lookUps = 0;
        using var world = new World(_ => [IPAddress.Parse(lookUps++ == 0 ? Public : "127.0.0.1")]);

        await world.SendAsync("https://fcm.googleapis.com/fcm/send/x");
        Assert.Equal([$"{Public} : 443"], world.Called);

        // The next message makes a new connection, and that is judged anew.
        Assert.Equal(new PushOutcome.EndpointNotAllowed(PushEndpointVerdict.AddressNotPublic), await world.SendAsync("https://fcm.googleapis.com/fcm/send/x"));
        Assert.Equal((2, 1), (lookUps, world.Called.Count));
    }

    [Fact]
    public async Task A_name_without_addresses_is_unreachable()
    {
        using var world = new World(_ => []);

        Assert.Equal(new PushOutcome.Unreachable("HostNotFound"), await world.SendAsync("https://fcm.googleapis.com/fcm/send/x"));
        Assert.Empty(world.Called);
    }

    [Fact]
    public async Task A_redirect_to_a_neighbour_is_not_followed()
    {
        await using var scene = await Scene.SetAsync();
        await using var neighbour = await FakePushService.StartAsync(scene.Time);
        foreach (var status in new[] { 300, 301, 302, 303, 307, 308 })
        {
            scene.Service.Answer = new FakePushAnswer(status) { Location = neighbour.Subscribe().Endpoint };
            Assert.Equal(new PushOutcome.Refused(status, ""), await scene.SendAsync(scene.Service.Subscribe()));
        }

        Assert.Equal((6, 0), (scene.Service.RequestCount, neighbour.RequestCount));
    }

    [Fact]
    public async Task A_listener_on_this_machine_is_never_called_without_the_switch()
    {
        await using var service = await FakePushService.StartAsync(TimeProvider.System);
        var port = service.Address.Port;
        using var key = VapidKey.Create();
        using var sender = new PushSender(new PushEndpointPolicy(PushEndpointPolicy.DefaultHosts), key, Scene.Contact, TimeProvider.System);
        foreach (var host in new[] { "127.0.0.1", "localhost", "[::1]", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0", Dns.GetHostName() })
        {
            foreach (var scheme in new[] { "http", "https" })
            {
                using var phone = new FakePushSubscription(new Uri($"{scheme}://{host}:{port}/wp/x"));
                Assert.True(PushSubscription.TryCreate($"{scheme}://{host}:{port}/wp/x", phone.P256dh, phone.Auth, out var subscription));
                Assert.IsType<PushOutcome.EndpointNotAllowed>(await sender.SendAsync(subscription, Scene.Payload, Scene.Minute));
            }
        }

        Assert.Equal(0, service.RequestCount);
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080/x", true)]
    [InlineData("http://localhost:8080/x", true)]
    [InlineData("https://localhost/x", true)]
    [InlineData("http://[::1]:8080/x", true)]
    [InlineData("http://127.0.0.1/x", true)]
    [InlineData("https://fcm.googleapis.com/x", true)]
    [InlineData("http://fcm.googleapis.com/x", false)]
    [InlineData("http://127.0.0.2/x", false)]
    [InlineData("http://127.1/x", false)]
    [InlineData("http://0x7f.1/x", false)]
    [InlineData("http://user@localhost/x", false)]
    [InlineData("http://localhost./x", false)]
    [InlineData("http://localhost.example.org/x", false)]
    [InlineData("http://10.0.0.1/x", false)]
    [InlineData("http://[::ffff:127.0.0.1]/x", false)]
    [InlineData("ftp://127.0.0.1/x", false)]
    public void The_switch_for_tests_opens_loopback_and_nothing_else(string address, bool allowed) =>
        Assert.Equal(allowed, new PushEndpointPolicy(PushEndpointPolicy.DefaultHosts, allowLoopback: true).Check(new Uri(address)) is PushEndpointVerdict.Allowed);

    [Fact]
    public async Task With_the_switch_localhost_still_has_to_be_this_machine()
    {
        using var world = new World(_ => [IPAddress.Parse("10.0.0.1")], allowLoopback: true);

        Assert.Equal(new PushOutcome.EndpointNotAllowed(PushEndpointVerdict.AddressNotPublic), await world.SendAsync("http://localhost:8080/x"));
        Assert.Empty(world.Called);
    }

    [Theory]
    [InlineData("https://fcm.googleapis.com/x", PushEndpointVerdict.Allowed)]
    [InlineData("https://fcm.googleapis.com/#x", PushEndpointVerdict.Malformed)]
    [InlineData("http://fcm.googleapis.com/x", PushEndpointVerdict.NotHttps)]
    [InlineData("https://a@fcm.googleapis.com/x", PushEndpointVerdict.HasUserInfo)]
    [InlineData("https://fcm.googleapis.com:444/x", PushEndpointVerdict.NotPort443)]
    [InlineData("https://127.0.0.1/x", PushEndpointVerdict.NotAPlainName)]
    [InlineData("https://[::1]:443/x", PushEndpointVerdict.NotAPlainName)]
    [InlineData("https://push.example.org/x", PushEndpointVerdict.NotOnTheList)]
    public void The_policy_says_why(string address, PushEndpointVerdict expected) =>
        Assert.Equal(expected, new PushEndpointPolicy(PushEndpointPolicy.DefaultHosts).Check(new Uri(address)));

    [Theory]
    [InlineData("push.example.org", true)]
    [InlineData("*.push.example.org", true)]
    [InlineData("*.example.org", true)]
    [InlineData("*.org", false)]
    [InlineData("*", false)]
    [InlineData("*.", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("org", false)]
    [InlineData("*push.example.org", false)]
    [InlineData("push.*.org", false)]
    [InlineData("*.*.org", false)]
    [InlineData("Push.example.org", false)]
    [InlineData("push.example.org.", false)]
    [InlineData("push.example.org:443", false)]
    [InlineData("https://push.example.org", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("*.0.0.1", false)]
    [InlineData("[::1]", false)]
    [InlineData("xn--pse-0na.example.org", false)]
    [InlineData("push.example.org\n", false)]
    public void The_list_takes_names_and_suffixes_and_nothing_else(string? rule, bool taken)
    {
        Assert.Equal(taken, PushEndpointPolicy.IsHostRule(rule));
        if (!taken && rule is not null)
            Assert.Throws<ArgumentException>(() => new PushEndpointPolicy([rule]));
    }

    [Fact]
    public async Task An_administrators_own_list_replaces_ours()
    {
        using var world = new World(_ => [IPAddress.Parse(Public)], hosts: ["push.example.org"]);

        Assert.IsType<PushOutcome.Unreachable>(await world.SendAsync("https://push.example.org/x"));
        Assert.Equal(new PushOutcome.EndpointNotAllowed(PushEndpointVerdict.NotOnTheList), await world.SendAsync("https://fcm.googleapis.com/x"));
    }

    /// <summary>A sender whose names lead where the test wants, and whose connections are written down instead of made.</summary>
    private sealed class World : IDisposable
    {
        private readonly VapidKey _key = VapidKey.Create();

        public World(params string[] addresses)
            : this(_ => [.. addresses.Select(IPAddress.Parse)])
        {
        }

        public World(Func<string, IPAddress[]> resolve, IEnumerable<string>? hosts = null, bool allowLoopback = false)
        {
            var network = new PushNetwork(
                (host, _) =>
                {
                    LookedUp.Add(host);
                    return Task.FromResult(resolve(host));
                },
                (called, port, _) =>
                {
                    Called.Add($"{string.Join<IPAddress>(", ", called)} : {port}");
                    throw new SocketException((int)SocketError.ConnectionRefused);
                });
            Sender = new PushSender(new PushEndpointPolicy(hosts ?? PushEndpointPolicy.DefaultHosts, allowLoopback), _key, Scene.Contact, new Scene.Clock(), network);
        }

        public PushSender Sender { get; }

        public List<string> LookedUp { get; } = [];

        public List<string> Called { get; } = [];

        public async Task<PushOutcome> SendAsync(string address)
        {
            using var browser = new FakePushSubscription(new Uri("https://unused.example"));
            Assert.True(PushSubscription.TryCreate(address, browser.P256dh, browser.Auth, out var subscription));
            return await Sender.SendAsync(subscription, Scene.Payload, Scene.Minute);
        }

        public void Dispose()
        {
            Sender.Dispose();
            _key.Dispose();
        }
    }
}
