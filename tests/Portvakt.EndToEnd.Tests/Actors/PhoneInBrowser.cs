using System.Text.Json;
using Microsoft.Playwright;
using Portvakt.Testing;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>How a phone is made and what its owner says when it asks.</summary>
public sealed record PhoneOptions
{
    public const string Android = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36";
    public const string Iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1";
    public const string IphoneChrome = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/143.0.7499.38 Mobile/15E148 Safari/604.1";

    public string UserAgent { get; init; } = Android;

    /// <summary>Face, finger or PIN of the phone itself: a platform authenticator with user verification.</summary>
    public bool HasUnlock { get; init; } = true;

    /// <summary>Whether a passkey of this phone can release a key as well (WebAuthn PRF).</summary>
    public bool ReleasesKeys { get; init; } = true;

    /// <summary>Whether its passkeys are copied to its owner's other devices, as those of an iPhone always are.</summary>
    public bool CopiesPasskeys { get; init; }

    /// <summary>What the owner chooses and types where the phone has no unlock.</summary>
    public string? Pin { get; init; }

    public bool AllowsCamera { get; init; } = true;
    public bool AllowsNotifications { get; init; } = true;
    public ColorScheme Scheme { get; init; } = ColorScheme.Light;
}

/// <summary>
/// The phone app in a browser process of its own, with a camera that shows a film, an authenticator, and a push service that
/// hands over only what the server really encrypted. The person's thumbs are the test.
/// </summary>
public sealed class PhoneInBrowser : IAsyncDisposable
{
    // Chromium has no push service here, and its prompts cannot be tapped: the test answers for them. What the app does with the
    // answers is its own code.
    private const string Surroundings = """
        (() => {
          const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0)).buffer;
          const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
          const subscription = json => {
            const it = JSON.parse(json);
            return it && {
              endpoint: it.endpoint, expirationTime: null,
              options: { userVisibleOnly: true, applicationServerKey: bytes(it.applicationServerKey) },
              getKey: name => bytes(it.keys[name]), toJSON: () => it, unsubscribe: () => unsubscribeHere(),
            };
          };
          PushManager.prototype.subscribe = async options => subscription(await subscribeHere(text(options.applicationServerKey)));
          PushManager.prototype.getSubscription = async () => subscription(await subscriptionHere());
          Notification.requestPermission = async () => { await askTheOwner(); return Notification.permission; };
          // The browser's own offer to install comes when it likes, and opens a window that nobody here can close.
          addEventListener('beforeinstallprompt', event => { if (event.isTrusted) { event.preventDefault(); event.stopImmediatePropagation(); } });
          if (navigator.userAgent.includes('Android')) addEventListener('load', () => {
            const offer = new Event('beforeinstallprompt', { cancelable: true });
            offer.prompt = async () => { document.documentElement.dataset.installed = ''; return { outcome: 'accepted' }; };
            dispatchEvent(offer);
          });
          // Some screens are gone before anybody can look: their headings are kept.
          new MutationObserver(() => {
            const root = document.documentElement, heading = document.querySelector('h1')?.textContent ?? '';
            if (root && !(root.dataset.said ?? '').endsWith(heading)) root.dataset.said = `${root.dataset.said ?? ''}|${heading}`;
          }).observe(document, { childList: true, subtree: true, characterData: true });
        })();
        """;

    private readonly IBrowserContext _context;
    private readonly House _house;
    private readonly PhoneOptions _options;
    private readonly string _folder;
    private readonly TaskCompletionSource<string> _registration = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _authenticator;

    private PhoneInBrowser(IBrowserContext context, House house, PhoneOptions options, string folder, Witness witness) =>
        (_context, _house, _options, _folder, Witness, Page) = (context, house, options, folder, witness, context.Pages[0]);

    public Witness Witness { get; }
    public IPage Page { get; }

    /// <summary>The protocol of the browser's own tools, for what Playwright has no word for.</summary>
    public ICDPSession Tools { get; private set; } = null!;

    /// <summary>The browser's half of the subscription; null before the app has made one.</summary>
    public FakePushSubscription? Subscription { get; private set; }

