using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Data;

namespace Portvakt.Bench.Load;

/// <summary>How full the tables are.</summary>
internal static class Rows
{
    /// <summary>Rows of each table of the model.</summary>
    public static async Task<SortedDictionary<string, long>> CountAsync(Installation installation)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        await installation.WithServicesAsync(async services =>
        {
            await using var scope = services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            foreach (var table in TablesOf(db)) counts[table] = await ScalarAsync(db, $"SELECT count(*) FROM {table}");
        });
        return counts;
    }

    /// <summary>Bytes on disk of each table with its indexes. SQLite, as it is built here, does not tell: empty.</summary>
    public static async Task<SortedDictionary<string, long>> BytesAsync(PortvaktDb db)
    {
        var bytes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        if (!db.Database.IsNpgsql()) return bytes;
        foreach (var table in TablesOf(db)) bytes[table] = await ScalarAsync(db, $"SELECT pg_total_relation_size('{table}')");
        return bytes;
    }

    /// <summary>Bytes on disk of the whole database.</summary>
    public static Task<long> AllBytesAsync(PortvaktDb db) =>
        ScalarAsync(db, db.Database.IsNpgsql() ? "SELECT pg_database_size(current_database())" : "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");

    private static IEnumerable<string> TablesOf(PortvaktDb db) => db.Model.GetEntityTypes().Select(entity => entity.GetTableName()!).Distinct(StringComparer.Ordinal);

    private static async Task<long> ScalarAsync(PortvaktDb db, string statement)
    {
        await db.Database.OpenConnectionAsync();
        await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // names of our own model
        command.CommandText = statement;
#pragma warning restore CA2100
        command.CommandTimeout = 0;
        var value = Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
        await db.Database.CloseConnectionAsync();
        return value;
    }
}
