using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary>
/// Kari's whole way, once, for everybody who wants to look at the traces: enrolment with phone and recovery codes, sign-in by phone, by code and on
/// paper, a PIN, another app, errors, sign-out. Every answer and every secret is kept.
/// </summary>
public sealed class WalkedJourney : IAsyncLifetime
{
    public PortvaktServer Server { get; private set; } = null!;

    /// <summary>Every answer that a browser got.</summary>
    public List<HttpResponseMessage> Answers { get; } = [];

    /// <summary>Every cookie that a phone got.</summary>
    public List<string> PhoneCookies { get; } = [];

    /// <summary>What must stand nowhere but where it belongs.</summary>
    public List<(string What, string Value)> Secrets { get; } = [("password", PortvaktServer.Password)];

    public async ValueTask InitializeAsync()
    {
        Server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:AllowPinUnlock"] = "true" });
        var kari = await Server.AddPersonAsync();
        using var phone = new Phone(Server);
        var recovery = "";

        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari, "WRONG-PASSWORD-marked-1f2e3d");
            await browser.PasswordAsync(kari);
            await browser.PressAsync("Neste");
            await browser.PressAsync("Konfigurer");
            await KeepCodeAsync(browser);
            await phone.BindAsync(browser.TypedCode);
            KeepSeed(phone);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            await browser.PressAsync("Lag gjenopprettingskoder");
            foreach (var code in browser.Page.QuerySelectorAll(".pv-codes code").Select(element => element.TextContent.Trim()))
            {
                Keep("recovery code", code);
                Keep("recovery code", code.Replace("-", "", StringComparison.Ordinal));
                recovery = code;
            }

            await browser.FinishAsync();
        });
        Secrets.Add(("wrong password", "WRONG-PASSWORD-marked-1f2e3d"));

        Server.Clock.Advance(TimeSpan.FromHours(5));
        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAsync("/sign-in");
            await browser.PasswordAsync(kari);
            await phone.ApproveAsync(browser.MatchingNumber);
            await browser.PressAsync("Jeg har godkjent");
            await browser.PressAsync("Ja");
            await browser.OpenAsync("/account?lang=nn");
            await browser.OpenAsync("/account?lang=nb");
            await browser.PressAsync("Logg av");
            await browser.PressAsync("Logg av");
        });

        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.PressAsync("Skriv inn koden fra appen");
            await browser.Fill("Kode", "abc").PressAsync("Bekreft");
            await browser.Fill("Kode", phone.Code()).PressAsync("Bekreft");
            await browser.PressAsync("Nei");
        });

        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.PressAsync("Bruk en gjenopprettingskode");
            await browser.Fill("Gjenopprettingskode", recovery).PressAsync("Bekreft");
            await browser.PressAsync("Nei");
            await browser.OpenAsync("/nowhere");
            await browser.OpenAsync("/sign-in/AAAAAAAAAAAAAAAAAAAAAA");
        });

        // The phone's browser has cleared everything; the passkey and the password bring the account back.
        using var anew = phone.AfterEviction(Server);
        await anew.RebindAsync("WRONG-PASSWORD-marked-4d5c6b");
        Secrets.Add(("wrong password", "WRONG-PASSWORD-marked-4d5c6b"));
        await anew.RebindAsync(PortvaktServer.Password);
        await anew.ReportAsync();
        KeepSeed(anew);

        var ola = await Server.AddPersonAsync("Ola Nordmann");
        await WithBrowserAsync(async browser =>
        {
            using var weaker = new Phone(Server) { Pin = "PIN-marked-739155" };
            Keep("PIN", weaker.Pin);
            await browser.OpenAsync("/sign-in");
            await browser.PasswordAsync(ola);
            await browser.PressAsync("Neste");
            await browser.PressAsync("Konfigurer");
            await KeepCodeAsync(browser);
            await weaker.BindAsync(browser.TypedCode);
            KeepSeed(weaker);
            await browser.ReloadAsync();
            await browser.PressAsync("Neste");
            var (id, context) = (await weaker.PendingAsync())!.Value;
            await weaker.AnswerAsync(id, context, "approve", browser.MatchingNumber, tamperBody: body => Keep("what the PIN proves itself with", body["pin"]!.GetValue<string>()));
            await browser.PressAsync("Jeg har godkjent");
            await browser.FinishAsync();
        });

        var per = await Server.AddPersonAsync("Ola Nordmann", TimeSpan.FromDays(3));
        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(per);
            await browser.PressAsync("Neste");
            await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
            Keep("secret of another app", browser.Secret);
            await browser.PressAsync("Velg en annen metode");
        });
        await WithBrowserAsync(async browser =>
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(per);
            await browser.PressAsync("Ikke nå");
            await browser.PressAsync("Nei");
        });
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private void KeepSeed(Phone phone)
    {
        Keep("seed as text", Base32.Encode(phone.Seed));
        Keep("seed as hexadecimal", Convert.ToHexString(phone.Seed));
        Keep("seed as Base64", Convert.ToBase64String(phone.Seed));
        PhoneCookies.AddRange(phone.SetCookies);
    }

    private void Keep(string what, string value) => Secrets.Add((what, value));

    /// <summary>The code under the picture, and the longer one in it, which only the server and the picture know.</summary>
    private async Task KeepCodeAsync(Browser browser)
    {
        Keep("typed code", browser.TypedCode);
        Keep("typed code", browser.TypedCode.Replace("-", "", StringComparison.Ordinal));
        var attempt = browser.AttemptId;
        var binding = await Server.ReadAsync(db => db.BindingCodes.AsNoTracking().SingleAsync(row => row.AttemptId == attempt));
        var codes = Server.Services.GetRequiredService<Vault>().Open(binding.SealedCodes, "binding_codes.codes", binding.Id.ToString("N"));
        Keep("code of the picture", System.Text.Encoding.ASCII.GetString(codes).Split('.')[0]);
    }

    private async Task WithBrowserAsync(Func<Browser, Task> walk)
    {
        using var browser = new Browser(Server);
        await walk(browser);
        Answers.AddRange(browser.History);
        foreach (System.Net.Cookie cookie in browser.Cookies.GetAllCookies())
        {
            if (cookie.Name is "__Host-portvakt-session" or "__Host-portvakt-browser" && cookie.Value.Length > 0) Keep(cookie.Name, cookie.Value);
        }

        foreach (var answer in browser.History.Where(answer => answer.Headers.Location?.OriginalString.Contains("code=", StringComparison.Ordinal) is true))
            Keep("authorization code", System.Web.HttpUtility.ParseQueryString(new Uri(answer.Headers.Location!.OriginalString).Query)["code"]!);
    }
}
