using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Portvakt.Domain.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Audit;

/// <summary>
/// Gives audit rows their place in the chain, a second after they were written (docs/decisions/0010-audit-chain.md). Of several servers one chains at a time: the checkpoint is one
/// versioned row, saved with the rows; who loses begins again. Nothing else in the product changes a chained row, except <see cref="AuditTrail.EraseAsync"/> and <see cref="ForgetAsync"/>.
/// </summary>
public sealed class AuditChain(IServiceScopeFactory scopes, Vault vault, TimeProvider clock, ILogger<AuditChain> log) : BackgroundService
{
    /// <summary>Rows in one transaction: bounds memory, and how long others wait.</summary>
    public const int Batch = 1000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenVerifications = TimeSpan.FromDays(1);
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>How far this process has seen the chain: an older state put back into the database has a good seal, and is seen by this.</summary>
    private long _seen;

    private AuditFaultKind? _stopped;

    /// <summary>What the server's own daily verification found last; null before the first one.</summary>
    public AuditVerdict? LastVerdict { get; private set; }

    /// <summary>Chains whatever waits.</summary>
    /// <returns>How many rows were chained by this call.</returns>
    public async Task<int> ChainAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            for (var (total, lost) = (0, 0); ;)
            {
                await using var scope = scopes.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                if (!await db.AuditEvents.AnyAsync(row => row.ChainNumber == null, cancellationToken)) return total;

                // First the checkpoint, then the rows: what another server chains in between makes our checkpoint the old one, and the save is lost.
                if (await CheckpointAsync(db, cancellationToken) is not { } checkpoint) return total;
                var chained = await ChainBatchAsync(db, checkpoint, cancellationToken);
                if (chained > 0) (total, lost, _seen) = (total + chained, 0, checkpoint.Number);
                else if (++lost >= 20) return total; // whoever wins chains them
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Retention (R92): takes away the oldest rows, and moves the beginning of the chain under the seal. A row that was tampered with is not taken away: nothing covers a trace.
    /// </summary>
    /// <param name="before">Rows older than this are taken away, as far as nothing newer stands before them.</param>
    /// <param name="cancellationToken">Stops between two batches.</param>
    /// <returns>How many rows were taken away.</returns>
    public async Task<int> ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            for (var total = 0; ;)
            {
                await using var scope = scopes.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
                if (await CheckpointAsync(db, cancellationToken) is not { } checkpoint) return total;
                var first = checkpoint.FirstNumber;
                var rows = await db.AuditEvents.AsNoTracking().Where(row => row.ChainNumber > first).OrderBy(row => row.ChainNumber).Take(Batch).ToListAsync(cancellationToken);
                foreach (var row in rows.TakeWhile(row => row.At < before))
                {
                    var number = checkpoint.FirstNumber + 1;
                    if (row.ChainNumber != number || !AuditHash.HasItsHash(vault.AuditKey, checkpoint.FirstHash, number, row))
                    {
                        log.ChainBroken(new AuditFault(row.ChainNumber == number ? AuditFaultKind.Changed : AuditFaultKind.Missing, number, row.Id).Sentence);
                        break;
                    }

                    (checkpoint.FirstNumber, checkpoint.FirstHash) = (number, row.ChainHash!);
                }

                var last = checkpoint.FirstNumber;
                if (last == first) return total;
                checkpoint.Seal = AuditHash.SealOf(vault.AuditKey, checkpoint);
                await using var both = await db.Database.BeginTransactionAsync(cancellationToken);
                if (!await db.TrySaveAsync(cancellationToken)) return total;
                total += await db.AuditEvents.Where(row => row.ChainNumber > first && row.ChainNumber <= last).ExecuteDeleteAsync(cancellationToken);
                await both.CommitAsync(cancellationToken);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Chains what waits, and verifies all of it.</summary>
    public async Task<AuditVerdict> VerifyAsync(AuditAnchor? anchor, CancellationToken cancellationToken)
    {
        await ChainAsync(cancellationToken);
        await using var scope = scopes.CreateAsyncScope();
        var verdict = await new AuditVerifier(scope.ServiceProvider.GetRequiredService<PortvaktDb>(), vault).VerifyAsync(clock.GetUtcNow(), anchor, cancellationToken);
        LastVerdict = verdict;
        return verdict;
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var verification = clock.GetUtcNow() + TimeSpan.FromMinutes(1); // not in the rush of the start
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Pause, clock, stoppingToken);
            try
            {
                await ChainAsync(stoppingToken);
                if (clock.GetUtcNow() < verification) continue;
                verification = clock.GetUtcNow() + BetweenVerifications;
                var verdict = await VerifyAsync(null, stoppingToken);
                if (verdict.IsWhole) log.ChainWhole(verdict.Rows);
                foreach (var fault in verdict.Faults) log.ChainBroken(fault.Sentence);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the chaining; it is logged and tried again
            catch (Exception exception) when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.ChainingFailed(exception);
            }
        }
    }

