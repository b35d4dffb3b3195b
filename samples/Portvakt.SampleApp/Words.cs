namespace Portvakt.SampleApp;

/// <summary>What the pages say, in three languages.</summary>
internal sealed record Words(
    string Language, string Title, string Welcome, string SignIn, string SignOut, string Hello, string Failed, string Says, string Claim, string Value,
    string Name, string Subject, string Strength, string Methods, string When, string Session, string TwoFactors, string OneFactor)
{
    private static readonly Words Nb = new(
        "nb", "Timeliste", "Her fører du timene dine. Du logger på med jobb- eller skolekontoen din.", "Logg på", "Logg av", "Hei, {0}!", "Påloggingen ble ikke fullført. Prøv igjen.",
        "Dette sier tokenet om deg", "Felt", "Verdi", "Navn", "Hvem du er", "Hvor sikkert", "Hvordan", "Når du logget på", "Økt", "to faktorer", "bare passord");

    private static readonly Words Nn = new(
        "nn", "Timeliste", "Her fører du timane dine. Du loggar på med jobb- eller skulekontoen din.", "Logg på", "Logg av", "Hei, {0}!", "Pålogginga vart ikkje fullført. Prøv igjen.",
        "Dette seier tokenet om deg", "Felt", "Verdi", "Namn", "Kven du er", "Kor sikkert", "Korleis", "Når du logga på", "Økt", "to faktorar", "berre passord");

    private static readonly Words En = new(
        "en", "Timesheet", "This is where you enter your hours. You sign in with your work or school account.", "Sign in", "Sign out", "Hello, {0}!", "The sign-in was not finished. Please try again.",
        "What the token says about you", "Claim", "Value", "Name", "Who you are", "How sure", "How", "When you signed in", "Session", "two factors", "password alone");

    public static Words For(string language) => language switch { "nn" => Nn, "en" => En, _ => Nb };
}
