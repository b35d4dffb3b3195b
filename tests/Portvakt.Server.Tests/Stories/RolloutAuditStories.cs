using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutAuditOnSqlite(SqliteStage stage) : RolloutAuditStories(stage, DatabaseKind.Sqlite), IClassFixture<SqliteStage>;

public sealed class RolloutAuditOnPostgres(PostgresStage stage) : RolloutAuditStories(stage, DatabaseKind.Postgres), IClassFixture<PostgresStage>;

/// <summary>R96, R92, R89: what is written into the log, and how it is read.</summary>
public abstract class RolloutAuditStories(Stage stage, DatabaseKind kind)
{
    private const string Hostile = "=HYPERLINK(\"http://x\")\r\nINFO: forged\u001b[2J\u202egnirts\u2066\0\u2028end\u00ad";

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task A_whole_journey_leaves_one_row_for_each_thing_that_happened()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Assert.Equal(
            [
                SecurityEvent.PasswordVerified, SecurityEvent.EnrolmentBegun, SecurityEvent.BindingCodeIssued, SecurityEvent.PhoneBound, SecurityEvent.ApprovalRequested,
                SecurityEvent.ApprovalApproved, SecurityEvent.PhoneActivated, SecurityEvent.SessionIssued, SecurityEvent.SignInFinished,
            ], (await EventsAsync(kari)).Select(row => row.What).Order(Comparer<SecurityEvent>.Create((one, two) => Order(one).CompareTo(Order(two)))));

