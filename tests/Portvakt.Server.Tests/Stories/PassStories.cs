using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Hosting;
using Portvakt.Server.SignIn;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class PassOnSqlite(SqliteStage stage) : PassStories(stage), IClassFixture<SqliteStage>;

public sealed class PassOnPostgres(PostgresStage stage) : PassStories(stage), IClassFixture<PostgresStage>;

/// <summary>A Temporary Access Pass at sign-in: in place of the second factor, or of the password, where a policy says so and nowhere else.</summary>
public abstract class PassStories(Stage stage)
{
    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task Kari_forgot_her_phone_at_home_and_signs_in_with_a_pass_where_policy_lets_her()
    {
        var (kari, _) = await Cast.EnrolledAsync(Server);
        var code = await PassForAsync(kari);
        using var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        Assert.EndsWith("/second-factor", browser.Path, StringComparison.Ordinal); // no policy: a pass opens enrolment only
        Assert.False(browser.Has("Bruk et midlertidig tilgangspass"));

        await PolicyAsync(kari, PassUse.SecondFactor);
        await browser.ReloadAsync();
        await browser.PressAsync("Bruk et midlertidig tilgangspass");
        await browser.Fill("Kode", "AAAA-BBBB-CCCC").PressAsync("Neste");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        await browser.Fill("Kode", code).PressAsync("Neste");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);
        await browser.PressAsync("Nei");
        Assert.Equal("app.test", browser.LeftFor?.Host);
        Assert.Equal(1, await Server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.Method == SecondFactorMethod.AccessPass)));

        // Once.
        using var stranger = new Browser(Server);
        await stranger.OpenAppAsync();
        await stranger.PasswordAsync(kari);
        await stranger.OpenAsync($"/sign-in/{stranger.AttemptId}/pass");
        Assert.EndsWith("/second-factor", stranger.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R43_Ola_has_no_password_yet_and_a_pass_leads_him_through_enrolment_to_one_and_nowhere_else()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann", deadlineIn: TimeSpan.FromDays(30)); // nothing is demanded of him yet
        await Server.ChangeAsync(db => db.People.Where(row => row.Id == ola.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, (string?)null)));
        var code = await PassForAsync(ola);
        await PolicyAsync(ola, PassUse.Both);
        using var browser = await WithThePassAsync(ola, code);
        Assert.Equal("Mer informasjon kreves", browser.Heading);
        Assert.False(browser.Has("Ikke nå"));
        Assert.False(await Server.ReadAsync(db => db.Sessions.AnyAsync(row => row.PersonId == ola.Id)));

        await browser.EnrolPhoneAsync(Server);
        await browser.PressAsync("Fullført");
        Assert.EndsWith("/new-password", browser.Path, StringComparison.Ordinal);
        await browser.Fill("Nytt passord", "tolv lilla hester på isen").PressAsync("Lagre passordet");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);
        await browser.PressAsync("Nei");
        await browser.PressAsync("Ferdig");
        Assert.Equal("app.test", browser.LeftFor?.Host);

        using var next = new Browser(Server);
        await next.OpenAppAsync();
        await next.PasswordAsync(ola, "tolv lilla hester på isen");
        Assert.EndsWith("/second-factor", next.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R43_A_pass_that_may_be_used_again_is_not_both_factors_of_one_sign_in()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        var code = await PassForAsync(kari, oneTime: false);
        await PolicyAsync(kari, PassUse.Both);
        using var browser = await WithThePassAsync(kari, code);
        Assert.EndsWith("/second-factor", browser.Path, StringComparison.Ordinal);
        Assert.False(browser.Has("Bruk et midlertidig tilgangspass"));
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass");
        Assert.EndsWith("/second-factor", browser.Path, StringComparison.Ordinal);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);
    }

    [Fact]
    public async Task A_pass_in_place_of_the_password_never_takes_the_place_of_the_second_factor_as_well()
    {
        var (kari, _) = await Cast.EnrolledAsync(Server);
        var code = await PassForAsync(kari);
        await PolicyAsync(kari, PassUse.Both);
        using var browser = await WithThePassAsync(kari, code);
        Assert.EndsWith("/second-factor", browser.Path, StringComparison.Ordinal);
        Assert.False(browser.Has("Bruk et midlertidig tilgangspass")); // it is used up
    }

    [Theory]
    [InlineData(PassUse.Enrolment)]
    [InlineData(PassUse.SecondFactor)]
    public async Task Where_policy_does_not_say_so_a_right_pass_is_as_wrong_as_any(PassUse use)
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann");
        var code = await PassForAsync(ola);
        await PolicyAsync(ola, use);
        using var browser = await WithThePassAsync(ola, code);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
        var said = browser.Page.QuerySelector("[role=alert]")!.TextContent;
        using var unknown = await WithThePassAsync(ola, code, user: $"nobody{RandomId.New()[..6]}");
        Assert.Equal((HttpStatusCode.UnprocessableEntity, said), (unknown.Status, unknown.Page.QuerySelector("[role=alert]")!.TextContent));
    }

    [Fact]
    public async Task R54_Guessed_passes_stop_at_five_whether_the_name_is_known_or_not()
    {
        var ola = await Server.AddPersonAsync("Ola Nordmann");
        await PolicyAsync(ola, PassUse.Both);
        foreach (var name in new[] { ola.UserName, $"nobody{RandomId.New()[..6].ToLowerInvariant()}" })
        {
            for (var guess = 0; guess < 6; guess++)
            {
                using var browser = await WithThePassAsync(ola, $"AAAA-AAAA-AAA{guess + 2}", name, address: $"198.51.100.{guess}");
                Assert.Equal(guess < 5 ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.TooManyRequests, browser.Status);
            }
        }
    }

    private async Task<Browser> WithThePassAsync(Person person, string code, string? user = null, string address = "192.0.2.10")
    {
        var browser = new Browser(Server, address: address);
        await browser.OpenAppAsync();
        await browser.OpenAsync($"/sign-in/{browser.AttemptId}/pass-first");
        return await browser.Fill("Brukernavn", user ?? person.UserName).Fill("Kode", code).PressAsync("Neste");
    }

    private async Task<string> PassForAsync(Person person, bool oneTime = true)
    {
        var code = Base32.Random(AccessPass.Length);
        await Server.ChangeAsync(db =>
        {
            var vault = (Vault)Server.Services.GetService(typeof(Vault))!;
            db.AccessPasses.Add(new AccessPass(person.Id, PassModel.HashOf(vault, person.Id, code), AccessPass.DefaultLifetime, oneTime, issuedBy: null, Server.Clock.GetUtcNow()));
            return Task.CompletedTask;
        });
        return AccessPass.Format(code);
    }

    private Task PolicyAsync(Person person, PassUse use) => Server.ChangeAsync(db =>
    {
        db.MethodPolicies.Add(new MethodPolicy(RandomId.New(), $"user name is {person.UserName}", Server.Clock.GetUtcNow()) { Pass = use });
        return Task.CompletedTask;
    });
}
