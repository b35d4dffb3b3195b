using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Portvakt.Domain.People;
using Portvakt.Server.Approvals;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class TelemetryOnSqlite(SqliteLoopbackStage stage) : TelemetryStories(stage), IClassFixture<SqliteLoopbackStage>;

public sealed class TelemetryOnPostgres(PostgresLoopbackStage stage) : TelemetryStories(stage), IClassFixture<PostgresLoopbackStage>;

/// <summary>What the server tells of its own work: each thing once, in words from closed lists, and nothing of anybody.</summary>
public abstract partial class TelemetryStories(Stage stage)
{
    /// <summary>All there may be on a label, apart from a route, which is one of those that were approved.</summary>
    private static readonly Dictionary<string, string> Closed = new(StringComparer.Ordinal)
    {
        ["step"] = "begin|finish|password|second_factor|blocked|offer_enrolment|choose_method|set_up_(phone|code|passkey|telephone|token)|test_approval|backup|new_password|stay_signed_in|done",
        ["outcome"] = "done|shown|again|elsewhere|refused|throttled|busy|failed|approved|denied|reported|wrong_number|late|issued|invalid_(request|client|grant|scope)|unauthorized_client|unsupported_grant_type|other"
            + "|delivered|gone|too_large|retry_later|unreachable|not_allowed",
        ["purpose"] = "sign_in|enrolment_test|caller|unknown",
        ["kind"] = "browser|phone|request|notice",
        ["grant"] = "authorization_code|refresh_token|client_credentials|other",
        ["db.system.name"] = "sqlite|postgresql",
        ["db.operation.name"] = "SELECT|INSERT|UPDATE|DELETE|COMMIT|_OTHER",
        ["portvakt.step"] = "[a-z_]+",
        ["portvakt.outcome"] = "[a-z_]+",
        ["http.request.method"] = "GET|POST|HEAD|PUT|DELETE|_OTHER",
        ["http.response.status_code"] = "[2-5][0-9][0-9]",
        ["url.scheme"] = "https?",
        ["network.protocol.version"] = "1.1|2|3",
        ["error.type"] = @"[2-5][0-9][0-9]|[A-Za-z.]+Exception",
        ["aspnetcore.request.is_unhandled"] = "True",
    };

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task A_whole_sign_in_is_told_step_by_step_and_each_step_once()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromDays(1));
        using var listener = new Listener(Server);
        using var browser = new Browser(Server);
        await SignInAsync(browser, kari, phone);
        Assert.Equal(HttpStatusCode.OK, await RedeemAsync(browser));
        Assert.Equal(HttpStatusCode.BadRequest, await RedeemAsync(browser));

        var steps = listener.Counted("portvakt.sign_in.steps");
        Assert.Equal(
            ["step=begin outcome=done", "step=finish outcome=done", "step=password outcome=done", "step=password outcome=shown", "step=second_factor outcome=done", "step=second_factor outcome=shown", "step=stay_signed_in outcome=done", "step=stay_signed_in outcome=shown"],
            steps.Keys.Order(StringComparer.Ordinal));
        Assert.All(steps, step => Assert.Equal(1, step.Value));
        Assert.Equal([KeyValuePair.Create("outcome=approved purpose=sign_in", 1d)], listener.Counted("portvakt.approvals"));
        Assert.Equal(
            [KeyValuePair.Create("grant=authorization_code outcome=invalid_grant", 1d), KeyValuePair.Create("grant=authorization_code outcome=issued", 1d)],
            listener.Counted("portvakt.tokens").OrderBy(row => row.Key, StringComparer.Ordinal));
        Assert.Single(listener.Measured, one => one.Name is "portvakt.password.wait");
        Assert.Single(listener.Measured, one => one.Name is "portvakt.password.duration");
        Assert.Equal(0, listener.Now("portvakt.password.queue"));
        var operations = listener.Measured.Where(one => one.Name is "db.client.operation.duration").Select(one => one.Labels[1]).Distinct(StringComparer.Ordinal).ToList();
        Assert.Contains("db.operation.name=SELECT", operations);
        Assert.Contains("db.operation.name=UPDATE", operations);
        Assert.Contains("db.operation.name=INSERT", operations);
        Assert.Equal(stage is SqliteLoopbackStage, operations.Contains("db.operation.name=COMMIT", StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_sign_in_can_be_followed_from_request_to_statement()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromDays(1));
        using var listener = new Listener(Server);
        using var browser = new Browser(Server);
        await SignInAsync(browser, kari, phone);

        var spans = listener.Spans;
        var post = Assert.Single(spans, span => span.DisplayName is "POST /sign-in/{attempt}");
        Assert.Equal(("password", "done", 303), (post.GetTagItem("portvakt.step"), post.GetTagItem("portvakt.outcome"), post.GetTagItem("http.response.status_code")));
        Assert.Single(spans, span => span.DisplayName is "password" && span.ParentSpanId == post.SpanId);
        Assert.Contains(spans, span => span.DisplayName is "SELECT" && span.ParentSpanId == post.SpanId);
        Assert.Contains(spans, span => span.DisplayName is "POST /phone/api/approvals/{id}/answer");
        Assert.All(spans.Where(span => span.Kind is ActivityKind.Server), span => Assert.Null(span.ParentId));
    }

    [Fact]
    public async Task A_stranger_does_not_choose_under_which_id_a_request_is_written()
    {
        using var listener = new Listener(Server);
        using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/sign-in/over?was=kari");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        request.Headers.Add("tracestate", "vendor=kari");
        request.Headers.Add("baggage", "name=kari");
        using var answer = await http.SendAsync(request);

        var span = Assert.Single(listener.Spans, span => span.Kind is ActivityKind.Server);
        Assert.NotEqual("0af7651916cd43dd8448eb211c80319c", span.TraceId.ToHexString());
        Assert.Null(span.TraceStateString);
        Assert.Empty(span.Baggage);
    }

    [Fact]
    public async Task Wrong_too_many_and_too_busy_are_told_apart()
    {
        var kari = await Server.AddPersonAsync();
        using var listener = new Listener(Server);
        using var browser = new Browser(Server, address: "198.51.100.77");
        await browser.OpenAppAsync();
        await using (new Storm(Server))
        {
            await PortvaktServer.UntilAsync(() => Task.FromResult(listener.Now("portvakt.password.queue") > 0));
            await PortvaktServer.UntilAsync(async () =>
            {
                await browser.PasswordAsync(kari, "en helt annen setning");
                return browser.Status is HttpStatusCode.ServiceUnavailable;
            });
        }

        for (var tries = 0; tries < 100 && browser.Status is not HttpStatusCode.TooManyRequests; tries++) await browser.PasswordAsync(kari, $"en annen setning {tries}");
        var steps = listener.Counted("portvakt.sign_in.steps");
        Assert.True(steps["step=password outcome=busy"] >= 1);
        Assert.True(steps["step=password outcome=refused"] >= 1);
        Assert.Equal(1, steps["step=password outcome=throttled"]);
        Assert.DoesNotContain("step=password outcome=done", steps.Keys);
        Assert.Equal(0, listener.Now("portvakt.password.queue"));
    }

    [Fact]
    public async Task Who_waits_is_counted_as_long_as_it_waits()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        using var listener = new Listener(Server);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        Assert.Equal((0, 0), Waiting());
        await using (var page = await EventStream.OfPageAsync(Server, browser))
        {
            await page.NextAsync();
            Assert.Equal((1, 0), Waiting());
            await using var app = await EventStream.OfPhoneAsync(Server, phone);
            await app.NextAsync();
            Assert.Equal((1, 1), Waiting());
        }

        await PortvaktServer.UntilAsync(() => Task.FromResult(Waiting() is (0, 0)));

        (double Browsers, double Phones) Waiting() => (listener.Now("portvakt.waiting", "kind=browser"), listener.Now("portvakt.waiting", "kind=phone"));
    }

    [Fact]
    public async Task What_became_of_a_push_and_of_an_answer_is_told()
    {
        await using var service = await FakePushService.StartAsync(Server.Clock);
        var subscription = service.Subscribe(Server.Services.GetRequiredService<PushDelivery>().ApplicationServerKey);
        var (kari, phone) = await Cast.EnrolledAsync(
            Server, new Phone(Server) { Push = new JsonObject { ["endpoint"] = subscription.Endpoint.ToString(), ["p256dh"] = subscription.P256dh, ["auth"] = subscription.Auth } });
        using var listener = new Listener(Server);
        await AskAsync(FakePushAnswer.Created, "delivered");
        Assert.True((await phone.DenyAsync()).Ok);
        await AskAsync(FakePushAnswer.Forbidden, "refused");
        Assert.Equal("wrong-number", (await phone.ApproveAsync("00")).Text("outcome"));
        await AskAsync(FakePushAnswer.Gone, "gone");
        Assert.True((await phone.DenyAsync("not-me")).Ok);

        Assert.Equal(["denied", "reported", "wrong_number"], listener.Counted("portvakt.approvals").Keys.Select(row => row.Split(' ')[0].Split('=')[1]).Order(StringComparer.Ordinal));
        Assert.Contains(listener.Spans, span => span.DisplayName is "push" && span.GetTagItem("portvakt.outcome") is "delivered");

        async Task AskAsync(FakePushAnswer answer, string word)
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(11));
            service.AnswerNext(answer);
            using var browser = new Browser(Server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await PortvaktServer.UntilAsync(() => Task.FromResult(listener.Counted("portvakt.push.results").ContainsKey($"outcome={word} kind=request")));
        }
    }

    [Fact]
    public async Task Every_label_comes_from_a_closed_list_and_every_instrument_is_in_the_handbook()
    {
        using var listener = new Listener(Server);
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromDays(1));
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari, "feil passord for Kari");
        await SignInAsync(browser, kari, phone);
        await phone.PostAsync("/phone/api/approvals/kari-nordmann/answer", new JsonObject { ["jws"] = "kari" });
        await RedeemAsync(browser, "kari-nordmann");
        await browser.OpenAsync("/connect/token?grant_type=kari");
        listener.Now("portvakt.password.queue");

        var routes = File.ReadLines(Path.Combine(PortvaktServer.Repository(), "tests", "routes.approved.txt")).Select(line => Route().Match(line).Value.TrimStart('/')).ToHashSet(StringComparer.Ordinal);
        var labels = listener.Measured.SelectMany(one => one.Labels)
            .Concat(listener.Spans.SelectMany(span => span.TagObjects.Select(tag => $"{tag.Key}={Convert.ToString(tag.Value, CultureInfo.InvariantCulture)}"))).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(labels.Count > 40);
        Assert.All(labels, label =>
        {
            var (name, value) = (label.Split('=')[0], label.Split('=', 2)[1]);
            if (name is "http.route") Assert.Contains(value.TrimStart('/'), routes);
            else Assert.True(Closed.TryGetValue(name, out var words) && Regex.IsMatch(value, $"^({words})$", RegexOptions.None, TimeSpan.FromSeconds(1)), label);
        });

        Assert.All(listener.Spans, span => Assert.True(Regex.IsMatch(span.DisplayName, @"^(SELECT|INSERT|UPDATE|DELETE|COMMIT|_OTHER|password|push|(GET|POST|HEAD|PUT|DELETE|_OTHER) \S+)$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)), span.DisplayName));
        var handbook = await File.ReadAllTextAsync(Path.Combine(PortvaktServer.Repository(), "docs", "operating", "observability.md"));
        Assert.All(listener.Instruments, instrument => Assert.Contains($"| `{instrument.Name}` | {instrument.Unit} |", handbook, StringComparison.Ordinal));
        Assert.Equal(9, listener.Instruments.Count);
    }

    [Fact]
    public async Task What_is_sent_holds_nothing_of_anybody()
    {
        Assert.SkipWhen(stage is PostgresLoopbackStage && !PortvaktServer.Has(DatabaseKind.Postgres), PortvaktServer.NoPostgres);
        await using var collector = await Collector.StartAsync();
        await using var server = await PortvaktServer.StartAsync(
            stage is SqliteLoopbackStage ? DatabaseKind.Sqlite : DatabaseKind.Postgres,
            new Dictionary<string, string?> { ["Portvakt:Telemetry"] = collector.Address, ["OTEL_TRACES_SAMPLER"] = "always_on" });
        var (kari, phone) = await Cast.EnrolledAsync(server);
        server.Clock.Advance(TimeSpan.FromDays(1));
        using var browser = new Browser(server, address: "203.0.113.45");
        await browser.OpenAppAsync();
        var attempt = browser.AttemptId;
        await browser.PasswordAsync(kari, "feil passord for Kari");
        await SignInAsync(browser, kari, phone);
        await browser.OpenAsync("/account");
        Assert.True(server.Services.GetRequiredService<MeterProvider>().ForceFlush(30_000));
        Assert.True(server.Services.GetRequiredService<TracerProvider>().ForceFlush(30_000));

        Assert.Equal(["/v1/metrics", "/v1/traces"], collector.Received.Keys.Order(StringComparer.Ordinal));
        var sent = string.Concat(collector.Received.Values.SelectMany(bodies => bodies).Select(Encoding.Latin1.GetString));
        foreach (var word in new[] { "portvakt.sign_in.steps", "db.client.operation.duration", "http.server.request.duration", "POST /sign-in/{attempt}", "SELECT" }) Assert.Contains(word, sent, StringComparison.Ordinal);
        var phoneId = await server.ReadAsync(db => db.Phones.Where(row => row.KeyId == phone.KeyId).Select(row => row.Id).SingleAsync());
        foreach (var secret in new[]
                 {
                     "Kari", "Nordmann", kari.UserName, kari.Email!, kari.Id.ToString("N"), kari.Id.ToString(), phoneId.ToString("N"), phoneId.ToString(), phone.KeyId, attempt, "203.0.113.45", "192.0.2.10", "feil passord", "timeliste",
                     "Mozilla", "code_challenge", PortvaktServer.Origin.Split('/')[^1], "sign_in_attempts",
                 })
            Assert.DoesNotContain(secret, sent, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task SignInAsync(Browser browser, Person person, Phone phone)
    {
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    private async Task<HttpStatusCode> RedeemAsync(Browser browser, string grantType = "authorization_code")
    {
        using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = grantType,
            ["code"] = QueryHelpers.ParseQuery(browser.LeftFor!.Query)["code"].ToString(),
            ["redirect_uri"] = PortvaktServer.RedirectUri,
            ["client_id"] = "timeliste",
            ["client_secret"] = "a-secret-that-a-machine-chose-0123456789",
            ["code_verifier"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        });
        using var answer = await http.PostAsync("/connect/token", form);
        return answer.StatusCode;
    }

    [GeneratedRegex(@"/\S*")]
    private static partial Regex Route();

    /// <summary>Takes whatever is sent to it, as a collector would.</summary>
    private sealed class Collector(WebApplication app) : IAsyncDisposable
    {
        public string Address => app.Urls.Single();

        public ConcurrentDictionary<string, ConcurrentQueue<byte[]>> Received { get; } = new(StringComparer.Ordinal);

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var collector = new Collector(app);
            app.Run(async http =>
            {
                using var body = new MemoryStream();
                await http.Request.Body.CopyToAsync(body);
                collector.Received.GetOrAdd(http.Request.Path, _ => new()).Enqueue(body.ToArray());
            });
            await app.StartAsync();
            return collector;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
