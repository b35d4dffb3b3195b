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
}

/// <summary>RFC 8176 values for what was proven.</summary>
public static class AuthenticationMethods
{
    public static string[] Of(SecondFactorMethod? second) => second switch
    {
        null => ["pwd"],
        SecondFactorMethod.Phone => ["pwd", "swk", "user", "mfa"],
        SecondFactorMethod.PhoneWithPin => ["pwd", "swk", "pin", "mfa"],
        SecondFactorMethod.Code or SecondFactorMethod.RecoveryCode => ["pwd", "otp", "mfa"],
        _ => throw new ArgumentOutOfRangeException(nameof(second)),
    };
}
