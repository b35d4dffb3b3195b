using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.SignIn;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// <c>/connect/authorize</c> (OpenID Connect Core 1.0, section 3.1.2). The engine has checked client, redirect address and PKCE. Here one
/// question is left: does this browser's session answer the request, or must the person sign in (again)?
/// </summary>
public static class AuthorizeEndpoint
{
    public const string Path = "/connect/authorize";

    /// <summary>Names the sign-in attempt that answers this very request; ours, put there by <see cref="SignInJourney"/>.</summary>
    public const string AttemptParameter = "attempt";

    /// <summary>What can still travel in a request line.</summary>
    private const int LongestRequest = 6000;

    internal static async Task<IResult> HandleAsync(
        HttpContext http, SessionStore sessions, SignInJourney journey, Grants grants, PortvaktDb db, Lookups lookups, RelyingParties relyingParties, TimeProvider clock, IOptions<PortvaktSettings> settings)
    {
        // Another site's form brings no cookie (SameSite=Lax); the same request as a GET does.
        var returnPath = SeeOther.SameRequest(http.Request, AttemptParameter);
        if (returnPath.Length > LongestRequest) return Refuse(Errors.InvalidRequest, "The request is too long.");
        if (HttpMethods.IsPost(http.Request.Method)) return new SeeOther(returnPath);

        var request = http.GetOpenIddictServerRequest()!;
        var client = relyingParties.Find(request.ClientId)!;
        var now = clock.GetUtcNow();

        if (!TryReadMaxAge(request, out var maxAge)) return Refuse(Errors.InvalidRequest, "max_age is not a number of seconds.");
        if (!TryReadAssurance(request, out var requested, out var isUnknownEssential)) return Refuse(Errors.InvalidRequest, "claims is not the JSON that it should be.");
        if (isUnknownEssential) return Refuse(Errors.UnmetAuthenticationRequirements, "None of the acr values that are essential is known here.");
        if (client.LeastAssurance > requested) requested = client.LeastAssurance;

        var signedIn = await sessions.CurrentAsync(http);
        var isFresh = signedIn is not null && await RedeemAsync(http, db, lookups, client, returnPath, signedIn, now);
        var asksAnew = request.HasPromptValue(PromptValues.Login) || request.HasPromptValue(PromptValues.SelectAccount) || maxAge is 0;
        var isOld = signedIn is not null && maxAge is { } seconds && now - signedIn.Session.AuthenticatedAt > TimeSpan.FromSeconds(seconds);
        var isWeak = signedIn is not null && signedIn.Session.Assurance < requested;
        var isOther = signedIn is not null && await IsSomebodyElseAsync(http, request, signedIn);

        var isAnswered = signedIn is not null && !isWeak && !isOther && (isFresh || !(asksAnew || isOld));
        if (isAnswered)
        {
            // Whether a policy accepts the session was asked when it was found, above.
            var grant = new Grant(client.ClientId, SessionHolder.Of(signedIn!.Session, signedIn.Person, anyPolicy: false), string.Join(' ', request.GetScopes()));
            if (await grants.IssueCodeAsync(grant, request.RedirectUri!, request.CodeChallenge!, request.Nonce, http.RequestAborted))
                return new SeeOther(AddressWith(request, grants.CodeToSend!, settings.Value.Origin));
        }

        if (request.HasPromptValue(PromptValues.None))
        {
            return isWeak && !isOld && !isOther
                ? Refuse(Errors.InteractionRequired, "Stronger sign-in is needed.")
                : Refuse(Errors.LoginRequired, "Sign-in is needed.");
        }

        if (isFresh && !isAnswered)
        {
            // The person has just signed in for this request and it still does not do; once more would end the same way.
            await db.TrySaveAsync(http.RequestAborted);
            return isOther
                ? Refuse(Errors.LoginRequired, "Another person signed in than the one whose token was sent.")
                : Refuse(Errors.UnmetAuthenticationRequirements, "The sign-in was not as strong as required.");
        }

        SpeakAsAsked(http, request);
        var origin = ContentPolicy.SourceOf(new Uri(request.RedirectUri!));
        return new SeeOther(await journey.BeginAsync(http, new SignInRequest(client.ClientId, client.Name, returnPath, origin, requested)));
    }

    /// <summary>The answer to the application: code, its own <c>state</c>, and who we are (RFC 6749 section 4.1.2, RFC 9207).</summary>
    private static string AddressWith(OpenIddictRequest request, string code, string issuer)
    {
        var address = QueryHelpers.AddQueryString(QueryHelpers.AddQueryString(request.RedirectUri!, Parameters.Code, code), Parameters.Iss, issuer);
        return request.State is { Length: > 0 } state ? QueryHelpers.AddQueryString(address, Parameters.State, state) : address;
    }

