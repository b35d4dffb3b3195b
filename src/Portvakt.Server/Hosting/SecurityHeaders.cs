using System.Security.Cryptography;
using Microsoft.Extensions.Options;

namespace Portvakt.Server.Hosting;

/// <summary>What one answer may do in a browser: the nonce of its scripts and styles, and where its forms may end.</summary>
public sealed class ContentPolicy
{
    public string Nonce { get; } = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));

    /// <summary>Sources (<see cref="SourceOf"/>) beside our own origin where a form of this page may end up: the relying party that the person came from.</summary>
    public HashSet<string> FormTargets { get; } = new(StringComparer.Ordinal);

    /// <summary>Set by endpoints that bring a policy of their own (the phone app, error documents of machines).</summary>
    public string? Override { get; set; }

    /// <summary>Of answers that are no page: nothing at all.</summary>
    private const string Nothing = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; report-uri /csp-report; report-to csp";

    /// <summary>What the answer says: its own policy where a page asked for one, and nothing for documents of machines.</summary>
    public static string Say(HttpContext http) => http.Items.TryGetValue(typeof(ContentPolicy), out var known) ? known!.ToString()! : Nothing;

    /// <summary>How <c>form-action</c> names where an address leads (CSP Level 3, section 2.3.1): its origin; an app's own scheme (RFC 8252, section 7.1) has none, so the scheme.</summary>
    public static string SourceOf(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp ? address.GetLeftPart(UriPartial.Authority) : $"{address.Scheme}:";

    public static ContentPolicy Of(HttpContext http)
    {
        if (http.Items.TryGetValue(typeof(ContentPolicy), out var known)) return (ContentPolicy)known!;
        var policy = new ContentPolicy();
        http.Items[typeof(ContentPolicy)] = policy;
        return policy;
    }

    public override string ToString() => Override ??
        $"default-src 'none'; script-src 'nonce-{Nonce}'; style-src 'nonce-{Nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
        $"manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'{string.Concat(FormTargets.Select(target => $" {target}"))}; " +
        "report-uri /csp-report; report-to csp";
}

/// <summary>R81, R82, R83, R84: the same headers on every answer, errors too; no form from elsewhere; no host but ours.</summary>
public static class SecurityHeaders
{
    /// <summary>The phone app: one origin, no inline anything, Trusted Types, nothing of anybody else.</summary>
    public const string PhonePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; " +
        "media-src 'self' blob:; object-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; " +
        "trusted-types portvakt; report-uri /csp-report; report-to csp";

    public static void UseSecurityHeaders(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        var host = settings.PublicUri.Authority;
        var origin = settings.Origin;
        var overTls = settings.PublicUri.Scheme == Uri.UriSchemeHttps;

        Task Finish(object request)
        {
            var http = (HttpContext)request;
            var headers = http.Response.Headers;
            headers.ContentSecurityPolicy = ContentPolicy.Say(http);
            headers["Reporting-Endpoints"] = "csp=\"/csp-report\"";
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(self), publickey-credentials-get=(self), publickey-credentials-create=(self), geolocation=(), microphone=()";
            headers.XFrameOptions = "DENY";
            if (overTls) headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
            if (string.IsNullOrEmpty(headers.CacheControl)) headers.CacheControl = "no-store";
            if (http.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) is true) headers["X-Accel-Buffering"] = "no"; // nginx and its kin hold nothing back that is told live
            return Task.CompletedTask;
        }

        app.Use((http, next) =>
        {
            http.Response.OnStarting(Finish, http);

            // Health is asked by machines beside us that know no public name.
            var isHealth = http.Request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase);
            if (!isHealth && !string.Equals(http.Request.Host.Value, host, StringComparison.OrdinalIgnoreCase))
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                return Task.CompletedTask;
            }

            if (IsAmbiguous(http.Request))
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                http.Response.Headers.Connection = "close"; // what follows on this line may be another's request
                return Task.CompletedTask;
            }

            if (IsForeignForm(http.Request, origin))
            {
                http.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            }

            return next(http);
        });
    }

    /// <summary>
    /// R88: a length and chunks at once, or chunks in chunks. RFC 9112, section 6.3 lets a server take the chunks, and Kestrel does, putting the length aside
    /// under a name of its own; a proxy in front of us may have believed the length.
    /// </summary>
    private static bool IsAmbiguous(HttpRequest request) => request.Headers.TransferEncoding is { Count: > 0 } coding
        && (request.Headers.ContainsKey("X-Content-Length") || !string.Equals(coding, "chunked", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// A state change that another site's page sent. Protocol endpoints under /connect are meant for other origins and take no cookie's word for
    /// anything that changes; the report endpoint only logs.
    /// </summary>
    private static bool IsForeignForm(HttpRequest request, string origin)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)) return false;
        if (request.Path.StartsWithSegments("/connect", StringComparison.OrdinalIgnoreCase) || request.Path == "/csp-report") return false;
        if (request.Headers["Sec-Fetch-Site"] is [{ } site]) return site is not ("same-origin" or "none");
        return request.Headers.Origin is [{ } from] && !string.Equals(from, origin, StringComparison.OrdinalIgnoreCase);
    }
}
