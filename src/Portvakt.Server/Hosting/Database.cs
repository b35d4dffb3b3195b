using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>Which of the two databases, and how it is opened.</summary>
public static class Database
{
    /// <summary>On SQLite, where each holds a connection with what it has prepared. More are made while a crowd is there, and thrown away after it.</summary>
    private const int KeptContexts = 16;

    public static void Add(IServiceCollection services, PortvaktSettings settings)
    {
        if (settings.UsesPostgres) services.AddDbContextPool<PortvaktDb, PostgresPortvaktDb>((provider, options) => Configure(options, settings, provider));
        else
        {
            services.AddSingleton(provider => new SqliteWriter(SqliteConnectionText(settings), provider.GetRequiredService<Telemetry>()));
            services.AddDbContextPool<PortvaktDb, SqlitePortvaktDb>((provider, options) => Configure(options, settings, provider), KeptContexts);
        }
    }

    private static void Configure(DbContextOptionsBuilder options, PortvaktSettings settings, IServiceProvider provider)
    {
        if (settings.UsesPostgres) options.UseNpgsql(PostgresConnection(settings.Database!));
        else options.UseKeptSqlite(SqliteConnectionText(settings)).AddInterceptors(SqlitePatience.Instance);
        options.UseSnakeCaseNamingConvention().AddInterceptors(new DatabaseTime(provider.GetRequiredService<Telemetry>()));
    }

    public static string SqlitePath(PortvaktSettings settings) => Path.Combine(settings.DataDirectory, "portvakt.db");

    /// <summary>Whether there is no database yet: only then may a master key be made.</summary>
    public static bool IsNew(PortvaktSettings settings)
    {
        if (!settings.UsesPostgres) return !File.Exists(SqlitePath(settings));
        using var connection = new NpgsqlConnection(PostgresConnection(settings.Database!));
        connection.Open();
        using var command = new NpgsqlCommand("SELECT to_regclass('server_keys') IS NULL", connection);
        return command.ExecuteScalar() is true;
    }

    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        db.Database.SetCommandTimeout(TimeSpan.FromHours(1)); // an index over many rows takes its time, and nobody waits for an answer
        await db.Database.MigrateAsync(cancellationToken);

        // Readers do not wait for the writer; synchronous stays FULL, so what was answered has been written.
        if (db.Database.IsSqlite()) await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL", cancellationToken);
    }

    /// <summary>Refuses to serve on a schema that is not this program's.</summary>
    public static async Task CheckAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        if ((await db.Database.GetPendingMigrationsAsync(cancellationToken)).Any())
            throw new InvalidOperationException("The database is not up to date. Run `portvakt migrate` first, or set Portvakt:MigrateAtStart.");
    }

    /// <summary>How far the database's clock is ahead of ours (negative: behind), as far as the time of the question itself does not explain it. SQLite has no clock of its own.</summary>
    public static async Task<TimeSpan> ClockDifferenceAsync(PortvaktDb db, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!db.Database.IsNpgsql()) return TimeSpan.Zero;
        var before = clock.GetUtcNow().UtcDateTime;
        var theirs = await db.Database.SqlQuery<DateTime>($"""SELECT clock_timestamp() AS "Value" """).SingleAsync(cancellationToken);
        var after = clock.GetUtcNow().UtcDateTime;
        return theirs < before ? theirs - before : theirs > after ? theirs - after : TimeSpan.Zero;
    }

    /// <summary>Whether the database could not be reached, did not answer in time, or may not be written at this moment: nothing that the caller did, and it passes.</summary>
    public static bool IsAway(Exception? fault)
    {
        for (; fault is not null; fault = fault.InnerException)
        {
            if (fault is NpgsqlException { IsTransient: true } or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.ReadOnlySqlTransaction }) return true;
        }

        return false;
    }

    /// <summary>
    /// <c>postgres://user:password@host:port/database?key=value</c>, or what Npgsql itself takes. What it leaves open is filled in: nobody waits for an answer until the browser gives up,
    /// all statements stay prepared, and of several servers it is the one that can be written.
    /// </summary>
    public static string PostgresConnection(string address)
    {
        var builder = address.StartsWith("postgres", StringComparison.OrdinalIgnoreCase) ? OfAddress(new Uri(address)) : new NpgsqlConnectionStringBuilder(address);
        (string Key, object Value)[] usual = [("Timeout", 5), ("Command Timeout", 10), ("Max Auto Prepare", 200), .. builder.Host?.Contains(',', StringComparison.Ordinal) is true ? [("Target Session Attributes", (object)"read-write")] : Array.Empty<(string, object)>()];
        foreach (var (key, value) in usual)
        {
            if (!builder.ShouldSerialize(key)) builder[key] = value;
        }

        return builder.ConnectionString;
    }

    private static NpgsqlConnectionStringBuilder OfAddress(Uri uri)
    {
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder { Host = uri.Host, Port = uri.Port > 0 ? uri.Port : 5432, Database = uri.AbsolutePath.TrimStart('/') };
        if (user[0].Length > 0) builder.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1) builder.Password = Uri.UnescapeDataString(user[1]);
        foreach (var (key, value) in Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(uri.Query)) builder[key] = value.ToString();
        return builder;
    }

    private static string SqliteConnectionText(PortvaktSettings settings)
    {
        Directory.CreateDirectory(settings.DataDirectory);
        return new SqliteConnectionStringBuilder { DataSource = SqlitePath(settings), DefaultTimeout = 30, Pooling = true }.ConnectionString;
    }
}

/// <summary>
/// Whoever writes beside <see cref="SqliteWriter"/> (administration, clearing up) waits for its turn as SQLite itself waits, for a millisecond and then a little longer. The
/// driver alone would try again every 150 ms.
/// </summary>
public sealed class SqlitePatience : DbConnectionInterceptor
{
    private const int Milliseconds = 20_000;

    public static SqlitePatience Instance { get; } = new();

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Teach(connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Teach(connection);
        return Task.CompletedTask;
    }

    /// <summary>Of a connection that was opened without a context.</summary>
    public static void Teach(DbConnection connection)
    {
        if (connection is SqliteConnection { Handle: { } handle }) SQLitePCL.raw.sqlite3_busy_timeout(handle, Milliseconds);
    }
}

/// <summary>For <c>dev.cs migration</c>: the tool needs a context, not a server.</summary>
public sealed class SqliteDesign : IDesignTimeDbContextFactory<SqlitePortvaktDb>
{
    public SqlitePortvaktDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<SqlitePortvaktDb>();
        options.UseSqlite("Data Source=:memory:").UseSnakeCaseNamingConvention();
        return new SqlitePortvaktDb(options.Options);
    }
}

/// <summary>As <see cref="SqliteDesign"/>, for PostgreSQL.</summary>
public sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresPortvaktDb>
{
    public PostgresPortvaktDb CreateDbContext(string[] args)
    {
        var options = new DbContextOptionsBuilder<PostgresPortvaktDb>();
        options.UseNpgsql("Host=localhost").UseSnakeCaseNamingConvention();
        return new PostgresPortvaktDb(options.Options);
    }
}
