// OpenIddict as its documentation begins: its own Entity Framework Core stores, authorization code, refresh and client credentials, tokens that it fills
// and files away itself. Started by `bench peers`: PORT DATABASE SECRET. Changed from its defaults, so that it does the same work as the others: ES256
// instead of RS256, access tokens that are signed and not encrypted as well, keys of this run, and no log.

using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

if (args is not [var port, var database, var secret])
{
    Console.WriteLine("OpenIddict is started by bench peers: PORT DATABASE SECRET.");
    return 2;
}

var builder = WebApplication.CreateBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(int.Parse(port, CultureInfo.InvariantCulture)));
builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie => cookie.LoginPath = "/session");
builder.Services.AddDbContext<DbContext>(options => options.UseSqlite($"Data Source={database}").UseOpenIddict());
builder.Services.AddOpenIddict()
    .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>())
    .AddServer(server =>
    {
        server.SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token").SetJsonWebKeySetEndpointUris(".well-known/jwks.json");
        server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowRefreshTokenFlow().AllowClientCredentialsFlow();
        server.RegisterScopes(Scopes.Profile, "api");
        // A common size. Its own development and ephemeral keys have 4,096 bits in this version, which costs several ms a request.
        server.AddEncryptionKey(new RsaSecurityKey(RSA.Create(2048))).AddSigningKey(new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP256))).DisableAccessTokenEncryption();
        server.UseAspNetCore().EnableAuthorizationEndpointPassthrough().EnableTokenEndpointPassthrough().DisableTransportSecurityRequirement();
    });

var app = builder.Build();
await using (var scope = app.Services.CreateAsyncScope())
{
    await scope.ServiceProvider.GetRequiredService<DbContext>().Database.EnsureCreatedAsync();
    var clients = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
    await clients.CreateAsync(new OpenIddictApplicationDescriptor
    {
        ClientId = "application",
        ClientSecret = secret,
        RedirectUris = { new Uri("https://application.example.no/signin-oidc") },
        Permissions =
        {
            Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken,
            Permissions.ResponseTypes.Code, Permissions.Scopes.Profile,
        },
    });
    await clients.CreateAsync(new OpenIddictApplicationDescriptor
    {
        ClientId = "job",
        ClientSecret = secret,
        Permissions = { Permissions.Endpoints.Token, Permissions.GrantTypes.ClientCredentials, Permissions.Prefixes.Scope + "api" },
    });
}

app.UseAuthentication();

// Whoever comes is signed in, as somebody new.
app.MapGet("/session", (string returnUrl) => Results.SignIn(
    PersonOf(CookieAuthenticationDefaults.AuthenticationScheme, Guid.CreateVersion7().ToString()),
    new AuthenticationProperties { RedirectUri = returnUrl },
    CookieAuthenticationDefaults.AuthenticationScheme));

app.MapGet("/connect/authorize", async (HttpContext http) =>
{
    var session = await http.AuthenticateAsync(CookieAuthenticationDefaults.AuthenticationScheme);
    if (session.Principal?.FindFirstValue(Claims.Subject) is not { } subject)
        return Results.Challenge(new AuthenticationProperties { RedirectUri = http.Request.GetEncodedPathAndQuery() }, [CookieAuthenticationDefaults.AuthenticationScheme]);
    return TokensFor(PersonOf(TokenValidationParameters.DefaultAuthenticationType, subject).SetScopes(http.GetOpenIddictServerRequest()!.GetScopes()));
});

app.MapPost("/connect/token", async (HttpContext http) =>
{
    var request = http.GetOpenIddictServerRequest()!;
    if (request.IsClientCredentialsGrantType())
    {
        var identity = new ClaimsIdentity(TokenValidationParameters.DefaultAuthenticationType, Claims.Name, Claims.Role);
        return TokensFor(new ClaimsPrincipal(identity.SetClaim(Claims.Subject, request.ClientId)).SetScopes(request.GetScopes()));
    }

    // What the code or the refresh token stands for; OpenIddict has looked at it already.
    return TokensFor((await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal!);
});

await app.RunAsync();
return 0;

static ClaimsPrincipal PersonOf(string kind, string subject) =>
    new(new ClaimsIdentity(kind, Claims.Name, Claims.Role).SetClaim(Claims.Subject, subject).SetClaim(Claims.Name, "Kari Nordmann"));

static IResult TokensFor(ClaimsPrincipal person)
{
    person.SetDestinations(claim => claim.Type is Claims.Name ? [Destinations.AccessToken, Destinations.IdentityToken] : [Destinations.AccessToken]);
    return Results.SignIn(person, properties: null, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
}
