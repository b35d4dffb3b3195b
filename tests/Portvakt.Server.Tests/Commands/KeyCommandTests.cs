using Microsoft.Data.Sqlite;
using Portvakt.Domain.Audit;
using Portvakt.Server.Commands;

namespace Portvakt.Server.Tests.Commands;

/// <summary>What an operator does with the keys that sign tokens.</summary>
public sealed class KeyCommandTests
{
    [Fact]
    public async Task A_new_key_stands_beside_the_old_one_and_in_the_audit_log()
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-keys").FullName;
        string[] settings = ["--Portvakt:PublicAddress=http://localhost:5999", "--Portvakt:Organisation=Eksempel", "--Portvakt:PushContact=mailto:it@eksempel.no", $"--Portvakt:DataDirectory={folder}"];
        try
        {
            Assert.Equal(0, await CommandLine.RunAsync(["migrate", .. settings]));
            Assert.Equal(0L, await CountAsync("server_keys WHERE purpose = 'signing'"));
            for (var made = 1; made <= 2; made++)
            {
                Assert.Equal(0, await CommandLine.RunAsync(["keys", "rotate", .. settings]));
                Assert.Equal(made, await CountAsync("server_keys WHERE purpose = 'signing' AND retired_at IS NULL"));
            }

            Assert.Equal(2L, await CountAsync($"audit_events JOIN server_keys ON server_keys.id = audit_events.subject WHERE what = '{nameof(SecurityEvent.SigningKeyMade)}'"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<long> CountAsync(string rows)
        {
            await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "portvakt.db")}");
            await connection.OpenAsync();
            await using var question = connection.CreateCommand();
            question.CommandText = $"SELECT COUNT(*) FROM {rows}";
            return (long)(await question.ExecuteScalarAsync())!;
        }
    }
}
