using System.Net;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.People;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>R44: every page of administration and every button of it, tried by everybody. A page or button without a line here fails.</summary>
public sealed class RolloutRoleMatrixStories(SqliteStage stage) : IClassFixture<SqliteStage>
{
    /// <summary>
    /// In order: administrator, rollout manager, helpdesk, auditor, helpdesk of the person's unit, helpdesk of another unit, somebody without a role.
    /// <c>y</c>: let through (an empty form is then asked for what it lacks). <c>-</c>: refused. <c>?</c>: there is no such thing, for this actor. <c>s</c>: to the sign-in.
    /// </summary>
    private const string Matrix = """
        /administration                  GET                   y y y y y y -
        /administration                  GET:Csv               y y y y y y -
        /administration/audit            GET                   y - - y - - -
        /administration/audit            GET:Export            y - - y - - -
        /administration/calls/{id}       GET                   ? - ? - ? ? -
        /administration/cases            GET                   y - y - y y -
        /administration/cases            POST:Close            y - y - y ? -
        /administration/confirm          GET                   y y y y y y y
        /administration/confirm          POST                  s s s s s s s
        /administration/import           GET                   y - - - - - -
        /administration/import           POST                  y - - - - - -
        /administration/import           POST:BringIn          y - - - - - -
        /administration/import           POST:Cancel           y - - - - - -
        /administration/look             GET                   y - - - - - -
        /administration/look             GET:Sheet             ? - - - - - -
        /administration/look             POST                  y - - - - - -
        /administration/look             POST:Background       y - - - - - -
        /administration/look             POST:Logo             y - - - - - -
        /administration/look             POST:RemoveBackground y - - - - - -
        /administration/look             POST:RemoveLogo       y - - - - - -
        /administration/look             POST:Standard         y - - - - - -
        /administration/mails            GET                   y y - - - - -
        /administration/mails            POST                  ? ? - - - - -
        /administration/mails/templates  GET                   y y - - - - -
        /administration/mails/templates  POST                  y y - - - - -
        /administration/mails/templates  POST:Preview          y y - - - - -
        /administration/mails/templates  POST:Standard         y y - - - - -
        /administration/methods          GET                   y - - - - - -
        /administration/methods/{id}     GET                   ? - - - - - -
        /administration/methods/{id}     POST                  ? - - - - - -
        /administration/methods/{id}     POST:Edit             y - - - - - -
        /administration/methods/{id}     POST:Save             ? - - - - - -
        /administration/people           GET                   y y y y y y -
        /administration/people           POST:Export           y y y y y y -
        /administration/people/{user}    GET                   y y y y y ? -
        /administration/people/{user}    POST:AskPass          y - y - y ? -
        /administration/people/{user}    POST:Call             y - y - y ? -
        /administration/people/{user}    POST:ConfirmPass      y - y - y ? -
        /administration/people/{user}    POST:Data             y - - - - ? -
        /administration/people/{user}    POST:EndSession       y - y - y ? -
        /administration/people/{user}    POST:EndSessions      y - y - y ? -
        /administration/people/{user}    POST:EndTerm          y y - - - ? -
        /administration/people/{user}    POST:Erase            y - - - - ? -
        /administration/people/{user}    POST:Issue            y - y - y ? -
        /administration/people/{user}    POST:Lock             y - y - y ? -
        /administration/people/{user}    POST:RemoveCode       y - y - y ? -
        /administration/people/{user}    POST:RemoveMethod     y - y - y ? -
        /administration/people/{user}    POST:RemovePhone      y - y - y ? -
        /administration/people/{user}    POST:RequireEnrolment y - y - y ? -
        /administration/people/{user}    POST:TakePass         y - y - y ? -
        /administration/people/{user}    POST:Term             y y - - - ? -
        /administration/people/{user}    POST:Unlock           y - y - y ? -
        /administration/roles            GET                   y - - - - - -
        /administration/roles            POST                  y - - - - - -
        /administration/roles            POST:Take             y - - - - - -
        /administration/texts            GET                   y y - - - - -
        /administration/texts            POST                  y y - - - - -
        /administration/texts            POST:Preview          y y - - - - -
        /administration/texts            POST:Standard         y y - - - - -
        /administration/tokens           GET                   y - - - - - -
        /administration/tokens/import    GET                   y - - - - - -
        /administration/tokens/import    POST                  y - - - - - -
        /administration/tokens/import    POST:BringIn          y - - - - - -
        /administration/tokens/import    POST:Cancel           y - - - - - -
        /administration/tokens/{id}      GET                   ? - - - - - -
        /administration/tokens/{id}      POST:Assign           ? - - - - - -
        /administration/tokens/{id}      POST:Scrap            ? - - - - - -
        /administration/tokens/{id}      POST:TakeBack         ? - - - - - -
        /administration/waves            GET                   y y - - - - -
        /administration/waves            POST:Move             y y - - - - -
        /administration/waves/{id}       GET                   y y - - - - -
        /administration/waves/{id}       POST                  y y - - - - -
        /administration/waves/{id}       POST:Edit             y y - - - - -
        /administration/waves/{id}       POST:Remove           y y - - - - -
        /administration/waves/{id}       POST:Save             y y - - - - -
        """;

