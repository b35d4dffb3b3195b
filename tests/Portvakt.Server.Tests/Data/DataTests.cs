using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portvakt.Domain;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.OpenIdConnect;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.Data;

public sealed class DataOnSqlite(SqliteStage stage) : DataTests(stage, DatabaseKind.Sqlite), IClassFixture<SqliteStage>
{
    [Fact]
    public void Nobody_forgot_a_migration_on_either_database()
    {
        using var sqlite = new SqliteDesign().CreateDbContext([]);
        using var postgres = new PostgresDesign().CreateDbContext([]);
        Assert.All(new PortvaktDb[] { sqlite, postgres }, db => Assert.False(db.Database.HasPendingModelChanges(), $"{db.GetType().Name}: dotnet run dev.cs migration Name"));
        Assert.Equal(
            sqlite.Database.GetMigrations().Select(name => name.Split('_', 2)[1]),
            postgres.Database.GetMigrations().Select(name => name.Split('_', 2)[1]));
    }
}

public sealed class DataOnPostgres(PostgresStage stage) : DataTests(stage, DatabaseKind.Postgres), IClassFixture<PostgresStage>;

/// <summary>What the database itself must hold, on both.</summary>
public abstract class DataTests(Stage stage, DatabaseKind kind)
{
    private const string Key = "test:somebody";

    /// <summary>Every row of it is refused.</summary>
    private static readonly SqlStatement Refused = new("INSERT INTO used_proofs (hash, expires_at) VALUES (@hash, @now), (@hash, @now)", null, ("hash", typeof(byte[])), ("now", typeof(DateTime)));

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task R100_A_clock_that_differs_from_the_databases_by_more_than_two_seconds_is_told()
    {
        Server.Clock.Advance(TimeSpan.FromSeconds(1)); // others have moved it; the real one is far away
        var cleanup = Server.Services.GetServices<IHostedService>().OfType<Cleanup>().Single();
        await cleanup.SweepAsync(CancellationToken.None);
        Assert.Equal(kind is DatabaseKind.Postgres, Server.Log.All.Contains("The clock of the database is", StringComparison.Ordinal)); // SQLite has none of its own

        // The difference is that of the clocks and not the time of the question.
        foreach (var seconds in new[] { -3600, -3, 0, 3, 3600 })
        {
            var ours = new Shifted(TimeSpan.FromSeconds(seconds));
            var difference = await Server.ReadAsync(db => Database.ClockDifferenceAsync(db, ours, CancellationToken.None));
            if (kind is DatabaseKind.Sqlite) Assert.Equal(TimeSpan.Zero, difference);
            else Assert.InRange(difference.TotalSeconds, -seconds - 1, -seconds + 1);
        }
    }

    [Fact]
    public async Task A_statement_that_fails_writes_nothing_and_takes_nothing_from_those_it_is_written_with()
    {
        var proofs = Enumerable.Range(0, 40).Select(_ => RandomId.Hash(RandomId.New())).ToArray();
        await Task.WhenAll(proofs.Select((proof, index) => Task.Run(async () =>
        {
            await using var scope = Server.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            if (index % 2 is 0) Assert.True(await db.UseOnceAsync(proof, Server.Clock.GetUtcNow().AddDays(1), CancellationToken.None));
            else await Assert.ThrowsAnyAsync<DbException>(() => Refused.WriteAsync(db, CancellationToken.None, proof, Server.Clock.GetUtcNow().UtcDateTime));
        })));
        var written = await Server.ReadAsync(db => db.UsedProofs.Select(row => row.Hash).ToListAsync());
        Assert.All(proofs.Index(), proof => Assert.Equal(proof.Index % 2 is 0, written.Exists(hash => hash.SequenceEqual(proof.Item))));
    }

