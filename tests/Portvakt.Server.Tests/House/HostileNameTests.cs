using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AngleSharp.Dom;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>
/// R90: names of applications and people, and whatever a stranger types, are text. A page with a hostile name has exactly the elements and attributes of the page with
/// a harmless one; that holds whatever the policy of the page would have stopped.
/// </summary>
public sealed class HostileNameTests
{
    private static readonly string[] Corpus =
    [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)' x='",
        "\" autofocus onfocus=alert(1) x=\"",
        "</title></textarea></style></script><svg onload=alert(1)>",
        "<!--<img src=x onerror=alert(1)>-->",
        "javascript:alert(1)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "{{constructor.constructor('alert(1)')()}} ${alert(1)} @(1+1)",
        "\\u003cscript\\u003e \\x3cscript\\x3e",
        "<iframe srcdoc='<script>alert(1)</script>'><base href=//evil.test><meta http-equiv=refresh content=0;url=//evil.test>",
        "<form action=//evil.test><input name=password></form>",
    ];

    public static TheoryData<string> Languages => new("nb", "nn", "en");

    [Theory]
    [MemberData(nameof(Languages))]
    public async Task R90_Names_of_applications_and_people_are_text_on_every_page_and_on_the_phone(string language)
    {
        var folder = Directory.CreateTempSubdirectory("portvakt-clients").FullName;
        try
        {
            var harmless = await WalkAsync("Timeliste", "Kari Nordmann");
            Assert.True(harmless.Count > 10, $"{harmless.Count}");

            // Every language has the same pages and other sentences around the names: all names in one, and in the others some that end an element, an attribute and a text.
            foreach (var name in language is "nb" ? Corpus : Corpus[..5])
            {
                var hostile = await WalkAsync(name, $"Kari {name}"[..Math.Min(100, $"Kari {name}".Length)]);
                Assert.Equal(harmless.Select(page => page.Path), hostile.Select(page => page.Path));
                foreach (var (wanted, page) in harmless.Zip(hostile)) Assert.True(wanted.Skeleton == page.Skeleton, $"{page.Path} with {name}\n{wanted.Skeleton}\n{page.Skeleton}");
                Assert.Contains(hostile, page => page.Text.Contains(name, StringComparison.Ordinal)); // it was there
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<List<(string Path, string Skeleton, string Text)>> WalkAsync(string application, string person)
        {
            var file = Path.Combine(folder, "clients.json");
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new[] { new { client_id = "timeliste", client_name = application, client_secret = "a-secret-that-a-machine-chose-0123456789", redirect_uris = new[] { PortvaktServer.RedirectUri } } }));
            await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new Dictionary<string, string?> { ["Portvakt:RelyingPartiesFile"] = file });
            var kari = await server.AddPersonAsync(person);
            using var phone = new Phone(server);
            var pages = new List<(string, string, string)>();
            using var browser = new Browser(server, language);
            var authorize = $"/connect/authorize?client_id=timeliste&response_type=code&redirect_uri={Uri.EscapeDataString(PortvaktServer.RedirectUri)}&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

            await Seen(browser.OpenAsync(authorize));
            await Seen(SubmitAsync(fields => (fields["user"], fields["password"]) = (person, "wrong"))); // typed, and shown again
            await Seen(SubmitAsync(fields => (fields["user"], fields["password"]) = (kari.UserName, PortvaktServer.Password)));
            await Seen(SubmitAsync());
            await Seen(SubmitAsync());
            Assert.True((await phone.BindAsync(browser.TypedCode)).Ok);
            await Seen(browser.ReloadAsync());
            await Seen(SubmitAsync());
            Assert.Equal("approved", (await phone.ApproveAsync(browser.MatchingNumber)).Text("outcome"));
            await Seen(browser.ReloadAsync());
            await Seen(SubmitAsync());
            await Seen(SubmitAsync(path: "?handler=Codes"));
            await Seen(SubmitAsync(path: "?handler=Finish"));
            await Seen(SubmitAsync(fields => fields["stay"] = "yes"));
            await Seen(SubmitAsync());
            await Seen(browser.OpenAsync("/account"));
            await Seen(browser.OpenAsync("/account/security"));
            await Seen(browser.OpenAsync("/sign-out"));

            using var again = new Browser(server, language);
            await again.OpenAsync(authorize);
            await again.SubmitAsync(again.Page.Forms[0], tamper: fields => (fields["user"], fields["password"]) = (kari.UserName, PortvaktServer.Password));
            var context = (await phone.PendingAsync())!.Value.Context;
            Assert.Equal(application, JsonNode.Parse(context)!["application"]!.GetValue<string>()); // letter for letter; the app writes it as text
            Assert.DoesNotContain('<', Encoding.UTF8.GetString(context)); // and nobody who mistook the answer for a page would see an element
            foreach (var page in new[] { "second-factor", "code", "recovery-code" })
            {
                await again.OpenAsync($"/sign-in/{again.AttemptId}/{page}");
                pages.Add((page, Skeleton(again.Page), again.Page.DocumentElement.TextContent));
            }

            return pages;

            async Task Seen(Task going)
            {
                await going;
                if (browser.LeftFor is null) pages.Add((string.Join('/', browser.Path.Split('?')[0].Split('/').Where(part => part.Length is not 22)), Skeleton(browser.Page), TextOf(browser.Page)));
            }

            Task SubmitAsync(Action<Dictionary<string, string>>? tamper = null, string? path = null) => browser.SubmitAsync(
                browser.Page.Forms.First(form => form.Method is "post"), tamper: tamper, forge: path is null ? null : request => request.RequestUri = new Uri(browser.Path.Split('?')[0] + path, UriKind.Relative));
        }
    }

    [Fact]
    public async Task R90_What_a_stranger_puts_into_an_address_or_a_header_is_text()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        using var browser = new Browser(server);
        string[] places =
        [
            "/sign-in/{0}", "/sign-in/over?was={0}", "/sign-in?lang={0}", "/enrol/{0}", "/e/{0}", "/error/404?x={0}", "/nowhere/{0}", "/guides/iphone?{0}", "/account?lang={0}",
            "/sign-out?client_id={0}&post_logout_redirect_uri={0}&state={0}", "/connect/authorize?client_id={0}&redirect_uri={0}&state={0}", "/connect/end-session?post_logout_redirect_uri={0}&state={0}&id_token_hint={0}",
        ];
        foreach (var place in places)
        {
            var wanted = await SkeletonAsync(place, "harmless");
            foreach (var text in Corpus)
            {
                var got = await SkeletonAsync(place, text);
                Assert.True(wanted == got, $"{place} with {text}\n{wanted}\n{got}");
            }
        }

        async Task<string> SkeletonAsync(string place, string text)
        {
            await browser.SendAsync(new HttpRequestMessage(HttpMethod.Get, string.Format(System.Globalization.CultureInfo.InvariantCulture, place, Uri.EscapeDataString(text)))
            {
                Headers = { { "Accept", "text/html" } },
            });
            return browser.LeftFor is null && browser.Answer.Content.Headers.ContentType?.MediaType is "text/html" ? Skeleton(browser.Page) : $"{browser.Answer.Content.Headers.ContentType?.MediaType}";
        }
    }

    /// <summary>Elements, their depth and the names of their attributes, in order; and where links and forms lead, without what is ours to change.</summary>
    private static string Skeleton(IDocument page)
    {
        var text = new StringBuilder();
        Visit(page.DocumentElement, 0);
        return text.ToString();

        void Visit(IElement element, int depth)
        {
            text.Append(depth).Append(element.LocalName);
            foreach (var attribute in element.Attributes.OrderBy(one => one.Name, StringComparer.Ordinal))
            {
                text.Append(' ').Append(attribute.Name);
                if (attribute.Name is "href" or "src" or "action" or "formaction") text.Append('=').Append(attribute.Value.Split(':', '?')[0] is var start && start.StartsWith('/') ? "/" : start);
            }

            text.Append('\n');
            if (element.LocalName is "svg") return; // the picture of a code differs from time to time
            foreach (var child in element.Children) Visit(child, depth + 1);
        }
    }

    private static string TextOf(IDocument page) => page.DocumentElement.TextContent + string.Concat(page.QuerySelectorAll("input").Select(input => input.GetAttribute("value")));
}
