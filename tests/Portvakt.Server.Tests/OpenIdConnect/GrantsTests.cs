using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Sessions;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R10, R69, R70, R76: how long codes and refresh tokens live, and that each is good once.</summary>
public sealed class GrantsTests
{
    [Theory]
    [InlineData(-1, HttpStatusCode.OK)]
    [InlineData(0, HttpStatusCode.BadRequest)]
    public async Task A_code_lives_for_60_seconds(int millisecondsPast, HttpStatusCode expected)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;

        host.Clock.Advance(TimeSpan.FromSeconds(60) + TimeSpan.FromMilliseconds(millisecondsPast));

        Assert.Equal(expected, (await browser.RedeemAsync(code)).Status);
    }

    [Fact]
    public async Task CodeReuse_is_refused_and_revokes_what_came_of_the_first_use()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;
        var tokens = new Tokens((await browser.RedeemAsync(code)).Json);

        Assert.Equal("invalid_grant", (await browser.RedeemAsync(code)).Error);

        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(1, await host.InDatabaseAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.CodeReused && row.PersonId == host.Kari)));
    }

    [Fact]
    public async Task CodeReuseAfter30Seconds_is_refused_and_revokes_what_came_of_the_first_use()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;
        var tokens = new Tokens((await browser.RedeemAsync(code)).Json);
        tokens = new Tokens((await browser.RefreshAsync(tokens.Refresh!)).Json);

        host.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal("invalid_grant", (await browser.RedeemAsync(code)).Error);

        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!)).Error);
    }

    [Fact]
    public async Task Of_64_who_redeem_a_code_at_once_one_succeeds_and_then_nobody_refreshes()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var code = (await browser.SignInAsync()).Code!;

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => browser.RedeemAsync(code))));

        var winner = Assert.Single(answers, answer => answer.Status is HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer != winner), answer => Assert.Equal("invalid_grant", answer.Error));
        Assert.Equal("invalid_grant", (await browser.RefreshAsync(new Tokens(winner.Json).Refresh!)).Error);
        Assert.Equal(63, await host.InDatabaseAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.CodeReused)));
    }

    [Fact]
    public async Task A_refresh_gives_the_same_claims_and_the_next_token()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var first = await browser.GetTokensAsync();
        host.Clock.Advance(TimeSpan.FromHours(2)); // longer than the browser's session may be idle

        var second = new Tokens((await browser.RefreshAsync(first.Refresh!)).Json);

        foreach (var claim in new[] { "sub", "sid", "auth_time", "acr", "aud", "iss", "name", "preferred_username", "email", "locale" })
            Assert.Equal(first.IdClaims[claim]!.ToJsonString(), second.IdClaims[claim]!.ToJsonString());
        Assert.Equal(first.IdClaims["amr"]!.ToJsonString(), second.IdClaims["amr"]!.ToJsonString());
        Assert.Null(second.IdClaims["nonce"]);
        Assert.NotEqual(first.Refresh, second.Refresh, StringComparer.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.RefreshAsync(second.Refresh!)).Status);
        Assert.Equal(1, await host.InDatabaseAsync(db => db.RefreshFamilies.CountAsync()));
    }

    [Fact]
    public async Task A_refresh_token_used_twice_kills_its_family()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var first = await browser.GetTokensAsync();
        var second = new Tokens((await browser.RefreshAsync(first.Refresh!)).Json);

        Assert.Equal("invalid_grant", (await browser.RefreshAsync(first.Refresh!)).Error);

        Assert.Equal("invalid_grant", (await browser.RefreshAsync(second.Refresh!)).Error);
        Assert.Equal(1, await host.InDatabaseAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.RefreshTokenReused && row.PersonId == host.Kari)));
    }

    [Fact]
    public async Task Of_64_who_refresh_at_once_one_succeeds_and_the_family_dies()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(() => browser.RefreshAsync(tokens.Refresh!))));

        var winner = Assert.Single(answers, answer => answer.Status is HttpStatusCode.OK);
        Assert.Equal("invalid_grant", (await browser.RefreshAsync(new Tokens(winner.Json).Refresh!)).Error);
    }

    [Fact]
    public async Task Refreshing_and_its_memory_of_old_tokens_survive_a_restart()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var first = await browser.GetTokensAsync();
        var second = new Tokens((await browser.RefreshAsync(first.Refresh!)).Json);

        await host.RestartAsync();
        using var later = host.NewBrowser();

        var third = await later.RefreshAsync(second.Refresh!);
        Assert.Equal(HttpStatusCode.OK, third.Status);
        Assert.Equal("invalid_grant", (await later.RefreshAsync(first.Refresh!)).Error);
        Assert.Equal("invalid_grant", (await later.RefreshAsync(new Tokens(third.Json).Refresh!)).Error);
    }

    [Theory]
    [InlineData(-1, HttpStatusCode.OK)]
    [InlineData(0, HttpStatusCode.BadRequest)]
    public async Task A_refresh_token_ends_with_its_session_however_often_it_was_renewed(int millisecondsPast, HttpStatusCode expected)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        for (var hour = 0; hour < 23; hour++)
        {
            host.Clock.Advance(TimeSpan.FromHours(1));
            tokens = new Tokens((await browser.RefreshAsync(tokens.Refresh!)).Json);
        }

        host.Clock.Advance(Session.Lifetime - TimeSpan.FromHours(23) + TimeSpan.FromMilliseconds(millisecondsPast));

        Assert.Equal(expected, (await browser.RefreshAsync(tokens.Refresh!)).Status);
    }

    [Fact]
    public async Task No_refresh_token_without_offline_access()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Null((await browser.GetTokensAsync(Browser.Request(("scope", "openid profile")))).Refresh);
        Assert.Equal(0, await host.InDatabaseAsync(db => db.RefreshFamilies.CountAsync()));
    }

    [Fact]
    public async Task A_refresh_may_ask_for_less_and_not_for_more()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync(Browser.Request(("scope", "openid offline_access")));

        Assert.Equal("invalid_scope", (await browser.RefreshAsync(tokens.Refresh!, ("scope", "openid email"))).Error);
        Assert.Equal("openid", (string?)new Tokens((await browser.RefreshAsync(tokens.Refresh!, ("scope", "openid"))).Json).AccessClaims["scope"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData(".")]
    [InlineData("0123456789012345678901.0123456789012345678901234567890123456789012")]
    [InlineData("eyJhbGciOiJub25lIn0.e30.")]
    public async Task What_is_no_refresh_token_is_refused(string token)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.RefreshAsync(token)).Status);
    }

    [Fact]
    public async Task Another_client_cannot_use_a_refresh_token()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!, ("client_id", "other"), ("client_secret", ProviderHost.ClientSecret + "-other"))).Error);
        Assert.Equal(HttpStatusCode.OK, (await browser.RefreshAsync(tokens.Refresh!)).Status);
    }

    [Fact]
    public async Task A_locked_person_gets_nothing_more()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        var code = (await browser.GetAsync(Browser.Request())).Code!;

        await host.InDatabaseAsync(async db =>
        {
            (await db.People.SingleAsync(person => person.Id == host.Kari)).Lock();
            await db.SaveChangesAsync();
        });

        Assert.Equal("invalid_grant", (await browser.RedeemAsync(code)).Error);
        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/connect/userinfo", tokens.Access)).Status);
        Assert.True((await browser.GetAsync(Browser.Request())).IsSignInPage);
    }

    [Fact]
    public async Task An_ended_session_gives_nothing_more()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        var code = (await browser.GetAsync(Browser.Request())).Code!;

        var ended = host.Clock.GetUtcNow();
        Assert.Equal(1, await host.InDatabaseAsync(db => db.Sessions.ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, ended))));
        Assert.Equal("invalid_grant", (await browser.RedeemAsync(code)).Error);
        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/connect/userinfo", tokens.Access)).Status);
    }

    [Fact]
    public async Task A_client_that_was_taken_away_gets_nothing_more_for_what_began_before()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        var code = (await browser.GetAsync(Browser.Request())).Code!;
        using var begun = host.NewBrowser();
        var page = await begun.GetAsync(Browser.Request());

        await host.RestartAsync("""[{ "client_id": "someone-else", "client_secret": "a-secret-that-a-machine-chose-9876543210", "redirect_uris": ["https://app.test/signin-oidc"] }]""");
        using var later = host.NewBrowser();

        Assert.Equal("invalid_client", (await later.RedeemAsync(code)).Error);
        Assert.Equal("invalid_client", (await later.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await later.GetAsync("/connect/userinfo", tokens.Access)).Status);
        Assert.True(page.IsSignInPage);
        Assert.True(await later.GetAsync(Browser.Request()) is { Status: HttpStatusCode.BadRequest, Location: null });
    }

    [Fact]
    public async Task Nothing_in_the_database_can_be_sent_back_as_a_code_or_token()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var answer = await browser.SignInAsync();
        var tokens = new Tokens((await browser.RedeemAsync(answer.Code!)).Json);

        await host.InDatabaseAsync(async db =>
        {
            Assert.Equal(32, (await db.AuthorizationCodes.SingleAsync()).Hash.Length);
            Assert.Equal(32, (await db.RefreshFamilies.SingleAsync()).CurrentHash.Length);
            Assert.DoesNotContain(answer.Code!, (await db.AuthorizationCodes.SingleAsync()).FamilyId!, StringComparison.Ordinal);
        });
        Assert.Equal(43, answer.Code!.Length);
        Assert.Equal(22 + 1 + 43, tokens.Refresh!.Length);
    }

    [Fact]
    public async Task Each_step_asks_the_database_as_little_as_it_can()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        host.Statements.Take();
        var code = (await browser.GetAsync(Browser.Request())).Code!;
        Assert.Equal((1, 1), host.Statements.Take()); // session and person in one; code
        var tokens = new Tokens((await browser.RedeemAsync(code)).Json);
        Assert.Equal((1, 1), host.Statements.Take()); // all in one; code and family in one
        await browser.RefreshAsync(tokens.Refresh!);
        Assert.Equal((1, 1), host.Statements.Take());
        await browser.GetAsync("/connect/userinfo", tokens.Access);
        Assert.Equal((1, 0), host.Statements.Take());
        await browser.TokenAsync([("grant_type", "client_credentials"), ("client_id", "batch"), ("client_secret", ProviderHost.ClientSecret + "-batch")]);
        await browser.GetAsync(Server.OpenIdConnect.ProviderDocuments.DiscoveryPath);
        await browser.GetAsync(Server.OpenIdConnect.ProviderDocuments.KeysPath);
        Assert.Equal((0, 0), host.Statements.Take());
    }
}
