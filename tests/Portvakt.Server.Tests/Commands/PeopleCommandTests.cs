using Microsoft.Data.Sqlite;
using Portvakt.Server.Commands;

namespace Portvakt.Server.Tests.Commands;

/// <summary>What an operator does with people on the command line.</summary>
public sealed class PeopleCommandTests
{
    [Fact]
    public async Task Somebody_from_a_file_gets_a_first_password_once_and_nobody_gets_one_twice()
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-people").FullName;
        string[] settings = ["--Portvakt:PublicAddress=http://localhost:5999", "--Portvakt:Organisation=Eksempel", "--Portvakt:PushContact=mailto:it@eksempel.no", $"--Portvakt:DataDirectory={folder}"];
        var input = Console.In;
        try
        {
            Assert.Equal(0, await CommandLine.RunAsync(["migrate", .. settings]));
            var file = Path.Combine(folder, "people.csv");
            await File.WriteAllTextAsync(file, "user name,name\nola,Ola Nordmann\n");
            Assert.Equal(0, await CommandLine.RunAsync(["people", "import", file, .. settings]));
            Assert.Equal((null, 0L), await OlaAsync());

            Assert.Equal(2, await PasswordAsync("nobody", "en grønn elefant på taket"));
            Assert.Equal(4, await PasswordAsync("ola", "kort"));
            Assert.Equal((null, 0L), await OlaAsync());
            Assert.Equal(0, await PasswordAsync("ola", "en grønn elefant på taket"));
            var (first, mustChange) = await OlaAsync();
            Assert.StartsWith("$argon2id$", first, StringComparison.Ordinal);
            Assert.Equal(1L, mustChange); // whoever typed it knows it

            Assert.Equal(3, await PasswordAsync("ola", "tolv lilla hester på isen"));
            Assert.Equal((first, 1L), await OlaAsync());
        }
        finally
        {
            Console.SetIn(input);
            Directory.Delete(folder, recursive: true);
        }

        Task<int> PasswordAsync(string user, string password)
        {
            Console.SetIn(new StringReader(password + "\n"));
            return CommandLine.RunAsync(["people", "password", user, "--password-stdin", .. settings]);
        }

        async Task<(string? Hash, long MustChange)> OlaAsync()
        {
            await using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "portvakt.db")}");
            await connection.OpenAsync();
            await using var question = connection.CreateCommand();
            question.CommandText = "SELECT password_hash, must_change_password FROM people WHERE user_name = 'ola'";
            await using var row = await question.ExecuteReaderAsync();
            Assert.True(await row.ReadAsync());
            return (await row.IsDBNullAsync(0) ? null : row.GetString(0), row.GetInt64(1));
        }
    }
}
