using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>A right code whose save loses against another window has proven nothing: what was counted before stays counted.</summary>
public sealed class LostSaveStories
{
    [Fact]
    public async Task R51_A_code_that_is_set_up_clears_the_counter_when_it_is_saved_and_not_before()
    {
        var race = new Race();
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, services: services => services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(race)));
        var kari = await server.AddPersonAsync();
        using var browser = new Browser(server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        var seed = Base32.Decode(browser.Secret)!;
        for (var wrong = 0; wrong < 2; wrong++) await browser.Fill("Koden fra appen", "12345").PressAsync("Neste");
        Assert.Equal(2, await CountedAsync());

        race.IsLost = true;
        await browser.Fill("Koden fra appen", Code()).PressAsync("Neste");
        Assert.False(race.IsLost); // it came to that
        Assert.Equal(3, await CountedAsync());
        Assert.False(await server.ReadAsync(db => db.Totps.AnyAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));

        server.Clock.Advance(TimeSpan.FromSeconds(60)); // a step that has not been used
        await browser.Fill("Koden fra appen", Code()).PressAsync("Neste");
        Assert.True(await server.ReadAsync(db => db.Totps.AnyAsync(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active)));
        Assert.Equal(0, await CountedAsync());

        string Code() => Totp.CodeFor(seed, Totp.StepAt(server.Clock.GetUtcNow()));

        Task<int> CountedAsync() => server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == $"second-factor:{kari.Id:N}").SumAsync(count => count.Failures));
    }

    /// <summary>Somebody else was faster with the row of a code generator.</summary>
    private sealed class Race : SaveChangesInterceptor
    {
        public bool IsLost { get; set; }

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (!IsLost || !eventData.Context!.ChangeTracker.Entries<TotpAuthenticator>().Any(entry => entry.State is EntityState.Modified)) return ValueTask.FromResult(result);
            IsLost = false;
            throw new DbUpdateConcurrencyException("lost");
        }
    }
}
