using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Portvakt.Server.Data;

/// <summary>
/// A statement of the hottest ways, written by hand: EF Core's part in a question that reads one row costs more than the database's. It still runs on the context's connection and in its
/// transaction, and whoever watches statements sees it.
/// </summary>
/// <param name="text">SQL that both databases know.</param>
/// <param name="postgres">For PostgreSQL, where that is another.</param>
/// <param name="parameters">Names, as they stand in the text after <c>@</c>, and types; instants are <see cref="DateTime"/> in UTC.</param>
public sealed class SqlStatement(string text, string? postgres = null, params (string Name, Type Type)[] parameters)
{
    private readonly bool _isOne = !text.Contains(';', StringComparison.Ordinal);

    // What is built once belongs to a database: in one process there may be servers on both.
    private IRelationalCommand? _onSqlite, _onPostgres;

    /// <summary>The first row; nothing, if there is none.</summary>
    /// <param name="db">Asks.</param>
    /// <param name="read">Makes something of the row.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <param name="values">Of the parameters, in their order.</param>
    public async ValueTask<T?> FirstAsync<T>(PortvaktDb db, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] values)
    {
        var connection = db.GetService<IRelationalConnection>();
        var command = Rent(db, connection);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(With(db, connection, values), cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? read(reader.DbDataReader) : default;
        }
        finally
        {
            connection.ReturnCommand(command);
        }
    }

    /// <summary>Writes, and says how many rows that touched.</summary>
    /// <param name="db">Writes.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <param name="values">Of the parameters, in their order.</param>
    public Task<int> WriteAsync(PortvaktDb db, CancellationToken cancellationToken, params object?[] values) => db.WriteAsync(() => RunAsync(db, values, cancellationToken), cancellationToken, _isOne);

    /// <summary>Writes, and makes something of the first row that this brings back (<c>RETURNING</c>).</summary>
    /// <param name="db">Writes.</param>
    /// <param name="read">Makes something of the row.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <param name="values">Of the parameters, in their order.</param>
    public Task<T?> WriteAsync<T>(PortvaktDb db, Func<DbDataReader, T> read, CancellationToken cancellationToken, params object?[] values) =>
        db.WriteAsync(() => FirstAsync(db, read, cancellationToken, values).AsTask(), cancellationToken, _isOne);

    private async Task<int> RunAsync(PortvaktDb db, object?[] values, CancellationToken cancellationToken)
    {
        var connection = db.GetService<IRelationalConnection>();
        var command = Rent(db, connection);
        try
        {
            return await command.ExecuteNonQueryAsync(With(db, connection, values), cancellationToken);
        }
        finally
        {
            connection.ReturnCommand(command);
        }
    }

    /// <summary>A command remembers its reader: each caller has one of their own.</summary>
    private IRelationalCommand Rent(PortvaktDb db, IRelationalConnection connection)
    {
        var command = connection.RentCommand();
        command.PopulateFrom(db is PostgresPortvaktDb ? _onPostgres ??= Build(db, postgres ?? text) : _onSqlite ??= Build(db, text));
        return command;
    }

    private RelationalCommandParameterObject With(PortvaktDb db, IRelationalConnection connection, object?[] values)
    {
        var named = new Dictionary<string, object?>(values.Length, StringComparer.Ordinal);
        for (var index = 0; index < values.Length; index++) named[parameters[index].Name] = values[index];
        return new RelationalCommandParameterObject(connection, named, null, db, db.GetService<IRelationalCommandDiagnosticsLogger>());
    }

    private IRelationalCommand Build(PortvaktDb db, string sql)
    {
        var types = db.GetService<IRelationalTypeMappingSource>();
        var command = db.GetService<IRelationalCommandBuilderFactory>().Create().Append(sql);
        foreach (var (name, type) in parameters) command.AddParameter(name, "@" + name, types.FindMapping(type)!, nullable: true);
        return command.Build();
    }
}
