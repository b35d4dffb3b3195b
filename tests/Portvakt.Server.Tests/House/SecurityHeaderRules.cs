using System.Text.RegularExpressions;

namespace Portvakt.Server.Tests.House;

/// <summary>R81 and R82 for one answer, whatever it is.</summary>
internal static partial class SecurityHeaderRules
{
    public static void Hold(HttpResponseMessage answer, bool mayBeKept = false)
    {
        var where = $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} {(int)answer.StatusCode}";
        Is("X-Content-Type-Options", "nosniff");
        Is("Referrer-Policy", "no-referrer");
        Is("Cross-Origin-Opener-Policy", "same-origin");
        Is("Cross-Origin-Resource-Policy", "same-origin");
        Is("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        Is("X-Frame-Options", "DENY");
        if (mayBeKept) Assert.NotEmpty(One("Cache-Control"));
        else Assert.True(One("Cache-Control").Contains("no-store", StringComparison.Ordinal), $"{where}: Cache-Control is {One("Cache-Control")}");
        Assert.False(answer.Headers.Contains("Server") || answer.Headers.Contains("X-Powered-By"), where);

        var policy = One("Content-Security-Policy");
        foreach (var directive in new[] { "default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "report-uri /csp-report", "report-to csp" })
            Assert.Contains(directive, policy.Split("; "));
        Assert.Contains("; form-action ", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("*", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", policy, StringComparison.Ordinal);

        void Is(string header, string value) => Assert.True(One(header) == value, $"{where}: {header} is “{One(header)}”");

        string One(string header) => answer.Headers.TryGetValues(header, out var values) ? Assert.Single(values) : "";
    }

    public static string Nonce(HttpResponseMessage answer) => ScriptNonce().Match(Assert.Single(answer.Headers.GetValues("Content-Security-Policy"))).Groups[1].Value;

    [GeneratedRegex("script-src 'nonce-([A-Za-z0-9+/=]{24})'")]
    private static partial Regex ScriptNonce();
}
