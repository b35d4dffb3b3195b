using System.Diagnostics;

namespace Portvakt.Bench.Actors;

/// <summary>A person at a computer, with a phone beside it.</summary>
/// <param name="userName">Who.</param>
/// <param name="site">The server.</param>
/// <param name="phone">The phone that is bound already; otherwise a new one, for <see cref="EnrolAsync"/>. Disposed with the person.</param>
/// <param name="browser">The browser that is known already; otherwise a new one. Disposed with the person.</param>
public sealed class Resident(string userName, Site site, Phone? phone = null, Browser? browser = null) : IDisposable
{
    private const string SessionCookie = "__Host-portvakt-session";
    private readonly Phone _phone = phone ?? new(site.Http, site.Address, site.PushService.Subscribe());
    private (string Id, byte[] Context) _request;
    private string _number = "";

    public Browser Browser { get; } = browser ?? new(site.Http, site.Address);

    /// <summary>A whole sign-in with two factors on an ordinary morning: the browser is known, its session is over. In the order of the steps, each until the server has nothing more to do for it.</summary>
    public static IReadOnlyList<(string What, Func<Resident, Task> Act)> SignIn { get; } =
    [
        ("password page (authorize, page)", person => person.OpenAsync()),
        ("password", person => person.TypePasswordAsync()),
        ("push challenge (page with number, push sent)", person => person.AskAsync()),
        ("waiting stream opened", person => person.Browser.ListenAsync()),
        ("phone looks what waits", person => person.LookAsync()),
        ("approval (answer, waiting page woken)", person => person.ApproveAsync()),
        ("page renewed, continue", person => person.ContinueAsync()),
        ("stay signed in (page, answer)", person => person.StayAsync()),
        ("code", person => person.Browser.FollowAsync()),
        ("token", person => person.RedeemAsync()),
    ];

    /// <summary>The first sign-in, with everything that is asked of somebody who must enrol.</summary>
    public async Task EnrolAsync()
    {
        await OpenAsync();
        await TypePasswordAsync();
        await Browser.FollowAsync();
        await PressAsync(""); // "Next": more is needed
        await PressAsync("", ("method", "app"), ("use", "notifications"));
        await _phone.BindAsync(Browser.Between("data-typed-code aria-hidden=\"true\">", "<"));
        await Browser.GetAsync(Browser.Path);
        await PressAsync("");
        ReadNumber();
        await _phone.RingAsync();
        await LookAsync();
        await _phone.ApproveAsync(_request, _number);
        await PressAsync("");
        await PressAsync("?handler=Finish");
        await PressAsync("", ("stay", "yes"));
        await PressAsync(""); // "Done": back to the application
        await RedeemAsync();
    }

    /// <summary>Number and unlock on the phone while the page waits: until the phone had its answer, and until the page heard of it, from the same moment.</summary>
    public async Task<(TimeSpan Answered, TimeSpan Heard)> WakeAsync()
    {
        var clock = Stopwatch.StartNew();
        var hearing = HearAsync();
        await _phone.ApproveAsync(_request, _number);
        return (clock.Elapsed, await hearing);

        async Task<TimeSpan> HearAsync()
        {
            await Browser.HearAsync("changed");
            return clock.Elapsed;
        }
    }

    public void Dispose()
    {
        Browser.Dispose();
        _phone.Dispose();
    }

    public Task OpenAsync() => OpenAsync(Application.Request());

    /// <summary>Signed out, and on the way to some page: the password page comes.</summary>
    public async Task OpenAsync(string path)
    {
        Browser.Forget(SessionCookie);
        await Browser.GetAsync(path);
        await Browser.FollowAsync();
    }

    public Task TypePasswordAsync() => Browser.PostAsync("", ("user", userName), ("password", Site.Password));

    private async Task AskAsync()
    {
        await SeeNumberAsync();
        await RingAsync();
    }

    /// <summary>The page with the number; the push is on its way.</summary>
    public async Task SeeNumberAsync()
    {
        await Browser.FollowAsync();
        ReadNumber();
    }

    /// <summary>The push arrives.</summary>
    public Task RingAsync() => _phone.RingAsync();

    public async Task LookAsync() => _request = await _phone.PendingAsync();

    public async Task ApproveAsync()
    {
        await _phone.ApproveAsync(_request, _number);
        await Browser.HearAsync("changed");
    }

    public async Task ContinueAsync()
    {
        Browser.StopListening();
        await Browser.GetAsync(Browser.Path);
        await Browser.PostAsync("");
    }

    public async Task StayAsync()
    {
        await Browser.FollowAsync();
        await Browser.PostAsync("", ("stay", "yes"));
    }

    public Task RedeemAsync() => new Application(site.Http, site.Address, site.Secret, "").RedeemAsync(Browser.Next ?? throw new InvalidOperationException($"Not sent back to the application, but to {Browser.Path}:\n{Browser.Page}"));

    private void ReadNumber() => _number = Browser.Between("data-number aria-hidden=\"true\">", "<");

    private async Task PressAsync(string query, params (string Name, string Value)[] fields)
    {
        await Browser.PostAsync(query, fields);
        await Browser.FollowAsync();
    }
}
