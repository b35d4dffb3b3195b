using System.Data;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Audit;

/// <summary>
/// Walks the chain from the first row that is kept to the last, a thousand at a time, and names the first one that is wrong (R96). It reads one snapshot of the
/// database: what is chained or taken away meanwhile does not disturb it.
/// </summary>
public sealed class AuditVerifier(PortvaktDb db, Vault vault)
{
    private const int Batch = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly byte[] _key = vault.AuditKey;

    /// <param name="now">The time.</param>
    /// <param name="anchor">A checkpoint kept elsewhere that the chain must still contain. One older than what retention has left says nothing.</param>
    /// <param name="cancellationToken">Stops the walk.</param>
    public async Task<AuditVerdict> VerifyAsync(DateTimeOffset now, AuditAnchor? anchor, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            // Neither snapshot keeps anybody from writing. SQLite's would, were it not deferred.
            await using var snapshot = db.Database.GetDbConnection() is SqliteConnection sqlite
                ? sqlite.BeginTransaction(deferred: true)
                : await db.Database.GetDbConnection().BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
            await using var used = await db.Database.UseTransactionAsync(snapshot, cancellationToken);
            return await WalkAsync(now, anchor, cancellationToken);
        }
        finally
        {
            await db.Database.UseTransactionAsync(null, CancellationToken.None);
            await db.Database.CloseConnectionAsync();
        }
    }

    private async Task<AuditVerdict> WalkAsync(DateTimeOffset now, AuditAnchor? anchor, CancellationToken cancellationToken)
    {
        var faults = new List<AuditFault>();
        var checkpoint = await db.AuditCheckpoints.AsNoTracking().SingleOrDefaultAsync(row => row.Id == 1, cancellationToken);
        if (checkpoint is null)
        {
            if (await db.AuditEvents.AnyAsync(row => row.ChainNumber != null, cancellationToken)) faults.Add(new AuditFault(AuditFaultKind.CheckpointMissing, null, null));
        }
        else if (!AuditHash.HasItsSeal(_key, checkpoint))
        {
            faults.Add(new AuditFault(AuditFaultKind.CheckpointForged, null, null));
        }

        var first = checkpoint?.FirstNumber ?? 0;
        var last = checkpoint?.Number ?? (faults.Count > 0 ? long.MaxValue : 0); // without a checkpoint nobody knows the end
        var (number, hash) = (first, checkpoint?.FirstHash ?? []);
        var fault = IsOther(anchor, number, hash) ? new AuditFault(AuditFaultKind.NotAsKept, number, null) : null;
        while (fault is null)
        {
            var rows = await ReadAsync(number, cancellationToken);
            if (rows.Count is 0) break;
            var erased = await ErasedAsync(rows, cancellationToken);
            foreach (var (place, id, row) in rows)
            {
                fault = place != number + 1 ? new AuditFault(AuditFaultKind.Missing, number + 1, null)
                    : place > last ? new AuditFault(AuditFaultKind.Inserted, place, id)
                    : row is null ? new AuditFault(AuditFaultKind.Changed, place, id)
                    : !AuditHash.HasItsHash(_key, hash, place, row) ? await DiagnoseAsync(first, checkpoint?.FirstHash ?? [], number, hash, row, cancellationToken)
                    : !AuditHash.HasItsCommitment(row) ? new AuditFault(AuditFaultKind.PersonalChanged, place, id)
                    : row.IsErased && !erased.Contains(row.PersonId) ? new AuditFault(AuditFaultKind.PersonalGone, place, id)
                    : IsOther(anchor, place, row.ChainHash!) ? new AuditFault(AuditFaultKind.NotAsKept, place, id)
                    : null;
                if (fault is not null) break;
                (number, hash) = (place, row!.ChainHash!);
            }
        }

        fault ??= checkpoint is null ? null
            : number < last ? new AuditFault(AuditFaultKind.CutOff, number + 1, null)
            : faults.Count is 0 && !CryptographicOperations.FixedTimeEquals(hash, checkpoint.Hash) ? new AuditFault(AuditFaultKind.CheckpointForged, null, null)
            : await BeforeTheFirstAsync(first, cancellationToken);
        fault ??= anchor is not null && anchor.Number > number ? new AuditFault(AuditFaultKind.NotAsKept, anchor.Number, null) : null;
        if (fault is not null) faults.Add(fault);

        var waiting = db.AuditEvents.Where(row => row.ChainNumber == null);
        var late = now - Patience;
        var oldest = await waiting.Where(row => row.At < late).OrderBy(row => row.Id).Select(row => (long?)row.Id).FirstOrDefaultAsync(cancellationToken);
        if (oldest is not null) faults.Add(new AuditFault(AuditFaultKind.Waiting, null, oldest));
        return new AuditVerdict(now, number - first, number, await waiting.CountAsync(cancellationToken), faults);
    }

    private static bool IsOther(AuditAnchor? anchor, long number, byte[] hash) => anchor?.Number == number && !CryptographicOperations.FixedTimeEquals(anchor.Hash, hash);

    /// <summary>A row that claims a place before the first one that is kept.</summary>
    private async Task<AuditFault?> BeforeTheFirstAsync(long first, CancellationToken cancellationToken) =>
        await db.AuditEvents.Where(row => row.ChainNumber <= first).OrderBy(row => row.ChainNumber).Select(row => new { row.ChainNumber, row.Id }).FirstOrDefaultAsync(cancellationToken) is { } found
            ? new AuditFault(AuditFaultKind.Inserted, found.ChainNumber, found.Id)
            : null;

    /// <summary>The next rows. One that was changed into something that cannot even be read comes without its contents.</summary>
    private async Task<List<(long Number, long Id, AuditEvent? Row)>> ReadAsync(long after, CancellationToken cancellationToken)
    {
        var next = db.AuditEvents.AsNoTracking().Where(row => row.ChainNumber > after).OrderBy(row => row.ChainNumber).Take(Batch);
        try
        {
            return [.. (await next.ToListAsync(cancellationToken)).Select(row => (row.ChainNumber!.Value, row.Id, (AuditEvent?)row))];
        }
        catch (Exception unreadable) when (unreadable is FormatException or InvalidOperationException or InvalidCastException or ArgumentException or OverflowException)
        {
            var places = await next.Select(row => new { Number = row.ChainNumber!.Value, row.Id }).ToListAsync(cancellationToken);
            var rows = new List<(long, long, AuditEvent?)>();
            foreach (var place in places) rows.Add((place.Number, place.Id, await ReadOneAsync(place.Id, cancellationToken)));
            return rows;
        }
    }

    private async Task<AuditEvent?> ReadOneAsync(long id, CancellationToken cancellationToken)
    {
        try
        {
            return await db.AuditEvents.AsNoTracking().SingleOrDefaultAsync(row => row.Id == id, cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is FormatException or InvalidOperationException or InvalidCastException or ArgumentException or OverflowException)
        {
            return null;
        }
    }

    /// <summary>Of the people whose rows here are erased: those of whom the log says so. That row comes later in the chain, so retention never takes it first.</summary>
    private async Task<HashSet<Guid?>> ErasedAsync(List<(long Number, long Id, AuditEvent? Row)> rows, CancellationToken cancellationToken)
    {
        var people = rows.Where(place => place.Row is { IsErased: true }).Select(place => place.Row!.PersonId).Distinct().ToList();
        return people.Count is 0 ? [] : [.. await db.AuditEvents.Where(row => row.What == SecurityEvent.PersonErased && people.Contains(row.PersonId)).Select(row => row.PersonId).ToListAsync(cancellationToken)];
    }

    /// <summary>What was done to a row whose hash does not fit. A second walk, over places and hashes only, finds out whether it stood elsewhere.</summary>
    private async Task<AuditFault> DiagnoseAsync(long first, byte[] firstHash, long number, byte[] hash, AuditEvent row, CancellationToken cancellationToken)
    {
        var place = number + 1;
        if (AuditHash.HasItsHash(_key, firstHash, first + 1, row)) return new AuditFault(AuditFaultKind.Reordered, place, row.Id);
        for (var from = first; ;)
        {
            var others = await db.AuditEvents.Where(other => other.ChainNumber > from && other.ChainHash != null).OrderBy(other => other.ChainNumber).Take(Batch)
                .Select(other => new { Number = other.ChainNumber!.Value, Hash = other.ChainHash! }).ToListAsync(cancellationToken);
            if (others.Count is 0) break;

            // Its predecessor may itself have been moved by one, as when two neighbours change places.
            if (others.Any(other => AuditHash.HasItsHash(_key, other.Hash, other.Number + 1, row) || AuditHash.HasItsHash(_key, other.Hash, other.Number, row)))
                return new AuditFault(AuditFaultKind.Reordered, place, row.Id);
            from = others[^1].Number;
        }

        // Made by nobody who has the key. When the next row fits here, it was pushed aside.
        var after = (await ReadAsync(place, cancellationToken)).FirstOrDefault().Row;
        return new AuditFault(after is not null && AuditHash.HasItsHash(_key, hash, place, after) ? AuditFaultKind.Inserted : AuditFaultKind.Changed, place, row.Id);
    }
}
