using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Portvakt.Server.Account;
using Portvakt.Server.Administration;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Branding;
using Portvakt.Server.Enrolment;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;
using Portvakt.Server.Telephones;

namespace Portvakt.Server;

/// <summary>The table of contents: what is there, and in which order a request meets it.</summary>
public static class PortvaktHost
{
    /// <param name="args">Settings on the command line.</param>
    /// <param name="configure">For tests: another clock, another server.</param>
    /// <param name="contentRoot">For tests: where wwwroot lies.</param>
    /// <exception cref="InvalidOperationException">A setting is wrong; the message says which and how.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null, string? contentRoot = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ApplicationName = "portvakt", ContentRootPath = contentRoot ?? ContentRoot() });
        builder.Logging.AddJsonConsole(lines =>
        {
            // One event is one line, whatever strangers type: JSON escapes what would end a line, move the cursor or hide (R89).
            (lines.UseUtcTimestamp, lines.TimestampFormat) = (true, "O");
            lines.JsonWriterOptions = new System.Text.Json.JsonWriterOptions
            {
                Indented = false,
                Encoder = System.Text.Encodings.Web.JavaScriptEncoder.Create(Readable()),
            };
        });

        // Nobody reads what the framework would keep beside each request, a span and a scope, and to make them costs as much as to send a document of machines.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        configure?.Invoke(builder);
        var settings = builder.Configuration.GetSection("Portvakt").Get<PortvaktSettings>() ?? new PortvaktSettings();
        var problems = settings.Problems().Concat(Proxies.Problem(settings, builder.Configuration) is { } problem ? [problem] : []).ToList();
        if (problems.Count > 0) throw new InvalidOperationException(string.Join(Environment.NewLine, problems));

