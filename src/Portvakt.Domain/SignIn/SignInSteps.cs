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
    public MobileAppUse? Use { get; init; }
    public bool TestBegun { get; init; }

    /// <summary>A second factor was bound and proven in this very attempt.</summary>
    public bool Enrolled { get; init; }

    public bool BackupFinished { get; init; }
    public bool StaySignedInOffered { get; init; }
    public bool StaySignedInAnswered { get; init; }
    public bool DoneAcknowledged { get; init; }

    /// <summary>What the relying party asked for (<c>acr_values</c>).</summary>
    public AssuranceLevel Requested { get; init; }

    /// <summary>Whether this sign-in may enrol at all.</summary>
    public EnrolmentDoor Door { get; init; }

    /// <summary>The password is known to a stranger: two factors, and then a new one.</summary>
    public bool MustChangePassword { get; init; }
}

/// <summary>How the mobile app is used: the two radio buttons of the method page.</summary>
public enum MobileAppUse
{
    Notifications,
    Code,
}

/// <summary>The dispatcher's rule: pages record facts, this decides what comes next, and nothing else does.</summary>
public static class SignInSteps
{
    public static SignInStep Next(SignInProgress progress, EnrolmentDuty duty) => (Begun(progress), Effective(progress, duty)) switch
    {
        ({ PasswordVerified: false }, _) => SignInStep.Password,
        ({ HasAuthenticator: true, SecondFactorVerified: false }, _) => SignInStep.SecondFactor,

        ({ HasAuthenticator: false }, EnrolmentDuty.Blocked) => SignInStep.Blocked,
        ({ HasAuthenticator: false, EnrolmentBegun: false }, EnrolmentDuty.Required) => SignInStep.OfferEnrolment,
        ({ HasAuthenticator: false, EnrolmentBegun: false, EnrolmentPostponed: false }, EnrolmentDuty.MayPostpone) => SignInStep.OfferEnrolment,

        ({ HasAuthenticator: false, EnrolmentBegun: true, Use: null }, _) => SignInStep.ChooseMethod,
        ({ HasAuthenticator: false, EnrolmentBegun: true, Use: MobileAppUse.Code }, _) => SignInStep.SetUpCode,
        ({ HasAuthenticator: false, EnrolmentBegun: true, TestBegun: false }, _) => SignInStep.SetUpPhone,
        ({ HasAuthenticator: false, EnrolmentBegun: true }, _) => SignInStep.TestApproval,

        ({ Enrolled: true, BackupFinished: false }, _) => SignInStep.Backup,
        ({ MustChangePassword: true, SecondFactorVerified: true }, _) => SignInStep.NewPassword,
        ({ StaySignedInOffered: true, StaySignedInAnswered: false }, _) => SignInStep.StaySignedIn,
        ({ Enrolled: true, DoneAcknowledged: false }, _) => SignInStep.Done,
        _ => SignInStep.Finish,
    };

    /// <summary>
    /// The duty in this sign-in. A pass opens a closed door; an application that asks for two factors makes a duty that cannot be postponed, and opens no door.
    /// </summary>
    public static EnrolmentDuty Effective(SignInProgress progress, EnrolmentDuty duty) => (duty, progress) switch
    {
        (EnrolmentDuty.Blocked, { Door: EnrolmentDoor.OpenedByPass }) => EnrolmentDuty.Required,
        (EnrolmentDuty.Blocked, _) => EnrolmentDuty.Blocked,
        (EnrolmentDuty.Required, { Door: EnrolmentDoor.Closed }) or (_, { Requested: AssuranceLevel.Aal2, Door: EnrolmentDoor.Closed }) => EnrolmentDuty.Blocked,
        (_, { Requested: AssuranceLevel.Aal2 }) => EnrolmentDuty.Required,
        _ => duty,
    };

    /// <summary>What was begun while the door was open does not go on behind a closed one: the pass is too old, or the browser left the trusted network (R34).</summary>
    private static SignInProgress Begun(SignInProgress progress) =>
        progress is { EnrolmentBegun: true, Enrolled: false, Door: EnrolmentDoor.Closed } ? progress with { EnrolmentBegun = false } : progress;
}