    /// <summary>The checkpoint, when it can be believed. Otherwise nothing is chained: a new seal would make good what somebody forged.</summary>
    private async Task<AuditCheckpoint?> CheckpointAsync(PortvaktDb db, CancellationToken cancellationToken)
    {
        var checkpoint = await db.AuditCheckpoints.SingleOrDefaultAsync(row => row.Id == 1, cancellationToken);
        if (checkpoint is null && _seen is 0 && !await db.AuditEvents.AnyAsync(row => row.ChainNumber != null, cancellationToken))
        {
            checkpoint = new AuditCheckpoint { Id = 1, Number = 0, Hash = [], At = clock.GetUtcNow(), Seal = [] };
            db.AuditCheckpoints.Add(checkpoint);
            return checkpoint;
        }

        AuditFaultKind? fault = checkpoint is null ? AuditFaultKind.CheckpointMissing
            : !AuditHash.HasItsSeal(vault.AuditKey, checkpoint) ? AuditFaultKind.CheckpointForged
            : checkpoint.Number < _seen ? AuditFaultKind.CutOff
            : null;
        if (fault is { } kind && fault != _stopped) log.ChainStopped(new AuditFault(kind, kind is AuditFaultKind.CutOff ? checkpoint!.Number + 1 : null, null).Sentence);
        _stopped = fault;
        return fault is null ? checkpoint : null;
    }

    private async Task<int> ChainBatchAsync(PortvaktDb db, AuditCheckpoint checkpoint, CancellationToken cancellationToken)
    {
        // In the order of the index on the number, where those without one lie together; by id within them.
        var rows = await db.AuditEvents.AsNoTracking().Where(row => row.ChainNumber == null).OrderBy(row => row.ChainNumber).ThenBy(row => row.Id).Take(Batch).ToListAsync(cancellationToken);
        if (rows.Count is 0) return 0;
        List<AuditEvent> early = [];
        foreach (var row in rows)
        {
            if (row.Commitment.Length is 0) early.Add(row); // of before the chain: from here on it is as all others
            row.Commit();
            row.ChainNumber = ++checkpoint.Number;
            row.ChainHash = AuditHash.Of(vault.AuditKey, checkpoint.Hash, checkpoint.Number, row);
            checkpoint.Hash = row.ChainHash;
        }

        var now = clock.GetUtcNow();
        checkpoint.At = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero); // as PostgreSQL keeps it: the seal is over this
        checkpoint.Seal = AuditHash.SealOf(vault.AuditKey, checkpoint);
        var isOurs = await db.InTransactionAsync(
            async () =>
            {
                if (!await db.TrySaveAsync(cancellationToken)) return false;
                foreach (var row in early) await db.AuditEvents.Where(kept => kept.Id == row.Id).ExecuteUpdateAsync(set => set.SetProperty(kept => kept.Commitment, row.Commitment).SetProperty(kept => kept.Blind, row.Blind), cancellationToken);
                await PlaceAsync(db, rows, cancellationToken);
                return true;
            },
            cancellationToken);
        return isOurs ? rows.Count : 0;
    }

    /// <summary>By hand: six rows of every sign-in come by here, and nothing else of a row may be written, as somebody may be erasing it. One statement, or one that is prepared.</summary>
    private static async Task PlaceAsync(PortvaktDb db, List<AuditEvent> rows, CancellationToken cancellationToken)
    {
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction!.GetDbTransaction();
        if (command is NpgsqlCommand { Parameters: var values })
        {
            command.CommandText = "UPDATE audit_events SET chain_number = place.number, chain_hash = place.hash FROM unnest(@ids, @numbers, @hashes) AS place (id, number, hash) WHERE audit_events.id = place.id";
            values.AddWithValue("ids", rows.ConvertAll(row => row.Id));
            values.AddWithValue("numbers", rows.ConvertAll(row => row.ChainNumber!.Value));
            values.AddWithValue("hashes", rows.ConvertAll(row => row.ChainHash!));
            await command.ExecuteNonQueryAsync(cancellationToken);
            return;
        }

        command.CommandText = "UPDATE audit_events SET chain_number = $number, chain_hash = $hash WHERE id = $id";
        var (number, hash, id) = (Add("$number", SqliteType.Integer), Add("$hash", SqliteType.Blob), Add("$id", SqliteType.Integer));
        await command.PrepareAsync(cancellationToken);
        foreach (var row in rows)
        {
            (number.Value, hash.Value, id.Value) = (row.ChainNumber, row.ChainHash, row.Id);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        SqliteParameter Add(string name, SqliteType type) => ((SqliteCommand)command).Parameters.Add(name, type);
    }
}