    /// <summary>Everything the browser keeps on the phone's disk.</summary>
    public string Profile => Path.Combine(_folder, "profile");

    private string Film => Path.Combine(_folder, "camera.mjpeg");

    public static async Task<PhoneInBrowser> UnpackAsync(House house, string language, PhoneOptions? options = null)
    {
        options ??= new PhoneOptions();
        var folder = Directory.CreateTempSubdirectory("portvakt-phone-").FullName;
        string[] camera =
        [
            "--use-fake-device-for-media-stream", $"--use-file-for-fake-video-capture={Path.Combine(folder, "camera.mjpeg")}",
            .. options.AllowsCamera ? ["--use-fake-ui-for-media-stream"] : Array.Empty<string>(),
        ];
        var context = await house.Playwright.Chromium.LaunchPersistentContextAsync(Path.Combine(folder, "profile"), new BrowserTypeLaunchPersistentContextOptions
        {
            ExecutablePath = House.Chromium,
            Args = [.. House.Flags, .. camera],
            Locale = language,
            UserAgent = options.UserAgent,
            ColorScheme = options.Scheme,
            ViewportSize = new ViewportSize { Width = 390, Height = 844 },
            HasTouch = true,
            IsMobile = true,
            DeviceScaleFactor = 2,
        });
        context.SetDefaultTimeout(Patience.Milliseconds);
        var phone = new PhoneInBrowser(context, house, options, folder, await Witness.WatchAsync(context, house.Server));
        await phone.PrepareAsync();
        return phone;
    }

    public Task OpenAsync(string address = "/phone/") => Page.GotoAsync(_house.Server + address);

    /// <summary>The app is closed: no page of it is left, only its worker.</summary>
    public Task CloseAppAsync() => Page.GotoAsync("about:blank");

    /// <summary>The app was last seen long ago, and is opened again: it wants to know who holds the phone.</summary>
    public async Task OpenLongAfterAsync()
    {
        Witness.Expect("/favicon.ico"); // a picture by itself names no icon, and the browser may ask for one
        await OpenAsync("/icon.svg"); // outside the app and its worker: nothing notes that it was hidden just now
        await Page.EvaluateAsync("localStorage.setItem('portvakt.hidden-at', '0')");
        await OpenAsync();
    }

