using Portvakt.Bench.Actors;
using Portvakt.Bench.Cost;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.Bench.Peers;

/// <summary>A provider that does the same work as the others.</summary>
/// <param name="Name">In the table.</param>
/// <param name="Address">Its origin.</param>
/// <param name="Program">One process, which starts no other: its CPU time is all there is.</param>
/// <param name="Goal">How many times Portvakt's CPU time a token operation should cost here; null when it is not somebody to be compared with so.</param>
/// <param name="ServesOwnKeys">False for the floor, which hands out the server's documents.</param>
/// <param name="BrowserOfAsync">A browser of the person with this number that is signed in, or will be as soon as it comes.</param>
/// <param name="Stage">Where it runs.</param>
internal sealed record Peer(string Name, string Address, RunningProgram Program, double? Goal, bool ServesOwnKeys, Func<int, Task<Browser>> BrowserOfAsync, Stage Stage)
{
    /// <summary>A person comes from the application and goes back to it. Answers with the address the browser was sent to.</summary>
    public async Task<(Application Application, string Back)> VisitAsync(int person)
    {
        var browser = await BrowserOfAsync(person);
        // oidc-provider gives no refresh token unless consent is asked for; the others have nothing against it.
        await browser.GetAsync(Application.Request("openid profile offline_access") + "&prompt=consent");
        await browser.FollowAsync();
        return (new Application(Stage.Http, Address, Stage.Secret, browser.CookieHeader), browser.Next ?? throw new InvalidOperationException($"{Name} keeps the browser at {browser.Path}:\n{browser.Page}"));
    }

    /// <summary>So many applications, each with a session and a refresh token of its own.</summary>
    public async Task<Application[]> SignInAsync(int people)
    {
        var all = new Application[people];
        await Measurements.EachAsync(Enumerable.Range(0, people), async person =>
        {
            (all[person], var back) = await VisitAsync(person);
            await all[person].RedeemAsync(back);
        });
        return all;
    }

    /// <summary>An application where nobody is signed in.</summary>
    public Application Alone() => new(Stage.Http, Address, Stage.Secret, "");
}
