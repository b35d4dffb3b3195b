using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>
/// Brings files in, one after the other, beside the requests. What is under way lives in memory: an import is brought in by one transaction, so a restart leaves nothing behind
/// but the row that says it was begun, and that row is then marked as failed.
/// </summary>
public sealed class ImportWorker(IServiceScopeFactory scopes, TimeProvider clock, ILogger<ImportWorker> log) : BackgroundService
{
    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>();
    private readonly ConcurrentDictionary<string, Job> _jobs = new(StringComparer.Ordinal);

    /// <summary>How many lines are done; null when the import is not under way in this process.</summary>
    public int? ProgressOf(string id) => _jobs.TryGetValue(id, out var job) ? job.LinesDone : null;

    /// <summary>Takes up an import whose row says <see cref="ImportState.Running"/>.</summary>
    public void Begin(string id)
    {
        _jobs[id] = new Job();
        _queue.Writer.TryWrite(id);
    }

    /// <summary>Whether it was under way here and is told to stop; nothing of it will have happened, unless it had just ended.</summary>
    public bool Cancel(string id, Guid actorId)
    {
        if (!_jobs.TryGetValue(id, out var job)) return false;
        job.CancelledBy = actorId;
        job.CancelWanted = true;
        return true;
    }

    /// <summary>Until an import has ended, whichever way.</summary>
    public Task WhenEndedAsync(string id) => _jobs.TryGetValue(id, out var job) ? job.Ended.Task : Task.CompletedTask;

    /// <summary>What was running when the program ended has not happened.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);

            // Another server on the same database may be in the middle of one: it holds the lock.
            var isQuiet = !db.Database.IsNpgsql() || await db.Database.SqlQuery<bool>($"SELECT pg_try_advisory_xact_lock({PeopleImport.Lock}) AS \"Value\"").SingleAsync(cancellationToken);
            if (isQuiet)
            {
                var now = clock.GetUtcNow();
                await db.ImportRuns.Where(run => run.State == ImportState.Running).ExecuteUpdateAsync(set => set.SetProperty(run => run.State, ImportState.Failed).SetProperty(run => run.FinishedAt, now), cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var id in _queue.Reader.ReadAllAsync(stoppingToken))
        {
            if (!_jobs.TryGetValue(id, out var job)) continue;
            var state = ImportState.Failed;
            try
            {
                state = await RunAsync(id, job, stoppingToken);
            }
            catch (OperationCanceledException) when (job.CancelWanted)
            {
                state = ImportState.Cancelled;
            }
#pragma warning disable CA1031 // whatever went wrong with one file must not end the worker; it is logged, and the row says that nothing was changed
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.ImportFailed(problem);
            }

            if (state is not ImportState.Done && !stoppingToken.IsCancellationRequested) await EndAsync(id, state, job.CancelledBy);
            _jobs.TryRemove(id, out _);
            job.Ended.TrySetResult();
        }
    }

    private async Task<ImportState> RunAsync(string id, Job job, CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var run = await db.ImportRuns.AsNoTracking().SingleAsync(row => row.Id == id, stoppingToken);
        if (run is not { State: ImportState.Running, Content: { } content }) return ImportState.Failed;
        using var wish = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        if (job.CancelWanted) return ImportState.Cancelled;
        await scope.ServiceProvider.GetRequiredService<PeopleImport>().BringInAsync(new MemoryStream(content, writable: false), run.AuthorId, FinishAsync, Progress, wish.Token);
        return ImportState.Done;

        void Progress(int lines)
        {
            job.LinesDone = lines;
            if (job.CancelWanted) wish.Cancel();
        }

        async Task FinishAsync(PortvaktDb within, ImportReport report)
        {
            if (job.CancelWanted) await wish.CancelAsync();
            var now = clock.GetUtcNow();
            var problems = JsonSerializer.Serialize(new ImportDetails(report.Problems, []));
            await within.ImportRuns.Where(row => row.Id == id).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.State, ImportState.Done).SetProperty(row => row.FinishedAt, now).SetProperty(row => row.Content, (byte[]?)null).SetProperty(row => row.LinesDone, report.Lines)
                    .SetProperty(row => row.Added, report.Added).SetProperty(row => row.Changed, report.Changed).SetProperty(row => row.Unchanged, report.Unchanged)
                    .SetProperty(row => row.ProblemCount, report.ProblemCount).SetProperty(row => row.Problems, problems), wish.Token);
        }
    }

    private async Task EndAsync(string id, ImportState state, Guid? cancelledBy)
    {
        await using var scope = scopes.CreateAsyncScope();
        var now = clock.GetUtcNow();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        await db.ImportRuns.Where(run => run.Id == id).ExecuteUpdateAsync(set => set.SetProperty(run => run.State, state).SetProperty(run => run.FinishedAt, now), CancellationToken.None);
        if (state is ImportState.Cancelled) db.Record(SecurityEvent.ImportCancelled, null, id, null, now, cancelledBy);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
    }

    private sealed class Job
    {
        public volatile int LinesDone;
        public volatile bool CancelWanted;

        /// <summary>Written before <see cref="CancelWanted"/>, read after it.</summary>
        public Guid? CancelledBy;
        public readonly TaskCompletionSource Ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a row of the imports tells one by one.</summary>
public sealed record ImportDetails(IReadOnlyList<ImportProblem> Problems, IReadOnlyList<ImportedChange> Changes);

internal static partial class ImportLog
{
    [LoggerMessage(9101, LogLevel.Error, "An import failed; nothing of it was written")]
    public static partial void ImportFailed(this ILogger logger, Exception problem);
}
