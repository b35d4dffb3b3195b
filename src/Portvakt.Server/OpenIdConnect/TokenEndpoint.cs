using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Portvakt.Server.Hosting;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// <c>/connect/token</c> (RFC 6749 section 3.2, OpenID Connect Core 1.0 section 3.1.3). Ours and not the engine's: an application asks here more often than
/// anybody else asks anything, and the engine's pipeline cost several times what the work does (docs/decisions/0014-own-token-endpoint.md).
/// </summary>
public sealed class TokenEndpoint(RelyingParties relyingParties, TokenWriter tokens, Telemetry telemetry, IOptions<PortvaktSettings> settings)
{
    public const string Path = "/connect/token";

    /// <summary>RFC 7636 section 4.1: as long as a verifier is.</summary>
    private const int ShortestVerifier = 43, LongestVerifier = 128;

    private static readonly SearchValues<char> VerifierCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    internal async Task HandleAsync(HttpContext http)
    {
        var form = await ReadAsync(http.Request);
        var grantType = form is null ? null : Value(form, Parameters.GrantType);
        var answer = form is null ? new Refusal(Errors.InvalidRequest, "The request is not a form, or says something twice.")
            : Authenticate(http.Request, form, out var client) is { } stranger ? stranger
            : grantType switch
            {
                null => new Refusal(Errors.InvalidRequest, "grant_type is missing."),
                GrantTypes.AuthorizationCode or GrantTypes.RefreshToken or GrantTypes.ClientCredentials when !client!.GrantTypes.Contains(grantType) => new Refusal(Errors.UnauthorizedClient, "This application may not use this grant type."),
                GrantTypes.AuthorizationCode => await CodeAsync(http, form, client!),
                GrantTypes.RefreshToken => await RefreshAsync(http, form, client!),
                GrantTypes.ClientCredentials => ForItself(form, client!),
                _ => new Refusal(Errors.UnsupportedGrantType, "This grant type is not known here."),
            };
        telemetry.Token(grantType, (answer as Refusal)?.Error);
        await SendAsync(http, answer);
    }

    /// <summary>RFC 6749 section 4.1.3, RFC 7636 section 4.6. The code is used up last: whoever cannot use it does not take it from who can.</summary>
    private async Task<Answer> CodeAsync(HttpContext http, IFormCollection form, RelyingParty client)
    {
        if (Value(form, Parameters.Code) is not { } code) return new Refusal(Errors.InvalidRequest, "code is missing.");
        if (Value(form, Parameters.CodeVerifier) is not { } verifier) return new Refusal(Errors.InvalidRequest, "code_verifier is missing.");
        if (Value(form, Parameters.RedirectUri) is not { } redirectUri) return new Refusal(Errors.InvalidRequest, "redirect_uri is missing.");
        var grants = http.RequestServices.GetRequiredService<Grants>();
        if (await grants.FindCodeAsync(code, http) is not { } row) return new Refusal(Errors.InvalidGrant, "The code is unknown, used or too old.");
        if (row.ClientId != client.ClientId) return new Refusal(Errors.InvalidGrant, "The code is another application's.");
        if (row.RedirectUri != redirectUri) return new Refusal(Errors.InvalidGrant, "The redirect_uri is not the one of the request.");
        if (!Proves(verifier, row.CodeChallenge)) return new Refusal(Errors.InvalidGrant, "The code_verifier does not fit.");
        return await IssueAsync(http, grants, client, row.Scopes, row.Nonce);
    }

    /// <summary>RFC 6749 section 6. Less may be asked for than was granted; the next token still stands for all of it.</summary>
    private async Task<Answer> RefreshAsync(HttpContext http, IFormCollection form, RelyingParty client)
    {
        if (Value(form, Parameters.RefreshToken) is not { } token) return new Refusal(Errors.InvalidRequest, "refresh_token is missing.");
        var grants = http.RequestServices.GetRequiredService<Grants>();
        if (await grants.FindRefreshTokenAsync(token, http) is not { } family) return new Refusal(Errors.InvalidGrant, "The refresh token is unknown, used or too old.");
        if (family.ClientId != client.ClientId) return new Refusal(Errors.InvalidGrant, "The refresh token is another application's.");
        var scopes = family.Scopes;
        if (Scope(form) is { } asked)
        {
            if (!Split(asked).All(Split(family.Scopes).Contains)) return new Refusal(Errors.InvalidScope, "More is asked for than was granted.");
            scopes = asked;
        }

        return await IssueAsync(http, grants, client, scopes, nonce: null);
    }

