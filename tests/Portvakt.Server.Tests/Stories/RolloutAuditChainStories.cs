using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Portvakt.Domain.Audit;
using Portvakt.Server.Audit;
using Portvakt.Server.Commands;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class RolloutAuditChainOnSqlite() : RolloutAuditChainStories(DatabaseKind.Sqlite);

public sealed class RolloutAuditChainOnPostgres() : RolloutAuditChainStories(DatabaseKind.Postgres);

/// <summary>R96, G16: whoever changes the log in the database is found, and the first bad row is named. Each story has a database of its own.</summary>
public abstract class RolloutAuditChainStories(DatabaseKind kind) : IAsyncLifetime
{
    private const int Length = 200;
    private PortvaktServer? _server;

    private PortvaktServer Server
    {
        get
        {
            Assert.SkipWhen(_server is null, "No PostgreSQL is configured (PORTVAKT_TEST_POSTGRES); `dotnet run dev.cs test` starts one.");
            return _server!;
        }
    }

    private AuditChain Chain => Server.Services.GetRequiredService<AuditChain>();

    private Vault Vault => Server.Services.GetRequiredService<Vault>();

    public async ValueTask InitializeAsync()
    {
        if (kind is DatabaseKind.Postgres && PortvaktServer.PostgresConnection is null) return;
        _server = await PortvaktServer.StartAsync(kind);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_change_of_any_column_of_any_row_is_found_and_the_row_is_named()
    {
        await ChainOfAsync(Length);
        var other = Guid.CreateVersion7();
        (string Column, Func<IQueryable<AuditEvent>, AuditEvent, Task<int>> Change)[] changes =
        [
            ("what", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.What, was.What is SecurityEvent.SessionEnded ? SecurityEvent.PasswordVerified : SecurityEvent.SessionEnded))),
            ("at", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.At, was.At.AddMicroseconds(1)))),
            ("person_id", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.PersonId, was.PersonId is null ? other : null))),
            ("actor_id", (row, _) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.ActorId, other))),
            ("subject", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Subject, was.Subject is null ? "" : null))),
            ("address", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Address, was.Address is null ? "" : null))),
            ("reason", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Reason, was.Reason is null ? "" : null))),
            ("blind", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Blind, new byte[16]))),
            ("commitment", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.Commitment, AuditEvent.CommitmentOf(new byte[16], was.Address, was.Reason)))),
            ("chain_number", (row, _) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.ChainNumber, (long?)null))),
            ("chain_hash", (row, was) => row.ExecuteUpdateAsync(set => set.SetProperty(audit => audit.ChainHash, Enumerable.Reverse(was.ChainHash!).ToArray()))),
        ];
        Assert.Equal(12, await Server.ReadAsync(db => Task.FromResult(db.Model.FindEntityType(typeof(AuditEvent))!.GetProperties().Count()))); // these and the id: none forgotten

        // The walk is the same on both databases; what differs is how a column is kept, and a tenth of the rows shows that.
        foreach (var was in (await RowsAsync()).Where(row => kind is DatabaseKind.Sqlite || row.ChainNumber % 10 is 1))
        {
            foreach (var (column, change) in changes)
            {
                await Server.ReadAsync(db => change(db.AuditEvents.Where(row => row.Id == was.Id), was));
                await NamesAsync(was.ChainNumber!.Value, column);
                await PutBackAsync(was);
            }

            await Server.ReadAsync(db => db.Database.ExecuteSqlAsync($"UPDATE audit_events SET id = {was.Id + 100_000} WHERE id = {was.Id}"));
            await NamesAsync(was.ChainNumber!.Value, "id");
            await Server.ReadAsync(db => db.Database.ExecuteSqlAsync($"UPDATE audit_events SET id = {was.Id} WHERE id = {was.Id + 100_000}"));
        }

        Assert.True((await VerifyAsync()).IsWhole);
    }

    [Fact]
    public async Task A_row_that_can_no_longer_be_read_is_named_too()
    {
        await ChainOfAsync(20);
        await Server.ReadAsync(db => db.Database.ExecuteSqlAsync($"UPDATE audit_events SET what = 'Nonsense' WHERE chain_number = 12"));
        Assert.Equal((AuditFaultKind.Changed, 12L), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task A_deleted_row_is_missing_and_a_deleted_end_is_cut_off()
    {
        await ChainOfAsync(50);
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber > 47).ExecuteDeleteAsync());
        Assert.Equal((AuditFaultKind.CutOff, 48L), Only(await VerifyAsync()));

        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 17).ExecuteDeleteAsync());
        Assert.Equal((AuditFaultKind.Missing, 17L), Only(await VerifyAsync()));

        await Server.ReadAsync(db => db.AuditEvents.ExecuteDeleteAsync());
        Assert.Equal((AuditFaultKind.CutOff, 1L), Only(await VerifyAsync()));
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(5, 40)]
    [InlineData(1, 2)]
    public async Task Rows_that_changed_places_are_called_so(long one, long two)
    {
        await ChainOfAsync(50);
        await Server.ReadAsync(async db =>
        {
            await db.Database.ExecuteSqlAsync($"UPDATE audit_events SET chain_number = -1 WHERE chain_number = {one}");
            await db.Database.ExecuteSqlAsync($"UPDATE audit_events SET chain_number = {one} WHERE chain_number = {two}");
            return await db.Database.ExecuteSqlAsync($"UPDATE audit_events SET chain_number = {two} WHERE chain_number = -1");
        });
        Assert.Equal((AuditFaultKind.Reordered, one), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task An_inserted_row_is_called_so_in_the_middle_at_the_end_and_before_the_beginning()
    {
        await ChainOfAsync(30);
        await InsertAsync(31);
        Assert.Equal((AuditFaultKind.Inserted, 31L), Only(await VerifyAsync()));
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 31).ExecuteDeleteAsync());

        await InsertAsync(0);
        Assert.Equal((AuditFaultKind.Inserted, 0L), Only(await VerifyAsync()));
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 0).ExecuteDeleteAsync());

        for (var number = 30L; number >= 20; number--) await Server.ReadAsync(db => db.Database.ExecuteSqlAsync($"UPDATE audit_events SET chain_number = {number + 1} WHERE chain_number = {number}"));
        await InsertAsync(20);
        Assert.Equal((AuditFaultKind.Inserted, 20L), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task A_chain_computed_anew_with_another_key_is_found_and_nothing_is_sealed_over_it()
    {
        await ChainOfAsync(20);

        // Whoever has the database alone: hashes and seal are right in themselves, under a key of their own.
        var key = new byte[32];
        await Server.ChangeAsync(async db =>
        {
            var checkpoint = await db.AuditCheckpoints.SingleAsync();
            var hash = Array.Empty<byte>();
            foreach (var row in await db.AuditEvents.OrderBy(row => row.ChainNumber).ToListAsync()) row.ChainHash = hash = AuditHash.Of(key, hash, row.ChainNumber!.Value, row);
            checkpoint.Hash = hash;
            checkpoint.Seal = AuditHash.SealOf(key, checkpoint);
        });
        var faults = (await VerifyAsync()).Faults;
        Assert.Equal([(AuditFaultKind.CheckpointForged, null), (AuditFaultKind.Changed, 1L)], faults.Select(fault => (fault.Kind, fault.Number)));

        await AddAsync(5);
        Assert.Equal(0, await Chain.ChainAsync(TestContext.Current.CancellationToken));
        Assert.Contains("no longer chained", Server.Log.All, StringComparison.Ordinal);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.Contains(AuditFaultKind.Waiting, (await VerifyAsync()).Faults.Select(fault => fault.Kind));
    }

    [Fact]
    public async Task A_checkpoint_that_was_forged_or_taken_away_is_found()
    {
        await ChainOfAsync(20);
        await Server.ReadAsync(db => db.AuditCheckpoints.ExecuteUpdateAsync(set => set.SetProperty(row => row.At, row => Server.Clock.GetUtcNow().AddDays(1))));
        Assert.Equal((AuditFaultKind.CheckpointForged, null), Only(await VerifyAsync()));

        // Cut off, with the number in the checkpoint made to fit.
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber > 15).ExecuteDeleteAsync());
        await Server.ReadAsync(db => db.AuditCheckpoints.ExecuteUpdateAsync(set => set.SetProperty(row => row.Number, 15)));
        Assert.Equal(AuditFaultKind.CheckpointForged, (await VerifyAsync()).Faults[0].Kind);

        await Server.ReadAsync(db => db.AuditCheckpoints.ExecuteDeleteAsync());
        Assert.Equal((AuditFaultKind.CheckpointMissing, null), Only(await VerifyAsync()));
        await AddAsync(1);
        Assert.Equal(0, await Chain.ChainAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_older_state_put_back_under_a_running_server_is_not_gone_on_from()
    {
        await ChainOfAsync(10);
        var old = await Server.ReadAsync(db => db.AuditCheckpoints.AsNoTracking().SingleAsync());
        await ChainOfAsync(5);
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber > 10).ExecuteDeleteAsync());
        await Server.ReadAsync(db => db.AuditCheckpoints.ExecuteUpdateAsync(set => set.SetProperty(row => row.Number, old.Number).SetProperty(row => row.Hash, old.Hash).SetProperty(row => row.At, old.At).SetProperty(row => row.Seal, old.Seal)));
        await AddAsync(1);
        Assert.Equal(0, await Chain.ChainAsync(TestContext.Current.CancellationToken));
        Assert.Contains("cut off from row 11", Server.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_kept_elsewhere_shows_what_even_the_key_of_the_server_cannot_hide()
    {
        await ChainOfAsync(20);
        var kept = await AuditCommands.CheckpointAsync(Server.Services, TestContext.Current.CancellationToken);
        await ChainOfAsync(20);
        Assert.Equal((0, ""), await CommandAsync(kept));

        // Signed by a key that is retired since: still ours.
        await Server.ReadAsync(db => db.ServerKeys.Where(key => key.Purpose == "signing").ExecuteUpdateAsync(set => set.SetProperty(key => key.RetiredAt, Server.Clock.GetUtcNow())));
        Assert.Equal((0, ""), await CommandAsync(kept));

        // Rewritten with the key itself: the database says that all is well, the copy does not.
        await Server.ChangeAsync(async db =>
        {
            var rows = await db.AuditEvents.OrderBy(row => row.ChainNumber).ToListAsync();
            db.AuditEvents.Remove(rows[9]);
            rows.RemoveAt(9);
            var checkpoint = await db.AuditCheckpoints.SingleAsync();
            var hash = Array.Empty<byte>();
            await db.AuditEvents.ExecuteUpdateAsync(set => set.SetProperty(row => row.ChainNumber, (long?)null));
            for (var index = 0; index < rows.Count; index++)
            {
                var row = rows[index];
                row.ChainNumber = index + 1;
                row.ChainHash = hash = AuditHash.Of(Vault.AuditKey, hash, index + 1, row);
                db.Entry(row).Property(changed => changed.ChainNumber).IsModified = true;
            }

            (checkpoint.Number, checkpoint.Hash) = (rows.Count, hash);
            checkpoint.Seal = AuditHash.SealOf(Vault.AuditKey, checkpoint);
        });
        Assert.True((await VerifyAsync()).IsWhole);
        var (code, said) = await CommandAsync(kept);
        Assert.Equal(1, code);
        Assert.Contains("row 20", said, StringComparison.Ordinal);

        // Cut off before it, the same.
        await Server.ChangeAsync(async db =>
        {
            await db.AuditEvents.Where(row => row.ChainNumber > 15).ExecuteDeleteAsync();
            var checkpoint = await db.AuditCheckpoints.SingleAsync();
            (checkpoint.Number, checkpoint.Hash) = (15, (await db.AuditEvents.AsNoTracking().SingleAsync(row => row.ChainNumber == 15)).ChainHash!);
            checkpoint.Seal = AuditHash.SealOf(Vault.AuditKey, checkpoint);
        });
        Assert.True((await VerifyAsync()).IsWhole);
        Assert.Equal(1, (await CommandAsync(kept)).Code);

        // And what nobody of ours signed is no checkpoint.
        var parts = kept.Split('.');
        Assert.Equal(2, (await CommandAsync($"{parts[0]}.{parts[1]}.{new string('A', 86)}")).Code);
        Assert.Equal(2, (await CommandAsync("nonsense")).Code);
        await Server.ReadAsync(db => db.ServerKeys.Where(key => key.Purpose == "signing").ExecuteDeleteAsync());
        Assert.Equal(2, (await CommandAsync(kept)).Code);
    }

    [Fact]
    public async Task Servers_that_chain_at_once_leave_no_gap_and_chain_nothing_twice()
    {
        await AddAsync(3_000);
        var chains = Enumerable.Range(0, 4).Select(_ => new AuditChain(Server.Services.GetRequiredService<IServiceScopeFactory>(), Vault, Server.Clock, NullLogger<AuditChain>.Instance)).ToList();
        var chained = await Task.WhenAll(chains.Select(chain => Task.Run(() => chain.ChainAsync(TestContext.Current.CancellationToken))));
        await Chain.ChainAsync(TestContext.Current.CancellationToken);
        chains.ForEach(chain => chain.Dispose());

        Assert.InRange(chained.Sum(), 1, 3_000);
        var numbers = (await RowsAsync()).Select(row => row.ChainNumber!.Value).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(number => (long)number), numbers);
        var verdict = await VerifyAsync();
        Assert.True(verdict.IsWhole);
        Assert.Equal((numbers.Count, 0), ((int)verdict.Rows, verdict.Waiting));
    }

    [Fact]
    public async Task Rows_of_before_the_chain_enter_it_as_they_are()
    {
        await AddAsync(3);
        await Server.ReadAsync(db => db.AuditEvents.ExecuteUpdateAsync(set => set.SetProperty(row => row.Commitment, Array.Empty<byte>()).SetProperty(row => row.Blind, (byte[]?)null)));
        Assert.Equal(3, await Chain.ChainAsync(TestContext.Current.CancellationToken));
        Assert.True((await VerifyAsync()).IsWhole);
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 2).ExecuteUpdateAsync(set => set.SetProperty(row => row.Address, "203.0.113.66")));
        Assert.Equal((AuditFaultKind.PersonalChanged, 2L), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task A_person_is_erased_and_the_chain_stays_whole_but_nobody_is_erased_by_hand()
    {
        var kari = await Server.AddPersonAsync();
        var ola = await Server.AddPersonAsync("Ola Nordmann");
        await Server.ChangeAsync(db =>
        {
            foreach (var person in (Guid[])[kari.Id, ola.Id, kari.Id]) db.AuditEvents.Add(new AuditEvent(SecurityEvent.PersonLocked, person, null, null, "198.51.100.7", "Mistet telefonen", Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        await Chain.ChainAsync(TestContext.Current.CancellationToken);
        await Server.ReadAsync(async db =>
        {
            await using var both = await db.Database.BeginTransactionAsync();
            db.Record(SecurityEvent.PersonErased, kari.Id, null, null, Server.Clock.GetUtcNow());
            await db.SaveChangesAsync();
            Assert.Equal(3, await AuditTrail.EraseAsync(db, kari.Id, TestContext.Current.CancellationToken));
            await both.CommitAsync();
            return 0;
        });
        await Chain.ChainAsync(TestContext.Current.CancellationToken);
        Assert.True((await VerifyAsync()).IsWhole);
        Assert.All((await RowsAsync()).Where(row => row.PersonId == kari.Id), row => Assert.Equal((null, null, null), (row.Address, row.Reason, row.Blind)));
        Assert.Equal("Mistet telefonen", (await RowsAsync()).Single(row => row.PersonId == ola.Id).Reason);

        // The same without the row that says so.
        await Server.ReadAsync(db => AuditTrail.EraseAsync(db, ola.Id, TestContext.Current.CancellationToken));
        Assert.Equal((AuditFaultKind.PersonalGone, 2L), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task Retention_takes_the_oldest_away_and_the_rest_stays_whole()
    {
        await ChainOfAsync(30, ago: TimeSpan.FromDays(731));
        await ChainOfAsync(20, ago: TimeSpan.FromDays(729));
        await ActivatorUtilities.CreateInstance<Cleanup>(Server.Services).SweepAsync(TestContext.Current.CancellationToken);

        var verdict = await VerifyAsync();
        Assert.True(verdict.IsWhole, string.Join('\n', verdict.Faults.Select(fault => fault.Sentence)));
        Assert.Equal((20L, 50L), (verdict.Rows, verdict.Number));
        await ChainOfAsync(5);
        Assert.True((await VerifyAsync()).IsWhole);

        // From now on row 31 is the first one: without it the chain is not whole.
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 31).ExecuteDeleteAsync());
        Assert.Equal((AuditFaultKind.Missing, 31L), Only(await VerifyAsync()));
    }

    [Fact]
    public async Task Retention_does_not_take_away_a_row_that_was_tampered_with()
    {
        await ChainOfAsync(10);
        await Server.ReadAsync(db => db.AuditEvents.Where(row => row.ChainNumber == 4).ExecuteUpdateAsync(set => set.SetProperty(row => row.At, Server.Clock.GetUtcNow().AddDays(-3))));
        Assert.Equal(3, await Chain.ForgetAsync(Server.Clock.GetUtcNow().AddDays(1), TestContext.Current.CancellationToken));
        Assert.Equal((AuditFaultKind.Changed, 4L), Only(await VerifyAsync()));
    }

    private static (AuditFaultKind Kind, long? Number) Only(AuditVerdict verdict)
    {
        var fault = Assert.Single(verdict.Faults);
        return (fault.Kind, fault.Number);
    }

    /// <summary>Verifies without chaining first: what a test has torn out must not be put in again.</summary>
    private Task<AuditVerdict> VerifyAsync() => Server.ReadAsync(db => new AuditVerifier(db, Vault).VerifyAsync(Server.Clock.GetUtcNow(), null, TestContext.Current.CancellationToken));

    private async Task<(int Code, string Said)> CommandAsync(string kept)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var errors = new StringWriter(CultureInfo.InvariantCulture);
        return (await AuditCommands.VerifyAsync(Server.Services, kept, output, errors, TestContext.Current.CancellationToken), errors.ToString());
    }

    private async Task NamesAsync(long number, string column)
    {
        var verdict = await VerifyAsync();
        Assert.True(verdict.Faults is [{ } fault] && fault.Number == number, $"{column} of row {number}: {string.Join("; ", verdict.Faults.Select(found => found.Sentence))}");
    }

    private async Task ChainOfAsync(int rows, TimeSpan ago = default)
    {
        await AddAsync(rows, ago);
        Assert.Equal(rows, await Chain.ChainAsync(TestContext.Current.CancellationToken));
    }

    private Task AddAsync(int rows, TimeSpan ago = default) => Server.ChangeAsync(db =>
    {
        var events = Enum.GetValues<SecurityEvent>().Where(what => what is not SecurityEvent.PersonErased).ToArray();
        for (var index = 0; index < rows; index++)
        {
            Guid? person = index % 3 is 0 ? null : Guid.CreateVersion7();
            db.AuditEvents.Add(new AuditEvent(events[index % events.Length], person, index % 5 is 0 ? person : null, index % 4 is 0 ? null : $"subject-{index}",
                index % 7 is 0 ? null : $"192.0.2.{index % 250}", index % 2 is 0 ? null : $"Begrunnelse {index}", Server.Clock.GetUtcNow() - ago));
        }

        return Task.CompletedTask;
    });

    private Task InsertAsync(long number) => Server.ChangeAsync(db =>
    {
        db.AuditEvents.Add(new AuditEvent(SecurityEvent.PasswordVerified, null, null, null, null, null, Server.Clock.GetUtcNow()) { ChainNumber = number, ChainHash = new byte[32] });
        return Task.CompletedTask;
    });

    private Task<List<AuditEvent>> RowsAsync() => Server.ReadAsync(db => db.AuditEvents.AsNoTracking().OrderBy(row => row.ChainNumber).ToListAsync());

    private Task<int> PutBackAsync(AuditEvent was) => Server.ReadAsync(db => db.AuditEvents.Where(row => row.Id == was.Id).ExecuteUpdateAsync(set => set
        .SetProperty(row => row.What, was.What).SetProperty(row => row.At, was.At).SetProperty(row => row.PersonId, was.PersonId).SetProperty(row => row.ActorId, was.ActorId)
        .SetProperty(row => row.Subject, was.Subject).SetProperty(row => row.Address, was.Address).SetProperty(row => row.Reason, was.Reason).SetProperty(row => row.Blind, was.Blind)
        .SetProperty(row => row.Commitment, was.Commitment).SetProperty(row => row.ChainNumber, was.ChainNumber).SetProperty(row => row.ChainHash, was.ChainHash)));
}
