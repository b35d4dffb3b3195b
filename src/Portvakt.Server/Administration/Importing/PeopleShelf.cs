using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Portvakt.Domain.People;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>
/// What an import wants to change, laid aside in a temporary table: only its own connection sees it, filling it locks nobody out, and it is gone with the connection.
/// Columns and values are those of the model, so that a person looks there as everywhere.
/// </summary>
internal sealed class PeopleShelf : IAsyncDisposable
{
    // What a file brings; everything else of somebody who is known stays what it is, whatever happens to it meanwhile.
    private static readonly string[] Imported =
    [
        nameof(Person.DisplayName), nameof(Person.Email), nameof(Person.Phone), nameof(Person.Unit), nameof(Person.Manager), nameof(Person.OfficePhone), nameof(Person.Language), nameof(Person.LastSignInAt), nameof(Person.SearchText),
    ];

    private readonly PortvaktDb _db;
    private readonly IProperty[] _properties;
    private readonly string[] _columns;

    private PeopleShelf(PortvaktDb db)
    {
        _db = db;
        _properties = [.. db.Model.FindEntityType(typeof(Person))!.GetProperties()];
        _columns = [.. _properties.Select(property => property.GetColumnName())];
    }

    /// <summary>Within the transaction that is open, or beside any.</summary>
    public static async Task<PeopleShelf> OpenAsync(PortvaktDb db, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        var shelf = new PeopleShelf(db);
        try
        {
            db.Database.SetCommandTimeout(TimeSpan.FromMinutes(5)); // one statement brings in half a million people
            await db.Database.ExecuteSqlRawAsync(
                db.Database.IsNpgsql()
                    ? "CREATE TEMP TABLE import_shelf ON COMMIT DROP AS SELECT people.*, 0 AS known_version, '' AS line FROM people WHERE 1 = 0"
                    : "DROP TABLE IF EXISTS temp.import_shelf; CREATE TEMP TABLE import_shelf AS SELECT people.*, 0 AS known_version, '' AS line FROM people WHERE 1 = 0",
                cancellationToken);
            return shelf;
        }
        catch
        {
            await shelf.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lays some people aside, as they shall be.</summary>
    public async Task LayAsync(IReadOnlyCollection<(Person Person, bool IsNew, ImportedPerson Line)> some, CancellationToken cancellationToken)
    {
        string[] columns = [.. _columns, "known_version", "line"];
        var rows = some.Select(row => _properties.Select(property => ValueOf(row.Person, property)).Append(row.IsNew ? null : row.Person.Version).Append(JsonSerializer.Serialize(new Laid(row.IsNew, row.Line))));
        if (_db.Database.GetDbConnection() is NpgsqlConnection postgres)
        {
            await using var copy = await postgres.BeginBinaryImportAsync($"COPY import_shelf ({string.Join(", ", columns)}) FROM STDIN (FORMAT BINARY)", cancellationToken);
            foreach (var row in rows) await copy.WriteRowAsync(cancellationToken, [.. row]);
            await copy.CompleteAsync(cancellationToken);
            return;
        }

        // Deferred: it locks what it touches, and that is nobody else's.
        var sqlite = (SqliteConnection)_db.Database.GetDbConnection();
        await using var together = sqlite.BeginTransaction(deferred: true);
        await using var insert = sqlite.CreateCommand();
        insert.Transaction = together;
#pragma warning disable CA2100 // names of columns, from the model
        insert.CommandText = $"INSERT INTO import_shelf ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(column => "@" + column))})";
#pragma warning restore CA2100
        var parameters = columns.Select(column => insert.Parameters.Add(new SqliteParameter("@" + column, null))).ToList();
        foreach (var row in rows)
        {
            foreach (var (parameter, value) in parameters.Zip(row)) parameter.Value = value ?? DBNull.Value;
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }

        await together.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// Brings in what lies here, within the transaction that is open. Answers with what could not be brought in because its person was changed, made or erased after the file
    /// was compared: that has to be compared again.
    /// </summary>
    public async Task<IReadOnlyList<Laid>> EmptyAsync(CancellationToken cancellationToken)
    {
        var all = string.Join(", ", _columns);
        var insert = $"INSERT INTO people ({all}) SELECT {all} FROM import_shelf WHERE known_version IS NULL ON CONFLICT (user_name) DO NOTHING";
        var some = string.Join(", ", Imported.Select(name => ColumnOf(name)).Select(column => $"{column} = s.{column}"));
        var (version, wave, isFixed) = (ColumnOf(nameof(Person.Version)), ColumnOf(nameof(Person.WaveId)), ColumnOf(nameof(Person.WaveIsFixed)));
        var update = $"""
            UPDATE people SET {some}, {wave} = CASE WHEN people.{isFixed} THEN people.{wave} ELSE s.{wave} END, {version} = people.{version} + 1
            FROM import_shelf AS s WHERE s.id = people.id AND s.known_version = people.{version}
            """;
        await _db.Database.ExecuteSqlRawAsync(insert, cancellationToken);
        if (_db.Database.IsNpgsql()) await _db.Database.ExecuteSqlRawAsync("SELECT 1 FROM people JOIN import_shelf AS s ON s.id = people.id WHERE s.known_version IS NOT NULL FOR UPDATE OF people", cancellationToken);
        var left = await _db.Database.SqlQueryRaw<string>(
            """SELECT s.line AS "Value" FROM import_shelf AS s LEFT JOIN people ON people.id = s.id WHERE people.id IS NULL OR people.version <> s.known_version""").ToListAsync(cancellationToken);
        await _db.Database.ExecuteSqlRawAsync(update, cancellationToken);
        return [.. left.Select(line => JsonSerializer.Deserialize<Laid>(line)!)];
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // PostgreSQL drops it with the transaction, however that ends.
            if (!_db.Database.IsNpgsql()) await _db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS temp.import_shelf", CancellationToken.None);
        }
        finally
        {
            await _db.Database.CloseConnectionAsync(); // a context goes back to the pool, and nobody could write with one that is held open
        }
    }

    private object? ValueOf(Person person, IProperty property)
    {
        var value = _db.Entry(person).Property(property).CurrentValue;
        return property.GetTypeMapping().Converter is { } converter ? converter.ConvertToProvider(value) : value;
    }

    private string ColumnOf(string name) => _columns[Array.FindIndex(_properties, property => property.Name == name)];

    /// <summary>A line of the file, kept beside the person it made.</summary>
    /// <param name="IsNew">Whether it was counted as somebody new.</param>
    /// <param name="Line">The line.</param>
    internal sealed record Laid(bool IsNew, ImportedPerson Line);
}
