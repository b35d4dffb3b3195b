using Portvakt.Domain.SignIn;

namespace Portvakt.Server.OpenIdConnect;

/// <summary><c>acr</c>: the words for <see cref="AssuranceLevel"/> on the wire (OpenID Connect Core 1.0, section 2).</summary>
public static class Acr
{
    /// <summary>The password alone.</summary>
    public const string Aal1 = "urn:portvakt:aal1";

    /// <summary>Two factors.</summary>
    public const string Aal2 = "urn:portvakt:aal2";

    /// <summary>Phishing-resistant, OpenID Connect Extended Authentication Profile (EAP) ACR Values 1.0.</summary>
    public const string PhishingResistant = "phr";

    /// <summary>REFEDS Multi-Factor Authentication Profile: how universities ask for the same.</summary>
    public const string RefedsMfa = "https://refeds.org/profile/mfa";

    public static string Of(AssuranceLevel level) => level switch
    {
        AssuranceLevel.PhishingResistant => PhishingResistant,
        AssuranceLevel.Aal2 => Aal2,
        _ => Aal1,
    };

    /// <summary>Null: a value that we do not understand.</summary>
    public static AssuranceLevel? Read(string value) => value switch
    {
        Aal1 or "aal1" => AssuranceLevel.Aal1,
        Aal2 or "aal2" or RefedsMfa => AssuranceLevel.Aal2,
        PhishingResistant => AssuranceLevel.PhishingResistant,
        _ => null,
    };
}
