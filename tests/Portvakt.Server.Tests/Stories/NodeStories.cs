using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AngleSharp.Html.Dom;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Account;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>
/// What ends at one node has ended at the other: not a second later, but at the next question, because each node asks the database each time. The clock stands still,
/// so nothing here can wait for anything. And what counts once counts once, whichever node is asked.
/// </summary>
public sealed class NodeStories(NodeStories.Pair pair) : IClassFixture<NodeStories.Pair>
{
    private const string Secret = "a-secret-that-a-machine-chose-0123456789";

    private PortvaktServer A => pair.A;

    private PortvaktServer B => pair.B;

    [Theory]
    [InlineData("sign-out")]
    [InlineData("everywhere")]
    [InlineData("not-me")]
    [InlineData("lock")]
    public async Task R62_What_ends_a_session_at_one_node_ends_it_at_the_other_with_its_tokens_at_the_next_question(string way)
    {
        var (kari, phone) = await Cast.EnrolledAsync(A);
        using var here = new Browser(A);
        var tokens = await SignInAsync(here, B, kari, phone);
        using var there = here.NewTab(B);
        var now = A.Clock.GetUtcNow();
        await there.OpenAsync("/account");
        Assert.Equal("Hei, Kari Nordmann", there.Heading);
        tokens = await RefreshAsync(B, tokens);
        Assert.Equal(HttpStatusCode.OK, (await UserInfoAsync(B, tokens)).StatusCode);

        if (way is "lock") await A.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock());
        else
        {
            await here.OpenAsync(way is "sign-out" ? "/sign-out" : SecurityModel.Address);
            if (way is "not-me") await PostAsync(here, "NotMe", ("id", await NewestSignInAsync(kari)));
            else await here.PressAsync(way is "sign-out" ? "Logg av" : "Logg av overalt");
        }

