using Microsoft.AspNetCore;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using Portvakt.Server.Hosting;
using static OpenIddict.Abstractions.OpenIddictConstants;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// Where OpenIddict asks us. In its degraded mode it leaves to the host what needs a store (docs/decisions/0005-slim-openid-stores.md):
/// who the clients are and what they may. Each handler stands where the engine's own one would, and everything else the engine checks, it checks.
/// It issues nothing: codes are sent by <see cref="AuthorizeEndpoint"/>, tokens by <see cref="TokenEndpoint"/>.
/// </summary>
internal static class Engine
{
    public static void AddOurHandlers(this OpenIddictServerBuilder server)
    {
        server.AddEventHandler(On<ProcessAuthenticationContext, FindClient>(OpenIddictServerHandlers.ValidateClientId.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateAuthorizationRequestContext, CheckAuthorizationRequest>(OpenIddictServerHandlers.Authentication.ValidateClientRedirectUri.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateEndSessionRequestContext, CheckEndSessionRequest>(OpenIddictServerHandlers.Session.ValidateClientPostLogoutRedirectUri.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateUserInfoRequestContext, CheckUserInfoRequest>(OpenIddictServerHandlers.UserInfo.ValidateAuthentication.Descriptor.Order + 500));
        server.AddEventHandler(On<ApplyAuthorizationResponseContext, NameIssuer>(OpenIddictServerHandlers.Authentication.AttachIssuer.Descriptor.Order + 500));

        static OpenIddictServerHandlerDescriptor On<TContext, THandler>(int order) where TContext : BaseContext where THandler : class, IOpenIddictServerHandler<TContext> =>
            OpenIddictServerHandlerDescriptor.CreateBuilder<TContext>().UseScopedHandler<THandler>().SetOrder(order).SetType(OpenIddictServerHandlerType.Custom).Build();
    }

    /// <summary>The application exists.</summary>
    internal sealed class FindClient(RelyingParties relyingParties) : IOpenIddictServerHandler<ProcessAuthenticationContext>
    {
        public ValueTask HandleAsync(ProcessAuthenticationContext context)
        {
            // Whoever is not known here may still sign out; only nobody is sent back to them.
            if (!string.IsNullOrEmpty(context.ClientId) && relyingParties.Find(context.ClientId) is null && context.EndpointType is not (OpenIddictServerEndpointType.EndSession or OpenIddictServerEndpointType.UserInfo))
                context.Reject(Errors.InvalidRequest, "This application is not registered here.");
            return default;
        }
    }

    /// <summary>R67, R68: the redirect address letter for letter, and nothing that the application was not allowed.</summary>
    internal sealed class CheckAuthorizationRequest(RelyingParties relyingParties) : IOpenIddictServerHandler<ValidateAuthorizationRequestContext>
    {
        public ValueTask HandleAsync(ValidateAuthorizationRequestContext context)
        {
            var client = relyingParties.Find(context.ClientId);
            if (client is null || !client.GrantTypes.Contains(GrantTypes.AuthorizationCode))
                context.Reject(Errors.UnauthorizedClient, "This application may not ask people to sign in.");
            else if (context.RedirectUri is not { } redirect || !client.RedirectUris.Contains(redirect, StringComparer.Ordinal))
                context.Reject(Errors.InvalidRequest, "The redirect_uri is not one that this application registered.");
            else if (context.Request.GetScopes().Any(scope => !client.Scopes.Contains(scope)))
                context.Reject(Errors.InvalidScope, "This application may not ask for all of these scopes.");
            else if (context.Request.CodeChallenge is not { Length: 43 } challenge || !System.Buffers.Text.Base64Url.IsValid(challenge))
                context.Reject(Errors.InvalidRequest, "The code_challenge is not a SHA-256 in base64url.");
            return default;
        }
    }

    /// <summary>An address that was not registered is an error, not a thing to pass over: the application's people must not end nowhere unnoticed.</summary>
    internal sealed class CheckEndSessionRequest(RelyingParties relyingParties) : IOpenIddictServerHandler<ValidateEndSessionRequestContext>
    {
        public ValueTask HandleAsync(ValidateEndSessionRequestContext context)
        {
            var client = relyingParties.Find(context.ClientId ?? context.IdentityTokenHintPrincipal?.GetClaim(Claims.AuthorizedParty));
            if (client is not null && context.PostLogoutRedirectUri is { Length: > 0 } address && !client.PostLogoutRedirectUris.Contains(address, StringComparer.Ordinal))
                context.Reject(Errors.InvalidRequest, "The post_logout_redirect_uri is not one that this application registered.");
            return default;
        }
    }

    /// <summary>The token was made for us, and did not come in the address, where logs keep it (RFC 6750 section 2.3, RFC 9700 section 4.3.2).</summary>
    internal sealed class CheckUserInfoRequest(IOptions<PortvaktSettings> settings) : IOpenIddictServerHandler<ValidateUserInfoRequestContext>
    {
        public ValueTask HandleAsync(ValidateUserInfoRequestContext context)
        {
            if (context.Transaction.GetHttpRequest()?.Query.ContainsKey(Parameters.AccessToken) is true)
                context.Reject(Errors.InvalidRequest, "An access token does not belong in the address.");
            else if (!context.AccessTokenPrincipal!.HasAudience(settings.Value.Origin))
                context.Reject(Errors.InvalidToken, "The access token is for somebody else.");
            return default;
        }
    }

    /// <summary>RFC 9207: <c>iss</c> in every answer, errors too, spelt as in discovery.</summary>
    internal sealed class NameIssuer(IOptions<PortvaktSettings> settings) : IOpenIddictServerHandler<ApplyAuthorizationResponseContext>
    {
        public ValueTask HandleAsync(ApplyAuthorizationResponseContext context)
        {
            if (!string.IsNullOrEmpty(context.RedirectUri)) context.Response.Iss = settings.Value.Origin;
            return default;
        }
    }
}
