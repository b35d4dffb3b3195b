using System.Collections.Concurrent;
using System.Data.Common;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Sessions;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.Data;

public sealed class PlansOnSqlite() : PlanTests(DatabaseKind.Sqlite);

public sealed class PlansOnPostgres() : PlanTests(DatabaseKind.Postgres);

/// <summary>
/// What a sign-in, an application and a waiting page ask the database is answered from an index, however many rows there are: each statement of them is planned by the database
/// itself, on tables with some thousand rows and their statistics.
/// </summary>
public abstract class PlanTests(DatabaseKind kind)
{
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // of the challenge in Cast (RFC 7636, appendix B)
    private const int RowsOfATable = 3000;

    /// <summary>Tables that do not grow with people, sign-ins or time, and that any plan may read as a whole.</summary>
    private static readonly Dictionary<string, string> Small = new(StringComparer.Ordinal)
    {
        ["server_keys"] = "a handful; a new one every few weeks",
        ["waves"] = "an administrator makes each of them",
        ["method_policies"] = "an administrator makes each of them",
        ["mail_templates"] = "one for each kind of mail and language",
        ["own_texts"] = "one for each text and language",
        ["organisation_looks"] = "one row",
        ["audit_checkpoints"] = "one row",
    };

    [Fact]
    public async Task No_statement_of_a_hot_path_reads_a_table_that_grows_from_end_to_end()
    {
        Assert.SkipUnless(PortvaktServer.Has(kind), PortvaktServer.NoPostgres);
        var statements = new Collector();
        await using var server = await StartAsync(statements);
        var (kari, phone) = await Cast.EnrolledAsync(server);
        await FillAsync(server);

        statements.Begin();
        using var browser = new Browser(server);
        await SignInAsync(server, browser, kari, phone);
        await TokensAsync(server, browser);
        await browser.OpenAppAsync(); // with the session: no question
        Assert.NotNull(browser.LeftFor);
        await browser.OpenAsync("/account");
        await using (var app = await EventStream.OfPhoneAsync(server, phone)) Assert.Equal("pending", (await app.NextAsync()).Name);
        Assert.True((await phone.ReportAsync()).Ok);

        // The next morning in the same browser: the old session is over and its cookie still there.
        var now = server.Clock.GetUtcNow();
        await server.ReadAsync(db => db.Sessions.Where(session => session.PersonId == kari.Id).ExecuteUpdateAsync(set => set.SetProperty(session => session.ExpiresAt, now))); // the clock stands still: what the server does by itself each minute is no hot path
        await SignInAsync(server, browser, kari, phone);

        // Another browser, a wrong password first, then the code.
        using var other = new Browser(server);
        await other.OpenAppAsync();
        await other.PasswordAsync(kari, "not the password at all");
        await other.PasswordAsync(kari);
        await other.PressAsync("Skriv inn koden fra appen");
        await other.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        await other.PressAsync("Nei");
        Assert.Equal("app.test", other.LeftFor?.Host);
        await browser.OpenAsync("/sign-out");
        await browser.PressAsync("Logg av");
        var asked = statements.End();

        // It would be easy to hold nothing: these tables must have been asked for.
        var tables = asked.SelectMany(statement => TablesOf(statement.Text).Values).ToHashSet(StringComparer.Ordinal);
        Assert.Superset(
            new HashSet<string>(["people", "sign_in_attempts", "sessions", "familiar_browsers", "failure_counts", "phones", "totps", "passkeys", "recovery_codes", "approvals", "audit_events", "used_proofs", "authorization_codes", "refresh_families"], StringComparer.Ordinal),
            tables);
        var scans = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var statement in asked)
        {
            foreach (var table in await ScannedAsync(server, statement)) scans.Add($"{table} is read from end to end by:\n{statement.Text}\n");
        }

