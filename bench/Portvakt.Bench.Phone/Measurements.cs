using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Testing;
using Portvakt.WebAuthn;
using Portvakt.WebPush;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.Bench.Phone;

/// <summary>Everything that has a gate, measured one after the other on the real server and in the real browser.</summary>
/// <param name="house">What runs.</param>
/// <param name="wire">What lies before its server.</param>
/// <param name="yardstick">How slow the machine is meanwhile.</param>
/// <param name="rounds">How many figures a median is of.</param>
internal sealed class Measurements(House house, Wire wire, Yardstick yardstick, int rounds)
{
    private const int MostMedians = 3; // strangers on the machine come and go; an app that is too slow is too slow each time
    private const int SlowDown = 4; // a cheap phone beside this machine
    private const int RoundTrip = 165; // milliseconds that the browser adds to each request of a "fast 4G" network
    private const string SignInButton = "main form button[type=submit]";
    private static readonly Labels Words = Labels.Bokmaal;
    private static readonly string[] Strict = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"];
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(5);

    private readonly List<Gate> _gates = [];
    private readonly List<string> _facts = [];
    private readonly List<double> _slowness = [];

    /// <summary>Figures with a gate, in the order they were taken.</summary>
    public IReadOnlyList<Gate> Gates => _gates;

    /// <summary>Figures without one.</summary>
    public IReadOnlyList<string> Facts => _facts;

    public async Task TakeAsync()
    {
        await ServerStartAsync();
        await SizesAsync();
        AssertionCheck();
        Encryption();
        await ColdStartAsync();
        await OnePhoneAsync();
        await WholeJourneyAsync();
    }

    private async Task ServerStartAsync()
    {
        var (times, memory) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            await house.RestartServerAsync();
            times.Add(house.ServerProgram.StartedIn.TotalMilliseconds);
            memory.Add(house.ServerProgram.Memory / 1e6);
        }

