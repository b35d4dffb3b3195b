using System.Net;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R62: applications hear of the end of a session, also when they were away for a while.</summary>
public sealed class BackChannelLogoutTests
{
    private static BackChannelLogout Logout(ProviderHost host) => host.Services.GetRequiredService<BackChannelLogout>();

    private static async Task<Tokens> SignInAndOutAsync(ProviderHost host)
    {
        using var browser = host.NewBrowser();
        var tokens = await browser.GetTokensAsync();
        await browser.GetAsync($"/connect/end-session?id_token_hint={tokens.Id}");
        return tokens;
    }

    [Fact]
    public async Task The_application_hears_who_left_and_from_which_session()
    {
        await using var host = await ProviderHost.StartAsync();
        var tokens = await SignInAndOutAsync(host);

        Assert.Equal(1, await Logout(host).DeliverDueAsync(CancellationToken.None));
        Assert.Equal(0, await Logout(host).DeliverDueAsync(CancellationToken.None));

        var (address, body) = Assert.Single(host.FarEnd.Heard);
        Assert.Equal(ProviderHost.BackChannelUri, address.AbsoluteUri);
        var token = (string)QueryHelpers.ParseQuery(body)["logout_token"]!;
        Assert.Equal("logout+jwt", (string?)Tokens.Part(token, 0)["typ"]);
        var claims = Tokens.Part(token, 1);
        Assert.Equal("aud events exp iat iss jti sid sub", string.Join(' ', claims.Select(claim => claim.Key).Order(StringComparer.Ordinal)));
        Assert.Equal((ProviderHost.Issuer, ProviderHost.ClientId, host.Kari.ToString("N"), (string?)tokens.IdClaims["sid"]), ((string?)claims["iss"], (string?)claims["aud"], (string?)claims["sub"], (string?)claims["sid"]));
        Assert.Equal("""{"http://schemas.openid.net/event/backchannel-logout":{}}""", claims["events"]!.ToJsonString());
        Assert.Equal(120, (long)claims["exp"]! - (long)claims["iat"]!);

        using var browser = host.NewBrowser();
        var keys = new JsonWebKeySet((await browser.GetAsync(ProviderDocuments.KeysPath)).Body);
        var verdict = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters { IssuerSigningKeys = keys.GetSigningKeys(), ValidIssuer = ProviderHost.Issuer, ValidAudience = ProviderHost.ClientId, ValidateLifetime = false });
        Assert.True(verdict.IsValid);
    }

    [Fact]
    public async Task An_application_that_is_away_is_tried_again_later_and_later_and_after_a_restart()
    {
        await using var host = await ProviderHost.StartAsync();
        host.FarEnd.Answer = () => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        await SignInAndOutAsync(host);

        Assert.Equal(0, await Logout(host).DeliverDueAsync(CancellationToken.None));
        foreach (var pause in new[] { TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(2) })
        {
            var before = host.FarEnd.Heard.Count;
            await host.RestartAsync();
            host.Clock.Advance(pause - TimeSpan.FromMilliseconds(1));
            await Logout(host).DeliverDueAsync(CancellationToken.None);
            Assert.Equal(before, host.FarEnd.Heard.Count);
            host.Clock.Advance(TimeSpan.FromMilliseconds(1));
            await Logout(host).DeliverDueAsync(CancellationToken.None);
            Assert.Equal(before + 1, host.FarEnd.Heard.Count);
        }

        host.FarEnd.Answer = () => new HttpResponseMessage(HttpStatusCode.OK);
        host.Clock.Advance(TimeSpan.FromHours(2));
        await Logout(host).DeliverDueAsync(CancellationToken.None);
        Assert.NotNull((await host.InDatabaseAsync(db => db.LogoutNotices.SingleAsync())).DeliveredAt);
    }

    [Fact]
    public async Task An_application_that_never_answers_is_given_up_after_a_day()
    {
        await using var host = await ProviderHost.StartAsync();
        host.FarEnd.Answer = () => throw new HttpRequestException(HttpRequestError.ConnectionError);
        await SignInAndOutAsync(host);
        for (var hour = 0; hour < 30; hour++)
        {
            await Logout(host).DeliverDueAsync(CancellationToken.None);
            host.Clock.Advance(TimeSpan.FromHours(1));
        }

        var notice = await host.InDatabaseAsync(db => db.LogoutNotices.SingleAsync());
        Assert.NotNull(notice.GivenUpAt);
        Assert.Null(notice.DeliveredAt);
        Assert.InRange(notice.GivenUpAt.Value - notice.CreatedAt, TimeSpan.FromHours(21), TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task Only_the_registered_address_is_ever_called()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var first = await browser.GetTokensAsync();
        await browser.GetAsync(Browser.Request(("client_id", "spa"), ("redirect_uri", "https://spa.test/cb"), ("scope", "openid"))); // registered no address
        await browser.GetAsync($"/connect/end-session?id_token_hint={first.Id}");
        Assert.Equal(2, await host.InDatabaseAsync(db => db.LogoutNotices.CountAsync()));

        host.FarEnd.Answer = () => new HttpResponseMessage(HttpStatusCode.Redirect) { Headers = { Location = new Uri("https://evil.test/") } };
        await Logout(host).DeliverDueAsync(CancellationToken.None);

        Assert.Equal(ProviderHost.BackChannelUri, Assert.Single(host.FarEnd.Heard).Address.AbsoluteUri);
        Assert.NotNull((await host.InDatabaseAsync(db => db.LogoutNotices.SingleAsync(notice => notice.ClientId == "spa"))).GivenUpAt);
    }
}
