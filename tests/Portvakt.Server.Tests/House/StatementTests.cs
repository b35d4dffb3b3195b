using System.Collections.Concurrent;
using System.Data.Common;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

public sealed class StatementsOnSqlite() : StatementTests(DatabaseKind.Sqlite);

public sealed class StatementsOnPostgres() : StatementTests(DatabaseKind.Postgres);

/// <summary>
/// What a request asks the database, counted and not timed: no noise of the machine touches it. A number that rises here is paid for by everybody who signs in; one
/// that falls is lowered here. Which bounds are met: bench/README.md.
/// </summary>
public abstract class StatementTests(DatabaseKind kind) : IAsyncLifetime
{
    private const string Secret = "a-secret-that-a-machine-chose-0123456789";
    private readonly Ledger _ledger = new();
    private readonly string _clients = Path.GetTempFileName();
    private PortvaktServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        if (!PortvaktServer.Has(kind)) return;
        await File.WriteAllTextAsync(_clients, $$"""
            [{ "client_id": "timeliste", "client_name": "Timeliste", "client_secret": "{{Secret}}", "redirect_uris": ["{{PortvaktServer.RedirectUri}}"] },
             { "client_id": "job", "client_secret": "{{Secret}}", "grant_types": ["client_credentials"], "scope": "api" }]
            """);
        _server = await PortvaktServer.StartAsync(kind, new() { ["Portvakt:RelyingPartiesFile"] = _clients }, services =>
        {
            services.AddSingleton<IStartupFilter>(new InRequests(_ledger));
            if (kind is DatabaseKind.Sqlite) services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(_ledger));
            else services.ConfigureDbContext<PostgresPortvaktDb>(options => options.AddInterceptors(_ledger));
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        File.Delete(_clients);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_whole_sign_in_asks_no_more_than_it_did()
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        using var browser = new Browser(_server);
        await SignInAsync(browser, kari, phone); // from now on the browser is known
        _server.Clock.Advance(TimeSpan.FromMinutes(20));
        browser.Cookies.GetAllCookies().Single(cookie => cookie.Name is "__Host-portvakt-session").Expired = true;
        _ledger.Clear();
        var code = await SignInAsync(browser, kari, phone);
        await RedeemAsync(code);
        Hold(kind is DatabaseKind.Sqlite ? (19, 25) : (19, 15)); // PostgreSQL saves what belongs together in one command
    }