        Tell($"server, start to first answer: {Median(times):0} ms");
        Tell($"server, resident memory when it has answered once: {Median(memory):0} MB");
    }

    /// <summary>What the server really sends to a browser that reads brotli: page, style, scripts, and the words of the longest language.</summary>
    private async Task SizesAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(house.Server) };
        http.DefaultRequestHeaders.AcceptEncoding.ParseAdd("br");
        async Task<long> SizeAsync(string path)
        {
            using var answer = await http.GetAsync(path);
            if (!answer.Content.Headers.ContentEncoding.Contains("br")) throw new InvalidOperationException($"{path} is not sent as brotli.");
            return (await answer.Content.ReadAsByteArrayAsync()).LongLength;
        }

        using var plain = new HttpClient { BaseAddress = new Uri(house.Server) };
        var first = Regex.Matches(await plain.GetStringAsync("/phone/"), "(href|src)=\"(?<path>/phone/assets/[^\"]+)\"", RegexOptions.ExplicitCapture, Moment);
        var words = Regex.Matches(await plain.GetStringAsync("/phone/sw.js"), "(?<path>/phone/assets/words\\.[^\"']+\\.js)", RegexOptions.ExplicitCapture, Moment);
        var total = await SizeAsync("/phone/");
        foreach (Match asset in first) total += await SizeAsync(asset.Groups["path"].Value);
        var longest = 0L;
        foreach (Match language in words) longest = Math.Max(longest, await SizeAsync(language.Groups["path"].Value));
        if (longest is 0) throw new InvalidOperationException("The worker keeps no words.");
        Add(new Gate("HTML, CSS, first script with words, brotli", 30, "kB") { Measured = (total + longest) / 1000.0 });
        Add(new Gate("service worker, brotli", 6, "kB") { Measured = await SizeAsync("/phone/sw.js") / 1000.0 });
    }

    private void AssertionCheck()
    {
        using var authenticator = new SoftAuthenticator("localhost", house.Server);
        var challenge = new byte[32];
        var made = authenticator.Get(challenge);
        var expected = new RelyingPartyExpectation("localhost", [house.Server], challenge, RequireUserVerification: true);
        var stored = new StoredCredential(made.CredentialId, authenticator.PublicKey, 0, BackupEligible: false);
        Often(new Gate("assertion check on the server", 0.5, "ms"), () =>
        {
            if (!Assertion.Verify(expected, stored, made.CredentialId, made.ClientDataJson, made.AuthenticatorData, made.Signature).Verified) throw new InvalidOperationException("The assertion does not hold.");
        });
    }

    private void Encryption()
    {
        using var browser = new FakePushSubscription(new Uri("http://localhost/wp/1"));
        if (!PushSubscription.TryCreate(browser.Endpoint.ToString(), browser.P256dh, browser.Auth, out var subscription)) throw new InvalidOperationException("The subscription cannot be read.");
        var text = new byte[200];
        Often(new Gate("push encryption", 0.5, "ms"), () => PushEncryption.Encrypt(subscription, text));
    }

    /// <summary>A phone that has never seen the app, slow and on a mobile network.</summary>
    private Task ColdStartAsync() => MeasureAsync(
        [new Gate("cold start, 4 x slower, fast 4G", 900, "ms"), new Gate("requests that the first screen waits for", 6)],
        async () =>
        {
            await using var phone = await PhoneInBrowser.UnpackAsync(house, "nb");
            await PaceAsync(phone, SlowDown, fast4G: true);
            var time = await BesideYardstickAsync(2 * RoundTrip, () => UsableAsync(phone, "/phone/#open")); // from the install page: the page, then all of its parts together
            return [time, double.Parse((await phone.Page.Locator("html").GetAttributeAsync("data-requests"))!, CultureInfo.InvariantCulture)];
        });

    /// <summary>Scanning, warm starts, requests and what works without a network, on one phone.</summary>
    private async Task OnePhoneAsync()
    {
        var kari = await house.AddAsync();
        await using var phone = await PhoneInBrowser.UnpackAsync(house, "nb");
        await using var computer = await Computer.StartAsync(house, "nb");
        var walk = new Walk(computer, phone, Words);
        await walk.ToSetUpAsync(kari);
        await walk.GetTheAppAsync();
        await CameraAsync(walk);
        await DecoderAsync(walk);

        await phone.OpenAsync();
        await walk.PressHandlerAsync("Renew");
        await walk.TypeCodeAsync();
        await walk.BindAsync();
        await walk.TestAsync();
        await walk.FinishAsync();
        _ = await phone.RingAsync();

        await phone.Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");
        await PaceAsync(phone, SlowDown, fast4G: false);
        _ = await UsableAsync(phone, "/phone/"); // the browser keeps compiled scripts from the second visit on
        await MeasureAsync([new Gate("warm start, 4 x slower", 400, "ms")], async () =>
        {
            await phone.Page.GotoAsync("about:blank");
            await phone.Tools.SendAsync("ServiceWorker.stopAllWorkers"); // the person was away for longer than a worker lives
            return [await BesideYardstickAsync(0, () => UsableAsync(phone, "/phone/"))];
        });
        await RequestsAsync(phone, kari);
        await MemoryAsync(phone);
        await InstallableAsync(phone);
        await PolicyAsync(phone, computer);
        await OfflineAsync(phone, walk);
    }

    /// <summary>From the tap that turns the camera on to the moment the app knows what it saw.</summary>
    private Task CameraAsync(Walk walk) => MeasureAsync([new Gate("camera on to decoded", 800, "ms")], async () =>
    {
        // Each scan makes a new key, and a code belongs to one key.
        var phone = walk.Phone;
        await walk.PressHandlerAsync("Renew");
        await phone.TapAsync(Words.ScanQr);
        await phone.PointCameraAtAsync(walk.Computer);
        await Expect(phone.Button(Words.CameraOn)).ToBeVisibleAsync();
        await phone.Page.EvaluateAsync(
            """
            name => {
              const root = document.documentElement;
              delete root.dataset.decoded; // of the round before
              const button = [...document.querySelectorAll('button')].find(button => button.textContent === name);
              button.addEventListener('click', () => { root.dataset.tapped = performance.now(); }, { once: true });
              let scanning = false;
              new MutationObserver(() => {
                const video = document.querySelector('video');
                if (scanning && !video) root.dataset.decoded ??= performance.now();
                scanning ||= video !== null;
              }).observe(document.body, { childList: true, subtree: true });
            }
            """, Words.CameraOn);
        await phone.TapAsync(Words.CameraOn);
        await Expect(phone.Button(Words.YesAdd)).ToBeVisibleAsync();
        var decoded = await phone.Page.EvaluateAsync<double>("document.documentElement.dataset.decoded - document.documentElement.dataset.tapped");
        await phone.Page.Locator("main .ds-button").Last.ClickAsync(); // "No, cancel", and back to the first screen
        return [decoded];
    });

    private async Task DecoderAsync(Walk walk)
    {
        await walk.PressHandlerAsync("Renew");
        var picture = walk.Computer.Page.Locator("svg.pv-qr");
        var modules = double.Parse((await picture.GetAttributeAsync("viewBox"))!.Split(' ')[2], CultureInfo.InvariantCulture);
        var path = await picture.Locator("path").GetAttributeAsync("d");
        using var http = new HttpClient();
        var reader = Regex.Match(await http.GetStringAsync(house.Server + "/phone/sw.js"), "/phone/assets/picture-[^\"']+\\.js", RegexOptions.None, Moment).Value;
        var script = await ScriptAsync("pictures.js");
        await PaceAsync(walk.Phone, SlowDown, fast4G: false);
        await MeasureAsync([new Gate("QR code, one picture of 600 x 600, 4 x slower", 15, "ms")], async () => [await BesideYardstickAsync(0, () =>
            walk.Phone.Page.EvaluateAsync<double>(script, new { modules, path, reader, frames = 31 }))]);
        await PaceAsync(walk.Phone, 1, fast4G: false);
        using var found = JsonDocument.Parse(await walk.Phone.Page.EvaluateAsync<string>(script, new { modules, path, reader, frames = 0 }));
        var (all, unread) = (found.RootElement.GetProperty("all").GetInt32(), found.RootElement.GetProperty("unread").EnumerateArray().Select(name => name.GetString()!).ToArray());
        Add(new Gate($"bad pictures read, of {all}", 17, AtLeast: true) { Measured = all - unread.Length, Note = unread.Length is 0 ? "" : "not: " + string.Join(", ", unread) });
    }

    /// <summary>A sign-in, from the password to the answer on the phone, in three parts.</summary>
    private Task RequestsAsync(PhoneInBrowser phone, Employee kari) => MeasureAsync(
        [
            new Gate("password to push at the phone's worker", 500, "ms"),
            new Gate("request on screen, 4 x slower, fast 4G", 750, "ms"),
            new Gate("approve to the server's answer, fast 4G", 350, "ms"),
        ],
        async () =>
        {
            await using var computer = await Computer.StartAsync(house, "nb");
            await computer.OpenApplicationAsync();
            await phone.CloseAppAsync();
            await computer.Page.Locator("#user").FillAsync(kari.UserName);
            await computer.Page.Locator("#password").FillAsync(kari.Password);
            var (pressing, request) = (Task.CompletedTask, "");
            var notified = await BesideYardstickAsync(0, async () =>
            {
                var clock = Stopwatch.StartNew();
                pressing = computer.PressAsync(SignInButton);
                request = await phone.RingAsync();
                return clock.Elapsed.TotalMilliseconds;
            });
            await pressing;

            await PaceAsync(phone, SlowDown, fast4G: true);
            var onScreen = await BesideYardstickAsync(RoundTrip, () => UsableAsync(phone, $"/phone/#r={request}")); // one question to the server

            await PaceAsync(phone, 1, fast4G: true);
            await phone.Page.EvaluateAsync(
                """
                approved => {
                  let tapped;
                  document.querySelector('form button[type=submit]').addEventListener('click', () => { tapped = performance.now(); });
                  new MutationObserver(() => {
                    if (document.querySelector('h1')?.textContent === approved) document.documentElement.dataset.answered ??= performance.now() - tapped;
                  }).observe(document.body, { childList: true, subtree: true, characterData: true });
                }
                """, Words.Approved);
            await phone.ApproveAsync(await computer.ReadNumberAsync(), Words.Approve);
            var answered = await AttributeAsync(phone, "data-answered");
            await PaceAsync(phone, 1, fast4G: false);
            return [notified, onScreen, answered];
        });

    /// <summary>What the app's own process holds, a page shared by several processes counted by its part.</summary>
    private async Task MemoryAsync(PhoneInBrowser phone)
    {
        await phone.OpenAsync();
        await Expect(phone.Heading(Words.Accounts)).ToBeVisibleAsync();
        var browser = await phone.Page.Context.Browser!.NewBrowserCDPSessionAsync();
        var processes = await browser.SendAsync("SystemInfo.getProcessInfo");
        var held = processes!.Value.GetProperty("processInfo").EnumerateArray().Where(process => process.GetProperty("type").GetString() is "renderer").Select(process =>
        {
            var lines = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process.GetProperty("id").GetInt32()}/smaps_rollup"));
            return double.Parse(lines.First(line => line.StartsWith("Pss:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
        }).Max();
        Add(new Gate("renderer memory", 85, "MB") { Measured = held });
    }

    private async Task InstallableAsync(PhoneInBrowser phone)
    {
        var manifest = await phone.Tools.SendAsync("Page.getAppManifest");
        var answer = await phone.Tools.SendAsync("Page.getInstallabilityErrors");
        string[] errors =
        [
            .. manifest!.Value.GetProperty("errors").EnumerateArray().Select(error => error.GetProperty("message").GetString()!),
            .. answer!.Value.GetProperty("installabilityErrors").EnumerateArray().Select(error => error.GetProperty("errorId").GetString()!),
        ];
        Add(new Gate("installability errors", 0) { Measured = errors.Length, Note = string.Join(", ", errors) });
    }

    /// <summary>The policy is strict, the browser holds it, and so far nothing of ours has offended it.</summary>
    private async Task PolicyAsync(PhoneInBrowser phone, Computer computer)
    {
        string[] complaints = [.. phone.Witness.Complaints, .. computer.Witness.Complaints];
        Add(new Gate("console errors and violations of the policy", 0) { Measured = complaints.Length, Note = string.Join("; ", complaints) });

        var answer = await phone.Page.GotoAsync(house.Server + "/phone/");
        var policy = (await answer!.AllHeadersAsync())["content-security-policy"].Split(';', StringSplitOptions.TrimEntries);
        string[] missing = [.. Strict.Except(policy, StringComparer.Ordinal)];
        Add(new Gate("strict directives missing", 0) { Measured = missing.Length, Note = string.Join("; ", missing) });
        Add(new Gate("injections refused by Trusted Types, of 3", 3, AtLeast: true)
        {
            Measured = await phone.Page.EvaluateAsync<int>(
                """
                () => [
                  () => document.body.insertAdjacentHTML('beforeend', '<i>x</i>'),
                  () => { document.createElement('script').src = '/phone/x.js'; },
                  () => { document.createElement('script').textContent = 'x'; },
                ].filter(inject => { try { inject(); return false; } catch (error) { return error instanceof TypeError; } }).length
                """),
        });
    }

    private async Task OfflineAsync(PhoneInBrowser phone, Walk walk)
    {
        await phone.CloseAppAsync();
        await phone.Page.Context.SetOfflineAsync(true);
        var shown = true;
        try
        {
            await phone.OpenAsync();
            await walk.CodeIsShownAsync();
        }
        catch (PlaywrightException)
        {
            shown = false;
        }

        Add(new Gate("codes shown without a network", 1, AtLeast: true) { Measured = shown ? 1 : 0 });
    }

    /// <summary>The whole enrolment with the camera, and four sign-ins after it.</summary>
    private async Task WholeJourneyAsync()
    {
        var cost = new List<Cost>();
        await MeasureAsync([new Gate("enrolment and four sign-ins", 10, "s")], async () =>
        {
            var kari = await house.AddAsync();
            await using var phone = await PhoneInBrowser.UnpackAsync(house, "nb");
            var computers = new List<Computer>();
            for (var day = 0; day < 5; day++) computers.Add(await Computer.StartAsync(house, "nb"));
            var walk = new Walk(computers[0], phone, Words);
            var (onComputer, onPhone) = (await Touches.CountAsync(computers[0].Page.Context), await Touches.CountAsync(phone.Page.Context));
            var before = wire.Passed;

            var all = await BesideYardstickAsync(0, async () =>
            {
                var clock = Stopwatch.StartNew();
                await walk.EnrolAsync(kari);
                var enrolled = clock.Elapsed;
                var after = wire.Passed;
                cost.Add(new Cost(enrolled, after.Requests - before.Requests, after.Bytes - before.Bytes, (onComputer.Presses, onComputer.Characters), (onPhone.Presses, onPhone.Characters)));
                _ = await phone.RingAsync();
                foreach (var computer in computers.Skip(1))
                {
                    walk.Computer = computer;
                    await walk.SignInAsync(kari);
                }

                return clock.Elapsed.TotalSeconds;
            });
            foreach (var computer in computers) await computer.DisposeAsync();
            return [all];
        });

        double Of(Func<Cost, double> figure) => Median([.. cost.Select(figure)]);
        Tell($"enrolment, password to finished: {Of(it => it.Time.TotalSeconds):0.0} s without thinking and reading");
        Tell($"enrolment, at the server: {Of(it => it.Requests):0} HTTP requests, {Of(it => it.Bytes) / 1000:0} kB on the wire both ways with all headers and the app's download");
        Tell($"enrolment, on the computer: {Of(it => it.Computer.Presses):0} clicks, {Of(it => it.Computer.Characters):0} characters typed, user name and password among them");
        Tell($"enrolment, on the phone: {Of(it => it.Phone.Presses):0} taps, {Of(it => it.Phone.Characters):0} characters typed");
        Tell($"server, resident memory after {cost.Count} journeys: {house.ServerProgram.Memory / 1e6:0} MB");
        Tell($"this machine meanwhile, beside the reference: {Median(_slowness):0.0} times slower, {_slowness.Min():0.0} to {_slowness.Max():0.0}");
    }

    private sealed record Cost(TimeSpan Time, long Requests, long Bytes, (int Presses, int Characters) Computer, (int Presses, int Characters) Phone);

    /// <summary>Opens the app and waits until a press of its button has done something; milliseconds from the navigation on.</summary>
    private static async Task<double> UsableAsync(PhoneInBrowser phone, string address)
    {
        await phone.CloseAppAsync();
        await phone.Tools.SendAsync("Page.enable");
        var added = await phone.Tools.SendAsync("Page.addScriptToEvaluateOnNewDocument", With(("source", await ScriptAsync("start.js"))));
        await phone.OpenAsync(address);
        var usable = await AttributeAsync(phone, "data-usable");
        await phone.Tools.SendAsync("Page.removeScriptToEvaluateOnNewDocument", With(("identifier", added!.Value.GetProperty("identifier").GetString()!)));
        return usable;
    }

    /// <summary>A figure that the page writes on its root when it has it.</summary>
    private static async Task<double> AttributeAsync(PhoneInBrowser phone, string name)
    {
        await phone.Page.Locator($"html[{name}]").WaitForAsync(new LocatorWaitForOptions { State = WaitForSelectorState.Attached });
        return double.Parse((await phone.Page.Locator("html").GetAttributeAsync(name))!, CultureInfo.InvariantCulture);
    }

    private static async Task PaceAsync(PhoneInBrowser phone, int slowDown, bool fast4G)
    {
        // "Fast 4G" of the browser's own tools; -1 is as fast as it goes.
        await phone.Tools.SendAsync("Emulation.setCPUThrottlingRate", With(("rate", slowDown)));
        await phone.Tools.SendAsync("Network.enable");
        await phone.Tools.SendAsync("Network.emulateNetworkConditions", With(
            ("offline", false), ("latency", fast4G ? RoundTrip : 0), ("downloadThroughput", fast4G ? 1_012_500 : -1), ("uploadThroughput", fast4G ? 168_750 : -1)));
    }

    private static Dictionary<string, object> With(params (string Name, object Value)[] arguments) => arguments.ToDictionary(it => it.Name, it => it.Value, StringComparer.Ordinal);

    internal static async Task<string> ScriptAsync(string name)
    {
        using var script = new StreamReader(typeof(Measurements).Assembly.GetManifestResourceStream(name)!);
        return await script.ReadToEndAsync();
    }

    /// <summary>A time, and what it would have been on the reference machine: the waits of the network are the same on every one.</summary>
    private async Task<Figure> BesideYardstickAsync(double waits, Func<Task<double>> measure)
    {
        var before = await yardstick.SlownessAsync();
        var time = await measure();
        var slowness = Math.Min(before, await yardstick.SlownessAsync()); // the smaller one: rather strict than lenient
        _slowness.Add(slowness);
        return new Figure(time, waits + (time - waits) / slowness);
    }

    /// <summary>Medians of figures that come together; taken again, three times in all, while one does not hold. The best median counts.</summary>
    private async Task MeasureAsync(Gate[] gates, Func<Task<Figure[]>> once)
    {
        for (var medians = 1; ; medians++)
        {
            var rows = new List<Figure[]>();
            for (var round = 0; round < rounds; round++) rows.Add(await once());
            gates = [.. gates.Select((gate, at) =>
            {
                var median = new Figure(Median([.. rows.Select(row => row[at].OnTheClock)]), Median([.. rows.Select(row => row[at].AtReference)]));
                return medians is 1 || median.AtReference < gate.Measured.AtReference ? gate with { Measured = median } : gate;
            })];
            if (medians is MostMedians || gates.All(gate => gate.Holds))
            {
                foreach (var gate in gates) Add(medians is 1 ? gate : gate with { Note = $"best of {medians} medians" });
                return;
            }
        }
    }

    /// <summary>Work without waiting: the best of a few medians says what it costs when nobody is in the way.</summary>
    private void Often(Gate gate, Action work)
    {
        var best = double.MaxValue;
        for (var medians = 0; medians < 5; medians++)
        {
            var times = new List<double>();
            for (var round = 0; round < 300; round++)
            {
                var began = Stopwatch.GetTimestamp();
                work();
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            best = Math.Min(best, Median(times)); // the first also warms up
        }

        Add(gate with { Measured = best });
    }

    private static double Median(List<double> figures) => figures.Order().ElementAt(figures.Count / 2);

    private void Add(Gate gate)
    {
        _gates.Add(gate);
        Console.WriteLine(gate.Line);
    }

    private void Tell(FormattableString fact) => _facts.Add(fact.ToString(CultureInfo.InvariantCulture));
}