    [Fact]
    public async Task A_code_is_not_used_up_when_the_family_of_its_refresh_tokens_cannot_be_founded()
    {
        var (kari, _) = await Cast.EnrolledAsync(Server);
        var (now, hash) = (Server.Clock.GetUtcNow(), RandomId.Hash(RandomId.New()));
        var family = RandomId.New();
        await Server.ChangeAsync(async db =>
        {
            var session = await db.Sessions.Where(row => row.PersonId == kari.Id).Select(row => row.Id).FirstAsync();
            db.AuthorizationCodes.Add(new AuthorizationCode { Hash = hash, ClientId = "timeliste", RedirectUri = PortvaktServer.RedirectUri, CodeChallenge = "", Scopes = "openid", PersonId = kari.Id, SessionId = session, ExpiresAt = now.AddMinutes(1) });
            db.RefreshFamilies.Add(new RefreshFamily { Id = family, ClientId = "timeliste", PersonId = kari.Id, SessionId = session, Scopes = "openid", CurrentHash = hash, ExpiresAt = now.AddDays(1) });
        });

        await Server.ReadAsync(async db =>
        {
            var code = (await GrantStatements.CodeAsync(db, hash, CancellationToken.None))!;
            await Assert.ThrowsAnyAsync<DbException>(() => GrantStatements.UseAsync(db, code, now, family, hash, now.AddDays(1), CancellationToken.None));
            return await GrantStatements.UseAsync(db, code, now, RandomId.New(), hash, now.AddDays(1), CancellationToken.None);
        });
        Assert.NotNull(await Server.ReadAsync(db => db.AuthorizationCodes.Where(row => row.Hash == hash && row.Version == 1 && row.FamilyId != family).Select(row => row.UsedAt).SingleAsync()));
    }

    [Fact]
    public async Task Migrations_lead_from_nothing_to_the_present_model()
    {
        Assert.Empty(await Server.ReadAsync(db => db.Database.GetPendingMigrationsAsync()));
        Assert.NotEmpty(await Server.ReadAsync(db => db.Database.GetAppliedMigrationsAsync()));

        // Every table answers, and each of its columns: the migration and the model are the same.
        await Server.ReadAsync(async db =>
        {
            foreach (var entity in db.Model.GetEntityTypes())
            {
                var columns = string.Join(", ", entity.GetProperties().Select(property => $"\"{property.GetColumnName()}\""));
#pragma warning disable EF1002 // the names of our own model
                await db.Database.ExecuteSqlRawAsync($"SELECT {columns} FROM \"{entity.GetTableName()}\" WHERE 1 = 0");
#pragma warning restore EF1002
            }

            return 0;
        });
    }