    /// <summary>RFC 6749 section 4.4: no person, no session, nothing stored.</summary>
    private Answer ForItself(IFormCollection form, RelyingParty client)
    {
        var scopes = Scope(form);
        return scopes is not null && !Split(scopes).All(scope => !IsAboutPerson(scope) && client.Scopes.Contains(scope))
            ? new Refusal(Errors.InvalidScope, "An application that speaks for itself may not ask for all of these scopes.")
            : new Issued(tokens.Access(client, scopes), IdToken: null, RefreshToken: null, scopes);
    }

    private async Task<Answer> IssueAsync(HttpContext http, Grants grants, RelyingParty client, string scopes, string? nonce)
    {
        var grant = grants.Presented!;
        var mayRefresh = client.GrantTypes.Contains(GrantTypes.RefreshToken) && TokenClaims.Names(grant.Scopes, Scopes.OfflineAccess);
        if (!await grants.RedeemAsync(mayRefresh, http)) return new Refusal(Errors.InvalidGrant, "It was used before.");
        var access = tokens.Access(client, scopes, grant.Holder);
        return new Issued(access, TokenClaims.Names(scopes, Scopes.OpenId) ? tokens.Identity(client, scopes, grant, nonce, access) : null, grants.RefreshTokenToSend, scopes);
    }

    /// <summary>The application proves to be itself (RFC 6749 section 2.3.1), in one way. A secret sent by one that has none is refused too.</summary>
    private Refusal? Authenticate(HttpRequest request, IFormCollection form, out RelyingParty? client)
    {
        client = null;
        var (id, secret) = (Value(form, Parameters.ClientId), Value(form, Parameters.ClientSecret));
        if (Value(form, Parameters.ClientAssertion) is not null || Value(form, Parameters.ClientAssertionType) is not null) return new Refusal(Errors.InvalidClient, "Assertions are not taken here.");
        if (request.Headers.Authorization is { Count: > 0 } authorization)
        {
            if (secret is not null) return new Refusal(Errors.InvalidRequest, "The application proves itself in two ways.");
            if (!TryReadBasic(authorization, out var basicId, out secret)) return new Refusal(Errors.InvalidClient, "The Authorization header is not one of the scheme Basic.");
            if (id is not null && id != basicId) return new Refusal(Errors.InvalidRequest, "client_id is another one than in the header.");
            id = basicId;
        }

        if (id is null) return new Refusal(Errors.InvalidClient, "client_id is missing.");
        client = relyingParties.Find(id);
        if (client is null) return new Refusal(Errors.InvalidClient, "This application is not registered here.");
        return (client.IsPublic ? secret is null : secret is not null && client.HasSecret(secret)) ? null : new Refusal(Errors.InvalidClient, "The application did not prove to be itself.");
    }

    /// <summary>Both halves are written as in a form before they are joined (RFC 6749 section 2.3.1).</summary>
    private static bool TryReadBasic(StringValues header, out string id, out string? secret)
    {
        (id, secret) = ("", null);
        if (header is not [{ } text] || !text.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase)) return false;
        Span<byte> bytes = new byte[text.Length];
        if (!Convert.TryFromBase64Chars(text.AsSpan(6).Trim(), bytes, out var length)) return false;
        var pair = Encoding.UTF8.GetString(bytes[..length]);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        if (colon < 1) return false;
        (id, secret) = (Decode(pair[..colon]), Decode(pair[(colon + 1)..]));
        if (secret.Length is 0) secret = null;
        return true;

