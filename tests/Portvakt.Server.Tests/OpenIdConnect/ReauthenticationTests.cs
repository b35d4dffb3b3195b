using System.Net;
using Portvakt.Domain.SignIn;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>R7: prompt, max_age, acr and id_token_hint are obeyed or refused.</summary>
public sealed class ReauthenticationTests
{
    [Fact]
    public async Task PromptNoneNotLoggedIn()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var answer = await browser.GetAsync(Browser.Request(("prompt", "none")));
        Assert.Equal("login_required", answer.Error);
        Assert.Equal((ProviderHost.Issuer, "st"), (answer.Parameter("iss"), answer.Parameter("state")));
        Assert.StartsWith(ProviderHost.RedirectUri, answer.Location, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PromptNoneLoggedIn()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();
        Assert.NotNull((await browser.GetAsync(Browser.Request(("prompt", "none")))).Code);
    }

    [Theory]
    [InlineData("prompt", "login")]
    [InlineData("prompt", "select_account")]
    [InlineData("max_age", "0")]
    public async Task PromptLogin_asks_again_and_says_when(string parameter, string value)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var first = await browser.GetTokensAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(1));

        var second = await browser.GetTokensAsync(Browser.Request((parameter, value)));

        Assert.Equal((long)first.IdClaims["auth_time"]! + 60, (long)second.IdClaims["auth_time"]!);
        Assert.Equal((string?)first.IdClaims["sid"], (string?)second.IdClaims["sid"]); // the same session, renewed: nobody signed out
    }

    [Fact]
    public async Task PromptLogin_is_answered_once_by_one_sign_in()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var request = Browser.Request(("prompt", "login"));
        var page = await browser.GetAsync(request);
        var back = (await browser.PostAsync($"/test/sign-in/{page.AttemptId}?person={host.Kari}")).Location!;
        Assert.NotNull((await browser.GetAsync(back)).Code);

        Assert.True((await browser.GetAsync(back)).IsSignInPage);
        Assert.True((await browser.GetAsync(request)).IsSignInPage);
    }

    [Theory]
    [InlineData("state", "another")]
    [InlineData("scope", "openid")]
    [InlineData("redirect_uri", "https://app.test/other?tab=1")]
    [InlineData("extra", "x")]
    public async Task A_sign_in_for_another_request_does_not_answer_this_one(string parameter, string value)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var page = await browser.GetAsync(Browser.Request(("prompt", "login")));
        await browser.PostAsync($"/test/sign-in/{page.AttemptId}?person={host.Kari}");

        var answer = await browser.GetAsync($"{Browser.Request(("prompt", "login"), (parameter, value))}&attempt={page.AttemptId}");

        Assert.True(answer.IsSignInPage, answer.ToString());
        Assert.NotEqual(page.AttemptId, answer.AttemptId, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_sign_in_in_another_browser_does_not_answer_here()
    {
        await using var host = await ProviderHost.StartAsync();
        using var kari = host.NewBrowser();
        using var attacker = host.NewBrowser();
        await kari.SignInAsync();
        var page = await attacker.GetAsync(Browser.Request(("prompt", "login")));
        var back = (await attacker.PostAsync($"/test/sign-in/{page.AttemptId}?person={host.Ola}")).Location!;

        Assert.True((await kari.GetAsync(back)).IsSignInPage);
        Assert.NotNull((await attacker.GetAsync(back)).Code);
    }

    [Theory]
    [InlineData(-1, false)]
    [InlineData(0, true)]
    public async Task A_finished_sign_in_answers_for_five_minutes(int millisecondsPast, bool asksAgain)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var page = await browser.GetAsync(Browser.Request(("prompt", "login")));
        var back = (await browser.PostAsync($"/test/sign-in/{page.AttemptId}?person={host.Kari}")).Location!;

        host.Clock.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromMilliseconds(millisecondsPast));

        Assert.Equal(asksAgain, (await browser.GetAsync(back)).IsSignInPage);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public async Task MaxAge1_is_kept_to_the_millisecond(int millisecondsPast, bool asksAgain)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();

        host.Clock.Advance(TimeSpan.FromSeconds(1) + TimeSpan.FromMilliseconds(millisecondsPast));

        Assert.Equal(asksAgain, (await browser.GetAsync(Browser.Request(("max_age", "1")))).IsSignInPage);
        Assert.Equal(asksAgain, (await browser.GetAsync(Browser.Request(("max_age", "1"), ("prompt", "none")))).Error == "login_required");
    }

    [Fact]
    public async Task MaxAge10000()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull((await browser.GetAsync(Browser.Request(("max_age", "10000")))).Code);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("soon")]
    [InlineData("1.5")]
    public async Task A_max_age_that_is_no_number_is_refused(string value)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync();
        Assert.Equal("invalid_request", (await browser.GetAsync(Browser.Request(("max_age", value)))).Error);
    }

    [Theory]
    [InlineData("urn:portvakt:aal2")]
    [InlineData("aal2")]
    [InlineData("https://refeds.org/profile/mfa")]
    [InlineData("urn:unknown urn:portvakt:aal2")]
    public async Task Two_factors_are_asked_for_when_the_session_has_one(string acr)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync(method: null);

        Assert.Equal("interaction_required", (await browser.GetAsync(Browser.Request(("acr_values", acr), ("prompt", "none")))).Error);
        var tokens = await browser.GetTokensAsync(Browser.Request(("acr_values", acr)));

        Assert.Equal(Acr.Aal2, (string?)tokens.IdClaims["acr"]);
        Assert.NotNull((await browser.GetAsync(Browser.Request(("acr_values", acr)))).Code);
    }

    [Fact]
    public async Task A_sign_in_that_stayed_too_weak_is_refused_and_not_begun_for_ever()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        Assert.Equal("unmet_authentication_requirements", (await browser.SignInAsync(Browser.Request(("acr_values", "urn:portvakt:aal2")), method: null)).Error);
    }

    [Fact]
    public async Task Acr_values_that_nobody_knows_are_a_wish()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync(method: null);
        Assert.NotNull((await browser.GetAsync(Browser.Request(("acr_values", "1 2 gold")))).Code);
    }

    [Theory]
    [InlineData("""{"id_token":{"acr":{"essential":true,"values":["gold"]}}}""", "unmet_authentication_requirements")]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"urn:portvakt:aal2"}}}""", "interaction_required")]
    [InlineData("""{"id_token":{"acr":{"values":["gold"]}}}""", null)]
    [InlineData("""{"id_token":{"acr":null},"userinfo":{"email":null}}""", null)]
    [InlineData("""{"id_token":{"acr":{"essential":true,"value":"urn:portvakt:aal1"}}}""", null)]
    [InlineData("not json", "invalid_request")]
    [InlineData("[]", "invalid_request")]
    [InlineData("""{"id_token":{"acr":{"values":7}}}""", "invalid_request")]
    public async Task Essential_acr_is_a_demand(string claims, string? error)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync(method: null);

        var answer = await browser.GetAsync(Browser.Request(("claims", claims), ("prompt", "none")));

        Assert.Equal(error, answer.Error);
        Assert.Equal(error is null, answer.Code is not null);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("urn:portvakt:aal1")]
    public async Task No_request_lowers_what_an_application_always_needs(string? acr)
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        await browser.SignInAsync(method: null);

        var answer = await browser.GetAsync(Browser.Request(("client_id", "strict"), ("redirect_uri", "https://strict.test/cb"), ("acr_values", acr)));

        Assert.True(answer.IsSignInPage, answer.ToString());
        await host.InDatabaseAsync(async db => Assert.Equal(AssuranceLevel.Aal2, (await db.SignInAttempts.FindAsync(answer.AttemptId))!.Requested));
    }

    [Fact]
    public async Task A_hint_of_somebody_else_is_never_answered_for_the_one_who_is_here()
    {
        await using var host = await ProviderHost.StartAsync();
        using var kari = host.NewBrowser();
        var hint = (await kari.GetTokensAsync()).Id;
        using var shared = host.NewBrowser();
        await shared.SignInAsync(person: host.Ola);

        Assert.Equal("login_required", (await shared.GetAsync(Browser.Request(("id_token_hint", hint), ("prompt", "none")))).Error);
        Assert.True((await shared.GetAsync(Browser.Request(("id_token_hint", hint)))).IsSignInPage);
        Assert.Equal("login_required", (await shared.SignInAsync(Browser.Request(("id_token_hint", hint)), person: host.Ola)).Error);
        Assert.NotNull((await shared.SignInAsync(Browser.Request(("id_token_hint", hint)), person: host.Kari)).Code);
        host.Clock.Advance(TimeSpan.FromMinutes(30)); // a hint may be old
        Assert.NotNull((await shared.GetAsync(Browser.Request(("id_token_hint", hint), ("prompt", "none")))).Code);
    }

    [Theory]
    [InlineData("nn-NO en", "nn")]
    [InlineData("de no", "nb")]
    [InlineData("de fr", null)]
    public async Task The_page_speaks_as_the_application_asked(string locales, string? language)
    {
        await using var host = await ProviderHost.StartAsync();
        using var client = host.NewClient();
        using var response = await client.GetAsync(Browser.Request(("ui_locales", locales)));
        var cookie = response.Headers.GetValues("Set-Cookie").FirstOrDefault(one => one.StartsWith(Server.Hosting.Localisation.CookieName, StringComparison.Ordinal));
        Assert.Equal(language, cookie?.Split('=', ';')[1]);
    }

    [Fact]
    public async Task A_request_too_long_to_come_back_to_is_refused()
    {
        await using var host = await ProviderHost.StartAsync();
        using var browser = host.NewBrowser();
        var answer = await browser.GetAsync(Browser.Request(("login_hint", new string('x', 7000))));
        Assert.Equal((HttpStatusCode.Found, "invalid_request"), (answer.Status, answer.Error));
    }
}
