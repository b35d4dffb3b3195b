using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Portvakt.Server.Data;

namespace Portvakt.Server.Tests.Data;

/// <summary>Rows for every table, different in every column that can be: what the tables look like after years, for whoever plans a query or clears away.</summary>
public static class Filler
{
    public static string TableOf(IEntityType entity) => entity.GetTableName()!;

    /// <param name="db">The model, and which database.</param>
    /// <param name="rows">How many in each table.</param>
    /// <param name="newest">The instants of the first row; each further row is a second older.</param>
    /// <param name="tables">Which tables.</param>
    /// <param name="instead">A value in place of the one made up, by table and column; DBNull for nothing.</param>
    public static async Task FillAsync(PortvaktDb db, int rows, DateTimeOffset newest, Func<string, bool> tables, Func<string, string, object?>? instead = null)
    {
        await db.Database.OpenConnectionAsync();
        foreach (var entity in db.Model.GetEntityTypes().Where(entity => tables(TableOf(entity))))
        {
            var table = TableOf(entity);
            var columns = entity.GetProperties().Select(property => (Name: property.GetColumnName(), Property: property, Instead: instead?.Invoke(table, property.GetColumnName()))).ToArray();
            var names = string.Join(", ", columns.Select(column => $"\"{column.Name}\""));
            var values = Enumerable.Range(0, rows).Select(row => columns.Select(column => column.Instead ?? ValueOf(column.Property, row, newest.UtcDateTime)));
            if (db.Database.IsNpgsql()) await CopyAsync((NpgsqlConnection)db.Database.GetDbConnection(), $"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)", values);
            else await InsertAsync(db, $"INSERT INTO {table} ({names}) VALUES ({string.Join(", ", columns.Select((_, at) => $"@p{at}"))})", values);
        }

        await db.Database.CloseConnectionAsync(); // the context goes back to the pool
    }

    private static async Task CopyAsync(NpgsqlConnection connection, string statement, IEnumerable<IEnumerable<object>> rows)
    {
        await using var copy = await connection.BeginBinaryImportAsync(statement);
        foreach (var row in rows)
        {
            await copy.StartRowAsync();
            foreach (var value in row)
            {
                if (value is DBNull) await copy.WriteNullAsync();
                else await copy.WriteAsync(value);
            }
        }

        await copy.CompleteAsync();
    }

    private static async Task InsertAsync(PortvaktDb db, string statement, IEnumerable<IEnumerable<object>> rows)
    {
        var connection = db.Database.GetDbConnection();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (statement, transaction);
        foreach (var row in rows)
        {
            command.Parameters.Clear();
            foreach (var value in row)
            {
                var parameter = command.CreateParameter();
                (parameter.ParameterName, parameter.Value) = ($"@p{command.Parameters.Count.ToString(CultureInfo.InvariantCulture)}", value);
                command.Parameters.Add(parameter);
            }

            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    private static object ValueOf(IProperty property, int row, DateTime newest)
    {
        var converter = property.GetTypeMapping().Converter;
        var model = Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType;
        var stored = converter?.ProviderClrType ?? model;
        stored = Nullable.GetUnderlyingType(stored) ?? stored;
        if (model.IsEnum && stored == typeof(string)) return Enum.GetNames(model)[0];
        if (stored == typeof(string)) return RandomNumberGenerator.GetHexString(22, lowercase: true);
        if (stored == typeof(Guid)) return new Guid(RandomNumberGenerator.GetBytes(16));
        if (stored == typeof(byte[])) return RandomNumberGenerator.GetBytes(32);
        if (stored == typeof(DateTime)) return newest.AddSeconds(-row);
        if (stored == typeof(bool)) return false;
        if (stored == typeof(int)) return row;
        if (stored == typeof(long)) return 1_000_000L + row; // numbers of a sequence begin below
        throw new NotSupportedException($"{property.DeclaringType.DisplayName()}.{property.Name} is a {stored.Name}.");
    }
}
