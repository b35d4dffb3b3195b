using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Administration;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutImportOnSqlite(SqliteStage stage) : RolloutImportStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutImportOnPostgres(PostgresStage stage) : RolloutImportStories(stage), IClassFixture<PostgresStage>;

/// <summary>A file of people: compared first, then brought in as a whole or not at all.</summary>
public abstract class RolloutImportStories(Stage stage)
{
    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task A_file_is_compared_brought_in_and_the_second_time_nothing_changes()
    {
        var mark = Mark();
        var known = await Server.AddPersonAsync("Kari Nordmann");
        var before = await ReadAsync(known.UserName);
        var file = Text($"Navn;Brukernavn;E-post;Enhet;Språk\nÅse Bø;{mark}-1;ase@eksempel.no;Skole;nn\nKari N. Nordmann;{known.UserName.ToUpperInvariant()};;Helse;nb\n");
        var (author, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        await browser.UploadAsync("folk.csv", file);
        Assert.Equal(("1", "1", "0", "0"), Figures(browser));
        var changes = browser.Page.GetElementById("changes")!.TextContent;
        Assert.Contains("Kari Nordmann", changes, StringComparison.Ordinal); // the old value beside the new one
        Assert.Contains("Bokmål", changes, StringComparison.Ordinal); // and not "nb"
        Assert.Equal("Kari Nordmann", (await ReadAsync(known.UserName))!.DisplayName); // the dry run changed nothing
        Assert.Null(await ReadAsync($"{mark}-1"));

        await BringInAsync(browser);
        Assert.Equal("Done", State(browser));
        var ase = await ReadAsync($"{mark}-1");
        Assert.Equal(("Åse Bø", "ase@eksempel.no", "Skole", "nn", null), (ase!.DisplayName, ase.Email, ase.Unit, ase.Language, ase.PasswordHash));
        var kari = await ReadAsync(known.UserName);
        Assert.Equal(("Kari N. Nordmann", null, "Helse", "nb"), (kari!.DisplayName, kari.Email, kari.Unit, kari.Language));
        Assert.Equal((before!.PasswordHash, before.LastSignInAt, before.WaveId, before.WaveIsFixed), (kari.PasswordHash, kari.LastSignInAt, kari.WaveId, kari.WaveIsFixed)); // R47
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.PeopleImported && row.ActorId == author.Id)));

        await browser.OpenAsync("/administration/import");
        await browser.UploadAsync("folk.csv", file);
        Assert.Equal(("0", "0", "2", "0"), Figures(browser));
        Assert.False(browser.Has("Hent dem inn"));
    }

    [Fact]
    public async Task Every_line_that_brings_nobody_in_is_named_by_its_number()
    {
        var mark = Mark();
        var report = await CompareAsync(Text(string.Join("\r\n",
            "user name,name,mail,language,phone,last used,manager",
            $"{mark}-a,Anne,anne@eksempel.no,nb,+47 22 00 00 00,2026-10-01,", // 2
            $"{mark}-a,Anne igjen,,nb,,,", // 3: twice
            "", // 4: an empty line is nothing
            $"{mark}-b,,,nb,,,", // 5: no name
            "with space,Navn,,nb,,,", // 6
            $"{mark}-c,Navn,not a mail,nb,,,", // 7
            $"{mark}-d,Navn,,sv,,,", // 8
            $"{mark}-e,Navn,,nb,ring meg,,", // 9
            $"{mark}-f,Navn,,nb,,2099-01-01,", // 10
            $"{mark}-g,Navn,,nb", // 11: too few cells
            $"{mark}-h,\"Na\"vn,,nb,,,", // 12: quotes
            $"{mark}-i,\"=cmd|' /C calc'!A0\",,nb,,,", // 13: only a name
            $"{mark}-j,Evil\u202Egnp.exe,,nb,,,", // 14: turns the text around
            $"{mark}-k,Siste,,nb,,,two words"))); // 15
        Assert.Equal(
            [
                (3, ImportTrouble.UserNameTwice), (5, ImportTrouble.Name), (6, ImportTrouble.UserName), (7, ImportTrouble.Mail), (8, ImportTrouble.Language), (9, ImportTrouble.Phone),
                (10, ImportTrouble.LastUsed), (11, ImportTrouble.Cells), (12, ImportTrouble.Quotes), (14, ImportTrouble.Name), (15, ImportTrouble.Manager),
            ],
            report.Problems.Select(problem => (problem.Line, problem.Trouble)));
        Assert.Equal((2, 11), (report.Added, report.ProblemCount));
        Assert.Equal("2", report.Problems[0].Text); // the line where the name stood first
    }

    [Theory]
    [InlineData(';', "utf-8")]
    [InlineData(',', "utf-8")]
    [InlineData('\t', "utf-8-bom")]
    [InlineData(';', "windows-1252")]
    public async Task Letters_and_separators_are_found_out(char separator, string letters)
    {
        var mark = Mark();
        var text = $"Namn;Brukarnamn;Eining\nÆsøy Åsgård;{mark};Kultur/Bibliotek\n".Replace(';', separator);
        byte[] file = letters switch
        {
            "windows-1252" => CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetBytes(text),
            "utf-8-bom" => [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)],
            _ => Encoding.UTF8.GetBytes(text),
        };
        await BringInAsync(file);
        var person = await ReadAsync(mark);
        Assert.Equal(("Æsøy Åsgård", "Kultur/Bibliotek"), (person!.DisplayName, person.Unit));
    }

    [Theory]
    [InlineData("")]
    [InlineData("navn;enhet\nKari;Skole\n")]
    [InlineData("navn;namn;brukernavn\nKari;Kari;kari\n")]
    [InlineData("\0\0\0\0\u0001\u0002")]
    public async Task A_file_that_is_no_list_of_people_brings_nobody_in(string text)
    {
        var report = await CompareAsync(Text(text));
        Assert.Equal((0, 0), (report.Added, report.Changed));
        Assert.True(report.ProblemCount > 0);
    }

    [Fact]
    public async Task Hostile_names_are_only_names()
    {
        var mark = Mark();
        string[] names = ["<script>alert(1)</script>", "Robert'); DROP TABLE people;--", "{{7*7}} ${7*7}", "O'Brien \"Bob\"", "%00 %n %s", "😀 Åse"];
        await BringInAsync(Text("brukernavn;navn\n" + string.Join('\n', names.Select((name, index) => $"{mark}-{index};\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))));
        for (var index = 0; index < names.Length; index++) Assert.Equal(names[index], (await ReadAsync($"{mark}-{index}"))!.DisplayName);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        await browser.UploadAsync("<b>.csv", Text($"brukernavn;navn\n{mark}-0;<img src=x>\n"));
        Assert.Null(browser.Page.QuerySelector("main img, main script"));
        Assert.Contains("<img src=x>", browser.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Five_thousand_people_come_in_with_their_waves_or_when_it_is_stopped_not_one_of_them()
    {
        var mark = Mark();
        var unit = $"U{mark}";
        await Server.ChangeAsync(async db =>
        {
            var now = Server.Clock.GetUtcNow();
            db.Waves.Add(new Wave(unit, now, now.AddDays(30), now) { Rule = $"unit under {unit}", Position = -1, Access = EnrolmentAccess.CodeRequired });
            await Task.CompletedTask;
        });
        var file = Text("brukernavn;navn;enhet\n" + string.Join('\n', Enumerable.Range(0, 5000).Select(number => $"{mark}-{number};Person {number};{unit}/{number % 7}")));
        using (var stop = new CancellationTokenSource())
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BringInAsync(file, lines => _ = lines >= 3000 ? stop.CancelAsync() : Task.CompletedTask, stop.Token));
        Assert.Equal(0, await CountAsync(mark));

        var report = await BringInAsync(file);
        Assert.Equal((5000, 5000, 0), (report.Lines, report.Added, report.ProblemCount));
        Assert.Equal(5000, await CountAsync(mark));
        Assert.Equal(5000, await Server.ReadAsync(db => db.People.CountAsync(person => db.Waves.Any(wave => wave.Id == person.WaveId && wave.Name == unit))));
        Assert.Equal(5000, (await CompareAsync(file)).Unchanged);
    }

    [Fact]
    public async Task People_enrol_and_sign_in_while_a_file_is_read_and_what_they_did_stays()
    {
        var mark = Mark();
        using var reached = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var known = new List<Person>();
        foreach (var name in new[] { "Kari Nordmann", "Ola Nordmann", "Per Nordmann", "Unni Nordmann" }) known.Add(await Server.AddPersonAsync(name));
        var (kari, ola, per, unni) = (known[0], known[1], known[2], known[3]);
        var file = Text("brukernavn;navn;enhet\n" + string.Join('\n', known.Select(person => $"{person.UserName};Ny {person.DisplayName};{mark}")) + "\n" + string.Join('\n', Enumerable.Range(0, 2500).Select(number => $"{mark}-{number};Person {number};{mark}")));
        var import = Task.Run(() => BringInAsync(file, lines =>
        {
            if (lines < 2000) return;
            reached.Set();
            Assert.True(goOn.Wait(TimeSpan.FromMinutes(2)), "Nobody let it go on.");
        }));
        Assert.True(await Task.Run(() => reached.Wait(TimeSpan.FromMinutes(2))), "It did not get that far.");

        // In the middle of it: one enrols and signs in, one is locked, one is erased, somebody is made, and a wave comes to be.
        using (var browser = new Browser(Server))
        {
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.EnrolPhoneAsync(Server);
            await browser.FinishAsync(stay: false);
            Assert.Equal("app.test", browser.LeftFor?.Host);
        }

        await Server.ChangeAsync(async db =>
        {
            var now = Server.Clock.GetUtcNow();
            (await db.People.SingleAsync(person => person.Id == ola.Id)).Lock();
            await db.People.Where(person => person.Id == per.Id).ExecuteDeleteAsync();
            db.People.Add(new Person(UserName.Parse($"{mark}-7"), "Somebody else", now));
            db.Waves.Add(new Wave(mark, now, now.AddDays(30), now) { Rule = $"unit is {mark}", Position = -7, Access = EnrolmentAccess.CodeRequired });
        });
        Assert.Equal(0, await Server.ReadAsync(db => db.People.CountAsync(person => person.Unit == mark)));
        goOn.Set();

        var report = await import;
        Assert.Equal((2500, 4, 0), (report.Added, report.Changed, report.Unchanged)); // who was made is now changed, who was erased is new
        var after = await ReadAsync(kari.UserName);
        Assert.Equal(("Ny Kari Nordmann", mark, kari.WaveId, true), (after!.DisplayName, after.Unit, after.WaveId, after.IsEnrolled));
        Assert.Equal(PersonState.Locked, (await ReadAsync(ola.UserName))!.State);
        Assert.NotEqual(per.Id, (await ReadAsync(per.UserName))!.Id);
        Assert.Equal(unni.Id, (await ReadAsync(unni.UserName))!.Id);
        Assert.Equal("Person 7", (await ReadAsync($"{mark}-7"))!.DisplayName);
        Assert.Equal(2504, await Server.ReadAsync(db => db.People.CountAsync(person => person.Unit == mark && person.SearchText.Contains(mark))));
        Assert.Equal(2501, await Server.ReadAsync(db => db.People.CountAsync(person => db.Waves.Any(wave => wave.Id == person.WaveId && wave.Name == mark)))); // three are named for theirs
    }

    [Fact]
    public async Task An_import_that_runs_is_stopped_by_the_button_and_nothing_of_it_is_there()
    {
        var mark = Mark();
        var file = Text("brukernavn;navn\n" + string.Join('\n', Enumerable.Range(0, 20_000).Select(number => $"{mark}-{number};Person {number}")));
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        var (boss, _, other) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        await browser.UploadAsync("folk.csv", file);
        var id = browser.Path.Split("run=")[1];
        await using (var scope = Server.Services.CreateAsyncScope())
        {
            // While this lasts nobody is brought in, however fast the machine is.
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            await browser.PressAsync("Hent dem inn");
            Assert.Equal("Running", State(browser));
            await using var hold = await db.Database.BeginTransactionAsync();
            if (db.Database.IsNpgsql()) await db.Database.ExecuteSqlAsync($"LOCK TABLE people IN SHARE ROW EXCLUSIVE MODE");
            await other.OpenAsync($"/administration/import?run={id}");
            await other.PressAsync("Stopp importen");
            Assert.Equal("Running", State(other)); // asked, and said so
            Assert.NotNull(other.Page.QuerySelector("[role=status]"));
        }

        await Server.Services.GetRequiredService<ImportWorker>().WhenEndedAsync(id);
        await browser.OpenAsync($"/administration/import?run={id}");
        Assert.Equal("Cancelled", State(browser));
        Assert.False(browser.Has("Stopp importen"));
        Assert.Equal(0, await CountAsync(mark));
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.ImportCancelled && row.Subject == id && row.ActorId == boss.Id)));
        Assert.Contains("Import av personer stoppet", (await other.OpenAsync("/administration/audit?event=ImportCancelled")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_imports_at_once_bring_everybody_in_once()
    {
        var mark = Mark();
        var file = Text("brukernavn;navn\n" + string.Join('\n', Enumerable.Range(0, 1500).Select(number => $"{mark}-{number};Person {number}")));
        var (_, _, one) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        var (_, _, two) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        await one.UploadAsync("en.csv", file);
        await two.UploadAsync("to.csv", file);
        await Task.WhenAll(BringInAsync(one), BringInAsync(two));
        Assert.Equal(("Done", "Done"), (State(one), State(two)));
        Assert.Equal(1500, await CountAsync(mark));
        Assert.Equal(["0", "1500"], new[] { Figures(one).Added, Figures(two).Added }.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_import_that_waits_is_stopped_and_a_file_put_away_is_gone()
    {
        var mark = Mark();
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        await browser.UploadAsync("folk.csv", Text($"brukernavn;navn\n{mark};Kari\n"));
        await browser.PressAsync("Legg bort filen");
        Assert.Equal("Cancelled", State(browser));
        Assert.False(browser.Has("Hent dem inn"));
        Assert.Equal(0, await CountAsync(mark));
        var id = browser.Path.Split("run=")[1];
        Assert.True(await Server.ReadAsync(db => db.ImportRuns.AnyAsync(run => run.Id == id && run.Content == null)));
    }

    [Fact]
    public async Task What_ran_when_the_server_ended_is_called_failed_and_has_done_nothing()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        var id = RandomId.New();
        await server.ChangeAsync(async db =>
        {
            db.ImportRuns.Add(new ImportRun { Id = id, AuthorId = Guid.CreateVersion7(), FileName = "folk.csv", Content = Text("brukernavn;navn\nkari;Kari\n"), CreatedAt = server.Clock.GetUtcNow(), State = ImportState.Running });
            await Task.CompletedTask;
        });
        await server.RestartAsync();
        Assert.Equal(ImportState.Failed, await server.ReadAsync(db => db.ImportRuns.Where(run => run.Id == id).Select(run => run.State).SingleAsync()));
        Assert.Equal(0, await server.ReadAsync(db => db.People.CountAsync()));
        var (_, _, browser) = await Cast.AtTheDeskAsync(server, path: $"/administration/import?run={id}");
        Assert.Contains("Last opp filen en gang til", browser.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Role.Helpdesk, null)]
    [InlineData(Role.RolloutManager, null)]
    [InlineData(Role.Auditor, null)]
    [InlineData(Role.Administrator, "Skole")]
    public async Task Only_an_administrator_of_the_whole_organisation_imports(Role role, string? unit)
    {
        var mark = Mark();
        var (_, _, boss) = await Cast.AtTheDeskAsync(Server, path: "/administration/import");
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, role, unit, "/administration/import");
        Assert.Null(browser.Page.QuerySelector("input[type=file]"));
        var parts = new MultipartFormDataContent { { new ByteArrayContent(Text($"brukernavn;navn\n{mark};Kari\n")), "File", "folk.csv" } };
        await browser.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/administration/import") { Content = parts });
        Assert.True(browser.Status is HttpStatusCode.Forbidden or HttpStatusCode.BadRequest, browser.Status.ToString());
        Assert.False(await Server.ReadAsync(db => db.ImportRuns.AnyAsync(run => run.FileName == mark)));
        Assert.NotNull(boss.Page.QuerySelector("input[type=file]"));

        // What somebody else's file would change is about people of all units.
        var run = new ImportRun { Id = mark, AuthorId = Guid.NewGuid(), FileName = "folk.csv", Content = [], CreatedAt = Server.Clock.GetUtcNow(), Lines = 1, Added = 1 };
        await Server.ChangeAsync(db =>
        {
            db.ImportRuns.Add(run);
            return Task.CompletedTask;
        });
        await boss.OpenAsync($"/administration/import?run={mark}");
        Assert.Equal(HttpStatusCode.OK, boss.Status);
        await browser.OpenAsync($"/administration/import?run={mark}");
        Assert.True(browser.Status is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{browser.Status}");
    }

    private static string Mark() => $"m{Guid.NewGuid():N}"[..10];

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static string State(Browser browser) => browser.Page.GetElementById("state")?.GetAttribute("data-state") ?? throw new InvalidOperationException($"No import on “{browser.Heading}” ({browser.Status}): {browser.Text}");

    private static (string Added, string Changed, string Unchanged, string Problems) Figures(Browser browser)
    {
        return (Of("added"), Of("changed"), Of("unchanged"), Of("problems"));

        string Of(string name) => string.Concat((browser.Page.QuerySelector($"[data-import={name}]") ?? throw new InvalidOperationException($"No {name} on “{browser.Heading}” ({browser.Status}): {browser.Text}")).TextContent.Where(char.IsAsciiDigit));
    }

    private async Task BringInAsync(Browser browser)
    {
        var id = browser.Path.Split("run=")[1];
        await browser.PressAsync("Hent dem inn");
        await Server.Services.GetRequiredService<ImportWorker>().WhenEndedAsync(id);
        await browser.OpenAsync($"/administration/import?run={id}");
    }

    private async Task<ImportReport> BringInAsync(byte[] file, Action<int>? progress = null, CancellationToken cancellationToken = default)
    {
        await using var scope = Server.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<PeopleImport>().BringInAsync(new MemoryStream(file), null, null, progress, cancellationToken);
    }

    private async Task<ImportReport> CompareAsync(byte[] file)
    {
        await using var scope = Server.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<PeopleImport>().CompareAsync(new MemoryStream(file), CancellationToken.None);
    }

    private Task<int> CountAsync(string mark) => Server.ReadAsync(db => db.People.CountAsync(person => person.UserName.StartsWith(mark)));

    private Task<Person?> ReadAsync(string userName) => Server.ReadAsync(db => db.People.AsNoTracking().SingleOrDefaultAsync(person => person.UserName == userName));
}
