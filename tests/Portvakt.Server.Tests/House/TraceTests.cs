using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.House;

/// <summary>What a whole journey leaves behind: cookies (R61), redirects (R72), headers (R81, R82), and in logs, addresses and database no secret (R58, R93).</summary>
public sealed class TraceTests(WalkedJourney journey) : IClassFixture<WalkedJourney>
{
    [Fact]
    public void The_journey_went_everywhere()
    {
        // Without this the tests below could look at nothing.
        string[] visited = [.. journey.Answers.Select(answer => answer.RequestMessage!.RequestUri!.AbsolutePath.Split('/')).Select(parts => parts.Length > 3 ? $"{parts[1]}/{parts[3]}" : parts[1]).Distinct()];
        string[] expected = ["connect", "sign-in", "sign-in/second-factor", "sign-in/code", "sign-in/recovery-code", "sign-in/stay", "enrol", "enrol/method", "enrol/phone", "enrol/code", "enrol/test", "enrol/backup", "enrol/done", "account", "sign-out"];
        Assert.Empty(expected.Except(visited));
        Assert.True(journey.Secrets.Select(secret => secret.What).Distinct().Count() >= 12, string.Join(", ", journey.Secrets.Select(secret => secret.What).Distinct()));
        Assert.All(journey.Secrets, secret => Assert.True(secret.Value.Length >= 12, secret.What));
    }

    [Fact]
    public void Every_cookie_is_for_this_host_over_TLS_and_not_for_scripts_except_a_hint_that_says_nothing()
    {
        var all = journey.Answers.SelectMany(answer => answer.Headers.TryGetValues("Set-Cookie", out var set) ? set : []).Concat(journey.PhoneCookies).ToList();

        // HttpOnly keeps a secret from scripts. What reminds the phone app that it held an account is none: letter for letter the same for everybody.
        var hints = all.FindAll(cookie => cookie.StartsWith(PhoneHint.Name, StringComparison.Ordinal));
        Assert.True(hints.Count >= 4);
        Assert.Equal(["__Host-portvakt-app=1; max-age=34560000; path=/; secure; samesite=strict"], hints.Distinct(StringComparer.Ordinal));
        var cookies = all.Except(hints, StringComparer.Ordinal).ToList();
        Assert.Equal(["__Host-portvakt-browser", "__Host-portvakt-form", "__Host-portvakt-language", "__Host-portvakt-session"], cookies.Select(cookie => cookie.Split('=')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.All(cookies, cookie =>
        {
            var parts = cookie.Split(';', StringSplitOptions.TrimEntries).Skip(1).Select(part => part.ToLowerInvariant()).ToList();
            Assert.True(parts.Contains("secure") && parts.Contains("httponly") && parts.Contains("path=/"), cookie);
            Assert.True(parts.Contains("samesite=lax"), cookie);
            Assert.DoesNotContain(parts, part => part.StartsWith("domain", StringComparison.Ordinal));
            Assert.True(Encoding.UTF8.GetByteCount(cookie) < 4096, cookie);
            Assert.DoesNotContain("kari1", cookie, StringComparison.OrdinalIgnoreCase); // shorter, and chance would write it one day
        });

        // 256 bits each, new at every sign-in (R8); "no" lives as long as the browser, "yes" as long as policy says.
        var sessions = cookies.Where(cookie => cookie.StartsWith("__Host-portvakt-session=", StringComparison.Ordinal)).ToList();
        var values = sessions.Select(cookie => cookie.Split('=', ';')[1]).Where(value => value.Length > 0).ToList();
        Assert.All(values, value => Assert.Equal(43, value.Length));
        Assert.Equal(values.Count, values.Distinct().Count());
        Assert.Contains(sessions, cookie => cookie.Contains("max-age=2592000", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(sessions, cookie => !cookie.Contains("max-age", StringComparison.OrdinalIgnoreCase) && !cookie.Contains("expires", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Every_redirect_forgets_what_was_posted()
    {
        var redirects = journey.Answers.Where(answer => (int)answer.StatusCode is >= 300 and < 400).ToList();
        Assert.True(redirects.Count > 30);
        Assert.All(redirects, answer => Assert.True(
            answer.StatusCode is HttpStatusCode.SeeOther || (answer.StatusCode is HttpStatusCode.Found && answer.RequestMessage!.Method == HttpMethod.Get), $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {answer.StatusCode}"));
        Assert.Contains(redirects, answer => answer.RequestMessage!.Method == HttpMethod.Post);
    }

    [Fact]
    public void Every_page_of_the_journey_carries_the_headers() => Assert.All(journey.Answers, answer => SecurityHeaderRules.Hold(answer));

    [Fact]
    public async Task No_page_has_a_script_or_style_of_its_own()
    {
        foreach (var answer in journey.Answers.Where(answer => answer.Content.Headers.ContentType?.MediaType is "text/html"))
        {
            var html = await answer.Content.ReadAsStringAsync();
            var nonce = SecurityHeaderRules.Nonce(answer);
            var page = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(html);
            Assert.All(page.QuerySelectorAll("script, style, link[rel=stylesheet]"), element => Assert.Equal((nonce, ""), (element.GetAttribute("nonce"), element.TextContent.Trim())));
            Assert.Empty(page.QuerySelectorAll("[style], [onclick], [onload], [onsubmit], [href^='javascript:']"));
            Assert.DoesNotContain(page.QuerySelectorAll("[src], link[href]"), element => (element.GetAttribute("src") ?? element.GetAttribute("href"))!.Contains("//", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void No_secret_stands_in_the_log() => Nowhere(journey.Server.Log.All, journey.Secrets);

    [Fact]
    public void No_secret_stands_in_an_address() => Nowhere(
        string.Join('\n', journey.Answers.Select(answer => Uri.UnescapeDataString(answer.RequestMessage!.RequestUri!.ToString()))), journey.Secrets);

    [Fact]
    public void A_copy_of_the_database_tells_no_secret()
    {
        var settings = journey.Server.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value;
        using var connection = new SqliteConnection($"Data Source={Database.SqlitePath(settings)};Mode=ReadOnly");
        connection.Open();
        var dump = new StringBuilder();
        foreach (var table in Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'").Select(row => (string)row[0]).ToList())
        {
            foreach (var row in Rows(connection, $"SELECT * FROM \"{table}\""))
            {
                foreach (var value in row)
                {
                    // Bytes in every dress they might have been stored in.
                    if (value is byte[] bytes) dump.AppendLine(Convert.ToHexString(bytes)).AppendLine(Convert.ToBase64String(bytes)).AppendLine(Encoding.Latin1.GetString(bytes)).AppendLine(Encoding.UTF8.GetString(bytes));
                    else dump.AppendLine(Convert.ToString(value, CultureInfo.InvariantCulture));
                }
            }
        }

        Assert.Contains("SignInFinished", dump.ToString(), StringComparison.Ordinal); // it is the real one
        Nowhere(dump.ToString(), journey.Secrets);
        Nowhere(dump.ToString(), journey.Secrets.Select(secret => (secret.What, Convert.ToHexString(Encoding.UTF8.GetBytes(secret.Value)))));
    }

    private static void Nowhere(string text, IEnumerable<(string What, string Value)> secrets) =>
        Assert.All(secrets, secret => Assert.False(text.Contains(secret.Value, StringComparison.OrdinalIgnoreCase), $"Found: {secret.What}"));

    private static IEnumerable<object[]> Rows(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the names of our own tables
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            yield return row;
        }
    }
}
