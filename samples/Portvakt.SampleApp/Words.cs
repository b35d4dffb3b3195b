namespace Portvakt.SampleApp;

/// <summary>What the pages say, in three languages.</summary>
internal sealed record Words(
    string Language, string App, string Title, string Welcome, string Mine, string SignIn, string SignOut, string Hello, string Failed, string Says, string Claim, string Value,
    string Name, string Subject, string Strength, string Methods, string When, string Session, string TwoFactors, string OneFactor)
{
    private static readonly Words Nb = new(
        "nb", "timeliste", "Timeliste", "Her fører du timene dine. Du logger på med jobb- eller skolekontoen din.", "Mine timer", "Logg på", "Logg av", "Hei, {0}!", "Påloggingen ble ikke fullført. Prøv igjen.",
        "Dette sier tokenet om deg", "Felt", "Verdi", "Navn", "Hvem du er", "Hvor sikkert", "Hvordan", "Når du logget på", "Økt", "to faktorer", "bare passord");

    private static readonly Words Nn = new(
        "nn", "timeliste", "Timeliste", "Her fører du timane dine. Du loggar på med jobb- eller skulekontoen din.", "Timane mine", "Logg på", "Logg av", "Hei, {0}!", "Pålogginga vart ikkje fullført. Prøv igjen.",
        "Dette seier tokenet om deg", "Felt", "Verdi", "Namn", "Kven du er", "Kor sikkert", "Korleis", "Når du logga på", "Økt", "to faktorar", "berre passord");

    private static readonly Words En = new(
        "en", "timeliste", "Timesheet", "This is where you enter your hours. You sign in with your work or school account.", "My hours", "Sign in", "Sign out", "Hello, {0}!", "The sign-in was not finished. Please try again.",
        "What the token says about you", "Claim", "Value", "Name", "Who you are", "How sure", "How", "When you signed in", "Session", "two factors", "password alone");

    public static bool Knows(string app) => app is "timeliste" or "reiseregning";

    public static Words For(string app, string language)
    {
        var words = language switch { "nn" => Nn, "en" => En, _ => Nb };
        return app is not "reiseregning" ? words : words.Language switch
        {
            "nn" => words with { App = app, Title = "Reiserekning", Welcome = "Her skriv du reiserekningar. Du loggar på med jobb- eller skulekontoen din.", Mine = "Reisene mine" },
            "en" => words with { App = app, Title = "Travel expenses", Welcome = "This is where you enter your travel expenses. You sign in with your work or school account.", Mine = "My travels" },
            _ => words with { App = app, Title = "Reiseregning", Welcome = "Her skriver du reiseregninger. Du logger på med jobb- eller skolekontoen din.", Mine = "Mine reiser" },
        };
    }
}
