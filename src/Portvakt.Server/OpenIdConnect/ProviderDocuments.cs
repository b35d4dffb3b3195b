using System.Buffers.Text;
using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using OpenIddict.Server;
using Portvakt.Server.Hosting;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// Discovery (OpenID Connect Discovery 1.0, RFC 8414) and JWKS (RFC 7517): bytes, made once per change of keys and sent as they are. What
/// they claim is read from the engine's own options, so that they cannot promise what it does not do.
/// </summary>
public sealed class ProviderDocuments(IOptionsMonitor<OpenIddictServerOptions> engine, SigningKeys keys, IOptions<PortvaktSettings> settings)
{
    public const string DiscoveryPath = "/.well-known/openid-configuration";
    public const string KeysPath = "/.well-known/jwks.json";

    private readonly Lazy<Document> _discovery = new(() => new Document(Discovery(engine.CurrentValue, settings.Value.Origin), TimeSpan.FromHours(1)));
    private KeyDocument? _keys;

    internal Task DiscoveryAsync(HttpContext http) => _discovery.Value.SendAsync(http);

    internal Task KeysAsync(HttpContext http)
    {
        var published = keys.Published;
        var made = _keys;
        if (made is null || made.Keys != published) _keys = made = new KeyDocument(published, new Document(KeySet(published), TimeSpan.FromMinutes(15)));
        return made.Document.SendAsync(http);
    }

    private static byte[] Discovery(OpenIddictServerOptions options, string origin) => Write(json =>
    {
        json.WriteString(Metadata.Issuer, origin);
        json.WriteString(Metadata.AuthorizationEndpoint, origin + AuthorizeEndpoint.Path);
        json.WriteString(Metadata.TokenEndpoint, origin + TokenEndpoint.Path);
        json.WriteString(Metadata.UserInfoEndpoint, origin + UserInfoEndpoint.Path);
        json.WriteString(Metadata.EndSessionEndpoint, origin + EndSession.Path);
        json.WriteString(Metadata.JwksUri, origin + KeysPath);
        List(Metadata.ScopesSupported, options.Scopes);
        List(Metadata.ResponseTypesSupported, options.ResponseTypes);
        List(Metadata.ResponseModesSupported, options.ResponseModes);
        List(Metadata.GrantTypesSupported, options.GrantTypes);
        List(Metadata.SubjectTypesSupported, options.SubjectTypes);
        List(Metadata.IdTokenSigningAlgValuesSupported, options.TokenValidationParameters.ValidAlgorithms);
        List(Metadata.TokenEndpointAuthMethodsSupported, options.ClientAuthenticationMethods);
        List(Metadata.CodeChallengeMethodsSupported, options.CodeChallengeMethods);
        List(Metadata.PromptValuesSupported, options.PromptValues);
        List("acr_values_supported", [Acr.Aal1, Acr.Aal2, Acr.PhishingResistant, Acr.RefedsMfa]);
        List(Metadata.ClaimsSupported, options.Claims);
        List("claim_types_supported", ["normal"]);
        List("ui_locales_supported", Localisation.Languages.Select(language => language.Code));
        json.WriteBoolean(Metadata.ClaimsParameterSupported, false);
        json.WriteBoolean(Metadata.RequestParameterSupported, false);
        json.WriteBoolean(Metadata.RequestUriParameterSupported, false);
        json.WriteBoolean(Metadata.AuthorizationResponseIssParameterSupported, true);
        json.WriteBoolean("backchannel_logout_supported", true);
        json.WriteBoolean("backchannel_logout_session_supported", true);

        void List(string name, IEnumerable<string> values)
        {
            json.WriteStartArray(name);
            foreach (var value in values.Order(StringComparer.Ordinal)) json.WriteStringValue(value);
            json.WriteEndArray();
        }
    });

    private static byte[] KeySet(ImmutableArray<SigningKey> published) => Write(json =>
    {
        json.WriteStartArray("keys");
        foreach (var key in published)
        {
            json.WriteStartObject();
            json.WriteString("kty", "EC");
            json.WriteString("use", "sig");
            json.WriteString("crv", "P-256");
            json.WriteString("kid", key.Id);
            json.WriteString("x", Base64Url.EncodeToString(key.Public.Q.X));
            json.WriteString("y", Base64Url.EncodeToString(key.Public.Q.Y));
            json.WriteString("alg", "ES256");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private sealed record KeyDocument(ImmutableArray<SigningKey> Keys, Document Document);

    /// <summary>Bytes with a name for what they are (RFC 9110 section 8.8.3), so that who has them is told so and nothing more.</summary>
    private sealed class Document(byte[] bytes, TimeSpan freshness)
    {
        private readonly string _tag = $"\"{Base64Url.EncodeToString(SHA256.HashData(bytes).AsSpan(0, 12))}\"";
        private readonly string _caching = string.Create(CultureInfo.InvariantCulture, $"public, max-age={(int)freshness.TotalSeconds}");

        public Task SendAsync(HttpContext http)
        {
            var headers = http.Response.Headers;
            headers.ETag = _tag;
            headers.CacheControl = _caching;
            headers.AccessControlAllowOrigin = "*"; // public documents; single-page applications read them too
            if (http.Request.Headers.IfNoneMatch is { Count: > 0 } known && IsKnown(known))
            {
                http.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            headers.ContentType = "application/json";
            headers.ContentLength = bytes.Length;
            return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
        }

        private bool IsKnown(IList<string?> tags) =>
            EntityTagHeaderValue.TryParseList([.. tags.OfType<string>()], out var known) && known.Any(tag => tag.Tag == _tag || tag.Tag == "*");
    }
}
