using System.Data.Common;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>
/// The provider alone, without pages: a database file, a fake clock and, in the place of the sign-in pages, one endpoint that records what the
/// pages would have recorded and lets <see cref="SessionIssuer"/> do the rest.
/// </summary>
public sealed class ProviderHost : IAsyncDisposable
{
    public const string Issuer = "https://id.test";
    public const string ClientId = "timeliste";
    public const string ClientSecret = "a-secret-that-a-machine-chose-0123456789";
    public const string RedirectUri = "https://app.test/signin-oidc";
    public const string SignedOutUri = "https://app.test/signed-out";
    public const string BackChannelUri = "https://app.test/backchannel-logout";

    public const string Clients = $$"""
        [
          { "client_id": "{{ClientId}}", "client_secret": "{{ClientSecret}}", "client_name": "Timeliste", "redirect_uris": ["{{RedirectUri}}", "https://app.test/other?tab=1"],
            "post_logout_redirect_uris": ["{{SignedOutUri}}"], "backchannel_logout_uri": "{{BackChannelUri}}" },
          { "client_id": "other", "client_secret": "{{ClientSecret}}-other", "redirect_uris": ["https://other.test/cb"], "post_logout_redirect_uris": ["https://other.test/bye"] },
          { "client_id": "spa", "token_endpoint_auth_method": "none", "redirect_uris": ["https://spa.test/cb"], "scope": "openid profile" },
          { "client_id": "strict", "client_secret": "{{ClientSecret}}-strict", "redirect_uris": ["https://strict.test/cb"], "default_acr_values": ["urn:portvakt:aal2"] },
          { "client_id": "batch", "client_secret": "{{ClientSecret}}-batch", "grant_types": ["client_credentials"], "scope": "hours:read" },
        ]
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("portvakt-oidc").FullName;
    private readonly byte[] _masterKey = RandomNumberGenerator.GetBytes(32);
    private WebApplication _app = null!;

    /// <summary>Made once and copied: making the tables takes longer than most tests.</summary>
    private static readonly Lazy<Task<string>> EmptyDatabase = new(async () =>
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("portvakt-oidc").FullName, "empty.db");
        await using var db = new SqlitePortvaktDb(new DbContextOptionsBuilder<SqlitePortvaktDb>().UseSqlite($"Data Source={file};Pooling=False").UseSnakeCaseNamingConvention().Options);
        await db.Database.EnsureCreatedAsync(); // in WAL mode, as in production
        return file;
    });

    private ProviderHost(DateTimeOffset now) => Clock = new FakeTimeProvider(now);

    /// <summary>Stands still until a test moves it. Others over a socket have their own clock, so there it stands at the real time.</summary>
    public FakeTimeProvider Clock { get; }

    /// <summary>What the back channel meets at the other end.</summary>
    public FarEnd FarEnd { get; } = new();

    public Statements Statements { get; } = new();

    public string Address { get; private set; } = Issuer;

    private string DatabaseFile => Path.Combine(_folder, "portvakt.db");

    public IServiceProvider Services => _app.Services;

    public Guid Kari { get; private set; }
    public Guid Ola { get; private set; }

    public static async Task<ProviderHost> StartAsync(string clients = Clients, bool overKestrel = false)
    {
        var host = new ProviderHost(overKestrel ? TimeProvider.System.GetUtcNow() : new DateTimeOffset(2026, 11, 2, 8, 0, 0, TimeSpan.Zero));
        File.Copy(await EmptyDatabase.Value, host.DatabaseFile);
        await host.BeginAsync(clients, overKestrel, host._masterKey);
        await host.InDatabaseAsync(async db =>
        {
            var (kari, ola) = (new Person(UserName.Parse("kari"), "Kari Nordmann", host.Clock.GetUtcNow()) { Email = "kari@skole.test" }, new Person(UserName.Parse("ola"), "Ola Nordmann", host.Clock.GetUtcNow()));
            kari.Language = "nn";
            db.People.AddRange(kari, ola);
            await db.SaveChangesAsync();
            (host.Kari, host.Ola) = (kari.Id, ola.Id);
        });
        return host;
    }

    /// <summary>The same database, a new process as far as anybody can tell.</summary>
    public async Task RestartAsync(string clients = Clients, byte[]? otherMasterKey = null)
    {
        await _app.DisposeAsync();
        await BeginAsync(clients, overKestrel: false, otherMasterKey ?? _masterKey);
    }

    public Browser NewBrowser() => new(this);

    public HttpClient NewClient(HttpMessageHandler? handler = null) => new(handler ?? Handler()) { BaseAddress = new Uri(Address) };

    public HttpMessageHandler Handler() => _app.Services.GetRequiredService<IServer>() is TestServer server ? server.CreateHandler() : new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };

    public async Task InDatabaseAsync(Func<PortvaktDb, Task> work)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<PortvaktDb>());
    }

    public async Task<T> InDatabaseAsync<T>(Func<PortvaktDb, Task<T>> work)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        return await work(scope.ServiceProvider.GetRequiredService<PortvaktDb>());
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        using (var connection = new SqliteConnection($"Data Source={DatabaseFile}")) SqliteConnection.ClearPool(connection);
        Directory.Delete(_folder, recursive: true);
    }

    private async Task BeginAsync(string clients, bool overKestrel, byte[] masterKey)
    {
        var file = Path.Combine(_folder, "relying-parties.json");
        await File.WriteAllTextAsync(file, clients);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (overKestrel)
        {
            var port = FreePort();
            Address = $"http://localhost:{port}";
            builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        }
        else
        {
            builder.WebHost.UseTestServer(options => options.BaseAddress = new Uri(Issuer));
        }

        var settings = new PortvaktSettings { PublicAddress = Address, Organisation = "Skolen", RelyingPartiesFile = file };
        builder.Services.AddSingleton(Options.Create(settings));
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton(new Vault(masterKey));
        builder.Services.AddDbContext<PortvaktDb, SqlitePortvaktDb>(options => options.UseSqlite($"Data Source={DatabaseFile}").UseSnakeCaseNamingConvention().AddInterceptors(Statements));
        builder.Services.AddSingleton<Notices>().AddSingleton<Lookups>().AddSingleton<Telemetry>().AddScoped<MailComposer>().AddScoped<Outbox>().AddScoped<Rulings>().AddScoped<SessionStore>().AddScoped<SessionIssuer>().AddScoped<SignInJourney>();
        builder.Services.AddOpenIdConnect(settings);
        if (!overKestrel) builder.Services.AddHttpClient(BackChannelLogout.ClientName).ConfigurePrimaryHttpMessageHandler(() => new Line(FarEnd));

        // Tests deliver when they say so.
        foreach (var background in builder.Services.Where(service => service.ServiceType == typeof(IHostedService) && service.ImplementationFactory is not null).ToList()) builder.Services.Remove(background);

        _app = builder.Build();
        _app.UseRouting();
        _app.UseOpenIdConnect();
        _app.MapPost("/test/sign-in/{attempt}", SignInAsThePagesWouldAsync);
        _app.MapOpenIdConnect();
        await _app.StartAsync();
    }

    private static async Task SignInAsThePagesWouldAsync(HttpContext http, string attempt, Guid person, SecondFactorMethod? method, PortvaktDb db, SessionIssuer issuer, TimeProvider clock)
    {
        var row = await db.SignInAttempts.SingleAsync(one => one.Id == attempt);
        var who = await db.People.SingleAsync(one => one.Id == person);
        row.RecordPassword(person, clock.GetUtcNow());
        if (method is { } factor) row.RecordSecondFactor(factor, clock.GetUtcNow());
        row.AnswerStaySignedIn(false, clock.GetUtcNow());
        Assert.True(await issuer.IssueAsync(http, row, who, SignInStep.Finish));
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = $"{http.Request.Scheme}://{http.Request.Host}{row.ReturnPath}&attempt={row.Id}";
    }

    public static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>What the database is asked.</summary>
public sealed class Statements : DbCommandInterceptor
{
    private int _reads;
    private int _writes;

    /// <summary>Reads and written statements since the last time somebody asked.</summary>
    public (int Reads, int Writes) Take() => (Interlocked.Exchange(ref _reads, 0), Interlocked.Exchange(ref _writes, 0));

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        if (command.CommandText.StartsWith("SELECT", StringComparison.Ordinal)) Interlocked.Increment(ref _reads);
        else Interlocked.Increment(ref _writes);
        return ValueTask.FromResult(result);
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _writes);
        return ValueTask.FromResult(result);
    }
}

/// <summary>The factory may throw the line away when it likes; the far end stays.</summary>
internal sealed class Line(FarEnd farEnd) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => farEnd.HearAsync(request, cancellationToken);
}

/// <summary>An application at the other end of the back channel; it answers what the test says.</summary>
public sealed class FarEnd
{
    public Func<HttpResponseMessage> Answer { get; set; } = () => new HttpResponseMessage(HttpStatusCode.OK);

    public List<(Uri Address, string Body)> Heard { get; } = [];

    internal async Task<HttpResponseMessage> HearAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsStringAsync(cancellationToken);
        lock (Heard) Heard.Add((request.RequestUri!, body));
        return Answer();
    }
}
