using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.SignIn;

/// <summary>How sure a sign-in is, NIST SP 800-63B: <c>acr</c> in tokens.</summary>
public enum AssuranceLevel
{
    /// <summary>Nothing proven, or nothing asked for.</summary>
    None = 0,

    /// <summary>One factor: the password.</summary>
    Aal1 = 1,

    /// <summary>Two factors.</summary>
    Aal2 = 2,

    /// <summary>Two factors that no copy of our pages can pass on: a passkey.</summary>
    PhishingResistant = 3,
}

/// <summary>How the second factor was proven; <c>amr</c> in tokens (RFC 8176).</summary>
public enum SecondFactorMethod
{
    /// <summary>Our app: device key and the phone's own unlock.</summary>
    Phone,

    /// <summary>Our app, unlocked by a PIN that the server checks: weaker.</summary>
    PhoneWithPin,

    /// <summary>A six-digit code (RFC 6238).</summary>
    Code,

    /// <summary>A one-time code on paper.</summary>
    RecoveryCode,

    /// <summary>A passkey or security key.</summary>
    Passkey,

    /// <summary>A code generator of plastic (OATH).</summary>
    Token,

    /// <summary>A code as a text message.</summary>
    Text,

    /// <summary>A code read out by a call.</summary>
    Call,

    /// <summary>A Temporary Access Pass, where policy lets it stand in for a second factor.</summary>
    AccessPass,
}

/// <summary>RFC 8176 values for what was proven.</summary>
public static class AuthenticationMethods
{
    /// <param name="second">The second factor; null: none.</param>
    /// <param name="withoutPassword">The passkey was the whole sign-in.</param>
    public static string[] Of(SecondFactorMethod? second, bool withoutPassword = false)
    {
        string[] proofs = second switch
        {
            null => [],
            SecondFactorMethod.Phone => ["swk", "user", "mfa"],
            SecondFactorMethod.PhoneWithPin => ["swk", "pin", "mfa"],
            SecondFactorMethod.Passkey => ["pop", "user", "mfa"],
            SecondFactorMethod.Code or SecondFactorMethod.RecoveryCode or SecondFactorMethod.Token or SecondFactorMethod.AccessPass => ["otp", "mfa"],
            SecondFactorMethod.Text => ["otp", "sms", "mfa"],
            SecondFactorMethod.Call => ["otp", "tel", "mfa"],
            _ => throw new ArgumentOutOfRangeException(nameof(second)),
        };
        return withoutPassword ? proofs : ["pwd", .. proofs];
    }

    /// <summary>The method, as policies name it, that a proof came of.</summary>
    public static Methods MethodOf(SecondFactorMethod second) => second switch
    {
        SecondFactorMethod.Phone or SecondFactorMethod.PhoneWithPin => Methods.App,
        SecondFactorMethod.Code => Methods.Code,
        SecondFactorMethod.RecoveryCode => Methods.RecoveryCode,
        SecondFactorMethod.Passkey => Methods.Passkey,
        SecondFactorMethod.Token => Methods.Token,
        SecondFactorMethod.Text => Methods.Text,
        SecondFactorMethod.Call => Methods.Call,
        SecondFactorMethod.AccessPass => Methods.AccessPass,
        _ => throw new ArgumentOutOfRangeException(nameof(second)),
    };

    /// <summary>How sure a sign-in with this second factor is.</summary>
    public static AssuranceLevel AssuranceOf(SecondFactorMethod? second) => second switch
    {
        null => AssuranceLevel.Aal1,
        SecondFactorMethod.Passkey => AssuranceLevel.PhishingResistant,
        _ => AssuranceLevel.Aal2,
    };
}
