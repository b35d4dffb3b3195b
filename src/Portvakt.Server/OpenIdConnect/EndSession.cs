using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Portvakt.Domain.Sessions;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// <c>/connect/end-session</c> (OpenID Connect RP-Initiated Logout 1.0). A token of ours for this very session ends it at once; without one
/// the person is asked first (R75), on the page <c>/sign-out</c>.
/// </summary>
public static class EndSession
{
    public const string Path = "/connect/end-session";

    /// <summary>The page that asks. Its query carries client_id, post_logout_redirect_uri and state; it calls <see cref="ValidatedReturn"/> again when answered.</summary>
    public const string ConfirmationPage = "/sign-out";

    /// <summary>
    /// Where to send the browser when the session is over: an address that this application registered, letter for letter, with the
    /// application's <paramref name="state"/>. Null: nowhere; stay here.
    /// </summary>
    public static string? ValidatedReturn(RelyingParties relyingParties, string? clientId, string? address, string? state)
    {
        if (address is null || relyingParties.Find(clientId) is not { } client || !client.PostLogoutRedirectUris.Contains(address, StringComparer.Ordinal)) return null;
        return string.IsNullOrEmpty(state) ? address : QueryHelpers.AddQueryString(address, Parameters.State, state);
    }

    internal static async Task<IResult> HandleAsync(HttpContext http, SessionStore sessions, PortvaktDb db, RelyingParties relyingParties)
    {
        // Another site's form brings no cookie (SameSite=Lax); the same request as a GET does.
        if (HttpMethods.IsPost(http.Request.Method)) return new SeeOther(SeeOther.SameRequest(http.Request, leaveOut: null));

        var request = http.GetOpenIddictServerRequest()!;
        var hint = string.IsNullOrEmpty(request.IdTokenHint) ? null : (await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)).Principal;
        var clientId = request.ClientId ?? hint?.GetClaim(Claims.AuthorizedParty);
        var signedIn = await sessions.CurrentAsync(http);
        var named = hint is null ? null : await NamedByAsync(hint, db, http.RequestAborted);
        if (named is not null && (signedIn is null || signedIn.Session.Id == named.Id))
        {
            if (named.EndedAt is null) await sessions.EndAsync(named, http);
            http.Response.Cookies.Delete(SessionStore.CookieName, BrowserCookie.Options(null));
            return new SeeOther(ValidatedReturn(relyingParties, clientId, request.PostLogoutRedirectUri, request.State) ?? ConfirmationPage);
        }

        // Whether the address is registered is asked here, so that the page is never handed one that is not, and there again.
        var goesBack = ValidatedReturn(relyingParties, clientId, request.PostLogoutRedirectUri, request.State) is not null;
        return new SeeOther(!goesBack ? ConfirmationPage : ConfirmationPage + QueryString.Create(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [Parameters.ClientId] = clientId,
            [Parameters.PostLogoutRedirectUri] = request.PostLogoutRedirectUri,
            [Parameters.State] = request.State,
        }.Where(pair => !string.IsNullOrEmpty(pair.Value))).ToUriComponent());
    }

    /// <summary>The session of a token that the engine has verified (an old one will do), if it is the token's person's.</summary>
    private static async Task<Session?> NamedByAsync(System.Security.Claims.ClaimsPrincipal hint, PortvaktDb db, CancellationToken cancellationToken)
    {
        var sessionId = hint.GetClaim(TokenClaims.SessionId);
        var session = await db.Sessions.SingleOrDefaultAsync(row => row.Id == sessionId, cancellationToken);
        return session is not null && hint.GetClaim(Claims.Subject) == TokenClaims.SubjectOf(session.PersonId) ? session : null;
    }
}
