namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>
/// What stands on screens and buttons, letter for letter as the employee's guide has it in bokmål, and its sisters in nynorsk
/// and English. Written down here and not read from the product: a label that changes must be changed twice.
/// </summary>
public sealed record Labels
{
    public required string Language { get; init; }

    // On the computer.
    public required string SignIn { get; init; }
    public required string MoreInformation { get; init; }
    public required string Next { get; init; }
    public required string NotNow { get; init; }
    public required string Additional { get; init; }
    public required string MobileApp { get; init; }
    public required string ReceiveNotifications { get; init; }
    public required string UseVerificationCode { get; init; }
    public required string SetUp { get; init; }
    public required string SetUpMobileApp { get; init; }
    public required string CannotScan { get; init; }
    public required string GuideIphone { get; init; }
    public required string GuideAndroid { get; init; }
    public required string NewCode { get; init; }
    public required string SendAgain { get; init; }
    public required string AnotherMethod { get; init; }
    public required string Finished { get; init; }
    public required string StaySignedIn { get; init; }
    public required string Yes { get; init; }
    public required string No { get; init; }
    public required string Done { get; init; }

    // In the application.
    public required string TwoFactors { get; init; }

    // On the phone.
    public required string Get { get; init; }
    public required string Open { get; init; }
    public required string Agree { get; init; }
    public required string ScanQr { get; init; }
    public required string EnterCode { get; init; }
    public required string AddAccount { get; init; }
    public required string WorkAccount { get; init; }
    public required string OtherAccount { get; init; }
    public required string TypeKey { get; init; }
    public required string FromAnotherApp { get; init; }
    public required string AddIt { get; init; }
    public required string OtherAccounts { get; init; }
    public required string ManageOthers { get; init; }
    public required string UnlockOthers { get; init; }
    public required string ChangeOrder { get; init; }
    public required string SaveToFile { get; init; }
    public required string MakeFile { get; init; }
    public required string SaveFile { get; init; }
    public required string FetchFile { get; init; }
    public required string FetchAccounts { get; init; }
    public required string ScanNext { get; init; }
    public required string RemoveAll { get; init; }
    public required string RemoveAllYes { get; init; }
    public required string Protect { get; init; }
    public required string Unlock { get; init; }
    public required string Settings { get; init; }
    public required string CameraOn { get; init; }
    public required string YesAdd { get; init; }
    public required string Activating { get; init; }
    public required string Allow { get; init; }
    public required string ApproveTest { get; init; }
    public required string ApproveSignIn { get; init; }
    public required string Approve { get; init; }
    public required string NotMe { get; init; }
    public required string Cancel { get; init; }
    public required string Approved { get; init; }
    public required string Accounts { get; init; }

    public static Labels For(string language) => language switch
    {
        "nb" => Bokmaal,
        "nn" => Nynorsk,
        "en" => English,
        _ => throw new ArgumentOutOfRangeException(nameof(language), language, "nb, nn or en"),
    };

    public static Labels Bokmaal { get; } = new()
    {
        Language = "nb",
        SignIn = "Logg på",
        MoreInformation = "Mer informasjon kreves",
        Next = "Neste",
        NotNow = "Ikke nå",
        Additional = "Ytterligere sikkerhetsbekreftelse",
        MobileApp = "Mobilapp",
        ReceiveNotifications = "Motta varslinger for bekreftelse",
        UseVerificationCode = "Bruk bekreftelseskode",
        SetUp = "Konfigurer",
        SetUpMobileApp = "Konfigurer mobilappen",
        CannotScan = "Får du ikke skannet bildet?",
        GuideIphone = "Veiledning for iPhone",
        GuideAndroid = "Veiledning for Android",
        NewCode = "Hent ny kode",
        SendAgain = "Send på nytt",
        AnotherMethod = "Bruk en annen metode",
        Finished = "Fullført",
        StaySignedIn = "Vil du forbli pålogget?",
        Yes = "Ja",
        No = "Nei",
        Done = "Ferdig",
        TwoFactors = "to faktorer",
        Get = "Hent",
        Open = "Åpne",
        Agree = "Jeg er enig",
        ScanQr = "Skann en QR-kode",
        EnterCode = "Skriv inn koden",
        AddAccount = "Legg til en konto",
        WorkAccount = "Jobb- eller skolekonto",
        OtherAccount = "Annen konto",
        TypeKey = "Skriv inn nøkkelen",
        FromAnotherApp = "Hent fra en annen app",
        AddIt = "Legg til konto",
        OtherAccounts = "Andre kontoer",
        ManageOthers = "Ordne andre kontoer",
        UnlockOthers = "Lås opp andre kontoer",
        ChangeOrder = "Endre rekkefølgen",
        SaveToFile = "Lagre i en fil",
        MakeFile = "Lag filen",
        SaveFile = "Lagre filen",
        FetchFile = "Hent fra en fil eller en annen app",
        FetchAccounts = "Hent kontoene",
        ScanNext = "Skann den neste",
        RemoveAll = "Fjern alle andre kontoer",
        RemoveAllYes = "Ja, fjern alle",
        Protect = "Bruk telefonens egen opplåsing",
        Unlock = "Lås opp",
        Settings = "Innstillinger",
        CameraOn = "Slå på kameraet",
        YesAdd = "Ja, legg til",
        Activating = "Aktiverer kontoen …",
        Allow = "Tillat",
        ApproveTest = "Godkjenne påloggingen?",
        ApproveSignIn = "Godkjenne påloggingen?",
        Approve = "Godkjenn",
        NotMe = "Det var ikke meg",
        Cancel = "Avbryt",
        Approved = "Godkjent",
        Accounts = "Kontoer",
    };

