using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>Keys of the server that live sealed in the database and are made once.</summary>
public static class ServerKeyStore
{
    /// <summary>The key of a purpose; made by <paramref name="create"/> when there is none. Two nodes that start at once end with the same one.</summary>
    public static byte[] GetOrCreate(IServiceScopeFactory scopes, Vault vault, TimeProvider clock, string purpose, Func<byte[]> create)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        if (Find() is { } existing) return existing;

        db.ServerKeys.Add(new ServerKey { Id = purpose, Purpose = purpose, Sealed = vault.Seal(create(), "server_keys.sealed", purpose), CreatedAt = clock.GetUtcNow() });
        try
        {
            db.SaveChanges();
        }
        catch (DbUpdateException)
        {
            db.ChangeTracker.Clear(); // another node was first; its key counts
        }

        return Find() ?? throw new InvalidOperationException($"The {purpose} key could not be stored.");

        byte[]? Find() => db.ServerKeys.AsNoTracking().Where(row => row.Id == purpose).Select(row => row.Sealed).SingleOrDefault() is { } box
            ? vault.Open(box, "server_keys.sealed", purpose)
            : null;
    }
}
