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

    /// <summary>Bytes on disk of each table with its indexes.</summary>
    public static async Task<SortedDictionary<string, long>> BytesAsync(PortvaktDb db)
    {
        var bytes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in TablesOf(db))
        {
            bytes[table] = await ScalarAsync(db, db.Database.IsNpgsql()
                ? $"SELECT pg_total_relation_size('{table}')"
                : $"SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate AND name IN (SELECT name FROM sqlite_master WHERE tbl_name = '{table}')");
        }

        return bytes;
    }

    private static IEnumerable<string> TablesOf(PortvaktDb db) => db.Model.GetEntityTypes().Select(entity => entity.GetTableName()!).Distinct(StringComparer.Ordinal);

    private static async Task<long> ScalarAsync(PortvaktDb db, string statement)
    {
        await db.Database.OpenConnectionAsync();
        await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // names of our own model
        command.CommandText = statement;
#pragma warning restore CA2100
        command.CommandTimeout = 0;
        return Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }
}
