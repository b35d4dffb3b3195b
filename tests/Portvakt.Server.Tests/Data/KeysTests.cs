using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.Data;

/// <summary>R91, R94: sealed values open in their own place under their own master key, and a server that cannot read its keys does not start.</summary>
public sealed class KeysTests
{
    [Fact]
    public void A_box_opens_in_its_row_and_column_and_nowhere_else()
    {
        var vault = new Vault(RandomNumberGenerator.GetBytes(32));
        var box = vault.Seal("a secret"u8, "totps.seed", "1");
        Assert.Equal("a secret"u8, vault.Open(box, "totps.seed", "1"));
        Assert.NotEqual(box, vault.Seal("a secret"u8, "totps.seed", "1"));
        Assert.ThrowsAny<CryptographicException>(() => vault.Open(box, "totps.seed", "2"));
        Assert.ThrowsAny<CryptographicException>(() => vault.Open(box, "phones.push", "1"));
        Assert.ThrowsAny<CryptographicException>(() => vault.Open(box, "totps.see", "d\u00001"));
        Assert.ThrowsAny<CryptographicException>(() => new Vault(RandomNumberGenerator.GetBytes(32)).Open(box, "totps.seed", "1"));
        Assert.ThrowsAny<CryptographicException>(() => vault.Open([], "totps.seed", "1"));
        for (var at = 0; at < box.Length; at++)
        {
            var bent = box.ToArray();
            bent[at] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => vault.Open(bent, "totps.seed", "1"));
            Assert.ThrowsAny<CryptographicException>(() => vault.Open(box.AsSpan(0, at), "totps.seed", "1"));
        }
    }

    [Fact]
    public void Keys_for_different_purposes_are_different_and_a_short_master_key_is_none()
    {
        var master = RandomNumberGenerator.GetBytes(32);
        var vault = new Vault(master);
        Assert.Equal(3, new[] { master, vault.PasswordPepper, vault.NonceKey }.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(vault.PasswordPepper, new Vault(master).PasswordPepper);
        Assert.NotEqual(vault.Hash("recovery-code", "x"), vault.Hash("wrong-password", "x"));
        Assert.NotEqual(vault.Hash("a", "b"), new Vault(RandomNumberGenerator.GetBytes(32)).Hash("a", "b"));
        Assert.Throws<ArgumentException>(() => new Vault(new byte[31]));
    }

    [Fact]
    public async Task A_seed_copied_to_another_persons_row_opens_nothing()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        var (kari, phone) = await Cast.EnrolledAsync(server);
        var (ola, _) = await Cast.EnrolledAsync(server);
        await server.ChangeAsync(async db =>
        {
            var ofKari = await db.Totps.SingleAsync(row => row.PersonId == kari.Id);
            (await db.Totps.SingleAsync(row => row.PersonId == ola.Id && row.State == AuthenticatorState.Active)).SealedSeed = ofKari.SealedSeed;
        });
        server.Clock.Advance(TimeSpan.FromMinutes(2));

        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(ola);
        await browser.PressAsync("Skriv inn koden fra appen");
        await browser.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal(System.Net.HttpStatusCode.InternalServerError, browser.Status); // refused, and the operator hears of it
        Assert.Equal(0, await server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == ola.Id && row.Method == Domain.SignIn.SecondFactorMethod.Code)));
    }

    [Fact]
    public async Task A_master_key_is_made_once_for_its_owner_alone()
    {
        using var folder = new Folder();
        await using var server = await StartAsync(folder);
        Assert.Equal(32, new FileInfo(folder.Key).Length);
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Key));
        var before = await File.ReadAllBytesAsync(folder.Key);
        await server.RestartAsync();
        Assert.Equal(before, await File.ReadAllBytesAsync(folder.Key));
    }

    [Fact]
    public async Task A_lost_master_key_stops_the_start_and_is_never_replaced()
    {
        using var folder = new Folder();
        await using var server = await StartAsync(folder);
        File.Delete(folder.Key);
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(server.RestartAsync);
        Assert.Contains("backup", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.Key));
    }

    [Theory]
    [InlineData(32)]
    [InlineData(31)]
    [InlineData(0)]
    public async Task Another_master_key_stops_the_start(int length)
    {
        using var folder = new Folder();
        await using var server = await StartAsync(folder);
        using (var browser = new Browser(server)) await browser.OpenAppAsync(); // by now each key has been made
        var before = await server.ReadAsync(db => db.ServerKeys.Select(row => row.Id).Order().ToListAsync());
        var master = await File.ReadAllBytesAsync(folder.Key);
        await File.WriteAllBytesAsync(folder.Key, RandomNumberGenerator.GetBytes(length));
        var refusal = await Assert.ThrowsAnyAsync<Exception>(server.RestartAsync);
        Assert.True(refusal is CryptographicException or InvalidOperationException, refusal.ToString());

        // With the right key back all is as it was: nothing was made anew in silence.
        await File.WriteAllBytesAsync(folder.Key, master);
        await server.RestartAsync();
        Assert.Equal(before, await server.ReadAsync(db => db.ServerKeys.Select(row => row.Id).Order().ToListAsync()));
    }

    [Theory]
    [InlineData("data-protection")]
    [InlineData("vapid")]
    [InlineData("signing")]
    public async Task A_damaged_key_of_the_server_stops_the_start(string purpose)
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        using (var browser = new Browser(server)) await browser.OpenAppAsync(); // by now each key has been used
        await server.ChangeAsync(async db =>
        {
            var key = (await db.ServerKeys.Where(row => row.Purpose == purpose).ToListAsync())[0];
            key.Sealed = [.. key.Sealed[..^1], (byte)(key.Sealed[^1] ^ 1)];
        });
        var refusal = await Assert.ThrowsAnyAsync<Exception>(server.RestartAsync);
        Assert.True(refusal is CryptographicException or InvalidOperationException { InnerException: CryptographicException }, refusal.ToString());
    }

    private static Task<PortvaktServer> StartAsync(Folder folder) => PortvaktServer.StartAsync(DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:MasterKeyFile"] = folder.Key });

    /// <summary>A place outside the database, as operators are told to choose one.</summary>
    private sealed class Folder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("portvakt-key").FullName;

        public string Key => Path.Combine(_path, "master.key");

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
