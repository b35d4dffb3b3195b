using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>
/// The Data Protection ring lies in the database, each key sealed by the master key (R94). A key that cannot be opened stops the server
/// instead of being silently replaced: with a new ring every cookie of before would be worthless, and nobody would know why.
/// </summary>
public sealed class DataProtectionKeys(IServiceScopeFactory scopes, Vault vault, TimeProvider clock) : IXmlRepository
{
    private const string Column = "server_keys.sealed";

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var scope = scopes.CreateScope();
        var rows = scope.ServiceProvider.GetRequiredService<PortvaktDb>().ServerKeys.AsNoTracking().Where(key => key.Purpose == "data-protection").ToList();
        return [.. rows.Select(row => XElement.Parse(Encoding.UTF8.GetString(vault.Open(row.Sealed, Column, row.Id))))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = clock.GetUtcNow();
        var id = string.Create(CultureInfo.InvariantCulture, $"dp-{Guid.CreateVersion7(now):N}");
        db.ServerKeys.Add(new ServerKey
        {
            Id = id,
            Purpose = "data-protection",
            Sealed = vault.Seal(Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting)), Column, id),
            CreatedAt = now,
        });
        db.SaveChanges();
    }

    public static void Add(IServiceCollection services)
    {
        services.AddDataProtection();
        services.AddSingleton<DataProtectionKeys>();
        services.AddOptions<KeyManagementOptions>().Configure<DataProtectionKeys>((options, keys) =>
        {
            options.XmlRepository = keys;

            // The repository seals whole elements, with the row as associated data; a second encryption inside would protect nothing more.
            options.XmlEncryptor = null;
        });
    }
}
