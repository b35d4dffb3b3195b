using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Portvakt.Server.Hosting;

/// <summary>Tells <see cref="Telemetry"/> how long each statement took; of a question, until its first row was there. Never what stood in it.</summary>
public sealed class DatabaseTime(Telemetry telemetry) : DbCommandInterceptor
{
    public override DbDataReader ReaderExecuted(DbCommand command, CommandExecutedEventData eventData, DbDataReader result) => Told(command, eventData, result);

    public override ValueTask<DbDataReader> ReaderExecutedAsync(DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Told(command, eventData, result));

    public override int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result) => Told(command, eventData, result);

    public override ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Told(command, eventData, result));

    public override object? ScalarExecuted(DbCommand command, CommandExecutedEventData eventData, object? result) => Told(command, eventData, result);

    public override ValueTask<object?> ScalarExecutedAsync(DbCommand command, CommandExecutedEventData eventData, object? result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(Told(command, eventData, result));

    public override void CommandFailed(DbCommand command, CommandErrorEventData eventData) => Told(command, eventData, 0);

    public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Told(command, eventData, 0);
        return Task.CompletedTask;
    }

    private T Told<T>(DbCommand command, CommandEndEventData what, T result)
    {
        telemetry.Database(command is SqliteCommand ? "sqlite" : "postgresql", OperationOf(command.CommandText), what.Duration);
        return result;
    }

    /// <summary>Its first word, of those that are known; a batch is named after its first statement.</summary>
    private static string OperationOf(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        return text.StartsWith("SELECT", StringComparison.Ordinal) ? "SELECT"
            : text.StartsWith("INSERT", StringComparison.Ordinal) ? "INSERT"
            : text.StartsWith("UPDATE", StringComparison.Ordinal) ? "UPDATE"
            : text.StartsWith("DELETE", StringComparison.Ordinal) ? "DELETE"
            : "_OTHER";
    }
}
