using System.Security.Claims;
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
/// who the clients are, what they may, and what a code or refresh token stands for. Each handler stands where the engine's own one
/// would, and everything else the engine checks, it checks.
/// </summary>
internal static class Engine
{
    public static void AddOurHandlers(this OpenIddictServerBuilder server)
    {
        server.AddEventHandler(On<ProcessAuthenticationContext, AuthenticateClient>(OpenIddictServerHandlers.ValidateClientId.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateAuthorizationRequestContext, CheckAuthorizationRequest>(OpenIddictServerHandlers.Authentication.ValidateClientRedirectUri.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateTokenRequestContext, CheckTokenRequest>(OpenIddictServerHandlers.Exchange.ValidateGrantTypePermissions.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateEndSessionRequestContext, CheckEndSessionRequest>(OpenIddictServerHandlers.Session.ValidateClientPostLogoutRedirectUri.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateUserInfoRequestContext, CheckUserInfoRequest>(OpenIddictServerHandlers.UserInfo.ValidateAuthentication.Descriptor.Order + 500));
        server.AddEventHandler(On<ValidateTokenContext, ReadOpaqueToken>(OpenIddictServerHandlers.Protection.ValidateIdentityModelToken.Descriptor.Order - 500));
        server.AddEventHandler(On<GenerateTokenContext, SendOpaqueToken>(OpenIddictServerHandlers.Protection.AttachTokenSubject.Descriptor.Order - 500));
        server.AddEventHandler(On<GenerateTokenContext, SignToken>(OpenIddictServerHandlers.Protection.GenerateIdentityModelToken.Descriptor.Order - 500));
        server.AddEventHandler(On<ApplyTokenResponseContext, CountTokens>(int.MinValue + 100_000));
        server.AddEventHandler(On<ApplyAuthorizationResponseContext, NameIssuer>(OpenIddictServerHandlers.Authentication.AttachIssuer.Descriptor.Order + 500));

        static OpenIddictServerHandlerDescriptor On<TContext, THandler>(int order) where TContext : BaseContext where THandler : class, IOpenIddictServerHandler<TContext> =>
            OpenIddictServerHandlerDescriptor.CreateBuilder<TContext>().UseScopedHandler<THandler>().SetOrder(order).SetType(OpenIddictServerHandlerType.Custom).Build();
    }

    /// <summary>The application exists, and at the token endpoint it proves to be itself. A secret sent by one that has none is refused too.</summary>
    internal sealed class AuthenticateClient(RelyingParties relyingParties) : IOpenIddictServerHandler<ProcessAuthenticationContext>
    {
        public ValueTask HandleAsync(ProcessAuthenticationContext context)
        {
            if (string.IsNullOrEmpty(context.ClientId)) return default;
            var isToken = context.EndpointType is OpenIddictServerEndpointType.Token;
            var client = relyingParties.Find(context.ClientId);
            if (client is null)
            {
                // Whoever is not known here may still sign out; only nobody is sent back to them.
                if (context.EndpointType is not (OpenIddictServerEndpointType.EndSession or OpenIddictServerEndpointType.UserInfo))
                    context.Reject(isToken ? Errors.InvalidClient : Errors.InvalidRequest, "This application is not registered here.");
                return default;
            }

            if (!isToken) return default;
            var secret = context.ClientSecret;
            var isProven = client.IsPublic ? string.IsNullOrEmpty(secret) : !string.IsNullOrEmpty(secret) && client.HasSecret(secret);
            if (!isProven) context.Reject(Errors.InvalidClient, "The application did not prove to be itself.");
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

    internal sealed class CheckTokenRequest(RelyingParties relyingParties) : IOpenIddictServerHandler<ValidateTokenRequestContext>
    {
        public ValueTask HandleAsync(ValidateTokenRequestContext context)
        {
            var client = relyingParties.Find(context.ClientId)!;
            if (context.Request.GrantType is not { } grant || !client.GrantTypes.Contains(grant))
                context.Reject(Errors.UnauthorizedClient, "This application may not use this grant type.");
            else if (context.Request.IsClientCredentialsGrantType() && context.Request.GetScopes().Any(scope => IsAboutPerson(scope) || !client.Scopes.Contains(scope)))
                context.Reject(Errors.InvalidScope, "An application that speaks for itself may not ask for all of these scopes.");
            return default;
        }

        private static bool IsAboutPerson(string scope) => scope is Scopes.OpenId or Scopes.Profile or Scopes.Email or Scopes.OfflineAccess;
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

    /// <summary>A code or refresh token is looked up; the engine then checks client, redirect address and verifier against what was stored.</summary>
    internal sealed class ReadOpaqueToken(Grants grants) : IOpenIddictServerHandler<ValidateTokenContext>
    {
        public async ValueTask HandleAsync(ValidateTokenContext context)
        {
            var isCode = context.ValidTokenTypes.Contains(TokenTypeIdentifiers.Private.AuthorizationCode);
            if (!isCode && !context.ValidTokenTypes.Contains(TokenTypeIdentifiers.RefreshToken)) return;
            var http = context.Transaction.GetHttpRequest()!.HttpContext;
            var principal = new ClaimsPrincipal(new ClaimsIdentity("Portvakt"));
            if (isCode && await grants.FindCodeAsync(context.Token!, http) is { } code)
            {
                principal.SetTokenType(TokenTypeIdentifiers.Private.AuthorizationCode)
                    .SetPresenters(code.ClientId)
                    .SetClaim(Claims.Private.RedirectUri, code.RedirectUri)
                    .SetClaim(Claims.Private.CodeChallenge, code.CodeChallenge)
                    .SetClaim(Claims.Private.CodeChallengeMethod, CodeChallengeMethods.Sha256)
                    .SetClaim(Claims.Private.Nonce, code.Nonce);
            }
            else if (!isCode && await grants.FindRefreshTokenAsync(context.Token!, http) is { } family)
            {
                principal.SetTokenType(TokenTypeIdentifiers.RefreshToken).SetPresenters(family.ClientId);
            }
            else
            {
                context.Reject(Errors.InvalidGrant, isCode ? "The code is unknown, used or too old." : "The refresh token is unknown, used or too old.");
                return;
            }

            context.Principal = principal.SetScopes(grants.Presented!.Scopes.Split(' ')).SetClaim(Claims.Subject, TokenClaims.SubjectOf(grants.Presented.Person.Id));
        }
    }

    /// <summary>What <see cref="Grants"/> stored is what is sent.</summary>
    internal sealed class SendOpaqueToken(Grants grants) : IOpenIddictServerHandler<GenerateTokenContext>
    {
        public ValueTask HandleAsync(GenerateTokenContext context)
        {
            if (context.TokenType is TokenTypeIdentifiers.Private.AuthorizationCode) context.Token = grants.CodeToSend ?? throw new InvalidOperationException("No code was stored.");
            if (context.TokenType is TokenTypeIdentifiers.RefreshToken) context.Token = grants.RefreshTokenToSend ?? throw new InvalidOperationException("No refresh token was stored.");
            return default;
        }
    }

    /// <summary>The key that signs today, and our name without the slash that an address of its own would get.</summary>
    internal sealed class SignToken(SigningKeys keys, IOptions<PortvaktSettings> settings) : IOpenIddictServerHandler<GenerateTokenContext>
    {
        public ValueTask HandleAsync(GenerateTokenContext context)
        {
            context.SecurityTokenDescriptor.SigningCredentials = keys.Current.Credentials;
            context.SecurityTokenDescriptor.Issuer = settings.Value.Origin;
            context.SecurityTokenDescriptor.Subject.RemoveClaims(Claims.Private.Presenter); // the engine's own note; client_id and azp say it to everybody
            return default;
        }
    }

    /// <summary>What the token endpoint answers, whoever has decided it.</summary>
    internal sealed class CountTokens(Telemetry telemetry) : IOpenIddictServerHandler<ApplyTokenResponseContext>
    {
        public ValueTask HandleAsync(ApplyTokenResponseContext context)
        {
            telemetry.Token(context.Request?.GrantType, context.Response.Error);
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
