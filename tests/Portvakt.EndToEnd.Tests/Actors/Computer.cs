using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>How a computer is set up.</summary>
public sealed record ComputerOptions
{
    public bool JavaScript { get; init; } = true;
    public ColorScheme Scheme { get; init; } = ColorScheme.Light;
    public int Width { get; init; } = 1280;
    public int Height { get; init; } = 900;
}

/// <summary>A person's browser at work: a context of its own, without any cookie.</summary>
public sealed class Computer : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    private Computer(IBrowserContext context, Witness witness, IPage page, House house) => (_context, Witness, Page, House) = (context, witness, page, house);

    public Witness Witness { get; }
    public IPage Page { get; }
    public House House { get; }
    public bool HasJavaScript { get; private init; }

    public static async Task<Computer> StartAsync(House house, string language, ComputerOptions? options = null)
    {
        options ??= new ComputerOptions();
        var context = await house.Computers.NewContextAsync(new BrowserNewContextOptions
        {
            Locale = language,
            JavaScriptEnabled = options.JavaScript,
            ColorScheme = options.Scheme,
            ViewportSize = new ViewportSize { Width = options.Width, Height = options.Height },
        });
        context.SetDefaultTimeout(Patience.Milliseconds);
        var witness = await Witness.WatchAsync(context, house.Server, house.Application, house.SecondApplication);
        return new Computer(context, witness, await context.NewPageAsync(), house) { HasJavaScript = options.JavaScript };
    }

    /// <summary>A virtual authenticator that unlocks itself, and what it answers to.</summary>
    public async Task<(ICDPSession Tools, string Id)> PlugInAuthenticatorAsync()
    {
        var tools = await _context.NewCDPSessionAsync(Page);
        await tools.SendAsync("WebAuthn.enable");
        var added = await tools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>(StringComparer.Ordinal)
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
            },
        });
        return (tools, added!.Value.GetProperty("authenticatorId").GetString()!);
    }

    /// <summary>A second tab of the same browser.</summary>
    public async Task<IPage> NewTabAsync(string address)
    {
        var tab = await _context.NewPageAsync();
        await tab.GotoAsync(address);
        return tab;
    }

    /// <summary>Opens the application and presses its button, then waits for the server's first page.</summary>
    public async Task OpenApplicationAsync()
    {
        await Page.GotoAsync(House.Application + "/");
        await Page.Locator("form[action='/sign-in'] button").ClickAsync();
        await Page.ArriveAsync(House.Server + "/sign-in/*");
    }

    /// <summary>Types user name and password and presses the button.</summary>
    public async Task SignInAsync(Employee employee)
    {
        await Page.Locator("#user").FillAsync(employee.UserName);
        await Page.Locator("#password").FillAsync(employee.Password);
        await PressAsync("main form button[type=submit]");
    }

    public Task PressAsync(string selector) => Page.Locator(selector).ClickAsync();

    /// <summary>The number that the person carries to the phone.</summary>
    public async Task<string> ReadNumberAsync() => (await Page.Locator("[data-number]").InnerTextAsync()).Trim();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
