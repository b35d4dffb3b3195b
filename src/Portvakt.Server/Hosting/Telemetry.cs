using System.Collections.Frozen;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.SignIn;
using Portvakt.WebPush;

namespace Portvakt.Server.Hosting;

/// <summary>
/// What the server tells of its own work (docs/operating/observability.md): counts and durations in seconds, and for one request in ten how its time was
/// spent. Every label comes from a closed list of ours; nothing of a person, no id, no address and no text of a stranger is in it. The instruments cost next to
/// nothing while nobody listens; <see cref="PortvaktSettings.Telemetry"/> says who does.
/// </summary>
public sealed class Telemetry : IDisposable
{
    /// <summary>Of the meter and of the source of spans.</summary>
    public const string Name = "Portvakt";

    /// <summary>So many of all requests have their spans sent, where <c>OTEL_TRACES_SAMPLER</c> does not say otherwise. Counts and durations are of all.</summary>
    private const double Traced = 0.1;

    private static readonly FrozenDictionary<SignInStep, string> Steps = Words<SignInStep>();
    private static readonly FrozenDictionary<ApprovalState, string> Answers = Words<ApprovalState>();
    private static readonly FrozenDictionary<ApprovalPurpose, string> Purposes = Words<ApprovalPurpose>();

    /// <summary>A tenth of a millisecond to ten seconds; the usual bounds begin where an answer of SQLite has long ended.</summary>
    private static readonly InstrumentAdvice<double> Short = new() { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    private readonly TimeProvider _clock;
    private readonly Counter<long> _steps;
    private readonly Counter<long> _approvals;
    private readonly Counter<long> _pushes;
    private readonly Counter<long> _tokens;
    private readonly Histogram<double> _passwordWait;
    private readonly Histogram<double> _passwordWork;
    private readonly Histogram<double> _database;
    private int _queue;
    private int _browsers;
    private int _phones;

    public Telemetry(IMeterFactory meters, TimeProvider clock)
    {
        _clock = clock;
        var meter = meters.Create(Name);
        _steps = meter.CreateCounter<long>("portvakt.sign_in.steps", "{step}", "Steps of sign-ins and enrolments, by what came of them.");
        _approvals = meter.CreateCounter<long>("portvakt.approvals", "{answer}", "Answers of phones.");
        _pushes = meter.CreateCounter<long>("portvakt.push.results", "{message}", "What became of messages to phones.");
        _tokens = meter.CreateCounter<long>("portvakt.tokens", "{response}", "Answers of the token endpoint.");
        _passwordWait = meter.CreateHistogram("portvakt.password.wait", "s", "How long a password or PIN waited for a core.", advice: Short);
        _passwordWork = meter.CreateHistogram("portvakt.password.duration", "s", "How long its hash took.", advice: Short);
        _database = meter.CreateHistogram("db.client.operation.duration", "s", "Statements and, on SQLite, shared commits.", advice: Short);
        meter.CreateObservableUpDownCounter("portvakt.password.queue", () => Volatile.Read(ref _queue), "{password}", "Passwords and PINs that wait for a core.");
        meter.CreateObservableUpDownCounter(
            "portvakt.waiting", () => new[] { new Measurement<int>(Volatile.Read(ref _browsers), Label("kind", "browser")), new Measurement<int>(Volatile.Read(ref _phones), Label("kind", "phone")) }, "{stream}", "Streams that are held open.");
    }

    /// <summary>Spans are told here, and only while somebody listens.</summary>
    public ActivitySource Source { get; } = new(Name);

    /// <summary>The instruments always; somewhere to send them when the operator says where.</summary>
    public static void Add(IServiceCollection services, PortvaktSettings settings, IConfiguration configuration)
    {
        services.AddSingleton<Telemetry>();
        if (settings.Telemetry is not { Length: > 0 } address) return;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("portvakt", serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3)).AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics.AddMeter(Name, "Microsoft.AspNetCore.Hosting", "System.Runtime").AddOtlpExporter(options => Send(options, "v1/metrics")))
            .WithTracing(traces =>
            {
                // Of ours alone: the framework's own spans hold addresses of people and pages.
                traces.AddSource(Name).AddOtlpExporter(options => Send(options, "v1/traces"));
                if (configuration["OTEL_TRACES_SAMPLER"] is null) traces.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(Traced)));
            });

        void Send(OtlpExporterOptions options, string path) => (options.Protocol, options.Endpoint) = (OtlpExportProtocol.HttpProtobuf, new Uri(new Uri(address.TrimEnd('/') + "/"), path));
    }

    /// <summary>
    /// A span for the request, named after its route. It has no parent: a stranger does not choose under which id we write, or whether.
    /// </summary>
    public Task TraceAsync(HttpContext http, RequestDelegate next) =>
        Source.HasListeners() && http.GetEndpoint() is RouteEndpoint { RoutePattern.RawText: { } route } ? TraceAsync(http, next, '/' + route.TrimStart('/')) : next(http);

    /// <summary>A sign-in was begun (<see cref="SignInStep.Password"/> is next) or has ended with a session.</summary>
    public void Milestone(bool isEnd) => _steps.Add(1, Label("step", isEnd ? "finish" : "begin"), Label("outcome", "done"));

    /// <summary>What came of a request to the page of a step.</summary>
    /// <param name="step">Of the page.</param>
    /// <param name="outcome">One of the words of docs/operating/observability.md.</param>
    public void Step(SignInStep step, string outcome)
    {
        _steps.Add(1, Label("step", Steps[step]), Label("outcome", outcome));
        if (Current is { } span) span.SetTag("portvakt.step", Steps[step]).SetTag("portvakt.outcome", outcome);
    }

    public void Answered(ApprovalState state, ApprovalPurpose purpose) => _approvals.Add(1, Label("outcome", Answers[state]), Label("purpose", Purposes[purpose]));

    /// <summary>An answer that was no answer: broken, late, or somebody else's.</summary>
    /// <param name="status">Of the response.</param>
    public void AnswerRefused(int status) => _approvals.Add(1, Label("outcome", status is StatusCodes.Status409Conflict or StatusCodes.Status410Gone ? "late" : "refused"), Label("purpose", "unknown"));

    /// <param name="grantType">As the application wrote it.</param>
    /// <param name="error">As RFC 6749 section 5.2 names it; null: tokens were issued.</param>
    public void Token(string? grantType, string? error) => _tokens.Add(
        1,
        Label("grant", grantType is "authorization_code" or "refresh_token" or "client_credentials" ? grantType : "other"),
        Label("outcome", error switch
        {
            null => "issued",
            "invalid_request" or "invalid_client" or "invalid_grant" or "unauthorized_client" or "unsupported_grant_type" or "invalid_scope" => error,
            _ => "other",
        }));

    /// <summary>Sends a message and tells what became of it.</summary>
    public async Task<PushOutcome> PushAsync(bool isNotice, Func<Task<PushOutcome>> send)
    {
        var began = _clock.GetTimestamp();
        var outcome = await send();
        var word = outcome switch
        {
            PushOutcome.Delivered => "delivered",
            PushOutcome.Gone => "gone",
            PushOutcome.Refused => "refused",
            PushOutcome.TooLarge => "too_large",
            PushOutcome.RetryLater => "retry_later",
            PushOutcome.Unreachable => "unreachable",
            _ => "not_allowed",
        };
        _pushes.Add(1, Label("outcome", word), Label("kind", isNotice ? "notice" : "request"));

        // Told when it is over: while it lasts it is nobody's, or its id would travel to the push service.
        if (Source.HasListeners()) Tell("push", ActivityKind.Producer, _clock.GetElapsedTime(began), Label("portvakt.outcome", word));
        return outcome;
    }

    /// <summary>A password or PIN is in the queue until <see cref="Hashing.Begin"/>, and then it has a core until disposed.</summary>
    public Hashing Queue()
    {
        Interlocked.Increment(ref _queue);
        return new Hashing(this, _clock.GetTimestamp());
    }

    /// <summary>A stream is open until this is disposed.</summary>
    public IDisposable Waits(bool isPhone) => new Stream(this, isPhone);

    /// <summary>A statement, or a commit.</summary>
    public void Database(string system, string operation, TimeSpan lasted)
    {
        _database.Record(lasted.TotalSeconds, Label("db.system.name", system), Label("db.operation.name", operation));
        if (Current is { IsAllDataRequested: true }) Tell(operation, ActivityKind.Client, lasted, Label("db.system.name", system), Label("db.operation.name", operation));
    }

    /// <summary>What is durable after this.</summary>
    public void Commit(DbTransaction transaction)
    {
        var began = _clock.GetTimestamp();
        transaction.Commit();
        Database("sqlite", "COMMIT", _clock.GetElapsedTime(began));
    }

    public void Dispose() => Source.Dispose();

    private Activity? Current => Activity.Current is { } span && span.Source == Source ? span : null;

    private async Task TraceAsync(HttpContext http, RequestDelegate next, string route)
    {
        Activity.Current = null; // for this request only: it is the framework's again when we return
        var method = MethodOf(http.Request.Method);
        using var span = Source.StartActivity($"{method} {route}", ActivityKind.Server);
        if (span is null)
        {
            await next(http);
            return;
        }

        span.SetTag("http.request.method", method).SetTag("http.route", route);
        try
        {
            await next(http);
            span.SetTag("http.response.status_code", http.Response.StatusCode);
            if (http.Response.StatusCode >= StatusCodes.Status500InternalServerError) span.SetStatus(ActivityStatusCode.Error);
        }
        catch (Exception fault)
        {
            span.SetTag("error.type", fault.GetType().FullName).SetStatus(ActivityStatusCode.Error); // not its message, which may name anything
            throw;
        }
    }

    /// <summary>A span of something that is over.</summary>
    private void Tell(string name, ActivityKind kind, TimeSpan lasted, params ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var end = _clock.GetUtcNow();
        using var span = Source.StartActivity(kind, startTime: end - lasted, name: name);
        if (span is null) return;
        foreach (var (label, value) in labels) span.SetTag(label, value);
        span.SetEndTime(end.UtcDateTime);
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static string MethodOf(string method) =>
        HttpMethods.IsGet(method) ? "GET" : HttpMethods.IsPost(method) ? "POST" : HttpMethods.IsHead(method) ? "HEAD" : HttpMethods.IsPut(method) ? "PUT" : HttpMethods.IsDelete(method) ? "DELETE" : "_OTHER";

    private static FrozenDictionary<T, string> Words<T>() where T : struct, Enum =>
        Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    /// <summary>One password or PIN on its way through <see cref="PasswordHash"/>.</summary>
    public sealed class Hashing(Telemetry telemetry, long asked) : IDisposable
    {
        private long? _begun;

        /// <summary>It has a core.</summary>
        public void Begin()
        {
            Interlocked.Decrement(ref telemetry._queue);
            _begun = telemetry._clock.GetTimestamp();
            telemetry._passwordWait.Record(telemetry._clock.GetElapsedTime(asked, _begun.Value).TotalSeconds);
        }

        public void Dispose()
        {
            if (_begun is not { } begun)
            {
                Interlocked.Decrement(ref telemetry._queue); // its caller has gone
                return;
            }

            var lasted = telemetry._clock.GetElapsedTime(begun);
            telemetry._passwordWork.Record(lasted.TotalSeconds);
            if (telemetry.Current is { IsAllDataRequested: true }) telemetry.Tell("password", ActivityKind.Internal, lasted);
        }
    }

    private sealed class Stream : IDisposable
    {
        private readonly Telemetry _telemetry;
        private readonly bool _isPhone;

        public Stream(Telemetry telemetry, bool isPhone)
        {
            (_telemetry, _isPhone) = (telemetry, isPhone);
            Interlocked.Increment(ref isPhone ? ref telemetry._phones : ref telemetry._browsers);
        }

        public void Dispose() => Interlocked.Decrement(ref _isPhone ? ref _telemetry._phones : ref _telemetry._browsers);
    }
}