        Assert.True(scans.Count is 0, $"Of {asked.Count} statements:\n{string.Join('\n', scans)}");
    }

    [Fact]
    public async Task Nor_does_any_that_the_server_asks_by_itself_each_minute()
    {
        Assert.SkipUnless(PortvaktServer.Has(kind), PortvaktServer.NoPostgres);
        var statements = new Collector();
        await using var server = await StartAsync(statements);
        using var sweeper = ActivatorUtilities.CreateInstance<Cleanup>(server.Services);
        await sweeper.SweepAsync(TestContext.Current.CancellationToken); // the first one does what is done each hour, too
        await FillAsync(server, server.Clock.GetUtcNow().AddHours(2)); // as it is each minute: next to nothing is over

        statements.Begin();
        await sweeper.SweepAsync(TestContext.Current.CancellationToken);
        await server.Services.GetRequiredService<OverdueSessions>().EndAsync(TestContext.Current.CancellationToken);
        var asked = statements.End();
        Assert.Superset(new HashSet<string>(["used_proofs", "authorization_codes", "sign_in_attempts", "sessions"], StringComparer.Ordinal), asked.SelectMany(statement => TablesOf(statement.Text).Values).ToHashSet(StringComparer.Ordinal));

        // Those of a day's enrolments and imports, and two with a row for each wave and unit.
        string[] small = ["binding_codes", "import_runs", "people_counts", "enrolment_hours"];
        foreach (var statement in asked)
        {
            foreach (var table in await ScannedAsync(server, statement)) Assert.True(small.Contains(table), $"{table} is read from end to end by:\n{statement.Text}");
        }
    }

    [Fact]
    public async Task A_statement_that_reads_a_whole_table_is_seen()
    {
        Assert.SkipUnless(PortvaktServer.Has(kind), PortvaktServer.NoPostgres);
        var statements = new Collector();
        await using var server = await StartAsync(statements);
        await FillAsync(server);
        statements.Begin();
        await server.ReadAsync(db => db.People.Where(person => person.DisplayName == "Kari" && !db.Waves.Any(wave => wave.Name == "Kari")).ToListAsync());
        await server.ReadAsync(db => db.Sessions.Where(session => session.PersonId == Guid.Empty).ToListAsync());
        await server.ReadAsync(db => db.Phones.Where(phone => phone.Name == "Kari").ExecuteDeleteAsync());
        var asked = statements.End();
        Assert.Equal(3, asked.Count);
        Assert.Equal(["people"], await ScannedAsync(server, asked[0]));
        Assert.Empty(await ScannedAsync(server, asked[1]));
        Assert.Equal(["phones"], await ScannedAsync(server, asked[2]));
    }

    private Task<PortvaktServer> StartAsync(Collector statements) => PortvaktServer.StartAsync(kind, services: services =>
    {
        if (kind is DatabaseKind.Sqlite) services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(statements));
        else services.ConfigureDbContext<PostgresPortvaktDb>(options => options.AddInterceptors(statements));
    });

    private Task FillAsync(PortvaktServer server) => FillAsync(server, server.Clock.GetUtcNow().AddHours(-1));

    private static async Task FillAsync(PortvaktServer server, DateTimeOffset newest) => await server.ReadAsync(async db =>
    {
        await Filler.FillAsync(db, RowsOfATable, newest, table => !Small.ContainsKey(table));
        await db.Database.ExecuteSqlRawAsync("ANALYZE");
        return 0;
    });

    private static async Task SignInAsync(PortvaktServer server, Browser browser, Person person, Phone phone)
    {
        await browser.OpenAppAsync();
        await browser.PasswordAsync(person);
        await using (var page = await EventStream.OfPageAsync(server, browser))
        {
            await page.NextAsync();
            var changed = page.NextAsync();
            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
            Assert.Equal("changed", (await changed).Name);
        }

        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
    }

    /// <summary>Code, tokens, refresh, and who it is.</summary>
    private static async Task TokensAsync(PortvaktServer server, Browser browser)
    {
        using var http = new HttpClient(server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        await browser.OpenAsync(
            $"/connect/authorize?client_id=timeliste&response_type=code&redirect_uri={Uri.EscapeDataString(PortvaktServer.RedirectUri)}&scope=openid%20profile%20offline_access&state=s1&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256");
        var code = System.Web.HttpUtility.ParseQueryString(browser.LeftFor!.Query)["code"]!;
        var tokens = await TokenAsync(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", PortvaktServer.RedirectUri), ("code_verifier", Verifier));
        tokens = await TokenAsync(("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"]!.GetValue<string>()));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.Authorization = new("Bearer", tokens["access_token"]!.GetValue<string>());
        using var answer = await http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, $"userinfo: {answer.StatusCode}");

        async Task<JsonObject> TokenAsync(params (string Name, string Value)[] fields)
        {
            using var form = new FormUrlEncodedContent([
                KeyValuePair.Create("client_id", "timeliste"), KeyValuePair.Create("client_secret", "a-secret-that-a-machine-chose-0123456789"), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
            using var brought = await http.PostAsync("/connect/token", form);
            Assert.True(brought.IsSuccessStatusCode, await brought.Content.ReadAsStringAsync());
            return (await brought.Content.ReadFromJsonAsync<JsonObject>())!;
        }
    }

    /// <summary>The tables that grow, and that the database would read from end to end for this statement.</summary>
    private async Task<List<string>> ScannedAsync(PortvaktServer server, Statement statement) => await server.ReadAsync(async db =>
    {
        await db.Database.OpenConnectionAsync();
        await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // the server's own statements
        command.CommandText = (kind is DatabaseKind.Sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN (FORMAT JSON) ") + statement.Text;
#pragma warning restore CA2100
        foreach (var parameter in statement.Parameters) command.Parameters.Add(Copy(command, parameter));
        var found = new List<string>();
        await using (var plan = await command.ExecuteReaderAsync())
        {
            while (await plan.ReadAsync())
            {
                if (kind is DatabaseKind.Sqlite) found.AddRange(ScanOf(plan.GetString(3), TablesOf(statement.Text)));
                else found.AddRange(ScansOf(JsonNode.Parse(plan.GetString(0))![0]!["Plan"]!));
            }
        }

        await db.Database.CloseConnectionAsync();
        return found.Where(table => !Small.ContainsKey(table)).Distinct(StringComparer.Ordinal).ToList();
    });

    private static DbParameter Copy(DbCommand command, DbParameter parameter)
    {
        var copy = command.CreateParameter();
        (copy.ParameterName, copy.Value) = (parameter.ParameterName, parameter.Value);
        return copy;
    }

    /// <summary>SQLite tells a step in a line: <c>SCAN p USING …</c> or <c>SEARCH p USING …</c>, by the alias.</summary>
    private static IEnumerable<string> ScanOf(string line, Dictionary<string, string> tables) =>
        line.Split(' ') is ["SCAN", var name, ..] && tables.TryGetValue(name, out var table) ? [table] : [];

    /// <summary>A sequential scan, or an index that is read without a condition; with all that lies below.</summary>
    private static IEnumerable<string> ScansOf(JsonNode node)
    {
        var type = node["Node Type"]!.GetValue<string>();
        var isWhole = type is "Seq Scan" or "Parallel Seq Scan" || (type is "Index Scan" or "Index Only Scan" or "Bitmap Index Scan" && node["Index Cond"] is null);
        if (isWhole) yield return node["Relation Name"]?.GetValue<string>() ?? node["Index Name"]!.GetValue<string>();
        foreach (var below in node["Plans"]?.AsArray() ?? [])
        {
            foreach (var table in ScansOf(below!)) yield return table;
        }
    }

    /// <summary>Tables of a statement by the names it gives them.</summary>
    private static Dictionary<string, string> TablesOf(string text)
    {
        var tables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match match in Regex.Matches(text, """(FROM|JOIN|UPDATE|INTO)\s+"?(?<table>[a-z_]+)"?(\s+AS\s+"?(?<alias>[a-z_0-9]+)"?)?""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))
        {
            var table = match.Groups["table"].Value;
            tables[match.Groups["alias"].Success ? match.Groups["alias"].Value : table] = table;
            tables.TryAdd(table, table);
        }

        return tables;
    }

    private sealed record Statement(string Text, IReadOnlyList<DbParameter> Parameters);

    /// <summary>Keeps each statement that is sent, once, while it is told to.</summary>
    private sealed class Collector : DbCommandInterceptor
    {
        private readonly ConcurrentDictionary<string, Statement> _statements = new(StringComparer.Ordinal);
        private readonly ConcurrentQueue<Statement> _order = new();
        private volatile bool _collects;

        public void Begin() => _collects = true;

        public List<Statement> End()
        {
            _collects = false;
            return [.. _order];
        }

        public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result) => Keep(command, result);

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default) => new(Keep(command, result));

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) => new(Keep(command, result));

        public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default) => new(Keep(command, result));

        private T Keep<T>(DbCommand command, T result)
        {
            if (!_collects) return result;

            // A save sends several statements in one command, each at the beginning of a line.
            foreach (var text in Regex.Split(command.CommandText, @";\s*(\r?\n|$)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)).Select(text => text.Trim()).Where(text => text.Length > 0 && !text.StartsWith("PRAGMA", StringComparison.Ordinal)))
            {
                var statement = new Statement(text, [.. command.Parameters.Cast<DbParameter>().Where(parameter => Regex.IsMatch(text, $"{Regex.Escape(NameOf(parameter))}(?![0-9A-Za-z_])", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1)))]);
                if (_statements.TryAdd(text, statement)) _order.Enqueue(statement);
            }

            return result;
        }

        private static string NameOf(DbParameter parameter) => parameter.ParameterName.StartsWith('@') ? parameter.ParameterName : "@" + parameter.ParameterName;
    }
}
