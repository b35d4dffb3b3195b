using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Data;

/// <summary>
/// The one writer of SQLite (docs/decisions/0013-one-writer.md). SQLite lets one connection write at a time, and a commit waits for the disk: whoever has
/// something to write waits here, and all who wait are written in one transaction and one <c>fsync</c>. Nobody is answered before that. Whoever
/// writes more than one statement has a savepoint: what one may not write does not touch the others.
/// </summary>
public sealed class SqliteWriter(string connectionText, Telemetry telemetry) : IDisposable
{
    /// <summary>Bounds how long the first of a crowd waits for the last.</summary>
    private const int LargestCrowd = 256;

    private readonly Handover<Work> _waiting = new();
    private readonly Lock _gate = new();
    private Thread? _thread;

    /// <summary>Runs <paramref name="work"/> within a transaction on the writer's connection; done when it is durable.</summary>
    /// <param name="db">The context that <paramref name="work"/> uses, and nobody else until it is done.</param>
    /// <param name="work">Asks this database and waits for nothing else: everybody waits behind it. False: nothing of it shall be written.</param>
    /// <param name="isOneStatement">It is one statement, which fails as a whole or not at all: it needs no savepoint.</param>
    /// <param name="cancellationToken">Not wanted any more; too late once it has begun.</param>
    /// <exception cref="InvalidOperationException">Called from within such work, with another context: it would wait for itself.</exception>
    public Task<bool> RunAsync(DbContext db, Func<Task<bool>> work, bool isOneStatement, CancellationToken cancellationToken)
    {
        Begin();
        if (Thread.CurrentThread == _thread) throw new InvalidOperationException("What the writer does may not wait for the writer.");
        var place = new Work(db, work, isOneStatement, cancellationToken);
        _waiting.Add(place);
        return place.Done.Task;
    }

    public void Dispose()
    {
        _waiting.End();
        _thread?.Join();
    }

    private void Begin()
    {
        if (_thread is not null) return;
        lock (_gate)
        {
            if (_thread is not null) return;
            _thread = new Thread(Write) { IsBackground = true, Name = "SQLite writer" };
            _thread.Start();
        }
    }

    private void Write()
    {
        KeptSqliteConnection? connection = null;
        List<Work> crowd = [];
        while (_waiting.Take(crowd, LargestCrowd))
        {
            try
            {
                connection ??= Open();
                WriteTogether(connection, crowd);
            }
#pragma warning disable CA1031 // the disk is full, or the file is gone: each of them hears of it, and the next crowd tries a new connection
            catch (Exception exception)
#pragma warning restore CA1031
            {
                foreach (var work in crowd) work.Done.TrySetException(exception);
                connection?.Dispose();
                connection = null;
            }

            crowd.Clear();
        }

        connection?.Dispose();
    }

    private KeptSqliteConnection Open()
    {
        var connection = new KeptSqliteConnection(connectionText);
        connection.Open();
        SqlitePatience.Teach(connection);
        return connection;
    }

    private void WriteTogether(SqliteConnection connection, List<Work> crowd)
    {
        using var transaction = connection.BeginTransaction();
        foreach (var work in crowd) work.Run(connection, transaction);
        telemetry.Commit(transaction);
        foreach (var work in crowd) work.Tell();
    }

    private sealed class Work(DbContext db, Func<Task<bool>> work, bool isOneStatement, CancellationToken cancellationToken)
    {
        private const string Savepoint = "one";
        private readonly ExecutionContext? _caller = ExecutionContext.Capture(); // whose trace and whose log lines these are
        private static readonly ContextCallback WriteAsCaller = static state =>
        {
            var (work, connection, transaction) = ((Work, SqliteConnection, SqliteTransaction))state!;
            work.Write(connection, transaction);
        };

        private Exception? _failure;
        private bool _written;

        public TaskCompletionSource<bool> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Run(SqliteConnection connection, SqliteTransaction transaction)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                _failure = new OperationCanceledException(cancellationToken);
                return;
            }

            if (_caller is null) Write(connection, transaction);
            else ExecutionContext.Run(_caller, WriteAsCaller, (this, connection, transaction));
        }

        /// <summary>After the commit, or never.</summary>
        public void Tell()
        {
            if (_failure is OperationCanceledException) Done.TrySetCanceled(cancellationToken);
            else if (_failure is not null) Done.TrySetException(_failure);
            else Done.TrySetResult(_written);
        }

        private void Write(SqliteConnection connection, SqliteTransaction transaction)
        {
            var own = (KeptSqliteConnection)db.Database.GetDbConnection();
            if (!isOneStatement) transaction.Save(Savepoint);
            try
            {
                own.IsLent = true;
                db.Database.SetDbConnection(connection, contextOwnsConnection: false);
                db.Database.UseTransaction(transaction);
                db.Database.AutoSavepointsEnabled = false;
                _written = work().GetAwaiter().GetResult(); // SQLite's asynchronous methods are synchronous: there is nothing to wait for
            }
#pragma warning disable CA1031 // it is the caller's, who waits for it
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _failure = exception;
            }
            finally
            {
                db.Database.AutoSavepointsEnabled = true;
                db.Database.UseTransaction(null);
                db.Database.SetDbConnection(own, contextOwnsConnection: true);
                own.IsLent = false;
                if (!isOneStatement)
                {
                    if (!_written || _failure is not null) transaction.Rollback(Savepoint);
                    transaction.Release(Savepoint);
                }
            }
        }
    }
}
