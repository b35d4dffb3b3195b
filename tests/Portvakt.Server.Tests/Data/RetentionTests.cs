using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portvakt.Domain.Audit;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Data;

public sealed class RetentionOnSqlite() : RetentionTests(DatabaseKind.Sqlite);

public sealed class RetentionOnPostgres() : RetentionTests(DatabaseKind.Postgres);

/// <summary>No table grows for ever: each is swept of what is over, or there is a reason why it cannot grow. Whoever adds a table decides which.</summary>
public abstract class RetentionTests(DatabaseKind kind)
{
    private const int Rows = 20;

    /// <summary>Swept by <see cref="Cleanup"/>; where only a part of the rows goes, what makes a row such a one.</summary>
    private static readonly Dictionary<string, Dictionary<string, object>> Swept = new(StringComparer.Ordinal)
    {
        ["access_passes"] = [],
        ["approvals"] = [],
        ["audit_events"] = [],
        ["authorization_codes"] = [],
        ["binding_codes"] = [],
        ["failure_counts"] = [],
        ["familiar_browsers"] = [],
        ["helpdesk_cases"] = [],
        ["import_runs"] = new(StringComparer.Ordinal) { ["state"] = nameof(ImportState.TokensChecked) },
        ["logout_notices"] = [],
        ["mails"] = new(StringComparer.Ordinal) { ["state"] = nameof(MailState.Sent) },
        ["phones"] = new(StringComparer.Ordinal) { ["state"] = "Unconfirmed" },
        ["refresh_families"] = [],
        ["sessions"] = [],
        ["sign_in_attempts"] = [],
        ["sign_out_rounds"] = [],
        ["telephone_messages"] = [],
        ["telephone_numbers"] = new(StringComparer.Ordinal) { ["state"] = "Unconfirmed" },
        ["totps"] = new(StringComparer.Ordinal) { ["state"] = "Unconfirmed", ["serial_number"] = DBNull.Value },
        ["used_proofs"] = [],
    };

    /// <summary>What stays, and why it cannot grow for ever.</summary>
    private static readonly Dictionary<string, string> Bounded = new(StringComparer.Ordinal)
    {
        ["people"] = "the organisation's own size",
        ["phones"] = "methods of a person: policy says how many; one that was given up leaves a row for what it once signed",
        ["totps"] = "methods of a person, and the generators of plastic that the organisation owns",
        ["passkeys"] = "methods of a person: policy says how many, and one that is removed is gone",
        ["telephone_numbers"] = "methods of a person: one mobile and one office telephone that count",
        ["recovery_codes"] = "ten of a person: a new set replaces the old one",
        ["personal_terms"] = "granted by an administrator, one by one, with a reason",
        ["role_assignments"] = "granted by an administrator, one by one; gone when revoked",
        ["waves"] = "made by an administrator, one by one",
        ["method_policies"] = "made by an administrator, one by one",
        ["mail_templates"] = "one for each kind of mail and language",
        ["own_texts"] = "one for each text and language",
        ["organisation_looks"] = "one row",
        ["import_runs"] = "one small row for each file that somebody brings in; the file itself goes after a day",
        ["server_keys"] = "a new one every few weeks",
        ["audit_checkpoints"] = "one row",
    };

    [Fact]
    public async Task Every_table_is_swept_or_has_a_reason_why_it_cannot_grow()
    {
        Assert.SkipUnless(PortvaktServer.Has(kind), PortvaktServer.NoPostgres);
        await using var server = await PortvaktServer.StartAsync(kind);
        var tables = await server.ReadAsync(db => Task.FromResult(db.Model.GetEntityTypes().Select(Filler.TableOf).Order(StringComparer.Ordinal).ToList()));
        Assert.Equal(tables, Swept.Keys.Union(Bounded.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_older_than_its_life_is_gone_after_a_sweep_and_nothing_else()
    {
        Assert.SkipUnless(PortvaktServer.Has(kind), PortvaktServer.NoPostgres);
        await using var server = await PortvaktServer.StartAsync(kind);
        var now = server.Clock.GetUtcNow();
        await RecordAsync(server, now.AddDays(-1000)); // the log is taken away by its chain, so these rows are the server's own
        await FillAsync(server, now.AddDays(-1000));
        await SweepAsync(server);
        Assert.Equal([], await NotAsync(server, 0));

        await RecordAsync(server, now);
        await FillAsync(server, now.AddDays(1));
        await SweepAsync(server);
        Assert.Equal([], await NotAsync(server, Rows));
    }

    private static async Task RecordAsync(PortvaktServer server, DateTimeOffset at)
    {
        await server.ChangeAsync(db =>
        {
            for (var row = 0; row < Rows; row++) db.Record(SecurityEvent.SignInFinished, null, "retention", null, at);
            return Task.CompletedTask;
        });
        await server.Services.GetRequiredService<AuditChain>().ChainAsync(CancellationToken.None);
    }

    private static Task FillAsync(PortvaktServer server, DateTimeOffset newest) => server.ReadAsync(async db =>
    {
        await Filler.FillAsync(db, Rows, newest, table => table is not "audit_events" && Swept.ContainsKey(table), (table, column) => Swept[table].GetValueOrDefault(column) ?? (column is "last_failure_at" or "blocked_until" ? newest.ToUnixTimeMilliseconds() : null));
        return 0;
    });

    private static async Task SweepAsync(PortvaktServer server)
    {
        var cleanup = server.Services.GetServices<IHostedService>().OfType<Cleanup>().Single();
        await cleanup.SweepAsync(CancellationToken.None);
        await cleanup.SweepHistoryAsync(CancellationToken.None); // the server's own rhythm may have swept it in this hour already
    }

    /// <summary>Swept tables with another number of rows.</summary>
    private static Task<List<string>> NotAsync(PortvaktServer server, int rows) => server.ReadAsync(async db =>
    {
        await db.Database.OpenConnectionAsync();
        var wrong = new List<string>();
        foreach (var table in Swept.Keys)
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // names of our own tables
            command.CommandText = $"SELECT count(*) FROM {table}";
#pragma warning restore CA2100
            var count = Convert.ToInt32(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
            if (count != rows) wrong.Add($"{table}: {count.ToString(CultureInfo.InvariantCulture)}");
        }

        await db.Database.CloseConnectionAsync();
        return wrong;
    });
}
