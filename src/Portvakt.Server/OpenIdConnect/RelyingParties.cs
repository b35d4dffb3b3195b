using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// Every application, read once at start from <c>Portvakt:RelyingPartiesFile</c> (docs/operating/relying-parties.md). Immutable, so that no
/// request reads a client from the database; a changed file counts from the next start.
/// </summary>
public sealed class RelyingParties
{
    private const string Everything = "openid profile email offline_access";
    private const int ShortSecret = 32;
    private static readonly JsonDocumentOptions Json = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
    private readonly FrozenDictionary<string, RelyingParty> _byId;

    private RelyingParties(IEnumerable<RelyingParty> all, ImmutableArray<string> warnings)
    {
        _byId = all.ToFrozenDictionary(client => client.ClientId, StringComparer.Ordinal);
        Warnings = warnings;
    }

    public static RelyingParties None { get; } = new([], []);

    /// <summary>Sentences for the log: what works, but should be better.</summary>
    public ImmutableArray<string> Warnings { get; }

    public IEnumerable<RelyingParty> All => _byId.Values;

    public RelyingParty? Find(string? clientId) => clientId is not null && _byId.TryGetValue(clientId, out var client) ? client : null;

    /// <summary>Reads the file; no file is set: no application.</summary>
    /// <exception cref="InvalidOperationException">The file cannot be used; the message names file, entry and field.</exception>
    public static RelyingParties Load(string? file)
    {
        if (string.IsNullOrEmpty(file)) return None;
        try
        {
            return Parse(File.ReadAllText(file), file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Portvakt:RelyingPartiesFile {file} cannot be read: {problem.Message}", problem);
        }
    }

    /// <param name="json">An array of clients, or an object with such an array as <c>relying_parties</c>. Comments are allowed.</param>
    /// <param name="file">What errors call it.</param>
    /// <exception cref="InvalidOperationException">It cannot be used; the message names file, entry and field.</exception>
    public static RelyingParties Parse(string json, string file)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, Json);
        }
        catch (JsonException problem)
        {
            throw new InvalidOperationException($"{file} is not JSON: {problem.Message}", problem);
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind is JsonValueKind.Object && root.TryGetProperty("relying_parties", out var inner)) root = inner;
            if (root.ValueKind is not JsonValueKind.Array) throw new InvalidOperationException($"{file} must hold an array of relying parties, or an object with the array \"relying_parties\".");

            var warnings = ImmutableArray.CreateBuilder<string>();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            var all = new List<RelyingParty>();
            foreach (var (index, element) in root.EnumerateArray().Index())
            {
                var entry = new Entry(element, $"{file}, relying party {index}");
                var client = entry.Read(warnings);
                if (!seen.Add(client.ClientId)) throw entry.Wrong("client_id", $"\"{client.ClientId}\" stands there twice");
                all.Add(client);
            }

            return new RelyingParties(all, warnings.ToImmutable());
        }
    }

    /// <summary>One object of the file. Every complaint says where.</summary>
    private sealed class Entry(JsonElement element, string place)
    {
        private static readonly FrozenSet<string> Known = FrozenSet.Create(StringComparer.Ordinal,
            "client_id", "client_secret", "client_secret_sha256", "client_name", "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri",
            "backchannel_logout_session_required", "token_endpoint_auth_method", "scope", "grant_types", "default_acr_values");

        private static readonly FrozenSet<string> Grants = FrozenSet.Create(StringComparer.Ordinal, "authorization_code", "refresh_token", "client_credentials");

        public InvalidOperationException Wrong(string field, string why) => new($"{place}, {field}: {why}.");

        public RelyingParty Read(ImmutableArray<string>.Builder warnings)
        {
            if (element.ValueKind is not JsonValueKind.Object) throw new InvalidOperationException($"{place}: must be an object.");
            foreach (var property in element.EnumerateObject().Where(property => !Known.Contains(property.Name)))
                throw Wrong(property.Name, "is not a field that Portvakt knows");

            var clientId = Text("client_id") ?? throw Wrong("client_id", "is missing");
            if (clientId.Length > 100 || clientId.Any(character => character is < '!' or > '~')) throw Wrong("client_id", "may have at most 100 visible ASCII characters");

            var secretHash = ReadSecret(clientId, warnings);
            var grants = Texts("grant_types") is { IsEmpty: false } named ? named.ToImmutableHashSet(StringComparer.Ordinal) : ["authorization_code", "refresh_token"];
            foreach (var grant in grants.Where(grant => !Grants.Contains(grant)))
                throw Wrong("grant_types", $"\"{grant}\" is none of authorization_code, refresh_token, client_credentials");
            if (grants.Contains("client_credentials") && secretHash is null) throw Wrong("grant_types", "client_credentials needs a client_secret");

            var redirects = Addresses("redirect_uris");
            if (redirects.IsEmpty && grants.Contains("authorization_code")) throw Wrong("redirect_uris", "needs at least one address");

            var scopes = (Text("scope") ?? Everything).Split(' ', StringSplitOptions.RemoveEmptyEntries).ToImmutableHashSet(StringComparer.Ordinal);
            if (!grants.Contains("refresh_token")) scopes = scopes.Remove("offline_access");
            _ = Flag("backchannel_logout_session_required"); // every logout token carries sid, asked for or not

            return new RelyingParty
            {
                ClientId = clientId,
                Name = Text("client_name") ?? clientId,
                SecretHash = secretHash,
                RedirectUris = redirects,
                PostLogoutRedirectUris = Addresses("post_logout_redirect_uris"),
                BackChannelLogoutUri = ReadBackChannel(),
                Scopes = scopes,
                GrantTypes = grants,
                LeastAssurance = ReadAssurance(),
            };
        }

        private byte[]? ReadSecret(string clientId, ImmutableArray<string>.Builder warnings)
        {
            var method = Text("token_endpoint_auth_method") ?? "client_secret_basic";
            if (method is not ("client_secret_basic" or "client_secret_post" or "none"))
                throw Wrong("token_endpoint_auth_method", $"\"{method}\" is none of client_secret_basic, client_secret_post, none");

            var (secret, hash) = (Text("client_secret"), Text("client_secret_sha256"));
            if (method is "none")
                return secret is null && hash is null ? null : throw Wrong("token_endpoint_auth_method", "none means a client without client_secret");
            if (secret is not null && hash is not null) throw Wrong("client_secret_sha256", "stands beside client_secret; one of them is enough");
            if (secret is not null)
            {
                if (secret.Length < ShortSecret) warnings.Add($"The client_secret of {clientId} is shorter than {ShortSecret} characters: let a machine choose a longer one.");
                return SHA256.HashData(Encoding.UTF8.GetBytes(secret));
            }

            if (hash is null) throw Wrong("client_secret", "is missing (or client_secret_sha256, or token_endpoint_auth_method none)");
            return hash.Length is 64 && hash.All(char.IsAsciiHexDigit) ? Convert.FromHexString(hash) : throw Wrong("client_secret_sha256", "must be 64 hexadecimal digits");
        }

        private Uri? ReadBackChannel()
        {
            if (Text("backchannel_logout_uri") is not { } text) return null;
            CheckAddress("backchannel_logout_uri", text);
            var address = new Uri(text);
            return address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp ? address : throw Wrong("backchannel_logout_uri", $"\"{text}\" must be https");
        }

        private AssuranceLevel ReadAssurance()
        {
            var least = AssuranceLevel.None;
            foreach (var value in Texts("default_acr_values"))
            {
                var level = Acr.Read(value) ?? throw Wrong("default_acr_values", $"\"{value}\" is not understood; use {Acr.Aal1}, {Acr.Aal2} or {Acr.PhishingResistant}");
                if (level > least) least = level;
            }

            return least;
        }

        private ImmutableArray<string> Addresses(string field)
        {
            var all = Texts(field);
            foreach (var text in all) CheckAddress(field, text);
            return all;
        }

        /// <summary>https; http only on this machine; a scheme of its own (RFC 8252, with a dot) for an app on a phone or desktop.</summary>
        private void CheckAddress(string field, string text)
        {
            if (text.Contains('*', StringComparison.Ordinal)) throw Wrong(field, $"\"{text}\" must be one address: there are no patterns");
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || !text.Contains(':', StringComparison.Ordinal)) throw Wrong(field, $"\"{text}\" is not an absolute address");
            if (text.Contains('#', StringComparison.Ordinal)) throw Wrong(field, $"\"{text}\" must have no fragment");
            if (address.UserInfo.Length > 0) throw Wrong(field, $"\"{text}\" must hold no name or password");
            var isFit = address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback) || address.Scheme.Contains('.', StringComparison.Ordinal);
            if (!isFit) throw Wrong(field, $"\"{text}\" must be https (http is for this machine only)");
        }

        private string? Text(string field)
        {
            if (!element.TryGetProperty(field, out var value) || value.ValueKind is JsonValueKind.Null) return null;
            if (value.ValueKind is not JsonValueKind.String) throw Wrong(field, "must be a text");
            return value.GetString() is { } text && !string.IsNullOrWhiteSpace(text) ? text : throw Wrong(field, "is empty");
        }

        private bool Flag(string field) =>
            element.TryGetProperty(field, out var value) && (value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(field, "must be true or false"));

        private ImmutableArray<string> Texts(string field)
        {
            if (!element.TryGetProperty(field, out var value) || value.ValueKind is JsonValueKind.Null) return [];
            if (value.ValueKind is not JsonValueKind.Array) throw Wrong(field, "must be an array of texts");
            return [.. value.EnumerateArray().Select(item => item.ValueKind is JsonValueKind.String && item.GetString() is { Length: > 0 } text ? text : throw Wrong(field, "must be an array of texts"))];
        }
    }
}
