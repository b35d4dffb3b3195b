using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Portvakt.Server.Data;

namespace Portvakt.Bench.Load;

/// <summary>
/// Rows of the domain's own classes, as the model maps them, by the quickest way that each database has: COPY in its binary form, or one prepared INSERT.
/// Nothing is kept: a block is written and forgotten.
/// </summary>
internal abstract class Bulk(PortvaktDb db) : IAsyncDisposable
{
    private readonly Dictionary<Type, Table> _tables = [];

    /// <summary>How many rows each table got.</summary>
    public IReadOnlyDictionary<string, long> Written => _written;

    private readonly SortedDictionary<string, long> _written = new(StringComparer.Ordinal);

    /// <param name="db">The model, and which database.</param>
    /// <param name="connection">How to reach it.</param>
    public static async Task<Bulk> OpenAsync(PortvaktDb db, string connection) => db.Database.IsNpgsql() ? await CopyBulk.OpenAsync(db, connection) : await InsertBulk.OpenAsync(db, connection);

    public async Task WriteAsync<T>(List<T> rows) where T : class
    {
        if (rows.Count is 0) return;
        if (!_tables.TryGetValue(typeof(T), out var table)) _tables[typeof(T)] = table = TableOf(typeof(T));
        await WriteAsync(table, rows);
        _written[table.Name] = _written.GetValueOrDefault(table.Name) + rows.Count;
        rows.Clear();
    }

    /// <summary>What the database would do by itself within minutes: statistics, and a log that is written back.</summary>
    public abstract Task SettleAsync();

    public abstract ValueTask DisposeAsync();

    protected abstract Task WriteAsync(Table table, IEnumerable<object> rows);

    private Table TableOf(Type type)
    {
        var entity = db.Model.FindEntityType(type) ?? throw new InvalidOperationException($"{type.Name} has no table.");
        return new Table(entity.GetTableName()!, [.. entity.GetProperties().Select(property =>
        {
            var (getter, converter) = (property.GetGetter(), property.GetTypeMapping().Converter);
            return new Column(property.GetColumnName(), row => getter.GetClrValue(row) is not { } value ? null : converter is null ? value : converter.ConvertToProvider(value));
        })]);
    }

    protected sealed record Column(string Name, Func<object, object?> Of);

    protected sealed record Table(string Name, Column[] Columns)
    {
        public string Names => string.Join(", ", Columns.Select(column => $"\"{column.Name}\""));
    }

#pragma warning disable CA2100 // names of tables and columns are those of our own model
    private sealed class CopyBulk(PortvaktDb db, NpgsqlConnection connection) : Bulk(db)
    {
        public static new async Task<Bulk> OpenAsync(PortvaktDb db, string text)
        {
            var connection = new NpgsqlConnection(text);
            await connection.OpenAsync();
            return new CopyBulk(db, connection);
        }

        public override async Task SettleAsync()
        {
            await using var numbers = new NpgsqlCommand("SELECT setval(pg_get_serial_sequence('audit_events', 'id'), coalesce(max(id), 0) + 1, false) FROM audit_events", connection);
            await numbers.ExecuteNonQueryAsync();
            await using var vacuum = new NpgsqlCommand("VACUUM ANALYZE", connection) { CommandTimeout = 0 };
            await vacuum.ExecuteNonQueryAsync();
            await using var checkpoint = new NpgsqlCommand("CHECKPOINT", connection) { CommandTimeout = 0 };
            await checkpoint.ExecuteNonQueryAsync();
        }

        public override ValueTask DisposeAsync() => connection.DisposeAsync();

        protected override async Task WriteAsync(Table table, IEnumerable<object> rows)
        {
            await using var copy = await connection.BeginBinaryImportAsync($"COPY {table.Name} ({table.Names}) FROM STDIN (FORMAT BINARY)");
            foreach (var row in rows)
            {
                await copy.StartRowAsync();
                foreach (var column in table.Columns)
                {
                    if (column.Of(row) is { } value) await copy.WriteAsync(value);
                    else await copy.WriteNullAsync();
                }
            }

            await copy.CompleteAsync();
        }
    }

    private sealed class InsertBulk(PortvaktDb db, SqliteConnection connection) : Bulk(db)
    {
        private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

        public static new async Task<Bulk> OpenAsync(PortvaktDb db, string text)
        {
            var connection = new SqliteConnection(text);
            await connection.OpenAsync();
            await using var quick = connection.CreateCommand();
            quick.CommandText = "PRAGMA synchronous = OFF; PRAGMA cache_size = -256000"; // of this connection alone: a database that is half made is thrown away; 256 MB of pages
            await quick.ExecuteNonQueryAsync();
            return new InsertBulk(db, connection);
        }

        public override async Task SettleAsync()
        {
            await using var settle = connection.CreateCommand();
            settle.CommandText = "PRAGMA analysis_limit = 1000; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)";
            settle.CommandTimeout = 0;
            await settle.ExecuteNonQueryAsync();
        }

        public override async ValueTask DisposeAsync()
        {
            foreach (var command in _commands.Values) await command.DisposeAsync();
            await connection.DisposeAsync();
        }

        protected override async Task WriteAsync(Table table, IEnumerable<object> rows)
        {
            if (!_commands.TryGetValue(table.Name, out var insert))
            {
                _commands[table.Name] = insert = connection.CreateCommand();
                insert.CommandText = $"INSERT INTO {table.Name} ({table.Names}) VALUES ({string.Join(", ", table.Columns.Select((_, at) => $"@p{at}"))})";
                for (var at = 0; at < table.Columns.Length; at++) insert.Parameters.Add(new SqliteParameter($"@p{at}", null));
            }

            await using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            foreach (var row in rows)
            {
                for (var at = 0; at < table.Columns.Length; at++) insert.Parameters[at].Value = table.Columns[at].Of(row) ?? DBNull.Value;
                insert.ExecuteNonQuery();
            }

            await transaction.CommitAsync();
        }
    }
#pragma warning restore CA2100
}