    /// <summary>
    /// Whether this browser has just finished a sign-in that was begun for exactly this request and has not yet answered it. Used up here,
    /// saved with the code: an attempt of another request, another browser, another session or used before does not count.
    /// </summary>
    private static async Task<bool> RedeemAsync(HttpContext http, PortvaktDb db, Lookups lookups, RelyingParty client, string returnPath, SignedIn signedIn, DateTimeOffset now)
    {
        if (http.Request.Query[AttemptParameter] is not [{ Length: > 0 and <= 40 } id] || BrowserCookie.Hash(http) is not { } browser) return false;
        return await lookups.Attempt(db, id, http.RequestAborted) is { } attempt
            && attempt.BelongsTo(browser)
            && attempt.RelyingPartyId == client.ClientId
            && attempt.ReturnPath == returnPath
            && attempt.SessionId == signedIn.Session.Id
            && attempt.Redeem(now);
    }

    /// <summary><c>id_token_hint</c> (section 3.1.2.1) of another person; or one that we cannot read when nobody may be asked.</summary>
    private static async Task<bool> IsSomebodyElseAsync(HttpContext http, OpenIddictRequest request, SignedIn signedIn)
    {
        if (string.IsNullOrEmpty(request.IdTokenHint)) return false;
        var hint = await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        return hint.Principal?.GetClaim(Claims.Subject) is { } subject
            ? subject != TokenClaims.SubjectOf(signedIn.Person.Id)
            : request.HasPromptValue(PromptValues.None);
    }

    private static bool TryReadMaxAge(OpenIddictRequest request, out long? maxAge)
    {
        maxAge = null;
        if (!request.HasParameter(Parameters.MaxAge)) return true;
        if (!long.TryParse((string?)request[Parameters.MaxAge], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        maxAge = Math.Min(seconds, (long)TimeSpan.FromDays(3650).TotalSeconds);
        return true;
    }

    /// <summary>
    /// The first value of <c>acr_values</c> that we understand; what we do not understand there is a wish and passes. Named as essential in
    /// <c>claims</c> (section 5.5.1.1) it is a demand.
    /// </summary>
    private static bool TryReadAssurance(OpenIddictRequest request, out AssuranceLevel requested, out bool isUnknownEssential)
    {
        requested = request.GetAcrValues().Select(Acr.Read).FirstOrDefault(level => level is not null) ?? AssuranceLevel.None;
        isUnknownEssential = false;
        if (!request.HasParameter(Parameters.Claims)) return true;
        try
        {
            using var claims = JsonDocument.Parse((string?)request[Parameters.Claims] ?? "");
            if (claims.RootElement.ValueKind is not JsonValueKind.Object) return false;
            if (!Member(claims.RootElement, "id_token", out var idToken) || !Member(idToken, "acr", out var acr)) return true;

            List<string?> values = [];
            if (acr.TryGetProperty("value", out var value)) values.Add(value.GetString());
            if (acr.TryGetProperty("values", out var several)) values.AddRange(several.EnumerateArray().Select(item => item.GetString()));
            if (values.Count is 0) return true;
            var level = values.Select(item => item is null ? null : Acr.Read(item)).FirstOrDefault(item => item is not null);
            if (level > requested) requested = level.Value;
            isUnknownEssential = level is null && acr.TryGetProperty("essential", out var essential) && essential.ValueKind is JsonValueKind.True;
            return true;
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return false;
        }

        static bool Member(JsonElement parent, string name, out JsonElement member) => parent.TryGetProperty(name, out member) && member.ValueKind is JsonValueKind.Object;
    }

    /// <summary><c>ui_locales</c>, for a browser whose person has not chosen a language here.</summary>
    private static void SpeakAsAsked(HttpContext http, OpenIddictRequest request)
    {
        if (http.Request.Cookies.ContainsKey(Localisation.CookieName)) return;
        var asked = (request.UiLocales ?? "").Split(' ').Select(tag => tag.Split('-')[0].ToLowerInvariant()).Select(tag => tag is "no" ? "nb" : tag);
        if (asked.FirstOrDefault(Localisation.IsKnown) is { } language) http.Response.Cookies.Append(Localisation.CookieName, language, BrowserCookie.Options(TimeSpan.FromDays(365)));
    }

    /// <summary>An answer to the application (section 3.1.2.6), sent to the redirect address that was checked.</summary>
    private static IResult Refuse(string error, string description) => Results.Forbid(
        new AuthenticationProperties(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [OpenIddictServerAspNetCoreConstants.Properties.Error] = error,
            [OpenIddictServerAspNetCoreConstants.Properties.ErrorDescription] = description,
        }),
        [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
}
