using Npgsql;

namespace Portvakt.Server.Tests.Actors;

/// <summary>The wire between the servers and a database of PostgreSQL.</summary>
/// <param name="itself">The database, as Npgsql takes it.</param>
public sealed class PostgresWire(string itself) : TcpWire(cut: false)
{
    private NpgsqlConnectionStringBuilder _itself = new(itself);

    /// <summary>The database at the end of this wire, as the setting takes it.</summary>
    public string Database => new NpgsqlConnectionStringBuilder(_itself.ConnectionString) { Host = "127.0.0.1", Port = Port }.ConnectionString;

    protected override (string Host, int Port) Far => (_itself.Host!, _itself.Port);

    /// <summary>Another server has the database now: who connects from here on meets that one.</summary>
    public void MoveTo(string itself) => _itself = new NpgsqlConnectionStringBuilder(itself);
}