    [Fact]
    public async Task Who_is_signed_in_gets_a_code_for_one_question_and_the_application_its_tokens_for_one()
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        using var browser = new Browser(_server);
        await SignInAsync(browser, kari, phone);
        _ledger.Clear();
        await browser.OpenAppAsync();
        Hold((1, 1)); // session and person in one; the code
        var tokens = await RedeemAsync(CodeOf(browser));
        Hold((1, 1)); // code, session and person in one; the code is used
        Assert.NotNull(tokens["id_token"]);
    }

    [Fact]
    public async Task A_refresh_writes_one_row_over_and_over_and_adds_none()
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        using var browser = new Browser(_server);
        await SignInAsync(browser, kari, phone, "openid offline_access");
        var tokens = await RedeemAsync(CodeOf(browser));
        var rows = await RowsAsync();
        for (var time = 0; time < 3; time++)
        {
            _ledger.Clear();
            tokens = await TokenAsync(("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"]!.GetValue<string>()));
            Hold((1, 1));
        }

        Assert.Equal(rows, await RowsAsync());
    }

    [Fact]
    public async Task What_is_known_without_the_database_does_not_ask_it()
    {
        using var http = new HttpClient(_server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        _ledger.Clear();
        foreach (var path in (string[])["/.well-known/openid-configuration", "/.well-known/jwks.json", "/health/live", "/phone/"])
        {
            using var answer = await http.GetAsync(path);
            Assert.True(answer.IsSuccessStatusCode, path);
        }

        Assert.NotNull((await TokenAsync("job", ("grant_type", "client_credentials"), ("scope", "api")))["access_token"]);
        Hold((0, 0));
    }

    [Fact]
    public async Task A_phone_whose_proof_does_not_hold_by_itself_does_not_ask_either()
    {
        const string path = "/phone/api/pending";
        var (_, phone) = await Cast.EnrolledAsync(_server);
        foreach (var (tamper, code) in ((Action<JsonObject>, string)[])[
            (proof => proof["nonce"] = "one-of-yesterday", "nonce"),
            (proof => proof["iat"] = _server.Clock.GetUtcNow().AddMinutes(-3).ToUnixTimeSeconds(), "nonce"),
            (proof => proof["htm"] = "POST", "proof"),
            (proof => proof["htu"] = PortvaktServer.Origin + "/phone/api/report", "proof"),
            (proof => proof["bh"] = "of-another-body", "proof"),
            (proof => proof["jti"] = "short", "proof"),
        ])
        {
            var proof = phone.Proof(HttpMethod.Get, path, null, tamper);
            _ledger.Clear();
            var answer = await phone.SendOnceAsync(HttpMethod.Get, path, null, proof);
            Assert.Equal((System.Net.HttpStatusCode.Unauthorized, code), (answer.Status, answer.Code));
            Hold((0, 0));
        }

        _ledger.Clear();
        Assert.True((await phone.SendOnceAsync(HttpMethod.Get, path, null, phone.Proof(HttpMethod.Get, path, null))).Ok);
        Assert.NotEmpty(_ledger.Clear());
    }

    private static async Task<string> SignInAsync(Browser browser, Domain.People.Person person, Phone phone, string scope = "openid")
    {
        await browser.OpenAppAsync(scope: scope);
        await browser.PasswordAsync(person);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Ja");
        return CodeOf(browser);
    }

    private static string CodeOf(Browser browser) => QueryHelpers.ParseQuery(browser.LeftFor!.Query)["code"].ToString();

    private Task<JsonNode> RedeemAsync(string code) => TokenAsync(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", PortvaktServer.RedirectUri), ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));

    private Task<JsonNode> TokenAsync(params (string Name, string Value)[] fields) => TokenAsync("timeliste", fields);

    private async Task<JsonNode> TokenAsync(string client, params (string Name, string Value)[] fields)
    {
        using var http = new HttpClient(_server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var form = new FormUrlEncodedContent(
            [KeyValuePair.Create("client_id", client), KeyValuePair.Create("client_secret", Secret), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        using var answer = await http.PostAsync("/connect/token", form);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    /// <summary>Of everything that could grow by a refresh.</summary>
    private Task<int> RowsAsync() => _server.ReadAsync(async db => await db.RefreshFamilies.CountAsync() + await db.AuthorizationCodes.CountAsync() + await db.Sessions.CountAsync() + await db.AuditEvents.CountAsync());

    private void Hold((int Reads, int Writes) held)
    {
        var asked = _ledger.Clear();
        Assert.True((asked.Count(IsRead), asked.Count(statement => !IsRead(statement))) == held, $"Held: {held}. Asked: {(asked.Count(IsRead), asked.Count(statement => !IsRead(statement)))}\n{string.Join("\n---\n", asked)}");

        static bool IsRead(string statement) => statement.StartsWith("SELECT", StringComparison.Ordinal);
    }

    /// <summary>What requests asked since it was cleared. What the server does by itself meanwhile (sweeping, chaining, sending) is not theirs.</summary>
    private sealed class Ledger : DbCommandInterceptor
    {
        private readonly ConcurrentQueue<string> _asked = new();

        public AsyncLocal<bool> InRequest { get; } = new();

        public List<string> Clear()
        {
            List<string> all = [.. _asked];
            _asked.Clear();
            return all;
        }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return ValueTask.FromResult(result);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return ValueTask.FromResult(result);
        }

        public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
        {
            Note(command);
            return ValueTask.FromResult(result);
        }

        private void Note(DbCommand command)
        {
            if (InRequest.Value) _asked.Enqueue(command.CommandText);
        }
    }

    private sealed class InRequests(Ledger ledger) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(rest => http =>
            {
                ledger.InRequest.Value = true;
                return rest(http);
            });
            next(app);
        };
    }
}
