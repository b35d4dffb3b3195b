using System.Globalization;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Antiforgery;

namespace Portvakt.SampleApp;

/// <summary>Two pages, as HTML and nothing else.</summary>
internal static class Page
{
    public static string SignedOut(Words words, AntiforgeryTokenSet form, bool failed) => Frame(words, $"""
        {(failed ? $"<p class=\"notice\" role=\"alert\">{words.Failed}</p>" : "")}
        <p>{words.Welcome}</p>
        {Button("/sign-in", words.SignIn, form)}
        """);

    public static string SignedIn(Words words, ClaimsPrincipal person, AntiforgeryTokenSet form)
    {
        var isStrong = person.FindFirstValue("acr") is "urn:portvakt:aal2" or "phr"; // a passkey is more than two factors
        var signedInAt = long.TryParse(person.FindFirstValue("auth_time"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToLocalTime().ToString("f", CultureInfo.CurrentCulture)
            : "";
        return Frame(words, $"""
            <h2>{string.Format(CultureInfo.CurrentCulture, words.Hello, Text(person.FindFirstValue("name")))}</h2>
            <table>
              <caption>{words.Says}</caption>
              <thead><tr><th scope="col">{words.Claim}</th><th scope="col">{words.Value}</th></tr></thead>
              <tbody>
                {Row(words.Name, "name", person.FindFirstValue("name"))}
                {Row(words.Subject, "sub", person.FindFirstValue("sub"))}
                {Row(words.Strength, "acr", isStrong ? words.TwoFactors : words.OneFactor, isStrong ? "strong" : null)}
                {Row(words.Methods, "amr", string.Join(", ", person.FindAll("amr").Select(claim => claim.Value)))}
                {Row(words.When, "auth_time", signedInAt)}
                {Row(words.Session, "sid", person.FindFirstValue("sid"))}
              </tbody>
            </table>
            <p><a href="/mine">{words.Mine}</a></p>
            {Button("/sign-out", words.SignOut, form)}
            """);
    }

    private static string Frame(Words words, string main) => $"""
        <!doctype html>
        <html lang="{words.Language}" data-app="{words.App}">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>{words.Title}</title>
          <link rel="icon" href="/icon.svg" type="image/svg+xml">
          <link rel="stylesheet" href="/timeliste.css">
        </head>
        <body>
          <header><h1>{words.Title}</h1></header>
          <main>
        {main}
          </main>
        </body>
        </html>
        """;

    private static string Row(string label, string claim, string? value, string? mark = null) =>
        $"<tr><th scope=\"row\">{label} <code>{claim}</code></th><td{(mark is null ? "" : $" class=\"{mark}\"")}>{Text(value)}</td></tr>";

    private static string Button(string action, string label, AntiforgeryTokenSet form) =>
        $"<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"{form.FormFieldName}\" value=\"{Text(form.RequestToken)}\"><button>{label}</button></form>";

    private static string Text(string? value) => HtmlEncoder.Default.Encode(value ?? "");
}