    /// <summary>The browser clears what the app has stored, its worker too. The passkey stays where it is: in the keychain.</summary>
    /// <param name="cookies">Whether the cookies go as well.</param>
    public async Task LoseStorageAsync(bool cookies)
    {
        await CloseAppAsync();
        if (cookies) await _context.ClearCookiesAsync();
        await Tools.SendAsync("Storage.clearDataForOrigin", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["origin"] = _house.Server,
            ["storageTypes"] = "indexeddb,local_storage,cache_storage,service_workers",
        });
    }

    /// <summary>Taps the button with exactly this name.</summary>
    public Task TapAsync(string name) => Button(name).ClickAsync();

    /// <summary>From the install page into the app; where the app was put on the phone just now, the page offers it twice, and the person takes the first.</summary>
    public Task EnterAsync(string open) => Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = open, Exact = true }).First.ClickAsync();

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = name, Exact = true });

    public ILocator Heading(string name) => Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = name, Exact = true, Level = 1 });

    /// <summary>
    /// Holds the camera before the picture on the computer: the screen around it is photographed and becomes the film that the
    /// camera shows. An MJPEG film is photographs, one after the other.
    /// </summary>
    public async Task PointCameraAtAsync(Computer computer, string what = "svg.pv-qr")
    {
        const int width = 640;
        const int height = 480;
        var picture = computer.Page.Locator(what);
        await picture.ScrollIntoViewIfNeededAsync();
        var box = await picture.BoundingBoxAsync() ?? throw new InvalidOperationException($"There is no {what} on the computer.");
        var screen = computer.Page.ViewportSize!;
        var photograph = await computer.Page.ScreenshotAsync(new PageScreenshotOptions
        {
            Type = ScreenshotType.Jpeg,
            Quality = 90,
            Clip = new Clip
            {
                X = Math.Clamp(box.X + (box.Width - width) / 2, 0, screen.Width - width),
                Y = Math.Clamp(box.Y + (box.Height - height) / 2, 0, screen.Height - height),
                Width = width,
                Height = height,
            },
        });
        await using var film = new FileStream(Film, FileMode.Create, FileAccess.Write, FileShare.Read);
        for (var picturesLeft = 10; picturesLeft > 0; picturesLeft--) await film.WriteAsync(photograph);
    }

    /// <summary>Waits for the push that the server sent, hands it to the worker, and answers with the request's id once the phone has rung.</summary>
    public async Task<string> RingAsync()
    {
        var message = await (Subscription ?? throw new InvalidOperationException("The app has not subscribed.")).NextMessageAsync();
        await Tools.SendAsync("ServiceWorker.deliverPushMessage", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["origin"] = _house.Server,
            ["registrationId"] = await _registration.Task.WaitAsync(TimeSpan.FromMilliseconds(Patience.Milliseconds)),
            ["data"] = message.Text,
        });
        using var push = JsonDocument.Parse(message.Text);
        return push.RootElement.GetProperty("id").GetString()!;
    }

    public string? Pin => _options.Pin;

    /// <summary>Types the number and approves; the phone's unlock answers by itself.</summary>
    public async Task ApproveAsync(string number, string approve)
    {
        await Page.Locator("#number").FillAsync(number);
        if (Pin is not null) await Page.Locator("#pin").FillAsync(Pin);
        await TapAsync(approve);
    }

    /// <summary>Whether the owner's face is known to the phone from now on, or how its authenticator lies.</summary>
    public Task TellAuthenticatorAsync(string method, string name, bool value) => Tools.SendAsync(method, new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["authenticatorId"] = _authenticator ?? throw new InvalidOperationException("This phone has no unlock."),
        [name] = value,
    });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task PrepareAsync()
    {
        await _context.ExposeFunctionAsync("subscribeHere", (string key) => Json(Subscription = _house.PushService.Subscribe(key)));
        await _context.ExposeFunctionAsync("subscriptionHere", () => Json(Subscription));
        await _context.ExposeFunctionAsync("unsubscribeHere", () =>
        {
            var had = Subscription is not null;
            Subscription = null;
            return had;
        });
        await _context.ExposeFunctionAsync("askTheOwner", async () =>
        {
            await SetPermissionAsync("notifications", _options.AllowsNotifications ? "granted" : "denied");
            return _options.AllowsNotifications;
        });
        await _context.AddInitScriptAsync(Surroundings);

        Tools = await _context.NewCDPSessionAsync(Page);
        await SetPermissionAsync("notifications", "prompt");
        await SetPermissionAsync("camera", _options.AllowsCamera ? "granted" : "denied");
        Tools.Event("ServiceWorker.workerRegistrationUpdated").OnEvent += (_, update) =>
        {
            foreach (var registration in update!.Value.GetProperty("registrations").EnumerateArray()) _registration.TrySetResult(registration.GetProperty("registrationId").GetString()!);
        };
        await Tools.SendAsync("ServiceWorker.enable");
        if (!_options.HasUnlock) return;

        await Tools.SendAsync("WebAuthn.enable");
        var answer = await Tools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["options"] = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["protocol"] = "ctap2",
                ["ctap2Version"] = "ctap2_1",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
                ["hasPrf"] = _options.ReleasesKeys,
                ["defaultBackupEligibility"] = _options.CopiesPasskeys,
                ["defaultBackupState"] = _options.CopiesPasskeys,
            },
        });
        _authenticator = answer!.Value.GetProperty("authenticatorId").GetString();
    }

    private Task SetPermissionAsync(string permission, string setting) => Tools.SendAsync("Browser.setPermission", new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["permission"] = new Dictionary<string, object>(StringComparer.Ordinal) { ["name"] = permission },
        ["setting"] = setting,
        ["origin"] = _house.Server,
    });

    private static string Json(FakePushSubscription? subscription) => subscription is null ? "null" : JsonSerializer.Serialize(new
    {
        endpoint = subscription.Endpoint,
        applicationServerKey = subscription.ApplicationServerKey,
        keys = new { p256dh = subscription.P256dh, auth = subscription.Auth },
    });
}
