using System.Net;
using System.Security.Cryptography;
using System.Text;
using AngleSharp.Html.Dom;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Administration;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Testing;

namespace Portvakt.Server.Tests.Stories;

public sealed class TokensOnSqlite(SqliteStage stage) : TokenStories(stage), IClassFixture<SqliteStage>;

public sealed class TokensOnPostgres(PostgresStage stage) : TokenStories(stage), IClassFixture<PostgresStage>;

/// <summary>Code generators of plastic: from the maker's file into somebody's hand, and out of it. The plastic is <c>oathtool</c>.</summary>
public abstract class TokenStories(Stage stage)
{
    private const string Import = "/administration/tokens/import";

    private PortvaktServer Server => stage.Server;

    /// <summary>A thing of plastic: its clock is its own.</summary>
    private sealed class Plastic(PortvaktServer server, int period = 30)
    {
        public string Serial { get; } = $"GA-{RandomNumberGenerator.GetString("0123456789ABCDEF", 12)}";
        public byte[] Seed { get; } = RandomNumberGenerator.GetBytes(20);
        public string Secret => Base32.Encode(Seed);
        public int Period => period;

        /// <summary>How far its clock is ahead.</summary>
        public TimeSpan Off { get; set; }

        public Guid Id => TotpAuthenticator.IdOf(Serial);

        public Task<string> CodeAsync() => OathTool.CodeAsync(Secret, server.Clock.GetUtcNow() + Off, period);

        public string Line(Person? person = null) => $"{person?.UserName},{Serial},{Secret},{period},Feitian,c200";
    }

    private Plastic NewPlastic(int period = 30)
    {
        Assert.SkipUnless(OathTool.IsInstalled || Environment.GetEnvironmentVariable("CI") is "true", "oathtool is not installed; `dotnet run dev.cs test` installs it.");
        return new Plastic(Server, period);
    }

    private static byte[] FileOf(params string[] lines) => Encoding.UTF8.GetBytes("upn,serial number,secret key,time interval,manufacturer,model\n" + string.Join('\n', lines) + "\n");

    private static async Task<Browser> CompareAsync(Browser desk, params string[] lines)
    {
        await desk.OpenAsync(Import);
        await desk.UploadAsync("brikker.csv", FileOf(lines));
        return desk;
    }

    private static async Task BringInAsync(Browser desk, params string[] lines)
    {
        await CompareAsync(desk, lines);
        await desk.PressAsync("Importer dem");
        Assert.True(desk.Path is "/administration/tokens", $"{desk.Path}: {desk.Text}");
    }

    private static string Figures(Browser desk) => string.Join(' ', new[] { "Added", "Assigned", "Unchanged", "Problems" }.Select(name => desk.Page.QuerySelector($"[data-import={name}]")!.TextContent));

    private async Task<Browser> DeskAsync() => (await Cast.AtTheDeskAsync(Server, path: "/administration/tokens")).Browser;

    private Task<TotpAuthenticator> RowAsync(Plastic plastic) => Server.ReadAsync(db => db.Totps.AsNoTracking().SingleAsync(row => row.Id == plastic.Id));

