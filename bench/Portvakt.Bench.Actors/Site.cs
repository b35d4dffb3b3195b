using Portvakt.Testing;

namespace Portvakt.Bench.Actors;

/// <summary>What actors must know of the server that they speak to.</summary>
/// <param name="Http">Kept connections, and nothing done by itself.</param>
/// <param name="Address">The server's public address, without a slash at the end.</param>
/// <param name="Secret">Of both applications.</param>
/// <param name="PushService">Where the phones' browsers subscribe.</param>
public sealed record Site(HttpClient Http, string Address, string Secret, FakePushService PushService)
{
    /// <summary>The application that people sign in to.</summary>
    public const string ClientId = "application";

    /// <summary>An application without people.</summary>
    public const string JobId = "job";

    public const string RedirectUri = "https://application.example.no/signin-oidc";

    /// <summary>Everybody's.</summary>
    public const string Password = "en grønn elefant på taket";

    /// <summary>The relying parties' file that the server needs.</summary>
    public static string RelyingParties(string secret) => $$"""
        [{ "client_id": "{{ClientId}}", "client_name": "Timeliste", "client_secret": "{{secret}}", "redirect_uris": ["{{RedirectUri}}"] },
         { "client_id": "{{JobId}}", "client_name": "Nattjobb", "client_secret": "{{secret}}", "grant_types": ["client_credentials"], "scope": "api" }]
        """;

    /// <summary>Kept connections; redirects and cookies are the actors' own business.</summary>
    public static HttpClient NewHttp() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });
}
