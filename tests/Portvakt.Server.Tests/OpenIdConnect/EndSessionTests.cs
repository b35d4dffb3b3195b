using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R75: an application's sign-out needs a token of this session, or the person's yes. Names follow the conformance suite where it has one.</summary>
public sealed class EndSessionTests
{
    private static string Address(string? hint, string? back = ProviderHost.SignedOutUri, string? state = "st", string? clientId = null) =>
        Microsoft.AspNetCore.WebUtilities.QueryHelpers.AddQueryString("/connect/end-session", new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["id_token_hint"] = hint,
            ["post_logout_redirect_uri"] = back,
            ["state"] = state,
            ["client_id"] = clientId,
        }.Where(pair => pair.Value is not null));

    [Fact]
    public async Task RpInitiatedLogout_ends_the_session_and_all_that_came_of_it()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        var answer = await browser.GetAsync(Address(tokens.Id));

        Assert.Equal((HttpStatusCode.SeeOther, ProviderHost.SignedOutUri + "?state=st"), (answer.Status, answer.Location));
        Assert.True((await browser.GetAsync(Browser.Request())).IsSignInPage);
        Assert.Equal("invalid_grant", (await browser.RefreshAsync(tokens.Refresh!)).Error);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/connect/userinfo", tokens.Access)).Status);
        Assert.Equal(ProviderHost.ClientId, (await host.InDatabaseAsync(db => db.LogoutNotices.SingleAsync())).ClientId);
    }

    [Fact]
    public async Task RpInitiatedLogout_works_with_an_expired_token()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(ProviderHost.SignedOutUri + "?state=st", (await browser.GetAsync(Address(tokens.Id))).Location);
    }

    [Fact]
    public async Task RpInitiatedLogout_works_as_a_posted_form()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        var answer = await browser.PostAsync("/connect/end-session", ("id_token_hint", tokens.Id), ("post_logout_redirect_uri", ProviderHost.SignedOutUri), ("state", "st"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.Status);

        Assert.Equal(ProviderHost.SignedOutUri + "?state=st", (await browser.GetAsync(answer.Location!)).Location);
        Assert.True((await browser.GetAsync(Browser.Request())).IsSignInPage);
    }

    [Fact]
    public async Task RpInitiatedLogoutNoState()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal(ProviderHost.SignedOutUri, (await browser.GetAsync(Address((await browser.GetTokensAsync()).Id, state: null))).Location);
    }

    [Fact]
    public async Task RpInitiatedLogoutNoPostLogoutRedirectUri_ends_at_our_own_page()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal(EndSession.ConfirmationPage, (await browser.GetAsync(Address((await browser.GetTokensAsync()).Id, back: null))).Location);
        Assert.True((await browser.GetAsync(Browser.Request())).IsSignInPage);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(null, "st", null)]
    [InlineData(null, "st", ProviderHost.SignedOutUri)]
    [InlineData("not a token", "st", ProviderHost.SignedOutUri)]
    public async Task RpInitiatedLogoutNoIdTokenHint_asks_and_ends_nothing(string? hint, string? state, string? back)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.GetAsync(Address(hint, back, state));

        Assert.Equal((HttpStatusCode.SeeOther, EndSession.ConfirmationPage), (answer.Status, answer.Location));
        Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
    }

    [Fact]
    public async Task RpInitiatedLogoutModifiedIdTokenHint_asks_and_ends_nothing()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var token = (await browser.GetTokensAsync()).Id;
        var parts = token.Split('.');
        var modified = $"{parts[0]}.{parts[1]}.{(parts[2][0] is 'A' ? 'B' : 'A')}{parts[2][1..]}";

        Assert.Equal(EndSession.ConfirmationPage, (await browser.GetAsync(Address(modified))).Location);
        Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
    }

    [Fact]
    public async Task A_known_application_is_named_to_the_page_that_asks()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        var answer = await browser.GetAsync(Address(hint: null, clientId: ProviderHost.ClientId));

        Assert.Equal($"{EndSession.ConfirmationPage}?client_id={ProviderHost.ClientId}&post_logout_redirect_uri={Uri.EscapeDataString(ProviderHost.SignedOutUri)}&state=st", answer.Location);
        var relyingParties = host.Services.GetRequiredService<RelyingParties>();
        Assert.Equal(ProviderHost.SignedOutUri + "?state=st", EndSession.ValidatedReturn(relyingParties, answer.Parameter("client_id"), answer.Parameter("post_logout_redirect_uri"), answer.Parameter("state")));
        Assert.Null(EndSession.ValidatedReturn(relyingParties, "other", ProviderHost.SignedOutUri, "st"));
        Assert.Null(EndSession.ValidatedReturn(relyingParties, "nobody", ProviderHost.SignedOutUri, "st"));
        Assert.Null(EndSession.ValidatedReturn(relyingParties, null, ProviderHost.SignedOutUri, "st"));
    }

    [Theory]
    [InlineData("https://evil.test/", null)]
    [InlineData(ProviderHost.SignedOutUri + "/", null)]
    [InlineData(ProviderHost.SignedOutUri + "?extra=1", null)]
    [InlineData("https://other.test/bye", null)]
    [InlineData(ProviderHost.SignedOutUri, "other")]
    public async Task RpInitiatedLogoutBadPostLogoutRedirectUri_is_an_error(string back, string? clientId)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        var answer = await browser.GetAsync(Address(tokens.Id, back, clientId: clientId));

        Assert.True(answer is { Status: HttpStatusCode.BadRequest, Location: null }, answer.ToString());
        Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
    }

    [Fact]
    public async Task A_token_of_another_session_does_not_end_this_one()
    {
        await using var host = await ProviderHost.StartAsync();
        using var kari = host.NewBrowser();
        using var ola = host.NewBrowser();
        var karis = await kari.GetTokensAsync();
        await ola.SignInAsync(person: host.Ola);

        var answer = await ola.GetAsync(Address(karis.Id));

        Assert.StartsWith(EndSession.ConfirmationPage, answer.Location, StringComparison.Ordinal);
        Assert.NotNull((await ola.GetAsync(Browser.Request())).Code);
        Assert.NotNull((await kari.GetAsync(Browser.Request())).Code);
    }

    [Fact]
    public async Task An_access_token_is_no_hint()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();

        Assert.Equal(EndSession.ConfirmationPage, (await browser.GetAsync(Address(tokens.Access))).Location);
        Assert.NotNull((await browser.GetAsync(Browser.Request())).Code);
    }

    [Fact]
    public async Task Signing_out_twice_is_no_error_and_tells_nobody_twice()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        await browser.GetAsync(Address(tokens.Id));

        Assert.Equal(ProviderHost.SignedOutUri + "?state=st", (await browser.GetAsync(Address(tokens.Id))).Location);
        Assert.Equal(1, await host.InDatabaseAsync(db => db.LogoutNotices.CountAsync()));
    }
}
