using Portvakt.Domain.SignIn;

namespace Portvakt.Domain.Authenticators;

/// <summary>Ways to prove more than a password, as a policy names them and a person holds them.</summary>
[Flags]
public enum Methods
{
    None = 0,

    /// <summary>Our app on a phone: a request and a number.</summary>
    App = 1,

    /// <summary>Six digits of our app or of any other authenticator app.</summary>
    Code = 2,

    /// <summary>A passkey or security key (WebAuthn).</summary>
    Passkey = 4,

    /// <summary>A code as a text message. Weaker: messages can be redirected.</summary>
    Text = 8,

    /// <summary>A code read out by a call. Weaker, for the same reason.</summary>
    Call = 16,

    /// <summary>A code generator of plastic (OATH).</summary>
    Token = 32,

    /// <summary>A code on paper.</summary>
    RecoveryCode = 64,

    /// <summary>A Temporary Access Pass; see <see cref="PassUse"/> for what it opens.</summary>
    AccessPass = 128,
}

/// <summary>What a Temporary Access Pass opens.</summary>
public enum PassUse
{
    /// <summary>The way into enrolment, beside the password.</summary>
    Enrolment,

    /// <summary>Besides that a sign-in, in place of the second factor.</summary>
    SecondFactor,

    /// <summary>Besides that the way into enrolment without the password. No session comes of it before a factor is bound (R43).</summary>
    Both,
}

/// <summary>What is true of methods for everybody.</summary>
public static class MethodOrder
{
    /// <summary>Each of these makes an account one that has a second factor; the others help out beside one.</summary>
    public const Methods Primary = Methods.App | Methods.Code | Methods.Passkey | Methods.Text | Methods.Call | Methods.Token;

    /// <summary>Delivered over the telephone network: a plug-in, off by default, marked as weaker.</summary>
    public const Methods Telephone = Methods.Text | Methods.Call;

    /// <summary>All there are, the strongest first.</summary>
    public static IReadOnlyList<Methods> StrongestFirst { get; } =
        [Methods.Passkey, Methods.App, Methods.Token, Methods.Code, Methods.Text, Methods.Call, Methods.RecoveryCode, Methods.AccessPass];

    /// <summary>The methods of a set one by one: the one a person has chosen for every day first, then the strongest.</summary>
    public static IReadOnlyList<Methods> Of(Methods some, Methods? preferred = null) =>
        [.. StrongestFirst.Where(one => some.HasFlag(one)).OrderBy(one => one == preferred ? 0 : 1)];
}

/// <summary>
/// Which methods a group of people may set up and may use. A person falls under the first policy whose rule includes them; who falls under none has
/// <see cref="Default"/>. A method that may not be used opens nothing, whoever already holds it.
/// </summary>
public sealed class MethodPolicy
{
    public const int LongestName = 80;

    /// <summary>The most phones of one person, whatever a policy says (R39).</summary>
    public const int MostPhones = 5;

    /// <summary>What holds where nobody has decided anything.</summary>
    public static MethodPolicy Default { get; } = new();

    public MethodPolicy() { }

    public MethodPolicy(string name, string rule, DateTimeOffset now)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        (Id, Name, Rule, CreatedAt) = (Guid.CreateVersion7(now), name.Trim(), rule, now);
    }

    public Guid Id { get; private set; }
    public string Name { get; set; } = "";

    /// <summary>The lowest is asked first.</summary>
    public int Position { get; set; }

    /// <summary>Who falls under it; see <see cref="Rollout.WaveRule"/>.</summary>
    public string Rule { get; set; } = "";

    /// <summary>What may be set up.</summary>
    public Methods ForEnrolment { get; set; } = Methods.App | Methods.Code | Methods.Passkey | Methods.Token | Methods.RecoveryCode | MethodOrder.Telephone;

    /// <summary>What a sign-in accepts.</summary>
    public Methods ForUse { get; set; } = Methods.App | Methods.Code | Methods.Passkey | Methods.Token | Methods.RecoveryCode | MethodOrder.Telephone;

    public PassUse Pass { get; set; }

    /// <summary>Phones with our app at the same time.</summary>
    public int MaximumPhones { get; set; } = MostPhones;

    /// <summary>Passkeys and security keys at the same time.</summary>
    public int MaximumPasskeys { get; set; } = 10;

    public DateTimeOffset CreatedAt { get; private set; }
    public int Version { get; private set; }

    /// <summary>Whether a sign-in, or what came of one, may rest on this proof.</summary>
    public bool Accepts(SecondFactorMethod proven) =>
        proven is SecondFactorMethod.AccessPass ? Pass is not PassUse.Enrolment : ForUse.HasFlag(AuthenticationMethods.MethodOf(proven));
}
