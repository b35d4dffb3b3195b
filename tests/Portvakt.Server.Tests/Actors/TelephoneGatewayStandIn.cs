using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Telephones;

namespace Portvakt.Server.Tests.Actors;

/// <summary>A provider of text messages and calls on this machine: takes what it is told to take, and remembers it.</summary>
public sealed class TelephoneGatewayStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TelephoneGatewayStandIn(WebApplication app) => _app = app;

    /// <summary>What the next ones are answered with.</summary>
    public int Status { get; set; } = StatusCodes.Status202Accepted;

    public ConcurrentQueue<(string Number, string Text, string How, string Key, int Status)> Heard { get; } = new();

    /// <summary>What a later report calls the newest message to a number: our id for texts, the provider's own for calls.</summary>
    public ConcurrentDictionary<string, string> Ids { get; } = new(StringComparer.Ordinal);

    public string Address => _app.Urls.Single();

    public static async Task<TelephoneGatewayStandIn> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var gateway = new TelephoneGatewayStandIn(builder.Build());
        gateway._app.MapPost("/texts", async (HttpRequest request) =>
        {
            var body = await request.ReadFromJsonAsync<Dictionary<string, string>>();
            gateway.Ids[body!["to"]] = body["id"];
            return gateway.Answer(body["to"], body["body"], "text", request.Headers.Authorization.ToString());
        });
        gateway._app.MapPost("/calls", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            var answer = gateway.Answer(form["to"].ToString(), form["say"].ToString(), "call", form["lang"].ToString());
            return gateway.Status is StatusCodes.Status202Accepted ? Results.Json(new { calls = new[] { new { sid = gateway.Ids[form["to"].ToString()] = $"CA-{gateway.Heard.Count}" } } }, statusCode: gateway.Status) : answer;
        });
        await gateway._app.StartAsync();
        return gateway;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private IResult Answer(string number, string text, string how, string key)
    {
        Heard.Enqueue((number, text, how, key, Status));
        return Status is StatusCodes.Status307TemporaryRedirect ? Results.Redirect("/texts", preserveMethod: true) : Results.StatusCode(Status);
    }
}

/// <summary>A server with both gateways configured, and the gateways.</summary>
public abstract class TelephoneStage(DatabaseKind kind) : IAsyncLifetime
{
    public const string ReportKey = "OfTheProviderOfTheseTests";

    private int _numbers;
    private PortvaktServer? _server;

    public TelephoneGatewayStandIn Gateway { get; private set; } = null!;

    public PortvaktServer Server
    {
        get
        {
            Assert.SkipWhen(_server is null, PortvaktServer.NoPostgres);
            return _server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        Gateway = await TelephoneGatewayStandIn.StartAsync();
        if (!PortvaktServer.Has(kind)) return;
        _server = await PortvaktServer.StartAsync(kind, new Dictionary<string, string?>
        {
            ["Portvakt:Texts:Address"] = $"{Gateway.Address}/texts",
            ["Portvakt:Texts:Headers:Authorization"] = "Bearer of-the-gateway",
            ["Portvakt:Texts:Body"] = """{"to":"{number}","body":"{text}","id":"{id}"}""",
            ["Portvakt:Texts:Report:Key"] = ReportKey,
            ["Portvakt:Texts:Report:Id"] = "message.reference",
            ["Portvakt:Texts:Report:State"] = "message.state",
            ["Portvakt:Calls:AnswerId"] = "calls.0.sid",
            ["Portvakt:Calls:Report:Key"] = ReportKey,
            ["Portvakt:Calls:Report:Id"] = "CallSid",
            ["Portvakt:Calls:Report:State"] = "CallStatus",
            ["Portvakt:Calls:Report:Delivered"] = "completed",
            ["Portvakt:Calls:Report:Failed"] = "busy, no-answer",
            ["Portvakt:Calls:Address"] = $"{Gateway.Address}/calls",
            ["Portvakt:Calls:ContentType"] = "application/x-www-form-urlencoded",
            ["Portvakt:Calls:Body"] = "to={number}&lang={language}&say={text}",
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        await Gateway.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A Norwegian mobile number that nobody else in these tests has.</summary>
    public string NewNumber() => $"+4740{Interlocked.Increment(ref _numbers):000000}";

    /// <summary>Until nothing is on its way to the number.</summary>
    public Task SentAsync(string number) => PortvaktServer.UntilAsync(async () =>
    {
        await Server.Services.GetRequiredService<TelephoneSender>().SendDueAsync(CancellationToken.None);
        return !await Server.ReadAsync(db => db.TelephoneMessages.AnyAsync(row => row.Number == number && (row.State == MessageState.Waiting || row.State == MessageState.Sending)));
    });

    /// <summary>The code that the telephone has got last.</summary>
    public async Task<string> CodeAsync(string number)
    {
        await SentAsync(number);
        return string.Concat(Gateway.Heard.Last(message => message.Number == number).Text.Where(char.IsAsciiDigit).Take(TelephoneMessage.Digits));
    }

    public int HeardBy(string number) => Gateway.Heard.Count(message => message.Number == number);
}

public sealed class TelephoneSqliteStage : TelephoneStage
{
    public TelephoneSqliteStage() : base(DatabaseKind.Sqlite) { }
}

/// <summary>As <see cref="TelephoneSqliteStage"/>.</summary>
public sealed class TelephonePostgresStage : TelephoneStage
{
    public TelephonePostgresStage() : base(DatabaseKind.Postgres) { }
}
