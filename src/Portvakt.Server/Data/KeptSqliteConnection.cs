using System.Data;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
#pragma warning disable EF1001 // the one place where EF Core lets somebody else say what a connection is
using Microsoft.EntityFrameworkCore.Sqlite.Storage.Internal;

namespace Portvakt.Server.Data;

/// <summary>
/// A connection that stays open between statements, and keeps those it has prepared. SQLite answers most of our questions in less time than it takes to read them: what opening, reading
/// and planning cost at each statement was a fifth of a sign-in. For one context at a time.
/// </summary>
/// <param name="text">As for any connection to SQLite.</param>
public sealed class KeptSqliteConnection(string text) : SqliteConnection(text)
{
    /// <summary>The server has fewer texts than this; who writes ones of their own shall not fill the memory.</summary>
    private const int MostTexts = 160;

    private readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);
    private bool _isLeaving;

    /// <summary>Whether it outlives that its context is given another one for a while.</summary>
    public bool IsLent { get; set; }

    /// <summary>It stays open until it is disposed of; what was begun and not ended ends here.</summary>
    public override void Close()
    {
        if (_isLeaving) base.Close();
        else Transaction?.Dispose();
    }

    /// <summary>Transactions and savepoints come here, too, and are texts that are run more often than all others.</summary>
    public override SqliteCommand CreateCommand() => new Command(this) { Transaction = Transaction };

    protected override System.Data.Common.DbCommand CreateDbCommand() => CreateCommand();

    protected override void Dispose(bool disposing)
    {
        if (IsLent) return;
        _isLeaving = true;
        _prepared.Clear(); // they are disposed of with the connection
        base.Dispose(disposing);
        _isLeaving = false;
    }

    private SqliteCommand Take(string text) => _prepared.Remove(text, out var known) ? known : new SqliteCommand(text, this);

    private void Keep(SqliteCommand command)
    {
        command.Parameters.Clear();
        command.Transaction = null;
        if (State is not ConnectionState.Open || _prepared.Count >= MostTexts || !_prepared.TryAdd(command.CommandText, command)) command.Dispose();
    }

    /// <summary>As EF Core and everybody makes it, sets it, runs it and throws it away; what was prepared for it goes back.</summary>
    private sealed class Command(KeptSqliteConnection connection) : SqliteCommand
    {
        private SqliteCommand? _prepared;

        // To belong to the connection as base class is to be in its list, for nothing.
        public override SqliteConnection? Connection { get => connection; set => throw new NotSupportedException("The command belongs to its connection."); }

        public override SqliteTransaction? Transaction { get; set; }

        public override void Prepare()
        {
            // Done when it runs, if it was not done before.
        }

        public override SqliteDataReader ExecuteReader(CommandBehavior behavior) => Run(command => command.ExecuteReader(behavior));

        public override int ExecuteNonQuery() => Run(command => command.ExecuteNonQuery());

        public override object? ExecuteScalar() => Run(command => command.ExecuteScalar());

        protected override void Dispose(bool disposing)
        {
            GiveBack();
            base.Dispose(disposing);
        }

        private T Run<T>(Func<SqliteCommand, T> run)
        {
            if (_prepared is null || _prepared.CommandText != CommandText)
            {
                GiveBack();
                _prepared = connection.Take(CommandText);
            }

            var command = _prepared;
            command.Parameters.Clear();
            foreach (SqliteParameter parameter in Parameters) command.Parameters.Add(parameter);
            (command.Transaction, command.CommandTimeout) = (Transaction, CommandTimeout);
            try
            {
                return run(command);
            }
            catch
            {
                _prepared = null;
                command.Dispose();
                throw;
            }
        }

        private void GiveBack()
        {
            if (_prepared is { } command) connection.Keep(command);
            _prepared = null;
        }
    }
}

/// <summary>Gives contexts such connections.</summary>
internal static class KeptSqlite
{
    /// <summary>As <c>UseSqlite</c>, with a connection for each context that stays open. EF Core's own functions in SQL are not there: nothing here asks by pattern or computes with decimals.</summary>
    public static DbContextOptionsBuilder UseKeptSqlite(this DbContextOptionsBuilder options, string text) =>
        options.UseSqlite(text).ReplaceService<ISqliteRelationalConnection, KeptRelationalConnection>();

    private sealed class KeptRelationalConnection(RelationalConnectionDependencies dependencies, IRawSqlCommandBuilder rawSqlCommandBuilder, IDiagnosticsLogger<DbLoggerCategory.Infrastructure> logger)
        : SqliteRelationalConnection(dependencies, rawSqlCommandBuilder, logger)
    {
        protected override System.Data.Common.DbConnection CreateDbConnection() => new KeptSqliteConnection(GetValidatedConnectionString());
    }
}
