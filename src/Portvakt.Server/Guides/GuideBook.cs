using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Guides;

/// <summary>What somebody may want to be led through.</summary>
public enum GuideKind
{
    Iphone,
    Android,
    Computer,
    NewPhone,
    LostPhone,
    NoSmartphone,
}

/// <summary>Which of their things the reader has before them.</summary>
public enum Place
{
    Computer,
    Phone,
    OldPhone,
    NewPhone,
}

/// <summary>One thing to do.</summary>
/// <param name="Words">Beginning of its words: with <c>Title</c> and <c>Text</c>, and with <c>Alt</c> what its picture shows.</param>
/// <param name="Place">Where it is done, and what kind of screen the picture shows; null where it is done without any.</param>
/// <param name="Picture">Name of the picture that the end-to-end tests take while they walk the journey; null where there is nothing to see.</param>
/// <param name="Step">Where a sign-in stands whose person is here.</param>
public sealed record GuideStep(string Words, Place? Place, string? Picture = null, SignInStep? Step = null);

/// <summary>All guides: what is done in which order. Steps that guides have in common are written once.</summary>
public static class GuideBook
{
    private static readonly GuideStep[] Begin =
    [
        new("StepPassword", Place.Computer, "P1-password"),
        new("StepMore", Place.Computer, "P2-more-information", SignInStep.OfferEnrolment),
    ];

    private static readonly GuideStep Method = new("StepMethod", Place.Computer, "P4-method", SignInStep.ChooseMethod);

    private static readonly GuideStep[] OnThePhone =
    [
        new("StepAgree", Place.Phone, "T2-privacy"),
        new("StepScan", Place.Phone, "T3-first"),
        new("StepCamera", Place.Phone, "T5-camera"),
        new("StepConfirm", Place.Phone, "T7-confirm"),
        new("StepAllow", Place.Phone, "T8-notifications"),
    ];

    private static readonly GuideStep[] Test =
    [
        new("StepReady", Place.Computer, "P5-ready"),
        new("StepNumber", Place.Computer, "P6-test", SignInStep.TestApproval),
        new("StepApprove", Place.Phone, "T9-approve-test"),
    ];

    private static readonly GuideStep[] End =
    [
        new("StepBackup", Place.Computer, "P7-backup", SignInStep.Backup),
        new("StepStay", Place.Computer, "P8-stay", SignInStep.StaySignedIn),
        new("StepDone", Place.Computer, "P9-done", SignInStep.Done),
    ];

    /// <summary>The addresses of the guides, in the order in which they are offered.</summary>
    public static IReadOnlyList<(GuideKind Kind, string Address)> All { get; } =
    [
        (GuideKind.Iphone, "iphone"),
        (GuideKind.Android, "android"),
        (GuideKind.Computer, "computer"),
        (GuideKind.NewPhone, "new-phone"),
        (GuideKind.LostPhone, "lost-phone"),
        (GuideKind.NoSmartphone, "no-smartphone"),
    ];

    public static IReadOnlyList<GuideStep> StepsOf(GuideKind kind) => kind switch
    {
        GuideKind.Iphone => [.. Begin, Method, Leave, new("StepGetIphone", Place.Phone, "T1-get-iphone"), .. OnThePhone, .. Test, .. End],
        GuideKind.Android => [.. Begin, Method, Leave, new("StepGetAndroid", Place.Phone, "T1-get"), .. OnThePhone, .. Test, .. End],
        GuideKind.Computer => [.. Begin, Method, new("StepScanHere", Place.Computer, "P5-setup", SignInStep.SetUpPhone), .. Test, .. End],
        GuideKind.NewPhone =>
        [
            new("StepOldSettings", Place.OldPhone, "T10-accounts"),
            new("StepMove", Place.OldPhone, "F0-settings"),
            new("StepShowCode", Place.OldPhone, "F1-why"),
            new("StepScanNew", Place.NewPhone, "F2-code"),
            new("StepNewAdd", Place.NewPhone, "F3-confirm"),
            new("StepNewNumber", Place.NewPhone, "F4-arrive"),
            new("StepOldNumber", Place.OldPhone, "F5-number"),
            new("StepSignInAgain", Place.Computer),
        ],
        GuideKind.LostPhone =>
        [
            new("StepCall", null),
            new("StepOtherMethod", Place.Computer, "N1-second-factor", SignInStep.SecondFactor),
            new("StepRecovery", Place.Computer, "N2-recovery-code"),
            new("StepPass", null),
            new("StepAnew", Place.Computer, "S1-add"),
            new("StepRemove", Place.Computer, "S1-remove"),
        ],
        GuideKind.NoSmartphone =>
        [
            .. Begin,
            new("StepWays", Place.Computer, "P4-ways", SignInStep.ChooseMethod),
            new("StepPasskey", Place.Computer, "P5-setup-passkey", SignInStep.SetUpPasskey),
            new("StepTelephone", Place.Computer, "P5-setup-telephone", SignInStep.SetUpTelephone),
            new("StepTelephoneCode", Place.Computer, "P5-telephone-code"),
            new("StepOffice", Place.Computer),
            new("StepGenerator", Place.Computer, Step: SignInStep.SetUpToken),
            .. End,
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>What may go wrong on the way, and what the screens then offer. Only a set-up with the app can go wrong in so many ways.</summary>
    public static IReadOnlyList<string> TroublesOf(GuideKind kind) =>
        kind is GuideKind.Iphone or GuideKind.Android or GuideKind.Computer ? ["StuckScan", "StuckOld", "StuckNumber", "StuckNotice", "StuckNotMe"] : [];

    private static GuideStep Leave => new("StepLeave", Place.Computer, "P5-setup", SignInStep.SetUpPhone);
}
