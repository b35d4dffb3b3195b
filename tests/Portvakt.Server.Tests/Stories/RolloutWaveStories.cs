using System.Globalization;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutWavesOnSqlite(SqliteStage stage) : RolloutWaveStories(stage), IClassFixture<SqliteStage>;

public sealed class RolloutWavesOnPostgres(PostgresStage stage) : RolloutWaveStories(stage), IClassFixture<PostgresStage>;

/// <summary>Waves are planned with a look at what they do, and bite when they are saved.</summary>
public abstract class RolloutWaveStories(Stage stage)
{
    private static int _numbers;

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task A_new_wave_takes_its_people_by_rule_and_by_name_and_ends_with_its_last_day()
    {
        var unit = Name("Enhet");
        var inside = await PersonInAsync(unit + "/Skole");
        var outside = await PersonInAsync("Annet");
        var named = await PersonInAsync("Annet");
        var (manager, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: "/administration/waves/new");
        var name = Name("Bølge");
        await FillAsync(browser, name, "2026-10-25", "2027-03-28", $"unit under {unit}", named.UserName.ToUpperInvariant());
        Assert.Equal(("2", "2", "0"), (Effect(browser, "people"), Effect(browser, "joining"), Effect(browser, "blocked")));
        Assert.Equal(0, await Server.ReadAsync(db => db.Waves.CountAsync(wave => wave.Name == name))); // shown, not done
        Assert.Null((await ReadAsync(inside)).WaveId);

        await browser.PressAsync("Lagre");
        var wave = await Server.ReadAsync(db => db.Waves.AsNoTracking().SingleAsync(row => row.Name == name));
        Assert.Equal("/administration/waves", browser.Path);
        Assert.Equal((wave.Id, false), ((await ReadAsync(inside)).WaveId!.Value, (await ReadAsync(inside)).WaveIsFixed));
        Assert.Equal((wave.Id, true), ((await ReadAsync(named)).WaveId!.Value, (await ReadAsync(named)).WaveIsFixed));
        Assert.Null((await ReadAsync(outside)).WaveId);

        // The day on which the clocks go back has 25 hours, and the last day is included although the clocks go forward on it.
        Assert.Equal(new DateTimeOffset(2026, 10, 24, 22, 0, 0, TimeSpan.Zero), wave.StartsAt);
        Assert.Equal(new DateTimeOffset(2027, 3, 28, 22, 0, 0, TimeSpan.Zero), wave.DeadlineAt);
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.WaveCreated && row.ActorId == manager.Id && row.Subject == wave.Id.ToString("N") && row.Reason!.Contains("access: Open"))));
    }

    [Fact]
    public async Task What_cannot_be_is_said_line_by_line_and_nothing_is_saved()
    {
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Administrator, path: "/administration/waves/new");
        var name = Name("Feil");
        await FillAsync(browser, name, "2026-12-24", "2026-12-01", "everyone\nunit like Skole", "\nfinnes-ikke");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        var problems = browser.Page.GetElementById("problem")!.TextContent;
        Assert.Contains("Siste dag kan ikke ligge før den første", problems, StringComparison.Ordinal);
        Assert.Contains("Linje 2 i regelen", problems, StringComparison.Ordinal);
        Assert.Contains("Linje 2 av navnene", problems, StringComparison.Ordinal);
        Assert.Contains("finnes-ikke", problems, StringComparison.Ordinal);
        Assert.False(await Server.ReadAsync(db => db.Waves.AnyAsync(wave => wave.Name == name)));
        Assert.Contains("unit like Skole", browser.Page.QuerySelector("textarea[name=Rule]")!.TextContent, StringComparison.Ordinal); // typed text is kept
    }

    [Fact]
    public async Task A_shortened_deadline_bites_at_once_also_for_Ola_who_said_not_now()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann", deadlineIn: TimeSpan.FromDays(20), after: AfterDeadline.Block);
        using (var his = new Browser(Server))
        {
            await his.OpenAppAsync();
            await his.PasswordAsync(ola);
            await his.PressAsync("Ikke nå");
            Assert.NotEqual("Mer informasjon kreves", his.Heading);
        }

        var (manager, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration/waves/{ola.WaveId}");
        browser.Fill("Siste dag med bare passord", "2026-11-01");
        await browser.PressAsync("Se hva som skjer");
        Assert.Contains("Skriv en begrunnelse", browser.Text, StringComparison.Ordinal);
        browser.Fill("Begrunnelse (til revisjonsloggen)", "Angrep pågår");
        await browser.PressAsync("Se hva som skjer");
        Assert.Equal(("1", "1"), (Effect(browser, "losing"), Effect(browser, "blocked")));
        await browser.PressAsync("Lagre");

        using var later = new Browser(Server);
        await later.OpenAppAsync();
        await later.PasswordAsync(ola);
        Assert.Equal("Du trenger hjelp for å komme inn", later.Heading);
        var row = await Server.ReadAsync(db => db.AuditEvents.SingleAsync(audit => audit.What == SecurityEvent.DeadlineShortened && audit.Subject == ola.WaveId!.Value.ToString("N")));
        Assert.Equal((manager.Id, "Angrep pågår"), (row.ActorId, row.Reason));
    }

    [Fact]
    public async Task Of_two_managers_who_change_the_same_wave_the_second_is_told()
    {
        var kari = await Server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(20));
        var (_, _, first) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration/waves/{kari.WaveId}");
        var (_, _, second) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: $"/administration/waves/{kari.WaveId}");
        await ToPreviewAsync(first, "2026-12-01");
        await ToPreviewAsync(second, "2026-12-24");
        await first.PressAsync("Lagre");
        Assert.Equal("/administration/waves", first.Path);
        await second.PressAsync("Lagre");
        Assert.Equal(HttpStatusCode.Conflict, second.Status);
        Assert.Contains("Noen andre endret bølgene", second.Text, StringComparison.Ordinal);
        Assert.Equal(new DateOnly(2026, 12, 1), EnrolmentRule.LastDay(await Server.ReadAsync(db => db.Waves.Where(wave => wave.Id == kari.WaveId).Select(wave => wave.DeadlineAt).SingleAsync()), TimeZoneInfo.FindSystemTimeZoneById("Europe/Oslo")));

        static async Task ToPreviewAsync(Browser browser, string lastDay)
        {
            browser.Fill("Siste dag med bare passord", lastDay).Fill("Begrunnelse (til revisjonsloggen)", "plan");
            await browser.PressAsync("Se hva som skjer");
        }
    }

    [Fact]
    public async Task The_first_wave_that_fits_counts_and_a_removed_one_leaves_its_people_to_the_next()
    {
        var unit = Name("Rekke");
        var kari = await PersonInAsync(unit);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Administrator, path: "/administration/waves/new");
        var (one, two) = (Name("En"), Name("To"));
        foreach (var name in new[] { one, two })
        {
            await browser.OpenAsync("/administration/waves/new");
            await FillAsync(browser, name, "2026-11-01", "2026-12-01", $"unit is {unit}", "");
            await browser.PressAsync("Lagre");
        }

        Assert.Equal(one, await WaveOfAsync(kari));
        var up = browser.Page.QuerySelectorAll("button").First(button => button.GetAttribute("aria-label") == $"Flytt {two} opp");
        await browser.SubmitAsync((AngleSharp.Html.Dom.IHtmlFormElement)up.Closest("form")!, up);
        Assert.Equal(two, await WaveOfAsync(kari));

        var id = (await ReadAsync(kari)).WaveId;
        await browser.OpenAsync($"/administration/waves/{id}");
        await browser.PressAsync("Fjern bølgen");
        Assert.Equal(one, await WaveOfAsync(kari));
        Assert.True(await Server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.WaveRemoved && row.Subject == id!.Value.ToString("N"))));
    }

    [Fact]
    public async Task Whose_role_counts_in_one_unit_looks_at_waves_and_changes_none()
    {
        var kari = await Server.AddPersonAsync(deadlineIn: TimeSpan.FromDays(20));
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.RolloutManager, "Skole", $"/administration/waves/{kari.WaveId}");
        Assert.False(browser.Has("Se hva som skjer"));
        await browser.SubmitAsync(browser.Page.Forms.First(form => form.QuerySelector("[name=FirstDay]") is not null), tamper: fields => fields["LastDay"] = "2026-10-01", forge: request => request.RequestUri = new Uri($"/administration/waves/{kari.WaveId}?handler=Save", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, browser.Status);
    }

    private static string Name(string start) => $"{start}{Interlocked.Increment(ref _numbers).ToString(CultureInfo.InvariantCulture)}-{Guid.NewGuid():N}"[..14];

    private static string Effect(Browser browser, string of) => (browser.Page.QuerySelector($"[data-effect={of}]") ?? throw new InvalidOperationException($"No preview on “{browser.Heading}”: {browser.Text}")).TextContent;

    private static Task FillAsync(Browser browser, string name, string first, string last, string rule, string named)
    {
        browser.Fill("Navn på bølgen", name).Fill("Første dag", first).Fill("Siste dag med bare passord", last).Fill("Regel: hvem som hører til", rule).Fill("Personer etter navn: ett brukernavn på hver linje", named);
        return browser.SubmitAsync(browser.Page.Forms.First(form => form.QuerySelector("[name=FirstDay]") is not null), tamper: fields => fields["Access"] = "Open");
    }

    private Task<Person> ReadAsync(Person person) => Server.ReadAsync(db => db.People.AsNoTracking().SingleAsync(row => row.Id == person.Id));

    private async Task<string?> WaveOfAsync(Person person)
    {
        var id = (await ReadAsync(person)).WaveId;
        return await Server.ReadAsync(db => db.Waves.Where(wave => wave.Id == id).Select(wave => wave.Name).SingleOrDefaultAsync());
    }

    private async Task<Person> PersonInAsync(string unit)
    {
        var person = await Server.AddPersonAsync();
        await Server.ChangeAsync(async db =>
        {
            var row = await db.People.SingleAsync(known => known.Id == person.Id);
            row.Unit = unit;
            row.JoinWave(null, byName: false);
        });
        return person;
    }
}