    private PortvaktServer Server => stage.Server;

    [Fact]
    public async Task R44_Every_page_and_every_button_lets_through_who_may_and_refuses_all_others()
    {
        var rows = Matrix.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(Desk(), rows.Select(row => $"{row[0]} {row[1]}").Order(StringComparer.Ordinal));

        var (target, _) = await Cast.EnrolledAsync(Server);
        await Server.ChangeAsync(async db => (await db.People.SingleAsync(person => person.Id == target.Id)).Unit = "Oppvekst/Skole");
        var session = await Server.ReadAsync(db => db.Sessions.Where(row => row.PersonId == target.Id).Select(row => row.Id).FirstAsync());
        var found = new HelpdeskCase(target.Id, null, "Timeliste", "192.0.2.0/24", "Firefox", Server.Clock.GetUtcNow());
        await Server.ChangeAsync(db =>
        {
            db.Cases.Add(found);
            return Task.CompletedTask;
        });
        var wave = await Server.ReadAsync(db => db.Waves.Select(row => row.Id).FirstAsync());
        Browser[] actors =
        [
            (await Cast.AtTheDeskAsync(Server, Role.Administrator, path: "/administration")).Browser,
            (await Cast.AtTheDeskAsync(Server, Role.RolloutManager, path: "/administration")).Browser,
            (await Cast.AtTheDeskAsync(Server, Role.Helpdesk, path: "/administration")).Browser,
            (await Cast.AtTheDeskAsync(Server, Role.Auditor, path: "/administration")).Browser,
            (await Cast.AtTheDeskAsync(Server, Role.Helpdesk, "Oppvekst", "/administration")).Browser,
            (await Cast.AtTheDeskAsync(Server, Role.Helpdesk, "Oppvekst/Barnehage", "/administration")).Browser,
            await WithoutRoleAsync(),
        ];
        var tokens = new List<string>();
        foreach (var actor in actors)
        {
            await actor.OpenAsync("/account/security");
            tokens.Add(actor.Page.QuerySelector("input[name=form]")!.GetAttribute("value")!);
        }

        var wrong = new List<string>();
        foreach (var row in rows)
        {
            var answers = new List<string>();
            foreach (var (actor, token) in actors.Zip(tokens))
            {
                var (verb, handler) = row[1].Split(':') is [var first, var second] ? (first, second) : (row[1], null);
                var id = handler switch { "EndSession" => session, "Close" => found.Id.ToString(), _ => (row[0].Contains("/waves", StringComparison.Ordinal) ? wave : Guid.Empty).ToString() };
                var path = row[0].Replace("{user}", target.UserName, StringComparison.Ordinal).Replace("{id}", row[0].Contains("/waves/", StringComparison.Ordinal) ? wave.ToString() : "nobodys", StringComparison.Ordinal);
                var request = new HttpRequestMessage(HttpMethod.Parse(verb), handler is null ? path : $"{path}?handler={handler}&format=csv");
                if (verb is "POST")
                {
                    request.Headers.Add("Origin", PortvaktServer.Origin);
                    request.Headers.Add("Sec-Fetch-Site", "same-origin");
                    request.Content = new FormUrlEncodedContent(new Dictionary<string, string>(StringComparer.Ordinal) { ["form"] = token, ["id"] = id, ["Seen"] = "77" });
                }

                await actor.SendAsync(request);
                Assert.True((int)actor.Status < 500 && actor.Status is not (HttpStatusCode.BadRequest or HttpStatusCode.MethodNotAllowed), $"{row[0]} {row[1]}: {actor.Status}");
                answers.Add(actor.Status switch
                {
                    HttpStatusCode.Forbidden => "-",
                    HttpStatusCode.NotFound => "?",
                    _ => actor.Path.StartsWith("/sign-in/", StringComparison.Ordinal) ? "s" : "y",
                });
            }

            if (!answers.SequenceEqual(row[2..], StringComparer.Ordinal)) wrong.Add($"{row[0]} {row[1]}: {string.Join(' ', answers)} instead of {string.Join(' ', row[2..])}");
        }

        foreach (var actor in actors) actor.Dispose();
        Assert.True(wrong.Count is 0, string.Join('\n', wrong));
    }

    /// <summary>What the approved list of routes calls the desk's, one button a line.</summary>
    private static IEnumerable<string> Desk() => File.ReadLines(Path.Combine(PortvaktServer.Repository(), "tests", "routes.approved.txt"))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(parts => parts[0] is "desk").SelectMany(parts => parts[2..].Select(button => $"{parts[1]} {button}")).Order(StringComparer.Ordinal);

    private async Task<Browser> WithoutRoleAsync()
    {
        var (person, phone) = await Cast.EnrolledAsync(Server);
        var browser = new Browser(Server);
        await browser.OpenAsync("/administration");
        await browser.SignInToTheDeskAsync(person, phone);
        await browser.PressAsync("Nei");
        Assert.Equal(HttpStatusCode.Forbidden, browser.Status);
        return browser;
    }
}
