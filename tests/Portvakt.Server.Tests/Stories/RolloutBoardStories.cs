using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Administration;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutBoardOnSqlite(SqliteStage stage) : RolloutBoardStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutBoardOnPostgres(PostgresStage stage) : RolloutBoardStories(stage), IClassFixture<PostgresStage>;

/// <summary>The board says how things are, at this moment and for whom the actor may see.</summary>
public abstract class RolloutBoardStories(Stage stage)
{
    private static readonly TimeZoneInfo Oslo = TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo");
    private static int _seeds;

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task Every_number_has_exactly_the_people_behind_it()
    {
        var root = await ManyAsync(400);
        var now = Server.Clock.GetUtcNow();
        await Server.ReadAsync(async db =>
        {
            var people = db.People.Where(person => person.Unit == root || person.Unit!.StartsWith(root + "/"));
            var board = await BoardNumbers.LoadAsync(db, people, Oslo, now, CancellationToken.None);

            // A second opinion: everything in memory, person by person.
            var all = await people.AsNoTracking().ToListAsync();
            var terms = await db.PersonalTerms.AsNoTracking().ToListAsync();
            var waves = await db.Waves.AsNoTracking().ToDictionaryAsync(wave => wave.Id);
            bool Is(Person person, BoardState state)
            {
                var live = terms.Where(term => term.PersonId == person.Id && term.IsLive(now)).ToList();
                var isExempt = live.Exists(term => term.Kind is PersonalTermKind.Exemption);
                var common = person.WaveId is { } id ? waves[id].DeadlineAt : (DateTimeOffset?)null;
                var own = EnrolmentRule.DeadlineOf(new EnrolmentFacts { DeadlineAt = common, ExtendedUntil = live.Where(term => term.Kind is PersonalTermKind.Extension).Max(term => (DateTimeOffset?)term.Until) });
                return state switch
                {
                    BoardState.Enrolled => person.IsEnrolled,
                    BoardState.Exempt => !person.IsEnrolled && isExempt,
                    BoardState.Stuck => !person.IsEnrolled && !isExempt && person.EnrolmentStep is not null && now - person.EnrolmentStepAt >= TimeSpan.FromMinutes(30),
                    BoardState.Begun => !person.IsEnrolled && !isExempt && person.EnrolmentStep is not null && now - person.EnrolmentStepAt < TimeSpan.FromMinutes(30),
                    BoardState.NotBegun => !person.IsEnrolled && !isExempt && person.EnrolmentStep is null,
                    BoardState.Extended => !person.IsEnrolled && live.Exists(term => term.Kind is PersonalTermKind.Extension),
                    _ => !person.IsEnrolled && !isExempt && own <= now,
                };
            }

            Assert.Equal(all.Count, board.All.Total);
            Assert.Equal(all.Count, new[] { BoardState.Enrolled, BoardState.Exempt, BoardState.Stuck, BoardState.Begun, BoardState.NotBegun }.Sum(state => board.All[state]));
            foreach (var state in Enum.GetValues<BoardState>())
            {
                var expected = all.Where(person => Is(person, state)).ToList();
                Assert.True(expected.Count > 0, $"nobody is {state}: the story proves nothing");
                Assert.Equal(expected.Count, board.All[state]);
                Assert.Equal(expected.Select(person => person.UserName).Order(StringComparer.Ordinal), (await people.In(state, db, now).Select(person => person.UserName).ToListAsync()).Order(StringComparer.Ordinal));
                foreach (var wave in all.Select(person => person.WaveId).Distinct()) Assert.Equal(expected.Count(person => person.WaveId == wave), board.OfWave(wave)[state]);
                foreach (var (unit, count) in board.UnitsBelow(root)) Assert.Equal(expected.Count(person => person.Unit == unit || person.Unit!.StartsWith(unit + "/", StringComparison.Ordinal)), count[state]);
            }

            var stuck = all.Where(person => Is(person, BoardState.Stuck)).GroupBy(person => (person.EnrolmentStep, person.EnrolmentTrouble)).ToDictionary(group => group.Key, group => group.Count());
            Assert.Equal(stuck.Count, board.Troubles.Count());
            Assert.All(board.Troubles, row => Assert.Equal(stuck[(row.Step, row.Trouble)], row.People));

            foreach (var wave in all.Select(person => person.WaveId).OfType<Guid>().Distinct())
            {
                var days = all.Where(person => person.WaveId == wave && person.IsEnrolled).GroupBy(person => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(person.EnrolledAt!.Value, Oslo).DateTime)).OrderBy(group => group.Key).Select(group => (group.Key, group.Count()));
                Assert.Equal(days, board.DaysOf(wave).Select(day => (day.Day, day.New)));
            }

            return true;
        });
    }

    /// <summary>The database keeps the figures of everybody by itself, however people are changed: by a save, by one statement for many, by erasing them.</summary>
    [Fact]
    public async Task What_is_kept_of_everybody_is_what_counting_them_says()
    {
        var root = await ManyAsync(300);
        await CompareAsync();
        var now = Server.Clock.GetUtcNow();
        var waves = await Server.ReadAsync(db => db.Waves.Where(wave => wave.Name.StartsWith(root)).Select(wave => wave.Id).ToListAsync());
        await Server.ChangeAsync(db => db.People.Where(person => person.WaveId == waves[0]).ExecuteUpdateAsync(set => set.SetProperty(person => person.WaveId, waves[1])));
        await Server.ChangeAsync(db => db.People.Where(person => person.Unit == root + "/A").ExecuteUpdateAsync(set => set.SetProperty(person => person.Unit, (string?)null)));
        await Server.ChangeAsync(db => db.People.Where(person => person.Unit == root + "/B" && person.EnrolledAt == null).ExecuteDeleteAsync());
        await Server.ChangeAsync(async db =>
        {
            foreach (var person in await db.People.Where(person => person.Unit == root + "/C").ToListAsync())
            {
                if (person.IsEnrolled) person.RecordRemoval();
                else person.RecordEnrolment(now);
            }
        });
        await CompareAsync();

        // Nothing that others need is lost or counted twice when two nodes add it up at once.
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Server.ReadAsync(async db =>
        {
            await KeptCounts.FoldAsync(db, CancellationToken.None);
            return true;
        })));
        await CompareAsync();
        var (rows, places) = await Server.ReadAsync(async db => (await db.Database.SqlQuery<int>($"SELECT CAST(count(*) AS integer) AS \"Value\" FROM people_counts WHERE people <> 0").SingleAsync(), (await KeptCounts.PlacesAsync(db, CancellationToken.None)).Count));
        Assert.Equal(places, rows);

        Task CompareAsync() => Server.ReadAsync(async db =>
        {
            var at = Server.Clock.GetUtcNow();
            var (kept, counted) = (await BoardNumbers.LoadAsync(db, people: null, Oslo, at, CancellationToken.None), await BoardNumbers.LoadAsync(db, db.People, Oslo, at, CancellationToken.None));
            Assert.Equal(Figures(counted), Figures(kept));
            Assert.True(kept.All.Total >= 200, "It proves nothing.");
            return true;
        });

        static List<string> Figures(BoardNumbers board)
        {
            string Of(BoardCount count) => $"{count.Total}: {string.Join(' ', Enum.GetValues<BoardState>().Select(state => count[state]))}";
            return
            [
                Of(board.All),
                .. board.Places.Where(place => place.Count.Total > 0).Select(place => $"{place.WaveId} {place.Unit} {Of(place.Count)}").Order(StringComparer.Ordinal),
                .. board.Troubles.Select(row => $"{row}").Order(StringComparer.Ordinal),
                .. board.Waves.SelectMany(wave => board.DaysOf(wave.Id).Select(day => $"{wave.Id} {day}")),
            ];
        }
    }

    [Fact]
    public async Task The_page_is_counted_at_each_request()
    {
        var root = await ManyAsync(0);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration?unit={root}");
        Assert.Equal("0", Figure(browser, "Total"));
        var ola = await Server.AddPersonAsync("Ola Nordmann", deadlineIn: TimeSpan.FromDays(3));
        await SetAsync(ola.Id, person => person.Unit = root);
        await browser.ReloadAsync();
        Assert.Equal(("1", "1", "0", "0"), (Figure(browser, "Total"), Figure(browser, "NotBegun"), Figure(browser, "Begun"), Figure(browser, "Stuck")));

        using var his = new Browser(Server);
        await his.OpenAppAsync();
        await his.PasswordAsync(ola);
        await his.PressAsync("Neste");
        await browser.ReloadAsync();
        Assert.Equal(("0", "1", "0"), (Figure(browser, "NotBegun"), Figure(browser, "Begun"), Figure(browser, "Stuck")));

        await SetAsync(ola.Id, person => Assert.NotNull(person.EnrolmentStep));
        await Server.ChangeAsync(db => db.People.Where(person => person.Id == ola.Id).ExecuteUpdateAsync(set => set.SetProperty(person => person.EnrolmentStepAt, Server.Clock.GetUtcNow() - TimeSpan.FromMinutes(31))));
        await browser.ReloadAsync();
        Assert.Equal(("0", "1"), (Figure(browser, "Begun"), Figure(browser, "Stuck")));
        Assert.Contains("state=Stuck", browser.Page.QuerySelector("#stuck td a")!.GetAttribute("href"), StringComparison.Ordinal);

        await SetAsync(ola.Id, person => person.RecordEnrolment(Server.Clock.GetUtcNow()));
        await browser.ReloadAsync();
        Assert.Equal(("0", "1"), (Figure(browser, "Stuck"), Figure(browser, "Enrolled")));
    }

    [Fact]
    public async Task The_curve_is_a_picture_with_words_and_the_same_figures_as_a_table()
    {
        var root = await ManyAsync(60);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Auditor, path: $"/administration?unit={root}");
        Assert.Equal("Utrulling", browser.Heading);
        var curve = browser.Page.QuerySelectorAll("figure.pv-curve").First(figure => figure.QuerySelector("tbody tr") is not null);
        var svg = curve.QuerySelector("svg")!;
        Assert.Equal("img", svg.GetAttribute("role"));
        Assert.All(svg.GetAttribute("aria-labelledby")!.Split(' '), id => Assert.NotEmpty(browser.Page.GetElementById(id)!.TextContent));
        Assert.NotNull(svg.QuerySelector(".pv-curve-deadline"));
        Assert.NotNull(svg.QuerySelector("polyline"));
        Assert.Empty(browser.Page.QuerySelectorAll("[style]"));
        Assert.All(browser.Page.QuerySelectorAll("#units td a, #waves td a, .pv-numbers a"), link => Assert.StartsWith("/administration/people", link.GetAttribute("href"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_has_one_unit_counts_nobody_outside_it()
    {
        var root = await ManyAsync(40);
        var other = await ManyAsync(5);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, root, "/administration");
        Assert.Equal("40", Figure(browser, "Total"));
        Assert.DoesNotContain(other, browser.Page.Body!.TextContent, StringComparison.Ordinal);
        await browser.OpenAsync($"/administration?unit={other}");
        Assert.Equal("0", Figure(browser, "Total"));
        await browser.OpenAsync("/administration?handler=Csv");
        Assert.DoesNotContain(other, await browser.Answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_file_runs_no_formula_in_a_spreadsheet()
    {
        var kari = await Server.AddPersonAsync();
        await SetAsync(kari.Id, person => person.Unit = "=HYPERLINK(\"http://evil.test\";\"x\")");
        var (manager, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: "/administration");
        await browser.OpenAsync("/administration?handler=Csv");
        Assert.Equal("text/csv", browser.Answer.Content.Headers.ContentType!.MediaType);
        var text = Encoding.UTF8.GetString(await browser.Answer.Content.ReadAsByteArrayAsync());
        Assert.StartsWith("\uFEFF", text, StringComparison.Ordinal);
        Assert.Contains("\"'=HYPERLINK(\"\"http://evil.test\"\";\"\"x\"\")\"", text, StringComparison.Ordinal);
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.ListExported && row.ActorId == manager.Id)));
    }

    [Fact]
    public async Task A_wave_in_which_a_password_is_enough_is_warned_of_as_long_as_it_runs()
    {
        var ola = await Server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(5));
        var name = await Server.ReadAsync(db => db.Waves.Where(wave => wave.Id == ola.WaveId).Select(wave => wave.Name).SingleAsync());
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: "/administration");
        Assert.Contains(browser.Page.QuerySelectorAll("[role=note]"), note => note.TextContent.Contains(name, StringComparison.Ordinal));
        await Server.ChangeAsync(db => db.Waves.Where(wave => wave.Id == ola.WaveId).ExecuteUpdateAsync(set => set.SetProperty(wave => wave.Access, EnrolmentAccess.CodeRequired)));
        await browser.ReloadAsync();
        Assert.DoesNotContain(browser.Page.QuerySelectorAll("[role=note]"), note => note.TextContent.Contains(name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+47 22", "'+47 22")]
    [InlineData("-1", "'-1")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\\u0009=1")]
    [InlineData("\r=1", "'\\u000D=1")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("Ålesund", "Ålesund")]
    [InlineData("", "")]
    public void A_cell_is_text(string value, string cell) => Assert.Equal(cell, Csv.Cell(value));

    private static string Figure(Browser browser, string of) =>
        string.Concat((browser.Page.QuerySelector($"[data-number-of='{of}']") ?? throw new InvalidOperationException($"No {of} on “{browser.Heading}”: {browser.Text}")).TextContent.Where(char.IsAsciiDigit));

    private Task SetAsync(Guid id, Action<Person> change) => Server.ChangeAsync(async db => change(await db.People.SingleAsync(person => person.Id == id)));

    /// <summary>People in every state, in three waves and several units below one of their own. Answers with that unit.</summary>
    private async Task<string> ManyAsync(int count)
    {
        var seed = Interlocked.Increment(ref _seeds);
        var random = new Random(seed);
        var root = $"By{seed}{Guid.NewGuid():N}"[..12];
        var now = Server.Clock.GetUtcNow();
        await Server.ChangeAsync(async db =>
        {
            var waves = new[] { -10, -1, 20 }.Select(days => new Wave($"{root} {days}", now.AddDays(-40), now.AddDays(days), now) { Access = EnrolmentAccess.CodeRequired }).ToList();
            db.Waves.AddRange(waves);
            for (var number = 0; number < count; number++)
            {
                var person = new Person(UserName.Parse($"{root}-{number.ToString(CultureInfo.InvariantCulture)}"), $"Person {number}", now) { Unit = random.Next(5) is 0 ? root : $"{root}/{"ABC"[random.Next(3)]}{(random.Next(2) is 0 ? "" : "/Under")}" };
                var wave = random.Next(4);
                if (wave < 3) person.JoinWave(waves[wave].Id, byName: true);
                if (random.Next(3) is 0) person.RecordEnrolment(now.AddHours(-random.Next(900)));
                db.People.Add(person);
                if (!person.IsEnrolled && random.Next(2) is 0)
                {
                    var entry = db.Entry(person);
                    entry.Property(row => row.EnrolmentStep).CurrentValue = (SignInStep)random.Next((int)SignInStep.OfferEnrolment, (int)SignInStep.Backup);
                    entry.Property(row => row.EnrolmentStepAt).CurrentValue = now.AddMinutes(-random.Next(60));
                    entry.Property(row => row.EnrolmentTrouble).CurrentValue = random.Next(3) is 0 ? null : (EnrolmentTrouble)random.Next(4);
                }

                for (var term = random.Next(8); term < 2; term++)
                {
                    var granted = new PersonalTerm(random.Next(2) is 0 ? PersonalTermKind.Exemption : PersonalTermKind.Extension, person.Id, now.AddDays(random.Next(3) is 0 ? -5 : 5), "story", person.Id, now.AddDays(-9));
                    if (random.Next(4) is 0) granted.End(now.AddDays(-6));
                    db.PersonalTerms.Add(granted);
                }
            }

            await db.SaveChangesAsync();
        });
        return root;
    }
}
