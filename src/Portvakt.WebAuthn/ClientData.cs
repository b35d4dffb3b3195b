using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Portvakt.WebAuthn;

/// <summary>The client data of section 5.8.1: what the browser says about the ceremony.</summary>
internal static class ClientData
{
    private const int MinimumChallengeLength = 16;

    private static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false };

    /// <summary>Steps 5 to 11 of section 7.1, which are steps 8 to 14 of section 7.2.</summary>
    public static Refusal Verify(ReadOnlySpan<byte> json, string type, RelyingPartyExpectation expected)
    {
        if (expected.Challenge.Length < MinimumChallengeLength)
            throw new ArgumentException("A challenge has at least 16 bytes.", nameof(expected));

        // 7.1 steps 5 and 6, 7.2 steps 8 and 9: UTF-8 decode, which drops a byte order mark, and parse.
        if (!TryRead(json, out var data))
            return Refusal.ClientData;

        // 7.1 step 7, 7.2 step 10: the kind of ceremony.
        if (!string.Equals(data.Type, type, StringComparison.Ordinal))
            return Refusal.Type;

        // 7.1 step 8, 7.2 step 11: the challenge, in its one base64url form.
        if (!CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(data.Challenge), Base64Url.EncodeToUtf8(expected.Challenge)))
            return Refusal.Challenge;

        // 7.1 step 9, 7.2 step 12: the origin.
        if (!expected.Origins.Contains(data.Origin, StringComparer.Ordinal))
            return Refusal.Origin;

        // 7.1 step 10, 7.2 step 13: a frame only where one is expected.
        if (data.CrossOrigin && !expected.AllowCrossOrigin)
            return Refusal.CrossOrigin;

        // 7.1 step 11, 7.2 step 14: and only in a page that is expected. Without a frame there is no such page (5.8.1).
        if (data.TopOrigin is not null
            && !(data.CrossOrigin && expected.TopOrigins?.Contains(data.TopOrigin, StringComparer.Ordinal) is true))
            return Refusal.TopOrigin;

        return Refusal.None;
    }

    private static bool TryRead(ReadOnlySpan<byte> json, out Members data)
    {
        data = default;
        // Not left to the parser, which looks only into the strings that are asked for.
        if (!Utf8.IsValid(json))
            return false;
        if (json.StartsWith(Encoding.UTF8.Preamble))
            json = json[Encoding.UTF8.Preamble.Length..];
        try
        {
            using var document = JsonDocument.Parse(json.ToArray(), Json);
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object
                || !TryGetString(root, "type", out var type) || type is null
                || !TryGetString(root, "challenge", out var challenge) || challenge is null
                || !TryGetString(root, "origin", out var origin) || origin is null
                || !TryGetString(root, "topOrigin", out var topOrigin))
                return false;
            var crossOrigin = false;
            if (root.TryGetProperty("crossOrigin", out var member))
            {
                if (member.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                    return false;
                crossOrigin = member.GetBoolean();
            }
            data = new(type, challenge, origin, crossOrigin, topOrigin);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false; // not JSON, a member twice, or an escaped half of a surrogate pair
        }
    }

    /// <summary>False when the member is there and not a string; an absent member is null.</summary>
    private static bool TryGetString(JsonElement root, string name, out string? value)
    {
        value = null;
        if (!root.TryGetProperty(name, out var member))
            return true;
        if (member.ValueKind is not JsonValueKind.String)
            return false;
        value = member.GetString();
        return true;
    }

    private readonly record struct Members(string Type, string Challenge, string Origin, bool CrossOrigin, string? TopOrigin);
}
