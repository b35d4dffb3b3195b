using System.Globalization;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Localization;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Portvakt.SampleApp;

// Timeliste, a relying party: the least an application must do to let people sign in with Portvakt. With --App reiseregning it is Reiseregning instead:
// two applications are needed to see one sign-in serve both, and one sign-out end both.
//   dotnet run --project samples/Portvakt.SampleApp -- --urls http://localhost:5005 --Authority http://localhost:5000 --ClientId timeliste --ClientSecret …
// The stylesheet lies beside the published program, or in the sources when it runs from a build.
var beside = AppContext.BaseDirectory;
var home = Directory.Exists(Path.Combine(beside, "wwwroot")) ? beside : Path.GetFullPath(Path.Combine(beside, "..", "..", ".."));
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = home });
var authority = Setting("Authority").TrimEnd('/');
var which = builder.Configuration["App"] is { Length: > 0 } named ? named : "timeliste";
if (!Words.Knows(which)) throw new InvalidOperationException($"App is timeliste or reiseregning, not {which}.");
var overTls = !new Uri(authority).IsLoopback || authority.StartsWith("https:", StringComparison.Ordinal);

builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<EndedSessions>();
builder.Services.AddRequestLocalization(options =>
{
    options.AddSupportedCultures("nb", "nn", "en").AddSupportedUICultures("nb", "nn", "en").SetDefaultCulture("nb");
    options.RequestCultureProviders = [new AcceptLanguageHeaderRequestCultureProvider()];
});
builder.Services.AddAuthorization();
builder.Services.AddAntiforgery(options => options.Cookie.Name = $"samples-{which}-form");
builder.Services
    .AddAuthentication(options =>
    {
        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
    })
    .AddCookie(options =>
    {
        options.Cookie.Name = $"samples-{which}"; // of its own: cookies do not know ports
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.ExpireTimeSpan = TimeSpan.FromHours(8);

        // The back channel may have ended the session since the cookie was made: asked at every request.
        options.Events.OnValidatePrincipal = context =>
        {
            if (!context.HttpContext.RequestServices.GetRequiredService<EndedSessions>().Contains(context.Principal?.FindFirstValue("sid"))) return Task.CompletedTask;
            context.RejectPrincipal();
            return context.HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        };
    })
    .AddOpenIdConnect(options =>
    {
        options.Authority = authority;
        options.ClientId = Setting("ClientId");
        options.ClientSecret = Setting("ClientSecret");
        options.RequireHttpsMetadata = overTls; // http only when the provider is on this machine
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.Scope.Clear();
        options.Scope.Add("openid");
        options.Scope.Add("profile");
        options.Scope.Add("email");
        options.MapInboundClaims = false;
        options.ClaimActions.Remove("acr"); // the framework would throw away how sure the provider is
        options.TokenValidationParameters.NameClaimType = "name";
        options.TokenValidationParameters.ValidAlgorithms = ["ES256"];
        options.SaveTokens = true; // the ID token is the hint at sign-out

        // The answer comes back as a GET by the browser itself, so Lax is enough, and http://localhost needs no Secure.
        foreach (var cookie in new[] { options.NonceCookie, options.CorrelationCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        }

        options.Events.OnMessageReceived = context =>
        {
            // RFC 9207: an answer from somebody else is not for us.
            if (context.ProtocolMessage.Iss is { } issuer && issuer != authority) context.Fail("The answer came from another provider.");
            return Task.CompletedTask;
        };
        options.Events.OnRemoteFailure = context =>
        {
            context.Response.Redirect("/?failed=1");
            context.HandleResponse();
            return Task.CompletedTask;
        };
    });

var app = builder.Build();
app.Use((http, next) =>
{
    var headers = http.Response.Headers;
    headers.ContentSecurityPolicy = $"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {authority}; base-uri 'none'; frame-ancestors 'none'";
    headers.XContentTypeOptions = "nosniff";
    headers["Referrer-Policy"] = "no-referrer";
    return next(http);
});
app.UseRequestLocalization();
app.UseStaticFiles();
app.UseAuthentication();
app.UseAuthorization();
app.UseAntiforgery();

app.MapGet("/", async (HttpContext http, Microsoft.AspNetCore.Antiforgery.IAntiforgery forms) =>
{
    http.Response.Headers.CacheControl = "no-store";
    var words = Words.For(which, CultureInfo.CurrentUICulture.Name);
    var form = forms.GetAndStoreTokens(http);
    var page = http.User.Identity?.IsAuthenticated is true
        ? Page.SignedIn(words, http.User, form)
        : Page.SignedOut(words, form, http.Request.Query.ContainsKey("failed"));
    await Results.Content(page, "text/html; charset=utf-8").ExecuteAsync(http);
});

// For those who are signed in. Everybody else is sent to sign in and comes back here: the framework asks at each click.
app.MapGet("/mine", async (HttpContext http, Microsoft.AspNetCore.Antiforgery.IAntiforgery forms) =>
{
    http.Response.Headers.CacheControl = "no-store";
    await Results.Content(Page.SignedIn(Words.For(which, CultureInfo.CurrentUICulture.Name), http.User, forms.GetAndStoreTokens(http)), "text/html; charset=utf-8").ExecuteAsync(http);
}).RequireAuthorization();
app.MapPost("/sign-in", (IFormCollection _) => Results.Challenge(new AuthenticationProperties { RedirectUri = "/" }));
app.MapPost("/sign-out", (IFormCollection _) => Results.SignOut(
    new AuthenticationProperties { RedirectUri = "/" }, [CookieAuthenticationDefaults.AuthenticationScheme, OpenIdConnectDefaults.AuthenticationScheme]));
app.MapPost("/backchannel-logout", BackChannelLogout.HandleAsync).DisableAntiforgery(); // comes from the provider's server and brings a signed token
await app.RunAsync();

string Setting(string name) => builder.Configuration[name] is { Length: > 0 } value ? value : throw new InvalidOperationException($"Set {name}, as --{name} or in the environment.");