    [Fact]
    public async Task A_server_does_not_serve_a_schema_that_is_not_its_own()
    {
        _ = Server; // skipped where there is no such database
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => PortvaktServer.StartAsync(kind, new Dictionary<string, string?> { ["Portvakt:MigrateAtStart"] = "false" }));
        Assert.Contains("portvakt migrate", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_hundred_guesses_at_once_exactly_the_free_ones_are_looked_at()
    {
        foreach (var throttle in new[] { Throttle.SecondFactor, Throttle.Password, Throttle.BindingSource })
        {
            var key = $"{Key}:parallel:{throttle.FreeFailures}";
            var waits = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(() => CountAsync(counter => counter.RaiseAsync(key, throttle, default)))));
            Assert.Equal(throttle.FreeFailures, waits.Count(wait => wait is null));
            Assert.All(waits.OfType<TimeSpan>(), wait => Assert.Equal(throttle.FirstPause, wait));
            Assert.Equal(throttle.FreeFailures, await FailuresAsync(key));
        }
    }

    [Fact]
    public async Task The_pause_is_the_one_of_the_rule_and_ends_to_the_millisecond()
    {
        foreach (var throttle in new[] { Throttle.SecondFactor, Throttle.Password, Throttle.BindingSource })
        {
            var key = $"{Key}:pause:{throttle.FreeFailures}";
            for (var failures = 1; failures <= throttle.FreeFailures + 9; failures++)
            {
                Assert.Null(await RaiseAsync(key, throttle));
                var pause = throttle.PauseAfter(failures);
                Assert.Equal(pause > TimeSpan.Zero ? pause : null, await BlockedAsync(key));
                if (pause == TimeSpan.Zero) continue;

                Assert.Equal(pause, await RaiseAsync(key, throttle));
                Server.Clock.Advance(pause - TimeSpan.FromMilliseconds(1));
                Assert.Equal(TimeSpan.FromMilliseconds(1), await RaiseAsync(key, throttle));
                Server.Clock.Advance(TimeSpan.FromMilliseconds(1));
                Assert.Null(await BlockedAsync(key));
            }
        }
    }

    [Fact]
    public async Task Failures_are_forgotten_after_a_day()
    {
        for (var failures = 0; failures < Throttle.Password.FreeFailures; failures++) Assert.Null(await RaiseAsync($"{Key}:day", Throttle.Password));
        Server.Clock.Advance(Throttle.Password.Memory);
        Assert.Null(await RaiseAsync($"{Key}:day", Throttle.Password));
        Assert.Equal(11, await FailuresAsync($"{Key}:day")); // exactly a day is not more than a day
        Server.Clock.Advance(Throttle.Password.Memory + TimeSpan.FromMilliseconds(1));
        Assert.Null(await RaiseAsync($"{Key}:day", Throttle.Password));
        Assert.Equal(1, await FailuresAsync($"{Key}:day"));
        Assert.Null(await BlockedAsync($"{Key}:day"));
    }

    [Fact]
    public async Task A_right_secret_clears_ones_own_count_and_gives_back_one_of_a_shared_one()
    {
        for (var failures = 0; failures < 3; failures++) await RaiseAsync($"{Key}:clear", Throttle.SecondFactor);
        await CountAsync(async counter =>
        {
            await counter.ReturnAsync($"{Key}:clear", Throttle.SecondFactor, default);
            return 0;
        });
        Assert.Equal(2, await FailuresAsync($"{Key}:clear"));
        await CountAsync(async counter =>
        {
            await counter.ClearAsync($"{Key}:clear", default);
            await counter.ReturnAsync($"{Key}:clear", Throttle.SecondFactor, default); // nothing to give back is no debt
            return 0;
        });
        Assert.Null(await FailuresAsync($"{Key}:clear"));
    }

    [Fact]
    public async Task R52_A_right_try_at_a_source_that_many_share_leaves_no_block_and_a_wrong_one_does()
    {
        var (key, throttle) = ($"{Key}:shared", Throttle.BindingSource);
        for (var failures = 0; failures < throttle.FreeFailures; failures++) Assert.Null(await RaiseAsync(key, throttle));
        Assert.Equal(throttle.FirstPause, await BlockedAsync(key));
        Server.Clock.Advance(throttle.FirstPause);
        for (var right = 0; right < 3; right++)
        {
            await RightAsync(key, throttle);
            Assert.Null(await BlockedAsync(key));
            Assert.Equal(throttle.FreeFailures, await FailuresAsync(key));
        }

        // No clean slate either: the next wrong one is the twenty-first. What others have earned is not given back by who did not earn it.
        Assert.Null(await RaiseAsync(key, throttle));
        Assert.Equal(throttle.FirstPause * 2, await BlockedAsync(key));
        await CountAsync(async counter =>
        {
            await counter.ReturnAsync(key, throttle, default);
            return 0;
        });
        Assert.Equal(throttle.FirstPause * 2, await BlockedAsync(key));
    }

    [Fact]
    public async Task R52_A_burst_at_a_source_that_many_share_is_forgotten_though_they_go_on_signing_in()
    {
        var (key, throttle) = ($"{Key}:shared:memory", Throttle.BindingSource);
        for (var failures = 0; failures < throttle.FreeFailures; failures++) Assert.Null(await RaiseAsync(key, throttle));
        for (var waited = TimeSpan.Zero; waited <= throttle.Memory; waited += TimeSpan.FromMinutes(1))
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(1));
            await RightAsync(key, throttle);
        }

        Assert.Null(await RaiseAsync(key, throttle));
        Assert.Equal(1, await FailuresAsync(key));
        Assert.Null(await BlockedAsync(key));
    }

    [Fact]
    public async Task The_same_wrong_secret_again_is_recognised_and_not_counted_and_another_is()
    {
        Assert.Equal((null, false), await RaiseAsync([1]));
        await CountAsync(async counter =>
        {
            await counter.RememberAsync($"{Key}:repeat", [1], default);
            return 0;
        });
        Assert.Equal((null, true), await RaiseAsync([1]));
        Assert.Equal(1, await FailuresAsync($"{Key}:repeat"));
        Assert.Equal((null, false), await RaiseAsync([2]));
        Assert.Equal(2, await FailuresAsync($"{Key}:repeat"));

        // While it is blocked, a repeat waits like any other.
        var until = Server.Clock.GetUtcNow().AddMinutes(3).ToUnixTimeMilliseconds();
        await Server.ChangeAsync(db => db.FailureCounts.Where(row => row.Key == $"{Key}:repeat").ExecuteUpdateAsync(set => set.SetProperty(row => row.BlockedUntil, until)));
        Assert.Equal(180, (await RaiseAsync([1])).Wait!.Value.TotalSeconds, 1.0);
        Assert.Equal(180, (await RaiseAsync([3])).Wait!.Value.TotalSeconds, 1.0);

        Task<(TimeSpan? Wait, bool IsRepeat)> RaiseAsync(byte[] mark) => CountAsync(counter => counter.RaiseAsync($"{Key}:repeat", Throttle.Password, mark, default));
    }

    [Fact]
    public async Task Of_many_answers_to_one_request_one_is_saved()
    {
        var kari = await Server.AddPersonAsync();
        var now = Server.Clock.GetUtcNow();
        var request = new ApprovalRequest(kari.Id, "race", ApprovalPurpose.SignIn, null, 2, now, ApprovalRequest.DefaultLifetime);
        await Server.ChangeAsync(db =>
        {
            db.Approvals.Add(request);
            return Task.CompletedTask;
        });

        var saved = await Task.WhenAll(Enumerable.Range(0, 32).Select(index => Task.Run(() => Server.ReadAsync(async db =>
        {
            var mine = await db.Approvals.SingleAsync(row => row.Id == request.Id);
            var decision = index % 2 is 0 ? Decision.Approve : Decision.NotMe;
            return mine.Answer(kari.Id, decision, request.DisplayedNumber, [(byte)index], now) is AnswerOutcome.Recorded && await db.TrySaveAsync(default) ? index : -1;
        }))));
        var winner = Assert.Single(saved, index => index >= 0);
        var stored = await Server.ReadAsync(db => db.Approvals.AsNoTracking().SingleAsync(row => row.Id == request.Id));
        Assert.Equal([(byte)winner], stored.Evidence!);
        Assert.Equal(winner % 2 is 0 ? ApprovalState.Approved : ApprovalState.Reported, stored.State);
    }

    [Fact]
    public async Task A_person_has_one_live_request_and_the_database_says_so()
    {
        var kari = await Server.AddPersonAsync();
        Task AddAsync() => Server.ChangeAsync(db =>
        {
            db.Approvals.Add(new ApprovalRequest(kari.Id, "two", ApprovalPurpose.SignIn, null, 2, Server.Clock.GetUtcNow(), ApprovalRequest.DefaultLifetime));
            return Task.CompletedTask;
        });
        await AddAsync();
        await Assert.ThrowsAsync<DbUpdateException>(AddAsync);
    }

    private Task<TimeSpan?> RaiseAsync(string key, Throttle throttle) => CountAsync(counter => counter.RaiseAsync(key, throttle, default));

    private Task<TimeSpan?> BlockedAsync(string key) => CountAsync(counter => counter.BlockedForAsync(key, default));

    private Task<int?> FailuresAsync(string key) => Server.ReadAsync(db => db.FailureCounts.Where(row => row.Key == key).Select(row => (int?)row.Failures).SingleOrDefaultAsync());

    /// <summary>Raised and given back, as when the secret was right.</summary>
    private Task<int> RightAsync(string key, Throttle throttle) => CountAsync(async counter =>
    {
        Assert.Null(await counter.RaiseAsync(key, throttle, default));
        await counter.ReturnAsync(key, throttle, default);
        return 0;
    });

    /// <summary>A counter of one's own, as each request has one.</summary>
    private async Task<T> CountAsync<T>(Func<FailureCounter, Task<T>> work)
    {
        await using var scope = Server.Services.CreateAsyncScope();
        return await work(new FailureCounter(scope.ServiceProvider.GetRequiredService<PortvaktDb>(), Server.Clock));
    }

    /// <summary>The machine's clock, and so much ahead of it.</summary>
    private sealed class Shifted(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