    private Task<int> CountAsync(SecurityEvent what, Person person) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == person.Id));

    private Task<string> MailsAsync(Person person) => Server.ReadAsync(async db => string.Join('\n', await db.Mails.Where(mail => mail.PersonId == person.Id).OrderBy(mail => mail.Id).Select(mail => mail.Text).ToListAsync()));

    /// <summary>From the application to the page where the first code is typed.</summary>
    private async Task<Browser> AtTheSetUpAsync(Person person)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        await browser.PressAsync("Neste");
        await browser.Fill("Hvordan skal vi kontakte deg?", "token").PressAsync("Konfigurer");
        Assert.Equal("Kodegenerator", browser.Heading);
        return browser;
    }

    private async Task ActivateAsync(Person person, Plastic plastic)
    {
        using var browser = await AtTheSetUpAsync(person);
        await browser.Fill("Koden fra kodegeneratoren", await plastic.CodeAsync()).PressAsync("Neste");
        await browser.FinishAsync(stay: false);
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    /// <summary>A new sign-in, with this code.</summary>
    private async Task<Browser> SignInAsync(Person person, string code)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        Assert.Contains("kodegeneratoren", browser.Text, StringComparison.Ordinal);
        await browser.Fill("Kode", code).PressAsync("Bekreft");
        return browser;
    }

    [Fact]
    public async Task Kari_gets_a_code_generator_activates_it_and_signs_in_while_its_clock_goes_wrong()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        plastic.Off = TimeSpan.FromMinutes(-4); // it lay in a drawer for years
        var (admin, _, desk) = await Cast.AtTheDeskAsync(Server, path: Import);
        await CompareAsync(desk, plastic.Line(kari));
        Assert.Equal("1 0 0 0", Figures(desk));
        Assert.Contains($"Kari Nordmann ({kari.UserName})", desk.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(plastic.Secret, desk.Page.DocumentElement.OuterHtml, StringComparison.OrdinalIgnoreCase);
        Assert.False(await Server.ReadAsync(db => db.Totps.AnyAsync(row => row.Id == plastic.Id))); // the dry run wrote nothing

        await desk.PressAsync("Importer dem");
        Assert.Contains("Nye: 1. Delt ut: 0. Uendret: 0. Utelatt: 0.", desk.Text, StringComparison.Ordinal);
        Assert.Equal((kari.Id, AuthenticatorState.Unconfirmed), await RowAsync(plastic) is var waiting ? (waiting.PersonId, waiting.State) : default);
        Assert.Equal(1, await CountAsync(SecurityEvent.TokenAssigned, kari));
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.TokensImported && row.ActorId == admin.Id && row.Reason == "added 1, assigned 0, unchanged 0, left out 0")));
        Assert.Contains("Du har fått en kodegenerator, som venter på at du aktiverer den.", await MailsAsync(kari), StringComparison.Ordinal);
        await desk.OpenAsync($"/administration/people/{kari.UserName}");
        Assert.Contains(plastic.Serial, desk.Text, StringComparison.Ordinal);
        Assert.Contains("venter på aktivering", desk.Text, StringComparison.Ordinal);

        using (var browser = await AtTheSetUpAsync(kari))
        {
            Assert.Contains(plastic.Serial, browser.Text, StringComparison.Ordinal);
            Assert.Contains("Feitian c200", browser.Text, StringComparison.Ordinal);
            await browser.Fill("Koden fra kodegeneratoren", await plastic.CodeAsync()).PressAsync("Neste");
            Assert.Equal(HttpStatusCode.OK, browser.Status);
            await browser.FinishAsync(stay: false);
            Assert.Equal("app.test", browser.LeftFor?.Host);
        }

        var row = await RowAsync(plastic);
        Assert.Equal((AuthenticatorState.Active, -8), (row.State, row.Drift));
        Assert.Equal(1, await CountAsync(SecurityEvent.TokenActivated, kari));
        Assert.Contains("En kodegenerator ble lagt til på kontoen din.", await MailsAsync(kari), StringComparison.Ordinal);
        Assert.Equal(SecondFactorMethod.Token, await Server.ReadAsync(db => db.Sessions.Where(session => session.PersonId == kari.Id).Select(session => session.Method).SingleAsync()));

        // The clock is followed by one step at a time, and what is further off opens nothing (RFC 6238 section 6).
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.True(await OpensAsync(0));
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.True(await OpensAsync(-30));
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(await OpensAsync(-90));
        Assert.True(await OpensAsync(-60));
        Assert.Equal(-10, (await RowAsync(plastic)).Drift);

        var (_, _, later) = await Cast.AtTheDeskAsync(Server, path: $"/administration/tokens?q={plastic.Serial.ToLowerInvariant()}");
        Assert.Equal(1, later.Page.QuerySelectorAll("tr[data-token]").Length);
        Assert.Contains("Klokken går omtrent 300 s for sent.", later.Text, StringComparison.Ordinal);
        Assert.Contains("i bruk", later.Text, StringComparison.Ordinal);
        await later.OpenAsync($"/administration/people/{kari.UserName}");
        Assert.Contains("Klokken går omtrent 300 s for sent.", later.Text, StringComparison.Ordinal);
        desk.Dispose();
        later.Dispose();

        async Task<bool> OpensAsync(int more)
        {
            plastic.Off = TimeSpan.FromSeconds(-240 + more);
            using var browser = await SignInAsync(kari, await plastic.CodeAsync());
            return browser.Status is HttpStatusCode.OK && browser.Path.EndsWith("/stay", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_code_generator_of_sixty_seconds_works_the_same_way()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic(period: 60);
        plastic.Off = TimeSpan.FromMinutes(9);
        using var desk = await DeskAsync();
        await BringInAsync(desk, plastic.Line(kari));
        await ActivateAsync(kari, plastic);
        Assert.Equal((60, 9), await RowAsync(plastic) is var row ? (row.Period, row.Drift) : default);
        Server.Clock.Advance(TimeSpan.FromMinutes(3));
        using var browser = await SignInAsync(kari, await plastic.CodeAsync());
        Assert.EndsWith("/stay", browser.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R49_The_code_that_activated_it_opens_no_sign_in_and_of_two_windows_one_activates()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        using var desk = await DeskAsync();
        await BringInAsync(desk, plastic.Line(kari));
        using var browser = await AtTheSetUpAsync(kari);
        using var tab = browser.NewTab();
        await tab.OpenAsync(browser.Path);
        var code = await plastic.CodeAsync();
        await Task.WhenAll(browser.Fill("Koden fra kodegeneratoren", code).PressAsync("Neste"), tab.Fill("Koden fra kodegeneratoren", code).PressAsync("Neste"));
        Assert.Equal(1, await CountAsync(SecurityEvent.TokenActivated, kari));

        using var thief = await SignInAsync(kari, code);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, thief.Status);
        Assert.Contains("Vent til kodegeneratoren viser en ny", thief.Text, StringComparison.Ordinal);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        code = await plastic.CodeAsync();
        using var owner = await SignInAsync(kari, code);
        Assert.EndsWith("/stay", owner.Path, StringComparison.Ordinal);
        using var again = await SignInAsync(kari, code);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, again.Status);
    }

    [Fact]
    public async Task R47_R50_R51_R54_Nobody_guesses_an_activation_or_activates_what_is_somebody_elses()
    {
        var (kari, mallory) = (await Server.AddPersonAsync(), await Server.AddPersonAsync("Mallory Olsen"));
        var (karis, mallorys) = (NewPlastic(), NewPlastic());
        using var desk = await DeskAsync();
        await BringInAsync(desk, karis.Line(kari), mallorys.Line(mallory));

        // Mallory has Kari's code generator in the hand, and knows its id.
        using var browser = await AtTheSetUpAsync(mallory);
        Assert.DoesNotContain(karis.Serial, browser.Text, StringComparison.Ordinal);
        foreach (var id in new[] { karis.Id.ToString(), karis.Serial, Guid.Empty.ToString(), "" })
        {
            await TypeAsync(browser, id, await karis.CodeAsync());
            Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        }

        // These were counted; the fifth is the last, and then the right code is not looked at.
        await TypeAsync(browser, mallorys.Id.ToString(), await mallorys.CodeAsync() is "000000" ? "111111" : "000000");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await TypeAsync(browser, mallorys.Id.ToString(), await mallorys.CodeAsync());
        Assert.Equal(HttpStatusCode.TooManyRequests, browser.Status);
        await browser.ReloadAsync();
        Assert.StartsWith("/sign-in/over", browser.Path, StringComparison.Ordinal);
        using var again = await AtTheSetUpAsync(mallory);
        await TypeAsync(again, mallorys.Id.ToString(), await mallorys.CodeAsync());
        Assert.Equal(HttpStatusCode.TooManyRequests, again.Status);
        Assert.Equal((AuthenticatorState.Unconfirmed, AuthenticatorState.Unconfirmed), ((await RowAsync(karis)).State, (await RowAsync(mallorys)).State));
        Assert.Equal(1, await CountAsync(SecurityEvent.CodesPaused, mallory)); // and the owner of the account is told

        // Kari is not in the way of it.
        await ActivateAsync(kari, karis);
        Assert.Equal(kari.Id, (await RowAsync(karis)).PersonId);

        static Task TypeAsync(Browser browser, string id, string code) => browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => (fields["id"], fields["code"]) = (id, code));
    }

    [Fact]
    public async Task Whoever_has_two_chooses_the_one_in_hand_and_whose_was_taken_back_is_told()
    {
        var kari = await Server.AddPersonAsync();
        var (one, two) = (NewPlastic(), NewPlastic());
        using var desk = await DeskAsync();
        await BringInAsync(desk, one.Line(kari), two.Line(kari));
        using var browser = await AtTheSetUpAsync(kari);
        await browser.Choose($"{two.Serial}, Feitian c200").Fill("Koden fra kodegeneratoren", await two.CodeAsync()).PressAsync("Neste");
        await browser.FinishAsync(stay: false);
        Assert.Equal((AuthenticatorState.Unconfirmed, AuthenticatorState.Active), ((await RowAsync(one)).State, (await RowAsync(two)).State));

        var ola = await Server.AddPersonAsync("Ola Hansen");
        var three = NewPlastic();
        await BringInAsync(desk, three.Line(ola));
        using var olas = await AtTheSetUpAsync(ola);
        var code = await three.CodeAsync();
        await desk.OpenAsync($"/administration/tokens/{three.Id}");
        await desk.SubmitAsync(FormOf(desk, "TakeBack"), tamper: fields => fields["reason"] = "Feil person");
        Assert.Contains($"{three.Serial} er tatt tilbake.", desk.Text, StringComparison.Ordinal);
        Assert.Contains("ble tatt tilbake", await MailsAsync(ola), StringComparison.Ordinal);
        await olas.Fill("Koden fra kodegeneratoren", code).PressAsync("Neste");
        Assert.Contains("ikke lenger noen kodegenerator du kan aktivere", olas.Text, StringComparison.Ordinal);
        Assert.Equal((TotpAuthenticator.Nobody, AuthenticatorState.Unconfirmed), await RowAsync(three) is var row ? (row.PersonId, row.State) : default);
        await olas.PressAsync("Velg en annen metode");
        Assert.Null(olas.Page.QuerySelector("option[value=token]"));
    }

    [Fact]
    public async Task The_same_file_again_changes_nothing_and_nobody_loses_theirs_by_a_file()
    {
        var (kari, ola) = (await Server.AddPersonAsync(), await Server.AddPersonAsync("Ola Hansen"));
        var (used, free, other) = (NewPlastic(), NewPlastic(), NewPlastic());
        using var desk = await DeskAsync();
        await BringInAsync(desk, used.Line(kari), free.Line());
        await ActivateAsync(kari, used);
        var before = await RowAsync(used);

        await CompareAsync(desk, used.Line(kari), used.Line().Replace(used.Serial, used.Serial.ToLowerInvariant(), StringComparison.Ordinal), free.Line());
        Assert.Equal("0 0 2 1", Figures(desk));
        Assert.False(desk.Has("Importer dem"));
        await desk.PressAsync("Legg bort filen");

        await CompareAsync(
            desk, used.Line(), // nobody named: it stays whose it is
            free.Line(ola), // handed out
            other.Line() + "\n,,,,,\nnobody-at-all," + other.Serial + "X," + other.Secret + ",30,,");
        Assert.Equal("1 1 1 1", Figures(desk));
        await CompareAsync(desk, used.Line(ola), free.Line().Replace(free.Secret, other.Secret, StringComparison.Ordinal), other.Line().Replace(",30,", ",60,", StringComparison.Ordinal));
        Assert.Equal("1 0 0 2", Figures(desk));
        Assert.Contains("Noen andre har den.", desk.Text, StringComparison.Ordinal);
        Assert.Contains("kjent med en annen hemmelig nøkkel", desk.Text, StringComparison.Ordinal);

        await BringInAsync(desk, free.Line(ola), used.Line(ola));
        Assert.Equal((ola.Id, 1), ((await RowAsync(free)).PersonId, await CountAsync(SecurityEvent.TokenAssigned, ola)));
        var after = await RowAsync(used);
        Assert.Equal((kari.Id, AuthenticatorState.Active, before.Version), (after.PersonId, after.State, after.Version));
        Assert.True(before.SealedSeed.AsSpan().SequenceEqual(after.SealedSeed));

        // Five are as many as anybody has.
        await CompareAsync(desk, [.. Enumerable.Range(0, 6).Select(_ => NewPlastic().Line(ola))]);
        Assert.Equal("4 0 0 2", Figures(desk));
    }

    [Fact]
    public async Task R49_What_was_removed_is_handed_to_somebody_else_and_old_codes_never_count_again()
    {
        var (kari, ola) = (await Server.AddPersonAsync(), await Server.AddPersonAsync("Ola Hansen"));
        var plastic = NewPlastic();
        using var desk = await DeskAsync();
        await BringInAsync(desk, plastic.Line(kari));
        await ActivateAsync(kari, plastic);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        var seen = await plastic.CodeAsync(); // looked over the shoulder
        (await SignInAsync(kari, seen)).Dispose();

        // In use it is not handed out, nor scrapped, whatever is posted.
        var page = $"/administration/tokens/{plastic.Id}";
        await desk.OpenAsync(page);
        Assert.Null(desk.Page.QuerySelector("form[action*=Assign], form[action*=Scrap], form[action*=TakeBack]"));
        foreach (var handler in new[] { "Assign", "TakeBack", "Scrap" })
        {
            await PostAsync(desk, page, handler, ("userName", ola.UserName), ("reason", "x"));
            Assert.Equal(HttpStatusCode.Conflict, desk.Status);
        }

        var (_, _, helpdesk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: $"/administration/people/{kari.UserName}");
        await helpdesk.SubmitAsync(FormOf(helpdesk, "RemoveCode"), tamper: fields => fields["reason"] = "Mistet");
        Assert.Contains($"Koder fra {plastic.Serial} virker ikke lenger.", helpdesk.Text, StringComparison.Ordinal);
        Assert.Equal((1, 1), (await CountAsync(SecurityEvent.TokenRemoved, kari), await Server.ReadAsync(db => db.People.CountAsync(row => row.Id == kari.Id && row.NeedsPass))));
        Assert.Contains("En kodegenerator ble fjernet fra kontoen din.", await MailsAsync(kari), StringComparison.Ordinal);
        helpdesk.Dispose();
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using (var lost = new Browser(Server))
        {
            await lost.OpenAppAsync();
            await lost.PasswordAsync(kari);
            await lost.OpenAsync($"/sign-in/{lost.AttemptId}/code");
            Assert.DoesNotContain("/code", lost.Path, StringComparison.Ordinal);
        }

        await desk.OpenAsync("/administration/tokens?state=Removed");
        Assert.Contains(plastic.Serial, desk.Text, StringComparison.Ordinal);
        await desk.OpenAsync(page);
        await desk.SubmitAsync(FormOf(desk, "Assign"), tamper: fields => fields["userName"] = "nobody-at-all");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        await desk.SubmitAsync(FormOf(desk, "Assign"), tamper: fields => fields["userName"] = ola.UserName.ToUpperInvariant());
        Assert.Contains($"{plastic.Serial} er delt ut til Ola Hansen, som nå aktiverer den.", desk.Text, StringComparison.Ordinal);

        using var browser = await AtTheSetUpAsync(ola);
        await browser.Fill("Koden fra kodegeneratoren", seen).PressAsync("Neste"); // within the window of an activation
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Koden fra kodegeneratoren", await plastic.CodeAsync()).PressAsync("Neste");
        Assert.Equal((HttpStatusCode.OK, ola.Id, AuthenticatorState.Active), (browser.Status, (await RowAsync(plastic)).PersonId, (await RowAsync(plastic)).State));
    }

    [Fact]
    public async Task What_is_scrapped_has_no_secret_and_the_makers_file_brings_it_back()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        using var desk = await DeskAsync();
        await BringInAsync(desk, plastic.Line(kari));
        var page = $"/administration/tokens/{plastic.Id}";
        await desk.OpenAsync(page);
        await desk.SubmitAsync(FormOf(desk, "Scrap"), tamper: fields => fields["reason"] = " ");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, desk.Status);
        await desk.SubmitAsync(FormOf(desk, "Scrap"), tamper: fields => fields["reason"] = "Knust");
        Assert.Equal("Scrapped", desk.Page.QuerySelector("[data-state]")!.GetAttribute("data-state"));
        Assert.Empty((await RowAsync(plastic)).SealedSeed);
        Assert.Equal(1, await CountAsync(SecurityEvent.TokenTakenBack, kari));
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.TokenScrapped && row.Subject == plastic.Id.ToString("N") && row.Reason == $"{plastic.Serial}: Knust")));
        await PostAsync(desk, page, "Assign", ("userName", kari.UserName));
        Assert.Equal(HttpStatusCode.Conflict, desk.Status);
        await desk.OpenAsync($"/administration/tokens?state=Scrapped&q={plastic.Serial}");
        Assert.Equal(1, desk.Page.QuerySelectorAll("tr[data-token]").Length);

        await BringInAsync(desk, plastic.Line(kari));
        await ActivateAsync(kari, plastic);
    }

    [Fact]
    public async Task Two_who_bring_in_the_same_file_bring_it_in_once()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        using var one = await DeskAsync();
        using var two = await DeskAsync();
        await CompareAsync(one, plastic.Line(kari));
        await CompareAsync(two, plastic.Line(kari));
        await Task.WhenAll(one.PressAsync("Importer dem"), two.PressAsync("Importer dem"));
        Assert.Equal((1, 1), (await CountAsync(SecurityEvent.TokenAssigned, kari), await Server.ReadAsync(db => db.Totps.CountAsync(row => row.SerialNumber == plastic.Serial))));
    }

    [Fact]
    public async Task R58_R93_No_secret_is_in_pages_addresses_log_or_database_and_the_file_is_soon_gone()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        string[] secrets = [plastic.Secret, Convert.ToHexString(plastic.Seed), Convert.ToBase64String(plastic.Seed), Encoding.Latin1.GetString(plastic.Seed)];
        var (_, _, desk) = await Cast.AtTheDeskAsync(Server, path: Import);
        await CompareAsync(desk, plastic.Line(kari), $",GA-X,{plastic.Secret}!,30,,", $",{plastic.Secret},GA-Y,30,,", $",\"{plastic.Secret}\"x,GA-Z,30,,");
        Assert.Equal("1 0 0 3", Figures(desk));
        var run = desk.Path.Split("run=")[1];
        await NowhereAsync();
        var (_, _, boss) = await Cast.AtTheDeskAsync(Server, path: Import);
        await boss.OpenAsync($"{Import}?run={run}"); // somebody else's
        Assert.Contains("Den filen er ikke her lenger.", boss.Text, StringComparison.Ordinal);
        await boss.OpenAsync($"/administration/import?run={run}"); // and no file of people
        Assert.Equal(HttpStatusCode.NotFound, boss.Status);

        await desk.PressAsync("Importer dem");
        await NowhereAsync();
        Assert.False(await Server.ReadAsync(db => db.ImportRuns.AnyAsync(row => row.Id == run)));
        await ActivateAsync(kari, plastic);
        await desk.OpenAsync($"/administration/tokens/{plastic.Id}");
        await NowhereAsync();

        // Put away, and forgotten.
        await CompareAsync(desk, plastic.Line());
        await desk.PressAsync("Legg bort filen");
        await CompareAsync(desk, plastic.Line());
        run = desk.Path.Split("run=")[1];
        Assert.Equal(1, await RunsAsync());
        Server.Clock.Advance(TimeSpan.FromMinutes(59));
        await SweepAsync();
        Assert.Equal(1, await RunsAsync());
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await SweepAsync();
        Assert.Equal(0, await RunsAsync());
        boss.Dispose();
        desk.Dispose();

        Task<int> RunsAsync() => Server.ReadAsync(db => db.ImportRuns.CountAsync(row => row.Id == run));

        async Task NowhereAsync()
        {
            var texts = new StringBuilder(Server.Log.All);
            foreach (var answer in desk.History)
            {
                texts.AppendLine(Uri.UnescapeDataString(answer.RequestMessage!.RequestUri!.ToString()));
                texts.AppendLine(await answer.Content.ReadAsStringAsync());
            }

            await Server.ReadAsync(async db =>
            {
                foreach (var row in await db.ImportRuns.AsNoTracking().Where(row => row.Id == run).ToListAsync()) texts.Append(row.Problems).Append(row.FileName).Append(Encoding.UTF8.GetString(row.Content!)).Append(Encoding.Latin1.GetString(row.Content!));
                foreach (var row in await db.Totps.AsNoTracking().Where(row => row.SerialNumber != null).ToListAsync()) texts.Append(row.SerialNumber).Append(row.Model).Append(Encoding.Latin1.GetString(row.SealedSeed)).Append(Convert.ToHexString(row.SealedSeed));
                foreach (var row in await db.AuditEvents.AsNoTracking().ToListAsync()) texts.Append(row.Reason).Append(row.Subject);
                foreach (var row in await db.Mails.AsNoTracking().ToListAsync()) texts.Append(row.Text).Append(row.Subject);
                return 0;
            });
            Assert.Contains(plastic.Serial, texts.ToString(), StringComparison.OrdinalIgnoreCase); // it is the right place to look
            Assert.All(secrets, secret => Assert.False(texts.ToString().Contains(secret, StringComparison.OrdinalIgnoreCase)));
        }
    }

    [Fact]
    public async Task R89_R90_Hostile_names_are_only_names()
    {
        var plastic = NewPlastic();
        using var desk = await DeskAsync();
        await CompareAsync(desk, $",{plastic.Serial},{plastic.Secret},30,<script>alert(1)</script>,=cmd|' /C calc'!A0", $",=1+1,{plastic.Secret},30,,", $",\"<b>\",{plastic.Secret},30,,");
        Assert.Equal("1 0 0 2", Figures(desk));
        Assert.Null(desk.Page.QuerySelector("main script, main td b"));
        Assert.Contains("<script>alert(1)</script> =cmd|' /C calc'!A0", desk.Text, StringComparison.Ordinal);
        await desk.PressAsync("Importer dem");
        foreach (var path in new[] { $"/administration/tokens?q={plastic.Serial}", $"/administration/tokens/{plastic.Id}", "/administration/tokens?q=%00%25_'%22<script>", "/administration/tokens?page=-7&state=Nowhere" })
        {
            await desk.OpenAsync(path);
            Assert.Equal(HttpStatusCode.OK, desk.Status);
            Assert.Null(desk.Page.QuerySelector("main script"));
        }
    }

    [Fact]
    public async Task R44_R48_Only_an_administrator_of_the_whole_organisation_hands_out_within_ten_minutes_and_no_file_is_too_large()
    {
        var plastic = NewPlastic();
        using var boss = await DeskAsync();
        await BringInAsync(boss, plastic.Line());
        foreach (var (role, unit) in new (Role, string?)[] { (Role.Auditor, null), (Role.Helpdesk, null), (Role.RolloutManager, null), (Role.Administrator, "Skole") })
        {
            var (_, _, other) = await Cast.AtTheDeskAsync(Server, role, unit, "/administration/people");
            foreach (var path in new[] { "/administration/tokens", Import, $"/administration/tokens/{plastic.Id}" })
            {
                await other.OpenAsync(path);
                Assert.True(other.Status is HttpStatusCode.Forbidden, $"{role} {unit} {path}: {other.Status}");
                Assert.DoesNotContain(plastic.Serial, other.Text, StringComparison.Ordinal);
            }

            other.Dispose();
        }

        await boss.OpenAsync(Import);
        await boss.UploadAsync("stor.csv", new byte[TokensImportModel.LargestFile + 1]);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, boss.Status);
        await boss.OpenAsync(Import);
        await boss.UploadAsync("tom.csv", []);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, boss.Status);

        var late = NewPlastic();
        await CompareAsync(boss, late.Line());
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        await boss.PressAsync("Importer dem");
        Assert.Equal(HttpStatusCode.Forbidden, boss.Status);
        Assert.False(await Server.ReadAsync(db => db.Totps.AnyAsync(row => row.Id == late.Id)));
    }

    [Fact]
    public async Task A_policy_without_code_generators_offers_and_takes_none()
    {
        var kari = await Server.AddPersonAsync();
        var plastic = NewPlastic();
        await Server.ChangeAsync(db =>
        {
            db.MethodPolicies.Add(new MethodPolicy("Uten " + kari.UserName, $"user name is {kari.UserName}", Server.Clock.GetUtcNow()) { ForEnrolment = Methods.App | Methods.RecoveryCode });
            return Task.CompletedTask;
        });
        using var desk = await DeskAsync();
        await CompareAsync(desk, plastic.Line(kari));
        Assert.Contains("regelen tillater det ikke", desk.Text, StringComparison.Ordinal);
        await desk.PressAsync("Importer dem");

        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        Assert.Null(browser.Page.QuerySelector("option[value=token]"));
        await browser.SubmitAsync(browser.Page.Forms[0], tamper: fields => fields["method"] = "token");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);

        // The other way round: nothing else, and nothing in hand.
        await Server.ChangeAsync(async db =>
        {
            (await db.MethodPolicies.SingleAsync(row => row.Name == "Uten " + kari.UserName)).ForEnrolment = Methods.Token;
            (await db.Totps.SingleAsync(row => row.Id == plastic.Id)).TakeBack();
        });
        await browser.OpenAsync(browser.Path);
        Assert.Contains("Det er ikke noe du kan sette opp ennå.", browser.Text, StringComparison.Ordinal);
        Assert.False(browser.Has("Konfigurer"));
        await browser.OpenAsync($"/enrol/{browser.AttemptId}/token");
        Assert.EndsWith("/method", browser.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R35_R38_Security_info_adds_names_and_removes_it_and_a_waiting_one_is_never_lost_with_the_rest()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var (plastic, waiting) = (NewPlastic(), NewPlastic());
        using var desk = await DeskAsync();
        await BringInAsync(desk, plastic.Line(kari), waiting.Line(kari));
        using var browser = new Browser(Server);
        await browser.OpenAsync("/account/security");
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal(2, browser.Page.QuerySelectorAll("li[data-kind=token-waiting]").Length);
        await browser.PressAsync("Legg til en metode");
        await browser.Fill("Hvordan skal vi kontakte deg?", "token").PressAsync("Konfigurer");
        await browser.Choose($"{plastic.Serial}, Feitian c200").Fill("Koden fra kodegeneratoren", await plastic.CodeAsync()).PressAsync("Neste");
        Assert.Equal("Sikkerhetsinformasjon", browser.Heading);
        Assert.Contains($"Serienummer {plastic.Serial}.", browser.Page.QuerySelector("li[data-kind=token]")!.TextContent, StringComparison.Ordinal);

        // Who has an app as well may type either, and the page says so.
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        using (var next = new Browser(Server))
        {
            await next.OpenAppAsync();
            await next.PasswordAsync(kari);
            await next.PressAsync("Kode fra appen eller kodegeneratoren");
            Assert.Contains("appen på telefonen eller kodegeneratoren", next.Text, StringComparison.Ordinal);
            await next.Fill("Kode", await plastic.CodeAsync()).PressAsync("Bekreft");
            Assert.EndsWith("/stay", next.Path, StringComparison.Ordinal);
        }

        await browser.SubmitAsync(FormIn(browser, "li[data-kind=token]", "Rename"), tamper: fields => fields["name"] = "Den på nøkkelknippet");
        Assert.Equal("Den på nøkkelknippet", browser.Page.QuerySelector("li[data-kind=token] strong")!.TextContent);

        // A waiting one is nobody's method yet: its owner neither names nor removes it.
        foreach (var handler in new[] { "Rename", "Remove" })
        {
            await browser.SubmitAsync(FormIn(browser, "li[data-kind=token]", handler), tamper: fields => (fields["id"], fields["name"]) = (waiting.Id.ToString(), "x"));
            Assert.Equal(HttpStatusCode.NotFound, browser.Status);
            await browser.OpenAsync("/account/security");
        }

        await browser.SubmitAsync(FormIn(browser, "li[data-kind=token]", "Remove"));
        Assert.Null(browser.Page.QuerySelector("li[data-kind=token]"));
        Assert.Equal((kari.Id, AuthenticatorState.Revoked), await RowAsync(plastic) is var row ? (row.PersonId, row.State) : default);
        Assert.Equal(1, await CountAsync(SecurityEvent.TokenRemoved, kari));

        // The helpdesk takes everything else away, and the one that was just handed out is what the person enrols with.
        var (_, _, helpdesk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: $"/administration/people/{kari.UserName}");
        await helpdesk.SubmitAsync(FormOf(helpdesk, "RequireEnrolment"), tamper: fields => fields["reason"] = "Ny telefon");
        helpdesk.Dispose();
        Assert.Equal((kari.Id, AuthenticatorState.Unconfirmed), await RowAsync(waiting) is var left ? (left.PersonId, left.State) : default);
    }

    [Fact]
    public async Task R92_Who_is_erased_leaves_the_plastic_and_waiting_ones_wait_as_long_as_it_takes()
    {
        var kari = await Server.AddPersonAsync();
        var (used, waiting) = (NewPlastic(), NewPlastic());
        using (var desk = await DeskAsync())
        {
            await BringInAsync(desk, used.Line(kari), waiting.Line(kari));
            using var browser = await AtTheSetUpAsync(kari);
            await browser.Choose($"{used.Serial}, Feitian c200").Fill("Koden fra kodegeneratoren", await used.CodeAsync()).PressAsync("Neste");
        }

        Server.Clock.Advance(TimeSpan.FromDays(40));
        await SweepAsync();
        Assert.Equal(kari.Id, (await RowAsync(waiting)).PersonId);

        var (_, _, boss) = await Cast.AtTheDeskAsync(Server, path: $"/administration/people/{kari.UserName}");
        await boss.SubmitAsync(FormOf(boss, "Erase"), tamper: fields => (fields["confirm"], fields["reason"]) = (kari.UserName, "Sluttet"));
        Assert.False(await Server.ReadAsync(db => db.People.AnyAsync(row => row.Id == kari.Id)));
        foreach (var plastic in new[] { used, waiting })
            Assert.Equal((TotpAuthenticator.Nobody, AuthenticatorState.Unconfirmed, null, null), await RowAsync(plastic) is var row ? (row.PersonId, row.State, row.Name, row.LastUsedAt) : default);
        boss.Dispose();
    }

    private static IHtmlFormElement FormOf(Browser browser, string handler) =>
        browser.Page.Forms.FirstOrDefault(form => form.GetAttribute("action")?.Contains("handler=" + handler, StringComparison.Ordinal) is true) ?? throw new InvalidOperationException($"No {handler} on “{browser.Heading}”: {browser.Text}");

    private static IHtmlFormElement FormIn(Browser browser, string place, string handler) => (IHtmlFormElement)browser.Page.QuerySelector($"{place} form[action$='handler={handler}']")!;

    /// <summary>Any handler with any fields, through another form of the desk.</summary>
    private static async Task PostAsync(Browser desk, string page, string handler, params (string Name, string Value)[] fields)
    {
        await desk.OpenAsync(Import);
        await desk.SubmitAsync(
            desk.Page.Forms.First(form => form.QuerySelector("input[name=form]") is not null),
            tamper: typed =>
            {
                foreach (var (name, value) in fields) typed[name] = value;
            },
            forge: request => request.RequestUri = new Uri($"{page}?handler={handler}", UriKind.Relative));
    }

    private Task SweepAsync() => ActivatorUtilities.CreateInstance<Cleanup>(Server.Services).SweepAsync(TestContext.Current.CancellationToken);
}