    public static Labels Nynorsk { get; } = new()
    {
        Language = "nn",
        SignIn = "Logg på",
        MoreInformation = "Meir informasjon er kravd",
        Next = "Neste",
        NotNow = "Ikkje no",
        Additional = "Ytterlegare tryggleiksstadfesting",
        MobileApp = "Mobilapp",
        ReceiveNotifications = "Ta imot varsel for stadfesting",
        UseVerificationCode = "Bruk stadfestingskode",
        SetUp = "Konfigurer",
        SetUpMobileApp = "Konfigurer mobilappen",
        CannotScan = "Får du ikkje skanna biletet?",
        GuideIphone = "Rettleiing for iPhone",
        GuideAndroid = "Rettleiing for Android",
        NewCode = "Hent ny kode",
        SendAgain = "Send på nytt",
        AnotherMethod = "Bruk ein annan metode",
        Finished = "Fullført",
        StaySignedIn = "Vil du halde fram pålogga?",
        Yes = "Ja",
        No = "Nei",
        Done = "Ferdig",
        TwoFactors = "to faktorar",
        Get = "Hent",
        Open = "Opne",
        Agree = "Eg er einig",
        ScanQr = "Skann ein QR-kode",
        EnterCode = "Skriv inn koden",
        AddAccount = "Legg til ein konto",
        WorkAccount = "Jobb- eller skulekonto",
        OtherAccount = "Annan konto",
        TypeKey = "Skriv inn nøkkelen",
        FromAnotherApp = "Hent frå ein annan app",
        AddIt = "Legg til konto",
        OtherAccounts = "Andre kontoar",
        ManageOthers = "Ordne andre kontoar",
        UnlockOthers = "Lås opp andre kontoar",
        ChangeOrder = "Endre rekkjefølgja",
        SaveToFile = "Lagre i ei fil",
        MakeFile = "Lag fila",
        SaveFile = "Lagre fila",
        FetchFile = "Hent frå ei fil eller ein annan app",
        FetchAccounts = "Hent kontoane",
        ScanNext = "Skann den neste",
        RemoveAll = "Fjern alle andre kontoar",
        RemoveAllYes = "Ja, fjern alle",
        Protect = "Bruk opplåsinga til telefonen",
        Unlock = "Lås opp",
        Settings = "Innstillingar",
        CameraOn = "Slå på kameraet",
        YesAdd = "Ja, legg til",
        Activating = "Aktiverer kontoen …",
        Allow = "Tillat",
        ApproveTest = "Godkjenne pålogginga?",
        ApproveSignIn = "Godkjenne pålogginga?",
        Approve = "Godkjenn",
        NotMe = "Det var ikkje meg",
        Cancel = "Avbryt",
        Approved = "Godkjent",
        Accounts = "Kontoar",
    };

    public static Labels English { get; } = new()
    {
        Language = "en",
        SignIn = "Sign in",
        MoreInformation = "More information required",
        Next = "Next",
        NotNow = "Not now",
        Additional = "Additional security verification",
        MobileApp = "Mobile app",
        ReceiveNotifications = "Receive notifications for verification",
        UseVerificationCode = "Use verification code",
        SetUp = "Set up",
        SetUpMobileApp = "Set up the mobile app",
        CannotScan = "Can't scan the image?",
        GuideIphone = "Guide for iPhone",
        GuideAndroid = "Guide for Android",
        NewCode = "Get a new code",
        SendAgain = "Send again",
        AnotherMethod = "Use another method",
        Finished = "Finished",
        StaySignedIn = "Stay signed in?",
        Yes = "Yes",
        No = "No",
        Done = "Done",
        TwoFactors = "two factors",
        Get = "Get",
        Open = "Open",
        Agree = "I agree",
        ScanQr = "Scan a QR code",
        EnterCode = "Enter the code",
        AddAccount = "Add an account",
        WorkAccount = "Work or school account",
        OtherAccount = "Other account",
        TypeKey = "Type the key",
        FromAnotherApp = "Fetch from another app",
        AddIt = "Add account",
        OtherAccounts = "Other accounts",
        ManageOthers = "Manage other accounts",
        UnlockOthers = "Unlock other accounts",
        ChangeOrder = "Change the order",
        SaveToFile = "Save to a file",
        MakeFile = "Make the file",
        SaveFile = "Save the file",
        FetchFile = "Fetch from a file or another app",
        FetchAccounts = "Fetch the accounts",
        ScanNext = "Scan the next one",
        RemoveAll = "Remove all other accounts",
        RemoveAllYes = "Yes, remove all",
        Protect = "Use the phone's own unlock",
        Unlock = "Unlock",
        Settings = "Settings",
        CameraOn = "Turn on the camera",
        YesAdd = "Yes, add",
        Activating = "Activating the account …",
        Allow = "Allow",
        ApproveTest = "Approve sign-in?",
        ApproveSignIn = "Approve sign-in?",
        Approve = "Approve",
        NotMe = "It wasn't me",
        Cancel = "Cancel",
        Approved = "Approved",
        Accounts = "Accounts",
    };
}