        Server.Clock.Advance(TimeSpan.FromHours(20));
        var before = (await EventsAsync(kari)).Count;
        using var browser = new Browser(Server, address: "198.51.100.23");
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari, "feil passord her");
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        await browser.OpenAsync("/sign-out");
        await browser.PressAsync("Logg av");
        var rows = (await EventsAsync(kari)).Skip(before).ToList();
        Assert.Equal(
            [
                SecurityEvent.PasswordRejected, SecurityEvent.PasswordVerified, SecurityEvent.ApprovalRequested, SecurityEvent.ApprovalApproved, SecurityEvent.SecondFactorVerified,
                SecurityEvent.SessionIssued, SecurityEvent.SignInFinished, SecurityEvent.SessionEnded,
            ], rows.Select(row => row.What).Order(Comparer<SecurityEvent>.Create((one, two) => (one is SecurityEvent.PasswordRejected ? -1 : Order(one)).CompareTo(two is SecurityEvent.PasswordRejected ? -1 : Order(two)))));
        Assert.All(rows, row => Assert.Equal(kari.Id, row.PersonId));
        Assert.All(rows.Where(row => row.What is not SecurityEvent.ApprovalApproved), row => Assert.Equal("198.51.100.23", row.Address));
        Assert.NotNull(rows.Single(row => row.What is SecurityEvent.ApprovalApproved).Address);
    }

    [Fact]
    public async Task What_cannot_be_recorded_is_not_done()
    {
        var fault = new NoRows();
        _ = Server; // skipped where there is no such database
        await using var server = await PortvaktServer.StartAsync(kind, services: services =>
        {
            if (kind is DatabaseKind.Sqlite) services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(fault));
            else services.ConfigureDbContext<PostgresPortvaktDb>(options => options.AddInterceptors(fault));
        });
        var (ola, _) = await Cast.EnrolledAsync(server);
        var (admin, _, browser) = await Cast.AtTheDeskAsync(server, path: "/administration/roles");
        using var open = browser;

        fault.IsArmed = true;
        browser.Fill("Brukernavn", ola.UserName);
        await browser.SubmitAsync(browser.Page.Forms.Single(form => form.QuerySelector("#role") is not null), browser.Page.QuerySelector("#role")!.Closest("form")!.QuerySelector("button"));
        Assert.Equal(HttpStatusCode.InternalServerError, browser.Status);
        fault.IsArmed = false;
        Assert.True(fault.HasFailed);
        Assert.False(await server.ReadAsync(db => db.RoleAssignments.AnyAsync(role => role.PersonId == ola.Id)));
        Assert.False(await server.ReadAsync(db => db.AuditEvents.AnyAsync(row => row.What == SecurityEvent.RoleGranted && row.ActorId == admin.Id)));
    }

    [Fact]
    public async Task An_auditor_finds_what_happened_to_whom_by_whom_from_where_and_when()
    {
        var kari = await Server.AddPersonAsync();
        var ola = await Server.AddPersonAsync("Ola Nordmann");
        await AddAsync(
            new AuditEvent(SecurityEvent.PersonLocked, kari.Id, ola.Id, null, "198.18.7.5", "Mistet telefonen", At("2025-11-02T22:59:59Z")),
            new AuditEvent(SecurityEvent.PersonUnlocked, kari.Id, ola.Id, null, "198.18.7.6", null, At("2025-11-02T23:00:00Z")), // 3 November in Oslo
            new AuditEvent(SecurityEvent.PersonLocked, ola.Id, kari.Id, null, "198.18.70.7", null, At("2025-11-03T23:00:00Z")));
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Auditor, path: "/administration/audit");
        using var open = browser;
        Assert.Equal("Revisjonslogg", browser.Heading);

        Assert.Equal(["Konto åpnet igjen", "Konto sperret"], await SeenAsync(browser, $"person={kari.UserName}"));
        Assert.Equal(["Konto åpnet igjen", "Konto sperret"], await SeenAsync(browser, $"actor={ola.UserName}"));
        Assert.Equal(["Konto sperret"], await SeenAsync(browser, $"person={kari.UserName}&event=PersonLocked"));
        Assert.Contains("Mistet telefonen", browser.Text, StringComparison.Ordinal);
        Assert.Equal(["Konto åpnet igjen", "Konto sperret"], await SeenAsync(browser, "address=198.18.7."));
        Assert.Equal(["Konto åpnet igjen"], await SeenAsync(browser, $"person={kari.UserName}&from=2025-11-03&to=2025-11-03"));
        Assert.Equal(["Konto sperret"], await SeenAsync(browser, $"person={kari.UserName}&to=2025-11-02"));
        Assert.Empty(await SeenAsync(browser, $"person={kari.UserName}&from=2025-11-04"));
        Assert.Empty(await SeenAsync(browser, "person=ingen-som-finnes"));
        Assert.Contains("Ingen har det brukernavnet", browser.Text, StringComparison.Ordinal);
        Assert.Empty(await SeenAsync(browser, $"address={Uri.EscapeDataString("\0%_")}"));
        await SeenAsync(browser, $"from=0001-01-01&to=9999-12-31&event=Nonsense&before=99999999999999999999.1");
        Assert.Equal(HttpStatusCode.OK, browser.Status);
    }

    [Fact]
    public async Task Pages_of_a_hundred_follow_each_other_without_a_gap_also_when_much_happens_at_once()
    {
        var kari = await Server.AddPersonAsync();
        var at = At("2026-01-05T10:00:00Z");
        await AddAsync([.. Enumerable.Range(0, 250).Select(index => new AuditEvent(SecurityEvent.PasswordRejected, kari.Id, null, null, "203.0.113.9", null, at.AddSeconds(index / 30)))]);
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Auditor, path: "/administration/audit");
        using var open = browser;
        await browser.OpenAsync($"/administration/audit?person={kari.UserName}");
        var ids = new List<long>();
        var sizes = new List<int>();
        for (; ; await browser.PressAsync("Eldre"))
        {
            var page = browser.Page.QuerySelectorAll("[data-row]").Select(row => long.Parse(row.GetAttribute("data-row")!, CultureInfo.InvariantCulture)).ToList();
            ids.AddRange(page);
            sizes.Add(page.Count);
            if (!browser.Has("Eldre")) break;
        }

        Assert.Equal([100, 100, 50], sizes);
        Assert.Equal(await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == kari.Id).OrderByDescending(row => row.At).ThenByDescending(row => row.Id).Select(row => row.Id).ToListAsync()), ids);
        await browser.PressAsync("Nyeste");
        Assert.Equal(100, browser.Page.QuerySelectorAll("[data-row]").Length);
    }

    [Fact]
    public async Task Who_has_a_role_in_one_unit_sees_and_exports_what_happened_to_its_people_only()
    {
        var inside = await Server.AddPersonAsync("Inne Nordmann");
        var outside = await Server.AddPersonAsync("Ute Nordmann");
        var unit = $"Oppvekst{inside.UserName}";
        await Server.ChangeAsync(async db =>
        {
            (await db.People.SingleAsync(row => row.Id == inside.Id)).Unit = unit + "/Skole";
            (await db.People.SingleAsync(row => row.Id == outside.Id)).Unit = unit + "annet";
        });
        await AddAsync(
            new AuditEvent(SecurityEvent.PersonLocked, inside.Id, null, null, null, "innenfor", Server.Clock.GetUtcNow()),
            new AuditEvent(SecurityEvent.PersonLocked, outside.Id, null, null, null, "utenfor", Server.Clock.GetUtcNow()),
            new AuditEvent(SecurityEvent.WaveCreated, null, null, null, null, "ingens", Server.Clock.GetUtcNow()));
        var (_, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Auditor, unit, "/administration/audit");
        using var open = browser;
        Assert.Equal(["Konto sperret"], await SeenAsync(browser, ""));
        Assert.Empty(await SeenAsync(browser, $"person={outside.UserName}"));
        await browser.OpenAsync("/administration/audit?handler=Export&format=csv");
        var file = await browser.Answer.Content.ReadAsStringAsync();
        Assert.Contains("innenfor", file, StringComparison.Ordinal);
        Assert.DoesNotContain("utenfor", file, StringComparison.Ordinal);
        Assert.DoesNotContain("ingens", file, StringComparison.Ordinal);

        // And who may not see it at all does not.
        var (_, _, helpdesk) = await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: "/administration/audit?handler=Export&format=csv");
        using var closed = helpdesk;
        Assert.Equal(HttpStatusCode.Forbidden, helpdesk.Status);
    }

    [Fact]
    public async Task The_export_holds_the_filter_computes_nothing_and_is_itself_in_the_log()
    {
        var kari = await Server.AddPersonAsync();
        await Server.ChangeAsync(db =>
        {
            db.Record(SecurityEvent.PersonLocked, kari.Id, null, null, Server.Clock.GetUtcNow(), kari.Id, Hostile);
            db.AuditEvents.Add(new AuditEvent(SecurityEvent.PersonUnlocked, kari.Id, null, "a,b\"c", "203.0.113.9", kind is DatabaseKind.Sqlite ? Hostile : Hostile.Replace("\0", "", StringComparison.Ordinal), Server.Clock.GetUtcNow())); // as if another program had written it
            return Task.CompletedTask;
        });
        var (auditor, _, browser) = await Cast.AtTheDeskAsync(Server, Role.Auditor, path: $"/administration/audit?person={kari.UserName}");
        using var open = browser;
        Assert.Contains("\\u000D\\u000AINFO: forged\\u001B[2J\\u202E", browser.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Text, character => character is '\u202e' or '\u001b' or '\u2066');

        await browser.OpenAsync($"/administration/audit?handler=Export&format=csv&person={kari.UserName}");
        Assert.Equal("text/csv", browser.Answer.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith("portvakt-audit-", browser.Answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'), StringComparison.Ordinal);
        var lines = Encoding.UTF8.GetString(await browser.Answer.Content.ReadAsByteArrayAsync()).TrimStart('\ufeff').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length); // heading, two rows, and the one that says who took them out
        Assert.All(lines, line => Assert.Equal(line, Visible.Of(line)));
        Assert.All(lines[1..3], line => Assert.Contains(",\"'=HYPERLINK(\"\"http://x\"\")\\u000D\\u000AINFO", line, StringComparison.Ordinal));
        Assert.Contains("\"a,b\"\"c\"", lines[2], StringComparison.Ordinal);
        Assert.Contains("AuditExported", lines[3], StringComparison.Ordinal);

        await browser.OpenAsync($"/administration/audit?handler=Export&format=jsonl&person={kari.UserName}&event=PersonLocked");
        var row = JsonDocument.Parse(Assert.Single((await browser.Answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries))).RootElement;
        Assert.Equal("PersonLocked", row.GetProperty("event").GetString());
        Assert.Equal(kari.UserName, row.GetProperty("person").GetString());
        Assert.True(row.GetProperty("number").GetInt64() > 0); // chained before it was given out

        var exports = await Server.ReadAsync(db => db.AuditEvents.AsNoTracking().Where(audit => audit.What == SecurityEvent.AuditExported && audit.ActorId == auditor.Id).OrderBy(audit => audit.Id).ToListAsync());
        Assert.Equal([("csv", $"person={kari.UserName}"), ("jsonl", $"event=PersonLocked&person={kari.UserName}")], exports.Select(export => (export.Subject, export.Reason)));
        await browser.OpenAsync("/administration/audit?handler=Export&format=exe");
        Assert.Equal(HttpStatusCode.NotFound, browser.Status);
    }

    [Fact]
    public async Task Hostile_names_headers_and_reasons_never_make_a_second_line_of_the_log_or_hide_one()
    {
        var options = Server.Services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>().CurrentValue;
        var formatter = Server.Services.GetServices<ConsoleFormatter>().Single(candidate => candidate.Name == options.FormatterName);
        using var written = new Written(formatter);
        Server.Services.GetRequiredService<ILoggerFactory>().AddProvider(written);

        using var browser = new Browser(Server);
        foreach (var name in (string[])[Hostile, "kari\r\nwarn: root signed in", "kari\u202e", "kari\0", "\u001b]0;x\u0007"])
        {
            await browser.OpenAppAsync();
            await browser.Fill("Brukernavn", name).Fill("Passord", name).PressAsync("Logg på");
            Assert.True((int)browser.Status < 500, $"{browser.Status}");
        }

        using var http = new HttpClient(Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var report = new StringContent("{\"csp-report\":{\"blocked-uri\":\"" + Hostile + "\"}}", Encoding.UTF8, "application/csp-report");
        await http.PostAsync("/csp-report", report);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/phone/api/pending?x=%0d%0aforged%1b%e2%80%ae");
        request.Headers.TryAddWithoutValidation("DPoP", "\u202eforged\u001b[31m");
        request.Headers.TryAddWithoutValidation("User-Agent", "\u202eforged");
        await http.SendAsync(request);
        Server.Services.GetRequiredService<ILoggerFactory>().CreateLogger("story").LogError(new InvalidOperationException(Hostile), "{Name} did {What}", Hostile, Hostile);

        Assert.True(written.Lines.Count >= 6, $"{written.Lines.Count} lines");
        Assert.All(written.Lines, line =>
        {
            Assert.Equal(line.Length - 1, line.IndexOf('\n', StringComparison.Ordinal)); // one event is one line
            Assert.Equal(line.TrimEnd('\n', '\r'), Visible.Of(line.TrimEnd('\n', '\r')));
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind);
        });
        Assert.Contains(written.Lines, line => line.Contains("forged", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_over_is_kept_for_a_time_and_then_swept()
    {
        var (kari, _) = await Cast.EnrolledAsync(Server);
        var now = Server.Clock.GetUtcNow();
        Mail Mail(MailState state, DateTimeOffset at) => new() { Id = Guid.CreateVersion7(at), Recipient = "k@eksempel.no", PersonId = kari.Id, Kind = "x", Language = "nb", Subject = "s", Text = "t", CreatedAt = at, NextTryAt = at, State = state };
        await Server.ChangeAsync(db =>
        {
            db.Mails.AddRange(Mail(MailState.Sent, now.AddDays(-91)), Mail(MailState.Sent, now.AddDays(-89)), Mail(MailState.Waiting, now.AddDays(-91)));
            db.Approvals.Add(new ApprovalRequest(kari.Id, "gone", ApprovalPurpose.SignIn, null, 2, now.AddDays(-91), TimeSpan.FromMinutes(1)));
            return Task.CompletedTask;
        });
        await ActivatorUtilities.CreateInstance<Cleanup>(Server.Services).SweepAsync(TestContext.Current.CancellationToken);
        Assert.Equal([MailState.Waiting, MailState.Sent], (await Server.ReadAsync(db => db.Mails.Where(mail => mail.PersonId == kari.Id && mail.Kind == "x").Select(mail => mail.State).ToListAsync())).Order());
        Assert.False(await Server.ReadAsync(db => db.Approvals.AnyAsync(row => row.AttemptId == "gone")));
        Assert.True(await Server.ReadAsync(db => db.Approvals.AnyAsync(row => row.PersonId == kari.Id)));
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The order in which a journey meets its events; within one save the order of rows says nothing.</summary>
    private static int Order(SecurityEvent what) => Array.IndexOf(
    [
        SecurityEvent.PasswordVerified, SecurityEvent.EnrolmentBegun, SecurityEvent.BindingCodeIssued, SecurityEvent.PhoneBound, SecurityEvent.ApprovalRequested, SecurityEvent.ApprovalApproved,
        SecurityEvent.PhoneActivated, SecurityEvent.SecondFactorVerified, SecurityEvent.RecoveryCodesIssued, SecurityEvent.SessionIssued, SecurityEvent.SignInFinished, SecurityEvent.SessionEnded,
    ], what) is var place and >= 0 ? place : 100 + (int)what;

    private static async Task<List<string>> SeenAsync(Browser browser, string query)
    {
        await browser.OpenAsync($"/administration/audit?{query}");
        return [.. browser.Page.QuerySelectorAll("tbody th").Select(cell => cell.TextContent.Trim())];
    }

    private Task AddAsync(params AuditEvent[] rows) => Server.ChangeAsync(db =>
    {
        db.AuditEvents.AddRange(rows);
        return Task.CompletedTask;
    });

    private Task<List<AuditEvent>> EventsAsync(Person person) =>
        Server.ReadAsync(db => db.AuditEvents.AsNoTracking().Where(row => row.PersonId == person.Id).OrderBy(row => row.Id).ToListAsync());

    /// <summary>What the product's own formatter makes of each event.</summary>
    private sealed class Written(ConsoleFormatter formatter) : ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new Logger(this, formatter, categoryName);

        public void Dispose()
        {
            // Nothing to close.
        }

        private sealed class Logger(Written written, ConsoleFormatter formatter, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> line)
            {
                using var writer = new StringWriter(CultureInfo.InvariantCulture);
                formatter.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, line), null, writer);
                written.Lines.Enqueue(writer.ToString());
            }
        }
    }

    /// <summary>A database that takes everything except rows of the audit log.</summary>
    private sealed class NoRows : DbCommandInterceptor
    {
        public bool IsArmed { get; set; }

        public bool HasFailed { get; private set; }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            MayFail(command);
            return ValueTask.FromResult(result);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            MayFail(command);
            return ValueTask.FromResult(result);
        }

        private void MayFail(DbCommand command)
        {
            if (!IsArmed || !command.CommandText.Contains("audit_events", StringComparison.Ordinal) || !command.CommandText.Contains("INSERT", StringComparison.Ordinal)) return;
            HasFailed = true;
            throw new InvalidOperationException("the disk is full");
        }
    }
}
