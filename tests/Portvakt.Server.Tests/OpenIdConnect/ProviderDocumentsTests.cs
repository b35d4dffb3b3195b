using System.Net;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenIddict.Server;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R71, R77: what discovery promises, which keys it shows, and that no check of the engine is switched off.</summary>
public sealed class ProviderDocumentsTests
{
    private const string Approved = """
        {"issuer":"https://id.test","authorization_endpoint":"https://id.test/connect/authorize","token_endpoint":"https://id.test/connect/token","userinfo_endpoint":"https://id.test/connect/userinfo","end_session_endpoint":"https://id.test/connect/end-session","jwks_uri":"https://id.test/.well-known/jwks.json","scopes_supported":["email","hours:read","offline_access","openid","profile"],"response_types_supported":["code"],"response_modes_supported":["query"],"grant_types_supported":["authorization_code","client_credentials","refresh_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"code_challenge_methods_supported":["S256"],"prompt_values_supported":["consent","login","none","select_account"],"acr_values_supported":["https://refeds.org/profile/mfa","phr","urn:portvakt:aal1","urn:portvakt:aal2"],"claims_supported":["acr","amr","aud","auth_time","email","exp","iat","iss","locale","name","nonce","preferred_username","sid","sub"],"claim_types_supported":["normal"],"ui_locales_supported":["en","nb","nn"],"claims_parameter_supported":false,"request_parameter_supported":false,"request_uri_parameter_supported":false,"authorization_response_iss_parameter_supported":true,"backchannel_logout_supported":true,"backchannel_logout_session_supported":true}
        """;

