using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Administration;

/// <summary>
/// The one-time token that makes an administrator (R46): printed for the operator of the machine, stored as a keyed hash, good for one hour and one use. There is no
/// account and no password in a new database.
/// </summary>
public static class FirstToken
{
    public const string Page = "/administration/first";
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private const string Row = "first-administrator";

    /// <summary>At the start: a token, when nobody is an administrator.</summary>
    public static async Task AnnounceAsync(IServiceProvider services, TextWriter output, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        if (await scope.ServiceProvider.GetRequiredService<PortvaktDb>().RoleAssignments.AnyAsync(held => held.Role == Role.Administrator, cancellationToken)) return;
        await PrintAsync(services, output, cancellationToken);
    }

    /// <summary>Makes a new token and prints it; the one before is worthless. Written to the output and never to a log, which others read.</summary>
    public static async Task PrintAsync(IServiceProvider services, TextWriter output, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var vault = scope.ServiceProvider.GetRequiredService<Vault>();
        var settings = scope.ServiceProvider.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        var now = scope.ServiceProvider.GetRequiredService<TimeProvider>().GetUtcNow();
        var token = RandomId.NewSecret();
        await db.ServerKeys.Where(key => key.Id == Row).ExecuteDeleteAsync(cancellationToken);
        db.ServerKeys.Add(new ServerKey { Id = Row, Purpose = Row, Sealed = HashOf(vault, token), CreatedAt = now });
        if (!await db.TrySaveAsync(cancellationToken)) return; // another node started in the same instant; its token counts
        var until = TimeZoneInfo.ConvertTime(now + Lifetime, settings.Zone).ToString("HH:mm", CultureInfo.InvariantCulture);
        await output.WriteLineAsync($"To make an administrator, open {settings.Origin}{Page} before {until} and type this token: {token}");
    }

    /// <summary>Whether there is a token to type at all.</summary>
    public static Task<bool> IsWaitedForAsync(PortvaktDb db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var oldest = now - Lifetime;
        return db.ServerKeys.AnyAsync(key => key.Id == Row && key.CreatedAt > oldest, cancellationToken);
    }

    /// <summary>Uses the token up: one statement, so of many one succeeds. Call it in the transaction that makes the administrator.</summary>
    public static async Task<bool> UseAsync(PortvaktDb db, Vault vault, string token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (hash, oldest) = (HashOf(vault, token), now - Lifetime);
        return await db.ServerKeys.Where(key => key.Id == Row && key.Sealed == hash && key.CreatedAt > oldest).ExecuteDeleteAsync(cancellationToken) is 1;
    }

    /// <summary>Whether a token is the right one; it is not used up.</summary>
    public static Task<bool> IsRightAsync(PortvaktDb db, Vault vault, string token, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (hash, oldest) = (HashOf(vault, token), now - Lifetime);
        return db.ServerKeys.AnyAsync(key => key.Id == Row && key.Sealed == hash && key.CreatedAt > oldest, cancellationToken);
    }

    private static byte[] HashOf(Vault vault, string token) => vault.Hash(Row, token);
}
