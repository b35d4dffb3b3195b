using System.Security.Cryptography;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Server;
using Portvakt.Server.Hosting;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>The OpenID provider: OpenIddict for the protocol, our own small stores behind it.</summary>
public static class OpenIdConnectModule
{
    private static readonly string[] GetOrPost = [HttpMethods.Get, HttpMethods.Post];
    private static readonly string[] GetOrHead = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Needs from the host: <see cref="TimeProvider"/>, <see cref="Vault"/>, the database, sessions, the sign-in journey, and the settings as options.</summary>
    /// <exception cref="InvalidOperationException">The file of relying parties cannot be used; the message says where and why.</exception>
    public static IServiceCollection AddOpenIdConnect(this IServiceCollection services, PortvaktSettings settings)
    {
        var relyingParties = RelyingParties.Load(settings.RelyingPartiesFile);
        services.AddSingleton(relyingParties);
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<ProviderDocuments>();
        services.AddSingleton<TokenWriter>();
        services.AddSingleton<TokenEndpoint>();
        services.AddScoped<Grants>();
        services.AddHostedService<KeyKeeper>();
        services.AddSingleton<BackChannelLogout>();
        services.AddHostedService(provider => provider.GetRequiredService<BackChannelLogout>());
        services.AddHttpClient(BackChannelLogout.ClientName, client => client.Timeout = TimeSpan.FromSeconds(5))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false });

        services.AddOpenIddict().AddServer(server =>
        {
            server.SetIssuer(settings.PublicUri);
            server.SetAuthorizationEndpointUris(AuthorizeEndpoint.Path).SetTokenEndpointUris(TokenEndpoint.Path)
                .SetUserInfoEndpointUris(UserInfoEndpoint.Path).SetEndSessionEndpointUris(EndSession.Path);
            server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowRefreshTokenFlow().AllowClientCredentialsFlow();
            server.RegisterScopes([Scopes.OpenId, Scopes.Profile, Scopes.Email, Scopes.OfflineAccess, .. relyingParties.All.SelectMany(client => client.Scopes)]);
            server.RegisterClaims(
                Claims.Subject, Claims.Issuer, Claims.Audience, Claims.ExpiresAt, Claims.IssuedAt, Claims.AuthenticationTime, Claims.AuthenticationContextReference,
                Claims.AuthenticationMethodReference, TokenClaims.SessionId, Claims.Nonce, Claims.Name, Claims.PreferredUsername, Claims.Locale, Claims.Email);
            server.DisableAccessTokenEncryption(); // ours are read by applications (RFC 9068) and hold nothing to hide from them
            server.EnableDegradedMode();
            server.AddOurHandlers();

            var host = server.UseAspNetCore().EnableAuthorizationEndpointPassthrough()
                .EnableUserInfoEndpointPassthrough().EnableEndSessionEndpointPassthrough().EnableStatusCodePagesIntegration();
            if (settings.PublicUri is { Scheme: "http", IsLoopback: true }) host.DisableTransportSecurityRequirement(); // the demo, on this machine
        });

        services.AddOptions<OpenIddictServerOptions>().Configure<SigningKeys>((options, keys) =>
        {
            // Only what we serve: the engine's defaults are wider.
            options.ConfigurationEndpointUris.Clear(); // ours are ProviderDocuments
            options.JsonWebKeySetEndpointUris.Clear();
            options.CodeChallengeMethods.RemoveWhere(method => method is not CodeChallengeMethods.Sha256);
            options.ResponseModes.RemoveWhere(mode => mode is not ResponseModes.Query); // form_post needs a script in a page
            options.ResponseTypes.RemoveWhere(type => type is not ResponseTypes.Code);
            options.ClientAuthenticationMethods.Clear();
            options.ClientAuthenticationMethods.UnionWith([ClientAuthenticationMethods.ClientSecretBasic, ClientAuthenticationMethods.ClientSecretPost, ClientAuthenticationMethods.None]);
            options.ClientAssertionTypes.Clear();

            options.TokenValidationParameters.ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256];
            options.TokenValidationParameters.ValidIssuers = [settings.Origin];
            options.TokenValidationParameters.TryAllIssuerSigningKeys = false;

            // A key by its name and in no other way; none for a header that demands an extension (RFC 7515 section 4.1.11: we have none).
            options.TokenValidationParameters.IssuerSigningKeyResolver = (_, token, id, _) =>
                keys.Find(id) is { } key && !((JsonWebToken)token).TryGetHeaderValue<object>("crit", out _) ? [key.Key] : [];

            // The engine neither signs nor encrypts anything, and wants to see a key for both.
            options.SigningCredentials.Add(new SigningCredentials(keys.Current.Key, SecurityAlgorithms.EcdsaSha256));
            options.EncryptionCredentials.Add(new EncryptingCredentials(new SymmetricSecurityKey(RandomNumberGenerator.GetBytes(32)), SecurityAlgorithms.Aes256KW, SecurityAlgorithms.Aes256CbcHmacSha512));
        });
        return services;
    }

    /// <summary>
    /// Sends discovery and the keys before anything is prepared for what may fail, has a language or lies in a folder: they are bytes, and every application asks for them again and again.
    /// As endpoints (<see cref="MapOpenIdConnect"/>) they are known to whoever lists the surface, and refuse what is no question.
    /// </summary>
    public static void UseProviderDocuments(this WebApplication app)
    {
        var documents = app.Services.GetRequiredService<ProviderDocuments>();
        app.Use((http, next) => HttpMethods.IsGet(http.Request.Method)
            ? http.Request.Path.Value switch
            {
                ProviderDocuments.DiscoveryPath => documents.DiscoveryAsync(http),
                ProviderDocuments.KeysPath => documents.KeysAsync(http),
                _ => next(http),
            }
            : next(http));
    }

    /// <summary>Lets the engine read what is for it, and nothing else: it would look at every request.</summary>
    public static void UseOpenIdConnect(this WebApplication app)
    {
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true; // or the host puts it before everything, by itself
        ((IApplicationBuilder)app).Properties["__AuthorizationMiddlewareSet"] = true; // the same; no endpoint asks for it, and one that did would be refused with an error
        app.UseWhen(
            http => http.Request.Path.StartsWithSegments("/connect", StringComparison.OrdinalIgnoreCase) && !http.Request.Path.StartsWithSegments(TokenEndpoint.Path, StringComparison.OrdinalIgnoreCase),
            engine => engine.UseAuthentication());
    }

    /// <summary>The endpoints. The host puts error pages for 400 (<c>UseStatusCodePagesWithReExecute</c>) before the authentication middleware.</summary>
    public static void MapOpenIdConnect(this WebApplication app)
    {
        var documents = app.Services.GetRequiredService<ProviderDocuments>();
        app.MapMethods(ProviderDocuments.DiscoveryPath, GetOrHead, documents.DiscoveryAsync);
        app.MapMethods(ProviderDocuments.KeysPath, GetOrHead, documents.KeysAsync);

        app.MapMethods(AuthorizeEndpoint.Path, GetOrPost, AuthorizeEndpoint.HandleAsync);
        app.MapPost(TokenEndpoint.Path, app.Services.GetRequiredService<TokenEndpoint>().HandleAsync);
        app.MapMethods(UserInfoEndpoint.Path, GetOrPost, UserInfoEndpoint.HandleAsync);
        app.MapMethods(EndSession.Path, GetOrPost, EndSession.HandleAsync);
    }
}