        static string Decode(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));
    }

    /// <summary>Null where it is no form, or a parameter stands there twice (RFC 6749 section 3.2).</summary>
    private static async Task<IFormCollection?> ReadAsync(HttpRequest request)
    {
        if (!request.HasFormContentType || request.ContentType!.StartsWith("multipart", StringComparison.OrdinalIgnoreCase)) return null;
        try
        {
            var form = await request.ReadFormAsync(request.HttpContext.RequestAborted);
            foreach (var field in form)
            {
                if (field.Value.Count > 1) return null;
            }

            return form;
        }
        catch (InvalidDataException)
        {
            return null; // too many fields, or too long ones
        }
    }

    /// <summary>A parameter without a value is as good as none (RFC 6749 section 3.2).</summary>
    private static string? Value(IFormCollection form, string name) => form.TryGetValue(name, out var value) && value is [{ Length: > 0 } text] ? text : null;

    /// <summary>Nothing but blanks asks for nothing.</summary>
    private static string? Scope(IFormCollection form) => Value(form, Parameters.Scope) is { } text && !string.IsNullOrWhiteSpace(text) ? text : null;

    private static string[] Split(string scopes) => scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsAboutPerson(string scope) => scope is Scopes.OpenId or Scopes.Profile or Scopes.Email or Scopes.OfflineAccess;

    private static bool Proves(string verifier, string challenge)
    {
        if (verifier.Length is < ShortestVerifier or > LongestVerifier || verifier.AsSpan().ContainsAnyExcept(VerifierCharacters)) return false;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(verifier), hash);
        Span<byte> text = stackalloc byte[ShortestVerifier];
        Base64Url.EncodeToUtf8(hash, text);
        return CryptographicOperations.FixedTimeEquals(text, Encoding.ASCII.GetBytes(challenge));
    }

    /// <summary>RFC 6749 sections 5.1 and 5.2.</summary>
    private async Task SendAsync(HttpContext http, Answer answer)
    {
        var response = http.Response;
        if (answer is Refusal refusal)
        {
            response.StatusCode = refusal.Error is Errors.InvalidClient ? StatusCodes.Status401Unauthorized : StatusCodes.Status400BadRequest;
            if (refusal.Error is Errors.InvalidClient) response.Headers.WWWAuthenticate = $"Basic realm=\"{settings.Value.Origin}\", charset=\"UTF-8\"";
        }

        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        response.ContentType = "application/json;charset=UTF-8";
        Write(response, answer);
        await response.BodyWriter.FlushAsync(http.RequestAborted);
    }

    private static void Write(HttpResponse response, Answer answer)
    {
        var body = answer is Issued issued ? JsonBuffer.Write(issued, Write) : JsonBuffer.Write((Refusal)answer, Write);
        response.ContentLength = body.Length;
        response.BodyWriter.Write(body);
    }

    private static void Write(Utf8JsonWriter json, Issued issued)
    {
        json.WriteString(Parameters.AccessToken, issued.AccessToken);
        json.WriteString(Parameters.TokenType, TokenTypes.Bearer);
        json.WriteNumber(Parameters.ExpiresIn, (int)TokenWriter.Lifetime.TotalSeconds);
        if (!string.IsNullOrEmpty(issued.Scopes)) json.WriteString(Parameters.Scope, issued.Scopes);
        if (issued.IdToken is { } idToken) json.WriteString(Parameters.IdToken, idToken);
        if (issued.RefreshToken is { } refreshToken) json.WriteString(Parameters.RefreshToken, refreshToken);
    }

    private static void Write(Utf8JsonWriter json, Refusal refusal)
    {
        json.WriteString(Parameters.Error, refusal.Error);
        json.WriteString(Parameters.ErrorDescription, refusal.Why);
    }

    private abstract record Answer;

    private sealed record Issued(byte[] AccessToken, byte[]? IdToken, string? RefreshToken, string? Scopes) : Answer;

    /// <param name="Error">RFC 6749 section 5.2.</param>
    /// <param name="Why">For whoever builds the application.</param>
    private sealed record Refusal(string Error, string Why) : Answer;
}
