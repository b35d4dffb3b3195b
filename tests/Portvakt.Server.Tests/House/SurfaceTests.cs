using System.Collections;
using System.Globalization;
using System.Net;
using System.Reflection;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>Everything that can be reached and everything that can be set, as two approved lists.</summary>
public sealed class SurfaceTests(HouseServer house) : IClassFixture<HouseServer>
{
    /// <summary>
    /// Who may use what begins so; the longest beginning counts. <c>anyone</c>: reviewed, needs nothing. <c>attempt</c>: the browser that began the
    /// sign-in or the sign-out. <c>session</c>: somebody signed in. <c>desk</c>: a role of administration, signed in with the phone; changes only within ten minutes of it. <c>code</c>: whoever holds the code of the picture. <c>passkey</c>: whoever holds the passkey of a bound phone. <c>phone</c>: a bound phone's signed proof.
    /// <c>client</c>: an application, by what it registered. <c>gateway</c>: a provider of text messages or calls, by its key. <c>machine</c>: whatever watches the server.
    /// </summary>
    private static readonly (string Prefix, string Policy)[] Policies =
    [
        ("/health/", "machine"),
        ("/csp-report", "anyone"),
        ("/.well-known/", "anyone"),
        ("/connect/", "client"),
        ("/error/", "anyone"),
        ("/guides/", "anyone"),
        ("/look/", "anyone"),
        ("/e/{code}", "anyone"),
        ("/phone/{**file}", "anyone"),
        ("/phone/get", "anyone"),
        ("/phone/api/", "phone"),
        ("/phone/api/binding/", "code"),
        ("/phone/api/rebind/", "passkey"),
        ("/sign-in/over", "anyone"),
        ("/sign-in/{attempt}", "attempt"),
        ("/enrol/{attempt}", "attempt"),
        ("/approvals/{attempt}/", "attempt"),
        ("/account", "session"),
        ("/activate", "session"),
        ("/signed-out-everywhere/{id}", "attempt"),
        ("/sign-out", "anyone"),
        ("/telephone/reports/", "gateway"),
        ("/administration", "desk"),
        ("/administration/first", "anyone"), // with the token that the operator of the machine was shown; otherwise it does not exist
    ];

    /// <summary>These stand for themselves and for nothing that begins with them.</summary>
    private static readonly (string Route, string Policy)[] Exact = [("/", "anyone"), ("/accessibility", "anyone"), ("/design", "anyone"), ("/guides", "anyone"), ("/phone", "anyone"), ("/sign-in", "anyone")];

    [Fact]
    public void Every_route_is_approved() => Approved.Holds("routes", Routes().Select(route => $"{route.Policy,-8} {route.Pattern}  {route.Verbs}").Order(StringComparer.Ordinal));

    [Fact]
    public void Every_setting_is_approved()
    {
        var defaults = new PortvaktSettings();
        Approved.Holds("settings", typeof(PortvaktSettings).GetProperties().Where(property => property.CanWrite)
            .Select(property => $"{property.Name}: {NameOf(property)} = {Shown(property.GetValue(defaults))}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_called_guarded_turns_away_whoever_brings_nothing()
    {
        using var http = new HttpClient(house.Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        var tried = 0;
        foreach (var (pattern, verbs, policy) in Routes().Where(route => route.Policy is "attempt" or "session" or "phone" or "code" or "passkey" or "desk"))
        {
            foreach (var verb in verbs.Split(' ').Select(verb => verb.Split(':')[0]).Distinct())
            {
                using var request = new HttpRequestMessage(HttpMethod.Parse(verb), HouseServer.Filled(pattern));
                if (verb is "POST") request.Content = policy is "attempt" or "desk" or "session" ? new FormUrlEncodedContent([]) : new StringContent("{}", null, "application/json");
                using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                var turnedAway = policy switch
                {
                    "attempt" => answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest || answer.Headers.Location?.OriginalString.StartsWith("/sign-in/over", StringComparison.Ordinal) is true,
                    "desk" => answer.StatusCode is HttpStatusCode.BadRequest || answer.Headers.Location?.OriginalString.StartsWith("/sign-in/", StringComparison.Ordinal) is true,
                    "session" => answer.StatusCode is HttpStatusCode.BadRequest || answer.Headers.Location?.OriginalString.StartsWith("/sign-in", StringComparison.Ordinal) is true, // a form needs its token first
                    "code" or "passkey" => answer.StatusCode is HttpStatusCode.BadRequest,
                    _ => answer.StatusCode is HttpStatusCode.Unauthorized,
                };
                Assert.True(turnedAway, $"{verb} {pattern} is called “{policy}” and answers {(int)answer.StatusCode}");
                tried++;
            }
        }

        Assert.True(tried > 25, $"Only {tried} tries.");
    }

    private IEnumerable<(string Pattern, string Verbs, string Policy)> Routes() =>
        house.Server.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint =>
        {
            var pattern = "/" + endpoint.RoutePattern.RawText!.TrimStart('/');
            var policies = Exact.Where(row => row.Route == pattern).Select(row => row.Policy)
                .Concat(Policies.Where(row => pattern.StartsWith(row.Prefix, StringComparison.Ordinal)).OrderByDescending(row => row.Prefix.Length).Select(row => row.Policy));
            return (pattern, VerbsOf(endpoint), policies.FirstOrDefault() ?? throw new InvalidOperationException($"{pattern} has no policy: who may use it? Say so in {nameof(SurfaceTests)}."));
        }).Distinct();

    /// <summary>Verbs; for a page its handlers, since each button is a way in.</summary>
    private static string VerbsOf(RouteEndpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<PageActionDescriptor>() is not { } page) return string.Join(' ', endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Order(StringComparer.Ordinal));
        var model = typeof(PortvaktHost).Assembly.GetType($"Portvakt.Server{page.RelativePath.Replace(".cshtml", "Model", StringComparison.Ordinal).Replace('/', '.')}", throwOnError: true)!;
        return string.Join(' ', model.GetMethods(BindingFlags.Public | BindingFlags.Instance).Select(method => method.Name.Replace("Async", "", StringComparison.Ordinal)).Where(name => name.StartsWith("OnGet", StringComparison.Ordinal) || name.StartsWith("OnPost", StringComparison.Ordinal))
            .Select(name => name.StartsWith("OnGet", StringComparison.Ordinal) ? $"GET:{name[5..]}".TrimEnd(':') : $"POST:{name[6..]}".TrimEnd(':')).Order(StringComparer.Ordinal));
    }

    private static string NameOf(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var name = type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(argument => argument.Name))}>" : type.Name;
        return name + (new NullabilityInfoContext().Create(property).ReadState is NullabilityState.Nullable ? "?" : "");
    }

    private static string Shown(object? value) => value switch
    {
        null => "nothing",
        string text => $"\"{text}\"",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object>())}]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
