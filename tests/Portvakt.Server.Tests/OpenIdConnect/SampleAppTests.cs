using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Html.Parser;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Tests.OpenIdConnect;

/// <summary>The application of <c>samples/</c> as a newcomer runs it: another process, another origin, the framework's own client.</summary>
public sealed class SampleAppTests
{
    [Fact]
    public async Task Kari_signs_in_to_Timeliste_and_out_again_and_a_session_ended_elsewhere_ends_there()
    {
        var app = $"http://localhost:{ProviderHost.FreePort()}";
        await using var host = await ProviderHost.StartAsync(
            $$"""
            [{ "client_id": "timeliste", "client_secret": "{{ProviderHost.ClientSecret}}", "redirect_uris": ["{{app}}/signin-oidc"],
               "post_logout_redirect_uris": ["{{app}}/signout-callback-oidc"], "backchannel_logout_uri": "{{app}}/backchannel-logout" }]
            """,
            overKestrel: true);
        using var process = Start(app, host.Address);
        try
        {
            await WaitForAsync(app);
            using var browser = host.NewBrowser();
            var start = await browser.GetAsync($"{app}/");
            Assert.Contains("Logg på", start.Body, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync($"{app}/timeliste.css")).Status);

            var page = await SignInAsync(browser, app, host.Kari);
            Assert.Contains("Hei, Kari Nordmann!", page.Body, StringComparison.Ordinal);
            var rows = new HtmlParser().ParseDocument(page.Body).QuerySelectorAll("tbody tr").ToDictionary(row => row.QuerySelector("code")!.TextContent, row => row.QuerySelector("td")!.TextContent, StringComparer.Ordinal);
            Assert.Equal(("to faktorer", "pwd, swk, user, mfa", host.Kari.ToString("N")), (rows["acr"], rows["amr"], rows["sub"]));

            // Signed out here: by the application itself, through the provider, and back.
            var there = await PostFormAsync(browser, app, page, "/sign-out");
            Assert.StartsWith(host.Address + EndSession.Path, there.Location, StringComparison.Ordinal);
            var back = await browser.GetAsync((await browser.GetAsync(there.Location!)).Location!);
            Assert.Equal("/", back.Location);
            Assert.Contains("Logg på", (await browser.GetAsync($"{app}/")).Body, StringComparison.Ordinal);

            // Signed out elsewhere: the provider tells the application.
            var again = await SignInAsync(browser, app, host.Kari);
            var sid = new HtmlParser().ParseDocument(again.Body).QuerySelector("tbody tr:last-child td")!.TextContent;
            await host.InDatabaseAsync(async db =>
            {
                var now = host.Clock.GetUtcNow();
                db.LogoutNotices.Add(new Server.Data.LogoutNotice { Id = Guid.CreateVersion7(now), ClientId = "timeliste", PersonId = host.Kari, SessionId = sid, CreatedAt = now, NextTryAt = now });
                await db.SaveChangesAsync();
            });
            Assert.Contains("Kari Nordmann", (await browser.GetAsync($"{app}/")).Body, StringComparison.Ordinal);
            await host.Services.GetRequiredService<BackChannelLogout>().DeliverDueAsync(CancellationToken.None);
            Assert.Contains("Logg på", (await browser.GetAsync($"{app}/")).Body, StringComparison.Ordinal);

            foreach (var forged in new[] { "", "x", "eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.e30." })
                Assert.Equal(HttpStatusCode.BadRequest, (await browser.PostAsync($"{app}/backchannel-logout", ("logout_token", forged))).Status);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static async Task<Answer> SignInAsync(Browser browser, string app, Guid person)
    {
        var request = await PostFormAsync(browser, app, await browser.GetAsync($"{app}/"), "/sign-in");
        var page = await browser.GetAsync(request.Location!);
        var answer = page.IsSignInPage ? await browser.FinishAsync(page, person) : page;
        var home = await browser.GetAsync(answer.Location!);
        Assert.Equal("/", home.Location);
        return await browser.GetAsync($"{app}/");
    }

    private static Task<Answer> PostFormAsync(Browser browser, string app, Answer page, string action)
    {
        var input = Regex.Match(page.Body, "name=\"(?<name>[^\"]+)\" value=\"(?<value>[^\"]+)\"", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
        return browser.PostAsync(app + action, (input.Groups["name"].Value, WebUtility.HtmlDecode(input.Groups["value"].Value)));
    }

    private static Process Start(string app, string provider)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var configuration = folder.Parent!.Name;
        while (!File.Exists(Path.Combine(folder!.FullName, "Directory.Packages.props"))) folder = folder.Parent;
        var program = Path.Combine(folder.FullName, "samples", "Portvakt.SampleApp", "bin", configuration, "net10.0", "portvakt-sample-app.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, "--urls", app, "--Authority", provider, "--ClientId", "timeliste", "--ClientSecret", ProviderHost.ClientSecret, "--Logging:LogLevel:Default", "Error"])
        {
            UseShellExecute = false,
        })!;
    }

    private static async Task WaitForAsync(string app)
    {
        using var client = new HttpClient();
        for (var patience = 0; ; patience++)
        {
            try
            {
                await client.GetAsync(app);
                return;
            }
            catch (HttpRequestException) when (patience < 300)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }
}