        var services = builder.Services;
        var overTls = settings.PublicUri.Scheme == Uri.UriSchemeHttps;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 64 * 1024; // R88: a sign-in is small
            kestrel.Limits.MaxConcurrentConnections = 20_000; // held pages cost 11 KiB each; more than this is not a morning but a flood
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        });
        services.AddSingleton(Options.Create(settings));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(_ => Vault.Open(settings.MasterKeyPath, Database.IsNew(settings)));
        Telemetry.Add(services, settings, builder.Configuration);
        services.AddSingleton<PasswordHash>();
        services.AddSingleton<PasswordPolicy>();
        services.AddSingleton(provider => new Signals(provider.GetRequiredService<Vault>(), provider.GetRequiredService<TimeProvider>()) { IsAlone = !settings.UsesPostgres }); // SQLite has one node
        services.AddSingleton<LiveNews>();
        if (settings.Backplane is { Length: > 0 }) services.AddHostedService<Backplane>();
        services.AddTrustedProxies();
        Database.Add(services, settings);
        services.AddSingleton<Data.Lookups>();
        DataProtectionKeys.Add(services);
        services.AddPortvaktLocalisation();
        services.Configure<FormOptions>(forms => (forms.ValueCountLimit, forms.ValueLengthLimit, forms.KeyLengthLimit) = (64, 32 * 1024, 256));
        services.AddAntiforgery(forms =>
        {
            forms.Cookie.Name = "__Host-portvakt-form";

            // Secure always. On http://localhost, which browsers trust as they trust TLS, the framework refuses to say so itself.
            forms.Cookie.SecurePolicy = overTls ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
            if (!overTls) forms.Cookie.Extensions.Add("secure");
            forms.Cookie.SameSite = SameSiteMode.Lax; // an application's redirect must bring it along, or a second tab would void the first one's form
            forms.FormFieldName = "form";
            forms.SuppressXFrameOptionsHeader = true; // set for every answer
        });
        services.Configure<Microsoft.AspNetCore.Mvc.CookieTempDataProviderOptions>(note =>
        {
            // The sentence that a page shows once after a change; sealed by the framework.
            note.Cookie.Name = "__Host-portvakt-note";
            note.Cookie.SecurePolicy = overTls ? CookieSecurePolicy.Always : CookieSecurePolicy.None;
            if (!overTls) note.Cookie.Extensions.Add("secure");
            note.Cookie.IsEssential = true;
        });
        services.AddRazorPages(pages => pages.RootDirectory = "/")
            .AddViewOptions(views => views.HtmlHelperOptions.ClientValidationEnabled = false); // its summary writes inline styles, which the policy refuses
        services.AddProblemDetails();
        services.Configure<Microsoft.Extensions.WebEncoders.WebEncoderOptions>(encoder => encoder.TextEncoderSettings = new System.Text.Encodings.Web.TextEncoderSettings(System.Text.Unicode.UnicodeRanges.All)); // æ, ø and å need no escape

        services.AddOpenIdConnect(settings);
        services.AddScoped<Rulings>();
        services.AddScoped<SessionStore>();
        services.AddScoped<SessionIssuer>();
        services.AddSingleton<OverdueSessions>();
        services.AddHostedService(provider => provider.GetRequiredService<OverdueSessions>());
        services.AddScoped<SignInJourney>();
        services.AddScoped<PasswordVerifier>();
        services.AddScoped<PasskeyCeremonies>();
        services.AddScoped<Approver>();
        services.AddScoped<SecondFactorBrake>();
        services.AddScoped<Reception>();
        services.AddScoped<PeopleImport>();
        services.AddScoped<TokenImport>();
        services.AddSingleton<ImportWorker>();
        services.AddHostedService(provider => provider.GetRequiredService<ImportWorker>());
        services.AddScoped<PhoneProof>();
        services.AddSingleton<PhoneNonces>();
        services.AddSingleton<PushDelivery>();
        services.AddHostedService(provider => provider.GetRequiredService<PushDelivery>());
        services.AddSingleton<HouseStyle>();
        services.AddHostedService(provider => provider.GetRequiredService<HouseStyle>());
        services.AddScoped<MailComposer>();
        services.AddScoped<Outbox>();
        services.AddSingleton<Notices>();
        services.AddHostedService<MailSender>();
        services.AddHostedService<RolloutMailer>();
        services.AddTelephones();
        services.AddSingleton<AuditChain>();
        services.AddHostedService(provider => provider.GetRequiredService<AuditChain>());
        services.AddHostedService<Cleanup>();

        var app = builder.Build();
        app.UseTrustedProxies(settings);
        app.UseSecurityHeaders();
        app.UseProviderDocuments();
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandlingPath = "/error/500", StatusCodeSelector = StatusOf, SuppressDiagnosticsCallback = fault => fault.Exception is BadHttpRequestException }); // a caller's nonsense is no fault of ours
        app.UseWhen(http => http.Request.Path.StartsWithSegments("/phone/api", StringComparison.OrdinalIgnoreCase), phones =>
        {
            phones.Use(WithPhoneNonceAsync);
            phones.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = PhoneFaultAsync, SuppressDiagnosticsCallback = fault => fault.Exception is BadHttpRequestException });
        });
        app.UseStatusCodePagesForPeople();
        app.UseRouting();
        app.Use(app.Services.GetRequiredService<Telemetry>().TraceAsync);
        app.UseRequestLocalization();
        app.UsePageFiles();
        app.UseOpenIdConnect(); // people are known by SessionStore
        app.MapRazorPages();
        app.MapMachines();
        app.MapHouseStyle();
        app.MapPhoneApp();
        app.MapCodeAddress();
        app.MapWait();
        app.MapSignedOutWait();
        app.MapOpenIdConnect();
        app.MapDeliveryReports();
        app.MapDemoTelephone();
        var phone = app.MapGroup("/phone/api").WithTags("phone");
        phone.MapPhoneBinding();
        phone.MapPhoneRebinding();
        phone.MapPhoneMove();
        phone.MapPhone();
        return app;
    }

    /// <summary>What stands in a line of the log as it is: æ, ø and å too. The soft hyphen cannot be seen.</summary>
    private static System.Text.Encodings.Web.TextEncoderSettings Readable()
    {
        var readable = new System.Text.Encodings.Web.TextEncoderSettings(System.Text.Unicode.UnicodeRanges.BasicLatin, System.Text.Unicode.UnicodeRanges.Latin1Supplement);
        readable.ForbidCharacter('\u00AD');
        return readable;
    }

    /// <summary>Whatever must hold before the first request.</summary>
    public static async Task PrepareAsync(WebApplication app, CancellationToken cancellationToken)
    {
        var settings = app.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        if (settings.MigrateAtStart) await Database.MigrateAsync(app.Services, cancellationToken);
        else await Database.CheckAsync(app.Services, cancellationToken);

        await app.Services.GetRequiredService<HouseStyle>().LoadAsync(cancellationToken);

        // A ring, a key or a contact that cannot be used must stop the start, not the first sign-in (R94).
        try
        {
            app.Services.GetRequiredService<DataProtectionKeys>().GetAllElements();
            app.Services.GetRequiredService<PushDelivery>().CheckAtStart();
        }
        catch (System.Security.Cryptography.CryptographicException wrong)
        {
            throw new InvalidOperationException($"The master key {settings.MasterKeyPath} does not open the keys in the database. Restore the key that belongs to this database from the backup.", wrong);
        }
    }

    /// <summary>Where wwwroot lies: beside the published program, or in the sources when it runs from a build.</summary>
    private static string ContentRoot()
    {
        var beside = AppContext.BaseDirectory;
        if (Directory.Exists(Path.Combine(beside, "wwwroot"))) return beside;
        var sources = Path.GetFullPath(Path.Combine(beside, "..", "..", ".."));
        return Directory.Exists(Path.Combine(sources, "wwwroot")) ? sources : beside;
    }

    /// <summary>Pages for people where a page was asked for; machines under /phone/api and /connect speak for themselves.</summary>
    private static void UseStatusCodePagesForPeople(this WebApplication app) =>
        app.UseWhen(
            http => !http.Request.Path.StartsWithSegments("/phone/api", StringComparison.OrdinalIgnoreCase) && !http.Request.Path.StartsWithSegments("/connect/token", StringComparison.OrdinalIgnoreCase)
                && !http.Request.Path.StartsWithSegments("/connect/userinfo", StringComparison.OrdinalIgnoreCase),
            branch => branch.UseStatusCodePagesWithReExecute("/error/{0}"));

    /// <summary>Full for a moment, or without a database, is not broken: whoever comes back in a moment gets in (R56).</summary>
    private static int StatusOf(Exception fault) => fault is TooManyHashesException || Database.IsAway(fault) ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status500InternalServerError;

    /// <summary>A phone is told in its own language that nothing was decided; the log knows why.</summary>
    private static Task PhoneFaultAsync(HttpContext http)
    {
        var fault = http.Features.Get<IExceptionHandlerFeature>()?.Error;
        if (fault is BadHttpRequestException wrong) return new PhoneProblem(wrong.StatusCode, "malformed").ToResult().ExecuteAsync(http); // too long, too slow, or not HTTP
        var status = fault is null ? StatusCodes.Status500InternalServerError : StatusOf(fault);
        if (status is StatusCodes.Status503ServiceUnavailable) http.Response.RetryAfter(SlowDown.Busy);
        return new PhoneProblem(status, "unavailable").ToResult().ExecuteAsync(http);
    }

    /// <summary>Every answer to a phone, a refusal or a fault too, carries a fresh nonce for its next proof.</summary>
    private static Task WithPhoneNonceAsync(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(() =>
        {
            http.Response.Headers[PhoneProof.NonceHeader] = http.RequestServices.GetRequiredService<PhoneNonces>().New();
            return Task.CompletedTask;
        });
        return next(http);
    }
}