        await there.OpenAsync("/account");
        Assert.Equal("Logg på", there.Heading);
        Assert.Equal("invalid_grant", (await RefreshAsync(B, tokens))["error"]?.GetValue<string>());
        Assert.Equal(HttpStatusCode.Unauthorized, (await UserInfoAsync(B, tokens)).StatusCode);
        Assert.True(A.Clock.GetUtcNow() - now < TimeSpan.FromSeconds(1)); // a click takes a millisecond of this clock, and nobody else moves it
    }

    [Fact]
    public async Task R39_A_phone_that_was_removed_at_one_node_is_refused_at_the_other_and_its_stream_there_says_no_more()
    {
        var (kari, phone) = await Cast.EnrolledAsync(A, new Phone(B));
        using var browser = new Browser(A);
        await SignInAsync(browser, B, kari, phone);
        await using var app = await EventStream.OfPhoneAsync(B, phone);
        Assert.Equal(("pending", ""), await app.NextAsync());
        var next = app.NextAsync();

        // A second method, or the phone would have to stay.
        await browser.OpenAsync(SecurityModel.Address);
        await browser.PressAsync("Legg til en metode");
        await browser.Choose("Bruk bekreftelseskode").PressAsync("Konfigurer");
        await browser.Fill("Koden fra appen", Totp.CodeFor(Base32.Decode(browser.Secret), Totp.StepAt(A.Clock.GetUtcNow()))).PressAsync("Neste");
        var id = await A.ReadAsync(db => db.Phones.Where(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active).Select(row => row.Id).SingleAsync());
        await PostAsync(browser, "Remove", ("id", id.ToString()));
        Assert.Equal("unknown-phone", (await phone.GetAsync("/phone/api/pending")).Code);
        A.Clock.Advance(TimeSpan.FromSeconds(2)); // the stream looks again
        Assert.Equal("The stream has ended.", (await Assert.ThrowsAsync<InvalidOperationException>(() => next.WaitAsync(TimeSpan.FromSeconds(20)))).Message);
    }

    [Fact]
    public async Task A_code_of_one_node_is_redeemed_at_any_once_and_a_second_time_revokes_what_came_of_the_first()
    {
        var (kari, phone) = await Cast.EnrolledAsync(A);
        using var browser = new Browser(A);
        await SignInAsync(browser, B, kari, phone);
        await browser.OpenAppAsync(scope: "openid offline_access");
        var code = CodeOf(browser);
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(racer => Task.Run(() => RedeemAsync(racer % 2 is 0 ? A : B, code))));
        var winner = Assert.Single(answers, answer => answer["access_token"] is not null);
        Assert.All(answers.Where(answer => answer != winner), answer => Assert.Equal("invalid_grant", answer["error"]!.GetValue<string>()));
        foreach (var node in new[] { A, B }) Assert.Equal("invalid_grant", (await RefreshAsync(node, winner))["error"]!.GetValue<string>());
        Assert.Equal(31, await A.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.CodeReused && row.PersonId == kari.Id)));
    }

    [Fact]
    public async Task A_refresh_token_goes_from_node_to_node_and_an_old_one_ends_them_all_wherever_it_turns_up()
    {
        var (kari, phone) = await Cast.EnrolledAsync(A);
        using var browser = new Browser(A);
        var tokens = await SignInAsync(browser, B, kari, phone);
        var old = tokens;
        for (var time = 0; time < 4; time++)
        {
            tokens = await RefreshAsync(time % 2 is 0 ? A : B, tokens);
            Assert.NotNull(tokens["access_token"]);
        }

        Assert.Equal("invalid_grant", (await RefreshAsync(A, old))["error"]!.GetValue<string>());
        Assert.Equal("invalid_grant", (await RefreshAsync(B, tokens))["error"]!.GetValue<string>());
        Assert.Equal(1, await B.ReadAsync(db => db.AuditEvents.CountAsync(row => row.What == SecurityEvent.RefreshTokenReused && row.PersonId == kari.Id)));
    }

    /// <summary>Two factors in a browser at one node, tokens from another.</summary>
    private static async Task<JsonNode> SignInAsync(Browser browser, PortvaktServer tokens, Person person, Phone phone)
    {
        await browser.OpenAppAsync(scope: "openid offline_access");
        await browser.PasswordAsync(person);
        Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
        await browser.PressAsync("Jeg har godkjent");
        await browser.PressAsync("Nei");
        var answer = await RedeemAsync(tokens, CodeOf(browser));
        Assert.NotNull(answer["refresh_token"]);
        return answer;
    }

    private Task<string> NewestSignInAsync(Person person) => A.ReadAsync(db =>
        db.AuditEvents.Where(row => row.PersonId == person.Id && row.What == SecurityEvent.SessionIssued).OrderByDescending(row => row.Id).Select(row => row.Id.ToString(CultureInfo.InvariantCulture)).FirstAsync());

    private static string CodeOf(Browser browser) => QueryHelpers.ParseQuery(browser.LeftFor!.Query)["code"].ToString();

    /// <summary>A handler of security info, through a form of the page.</summary>
    private static Task PostAsync(Browser browser, string handler, params (string Name, string Value)[] fields) => browser.SubmitAsync(
        (IHtmlFormElement)browser.Page.Forms.First(form => form.QuerySelector("input[name=form]") is not null),
        tamper: typed =>
        {
            foreach (var name in typed.Keys.Where(name => name is not "form").ToList()) typed.Remove(name);
            foreach (var (name, value) in fields) typed[name] = value;
        },
        forge: request => request.RequestUri = new Uri($"{SecurityModel.Address}?handler={handler}", UriKind.Relative));

    private static Task<JsonNode> RedeemAsync(PortvaktServer node, string code) =>
        TokenAsync(node, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", PortvaktServer.RedirectUri), ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));

    private static Task<JsonNode> RefreshAsync(PortvaktServer node, JsonNode tokens) => TokenAsync(node, ("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"]!.GetValue<string>()));

    private static async Task<JsonNode> TokenAsync(PortvaktServer node, params (string Name, string Value)[] fields)
    {
        using var http = new HttpClient(node.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("client_id", "timeliste"), KeyValuePair.Create("client_secret", Secret), .. fields.Select(field => KeyValuePair.Create(field.Name, field.Value))]);
        using var answer = await http.PostAsync("/connect/token", form);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    private static async Task<HttpResponseMessage> UserInfoAsync(PortvaktServer node, JsonNode tokens)
    {
        using var http = new HttpClient(node.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.Authorization = new("Bearer", tokens["access_token"]!.GetValue<string>());
        return await http.SendAsync(request);
    }

    /// <summary>Two nodes on one database; a backplane is not needed for any of this.</summary>
    public sealed class Pair : IAsyncLifetime
    {
        private PortvaktServer? _a;
        private PortvaktServer? _b;

        public PortvaktServer A
        {
            get
            {
                Assert.SkipWhen(_a is null, PortvaktServer.NoPostgres);
                return _a!;
            }
        }

        public PortvaktServer B => _b!;

        public async ValueTask InitializeAsync()
        {
            if (!PortvaktServer.Has(DatabaseKind.Postgres)) return;
            _a = await PortvaktServer.StartAsync(DatabaseKind.Postgres);
            _b = await _a.BesideAsync();
        }

        public async ValueTask DisposeAsync()
        {
            if (_b is not null) await _b.DisposeAsync();
            if (_a is not null) await _a.DisposeAsync();
        }
    }
}