    [Fact]
    public async Task Discovery_says_exactly_this()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal(Approved, (await browser.GetAsync(ProviderDocuments.DiscoveryPath)).Body);
    }

    [Theory]
    [InlineData(ProviderDocuments.DiscoveryPath)]
    [InlineData(ProviderDocuments.KeysPath)]
    public async Task The_documents_may_be_kept_and_are_not_sent_twice(string path)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        using var client = host.NewClient();
        var first = await browser.GetAsync(path);
        Assert.Equal(first.Body.Length, first.Length);
        Assert.Contains("public", first.CacheControl, StringComparison.Ordinal);

        foreach (var (known, expected) in new[] { (first.ETag!, HttpStatusCode.NotModified), ("\"other\"", HttpStatusCode.OK), ($"\"other\", W/{first.ETag}", HttpStatusCode.NotModified), ("*", HttpStatusCode.NotModified) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("If-None-Match", known);
            using var response = await client.SendAsync(request);
            Assert.Equal(expected, response.StatusCode);
            Assert.Equal(expected is HttpStatusCode.OK, (await response.Content.ReadAsStringAsync()).Length > 0);
        }

        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        Assert.Equal((HttpStatusCode.OK, first.Length), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    [Fact]
    public async Task The_documents_ask_the_database_nothing()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await host.InDatabaseAsync(db => db.Database.ExecuteSqlRawAsync("DROP TABLE server_keys"));
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(ProviderDocuments.DiscoveryPath)).Status);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync(ProviderDocuments.KeysPath)).Status);
    }

    [Fact]
    public async Task No_check_of_the_engine_is_ignored_or_disabled_beyond_the_degraded_mode()
    {
        await using var host = await ProviderHost.StartAsync();
        var options = host.Services.GetRequiredService<IOptionsMonitor<OpenIddictServerOptions>>().CurrentValue;
        string[] set = [.. typeof(OpenIddictServerOptions).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.PropertyType == typeof(bool) && (bool)property.GetValue(options)!).Select(property => property.Name).Order(StringComparer.Ordinal)];

        Assert.Equal(
            [
                "DisableAccessTokenEncryption", // RFC 9068: applications read them
                "DisableAuthorizationStorage", // degraded mode: Grants
                "DisableRollingRefreshTokens", // degraded mode: Grants rolls them
                "DisableTokenStorage", // degraded mode: Grants
                "EnableDegradedMode",
                "IgnoreEndpointPermissions", // degraded mode: Engine.CheckAuthorizationRequest, CheckTokenRequest
                "IgnoreGrantTypePermissions", // same
                "IgnoreResponseTypePermissions", // same; only code exists
                "IgnoreScopePermissions", // same
                "RequireProofKeyForCodeExchange",
            ],
            set);
        Assert.Equal("authorization_code client_credentials refresh_token", string.Join(' ', options.GrantTypes.Order(StringComparer.Ordinal)));
        Assert.Equal(["S256"], options.CodeChallengeMethods);
        Assert.False(host.Services.GetRequiredService<IOptionsMonitor<OpenIddict.Server.AspNetCore.OpenIddictServerAspNetCoreOptions>>().CurrentValue.DisableTransportSecurityRequirement);
    }

    [Fact]
    public async Task Plain_http_is_refused_when_the_public_address_is_https()
    {
        await using var host = await ProviderHost.StartAsync();
        using var client = host.NewClient();
        using var response = await client.GetAsync(Browser.Request().Insert(0, "http://id.test"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task The_first_key_is_made_once_sealed_and_kept()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var before = (await browser.GetAsync(ProviderDocuments.KeysPath)).Json;
        var tokens = await browser.GetTokensAsync();

        await host.RestartAsync();
        using var later = host.NewBrowser();

        Assert.Equal(before.ToJsonString(), (await later.GetAsync(ProviderDocuments.KeysPath)).Json.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await later.GetAsync("/connect/userinfo", tokens.Access)).Status);
        var key = Assert.Single(before["keys"]!.AsArray())!.AsObject();
        Assert.Equal("alg crv kid kty use x y", string.Join(' ', key.Select(member => member.Key).Order(StringComparer.Ordinal)));
        Assert.Equal((string?)Tokens.Part(tokens.Id, 0)["kid"], (string?)key["kid"]);
        Assert.Equal(new Microsoft.IdentityModel.Tokens.JsonWebKey(key.ToJsonString()).ComputeJwkThumbprint(), System.Buffers.Text.Base64Url.DecodeFromChars((string)key["kid"]!));
    }

    [Fact]
    public async Task Another_master_key_stops_the_server_and_makes_no_new_key()
    {
        await using var host = await ProviderHost.StartAsync();
        var problem = await Assert.ThrowsAsync<InvalidOperationException>(() => host.RestartAsync(otherMasterKey: new byte[32]));
        Assert.Contains("master key", problem.Message, StringComparison.Ordinal);
        Assert.Equal(1, await host.InDatabaseAsync(db => db.ServerKeys.CountAsync()));
    }

    [Fact]
    public async Task A_new_key_is_shown_for_a_day_before_it_signs_and_the_old_one_for_a_day_after()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var keys = host.Services.GetRequiredService<SigningKeys>();
        var old = keys.Current.Id;
        host.Clock.Advance(TimeSpan.FromDays(90));
        await keys.RotateAsync(CancellationToken.None);

        Assert.Equal(2, (await browser.GetAsync(ProviderDocuments.KeysPath)).Json["keys"]!.AsArray().Count);
        host.Clock.Advance(SigningKeys.Overlap - TimeSpan.FromMilliseconds(1));
        Assert.Equal(old, keys.Current.Id);
        var tokens = await browser.GetTokensAsync();
        host.Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.NotEqual(old, keys.Current.Id, StringComparer.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/connect/userinfo", tokens.Access)).Status);

        host.Clock.Advance(SigningKeys.Overlap - TimeSpan.FromMilliseconds(1));
        await keys.LoadAsync(CancellationToken.None);
        Assert.Equal(2, keys.Published.Length);
        host.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await keys.LoadAsync(CancellationToken.None);
        Assert.Equal(keys.Current.Id, Assert.Single(keys.Published).Id);
        Assert.Single((await browser.GetAsync(ProviderDocuments.KeysPath)).Json["keys"]!.AsArray());
    }
}
