using Portvakt.Server.Sessions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>What tokens say (OpenID Connect Core 1.0, sections 2 and 5.1). The same at sign-in and at every refresh: it comes from the session's row.</summary>
public static class TokenClaims
{
    /// <summary><c>sid</c>, Back-Channel Logout 1.0 section 2.1.</summary>
    public const string SessionId = "sid";

    /// <summary><c>sub</c>: the person's id and nothing that could be given to somebody else later.</summary>
    public static string SubjectOf(Guid personId) => personId.ToString("N");

    /// <summary>Whether a scope stands in a list of them (RFC 6749 section 3.3).</summary>
    public static bool Names(ReadOnlySpan<char> scopes, string scope)
    {
        foreach (var part in scopes.Split(' '))
        {
            if (scopes[part].SequenceEqual(scope)) return true;
        }

        return false;
    }

    /// <summary>Claims about the person that the scopes open (section 5.4). An unknown one is left out, never empty.</summary>
    public static IEnumerable<KeyValuePair<string, string>> About(SessionHolder holder, string scopes)
    {
        if (Names(scopes, Scopes.Profile))
        {
            yield return new(Claims.Name, holder.DisplayName);
            yield return new(Claims.PreferredUsername, holder.Attributes.UserName);
            if (holder.Attributes.Language is { } language) yield return new(Claims.Locale, language);
        }

        if (Names(scopes, Scopes.Email) && holder.Attributes.Email is { } email) yield return new(Claims.Email, email);
    }
}
