using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.SignIn;

/// <summary>What a person does next. Each has one page, apart from <see cref="Finish"/>, which issues the session.</summary>
public enum SignInStep
{
    Password,
    SecondFactor,

    /// <summary>The account must enrol before anything else and policy does not let it: the helpdesk helps.</summary>
    Blocked,

    /// <summary>"More information required".</summary>
    OfferEnrolment,
    ChooseMethod,
    SetUpPhone,
    SetUpCode,
    SetUpPasskey,
    SetUpTelephone,
    SetUpToken,
    TestApproval,

    /// <summary>In case the phone is lost: optional, finished with one button.</summary>
    Backup,

    /// <summary>After "it wasn't me": a new password, chosen by who has proven both factors.</summary>
    NewPassword,
    StaySignedIn,
    Done,
    Finish,
}

/// <summary>The facts that decide; nothing here was said by the browser.</summary>
public sealed record SignInProgress
{
    public bool PasswordVerified { get; init; }

    /// <summary>The person has a second factor that counts, or had one (then the way back is the helpdesk, never a password alone).</summary>
    public bool HasAuthenticator { get; init; }

    public bool SecondFactorVerified { get; init; }
    public bool EnrolmentPostponed { get; init; }
    public bool EnrolmentBegun { get; init; }

    /// <summary>A method is added by somebody who has proven one, a moment ago.</summary>
    public bool Adds { get; init; }

    public EnrolmentMethod? Chosen { get; init; }
    public bool TestBegun { get; init; }

    /// <summary>A second factor was bound and proven in this very attempt.</summary>
    public bool Enrolled { get; init; }

    public bool BackupFinished { get; init; }
    public bool StaySignedInOffered { get; init; }
    public bool StaySignedInAnswered { get; init; }
    public bool DoneAcknowledged { get; init; }

    /// <summary>What the relying party asked for (<c>acr_values</c>).</summary>
    public AssuranceLevel Requested { get; init; }

    /// <summary>Whether what was proven is as strong as that.</summary>
    public StrengthGap Gap { get; init; }

    /// <summary>Whether this sign-in may enrol at all.</summary>
    public EnrolmentDoor Door { get; init; }

    /// <summary>The password is known to a stranger: two factors, and then a new one.</summary>
    public bool MustChangePassword { get; init; }
}

/// <summary>A second factor was proven, and the relying party wants a stronger one.</summary>
public enum StrengthGap
{
    /// <summary>No: it is as strong as asked.</summary>
    None,

    /// <summary>The person has a stronger one, and is asked for it.</summary>
    HasStronger,

    /// <summary>The person has none, and sets one up.</summary>
    NeedsStronger,
}

/// <summary>What is being set up. The first two are the radio buttons of the mobile app.</summary>
public enum EnrolmentMethod
{
    Notifications,
    Code,
    Passkey,

    /// <summary>Authentication phone: a text message or a call.</summary>
    Telephone,

    /// <summary>Office phone: a call.</summary>
    OfficeTelephone,

    /// <summary>A code generator of plastic, which the organisation has handed out.</summary>
    Token,
}

/// <summary>The dispatcher's rule: pages record facts, this decides what comes next, and nothing else does.</summary>
public static class SignInSteps
{
    public static SignInStep Next(SignInProgress progress, EnrolmentDuty duty) => (Begun(progress), Effective(progress, duty)) switch
    {
        ({ PasswordVerified: false }, _) => SignInStep.Password,
        ({ HasAuthenticator: true, SecondFactorVerified: false } or { HasAuthenticator: true, Gap: StrengthGap.HasStronger }, _) => SignInStep.SecondFactor,

        ({ HasAuthenticator: false }, EnrolmentDuty.Blocked) => SignInStep.Blocked,
        ({ HasAuthenticator: false, EnrolmentBegun: false }, EnrolmentDuty.Required) => SignInStep.OfferEnrolment,
        ({ HasAuthenticator: false, EnrolmentBegun: false, EnrolmentPostponed: false }, EnrolmentDuty.MayPostpone) => SignInStep.OfferEnrolment,

        ({ HasAuthenticator: false, EnrolmentBegun: true } or { HasAuthenticator: true, Enrolled: false, Adds: true } or { HasAuthenticator: true, Gap: StrengthGap.NeedsStronger }, _) => SetUpOf(progress),

        ({ Enrolled: true, BackupFinished: false }, _) => SignInStep.Backup,
        ({ MustChangePassword: true, SecondFactorVerified: true }, _) => SignInStep.NewPassword,
        ({ StaySignedInOffered: true, StaySignedInAnswered: false }, _) => SignInStep.StaySignedIn,
        ({ Enrolled: true, DoneAcknowledged: false }, _) => SignInStep.Done,
        _ => SignInStep.Finish,
    };

    private static SignInStep SetUpOf(SignInProgress progress) => progress.Chosen switch
    {
        null => SignInStep.ChooseMethod,
        EnrolmentMethod.Notifications => progress.TestBegun ? SignInStep.TestApproval : SignInStep.SetUpPhone,
        EnrolmentMethod.Code => SignInStep.SetUpCode,
        EnrolmentMethod.Passkey => SignInStep.SetUpPasskey,
        EnrolmentMethod.Telephone or EnrolmentMethod.OfficeTelephone => SignInStep.SetUpTelephone,
        EnrolmentMethod.Token => SignInStep.SetUpToken,
        _ => throw new ArgumentOutOfRangeException(nameof(progress)),
    };

    /// <summary>
    /// The duty in this sign-in. A pass opens a closed door; an application that asks for two factors makes a duty that cannot be postponed, and opens no door.
    /// </summary>
    public static EnrolmentDuty Effective(SignInProgress progress, EnrolmentDuty duty) => (duty, progress) switch
    {
        (EnrolmentDuty.Blocked, { Door: EnrolmentDoor.OpenedByPass }) => EnrolmentDuty.Required,
        (EnrolmentDuty.Blocked, _) => EnrolmentDuty.Blocked,
        (EnrolmentDuty.Required, { Door: EnrolmentDoor.Closed }) or (_, { Requested: >= AssuranceLevel.Aal2, Door: EnrolmentDoor.Closed }) => EnrolmentDuty.Blocked,
        (_, { Requested: >= AssuranceLevel.Aal2 }) => EnrolmentDuty.Required,
        _ => duty,
    };

    /// <summary>What was begun while the door was open does not go on behind a closed one: the pass is too old, or the browser left the trusted network (R34).</summary>
    private static SignInProgress Begun(SignInProgress progress) =>
        progress is { EnrolmentBegun: true, Enrolled: false, Door: EnrolmentDoor.Closed } ? progress with { EnrolmentBegun = false } : progress;
}
