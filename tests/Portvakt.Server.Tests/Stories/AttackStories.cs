using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class AttacksOnSqlite(SqliteStage stage) : AttackStories(stage), IClassFixture<SqliteStage>;

public sealed class AttacksOnPostgres(PostgresStage stage) : AttackStories(stage), IClassFixture<PostgresStage>;

public sealed class AttacksOnTwoNodes(TwoNodesStage stage) : AttackStories(stage), IClassFixture<TwoNodesStage>;

/// <summary>The same stage, other actors. Each story names the requirement it shows.</summary>
public abstract partial class AttackStories(Stage stage)
{
    private const int Racers = 64;

    private PortvaktServer Server => stage.Server;

    /// <summary>Kari at the second factor, with her phone beside her.</summary>
    private async Task<(Person Kari, Phone Phone, Browser Browser)> AtTheSecondFactorAsync()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        return (kari, phone, browser);
    }

    /// <summary>Kari at the picture.</summary>
    private async Task<(Person Kari, Browser Browser)> AtThePictureAsync()
    {
        var kari = await Server.AddPersonAsync();
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");
        return (kari, browser);
    }

    private static string Other(string number) => number == "10" ? "11" : "10";

    private Task<ApprovalState> StateOfAsync(string id) => Server.ReadAsync(db => db.Approvals.Where(row => row.Id == id).Select(row => row.State).SingleAsync());

    private Task<int> CountAsync(SecurityEvent what, Guid personId) => Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == what && row.PersonId == personId));
}
