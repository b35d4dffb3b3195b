using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.EndToEnd.Tests;

/// <summary>A fresh person with a computer and a phone, and the walk they take.</summary>
public sealed class Scene : IAsyncDisposable
{
    private readonly List<Computer> _others = [];

    private Scene(House house, Employee employee, Computer computer, PhoneInBrowser phone, Labels words, Func<string, Microsoft.Playwright.IPage, Task>? look) =>
        (House, Employee, Computer, Phone, Words, Walk) = (house, employee, computer, phone, words, new Walk(computer, phone, words, look));

    public House House { get; }
    public Employee Employee { get; }
    public Computer Computer { get; private set; }
    public PhoneInBrowser Phone { get; }
    public Labels Words { get; }
    public Walk Walk { get; }

    public static async Task<Scene> SetAsync(
        Running running, string language = "nb", PhoneOptions? phone = null, ComputerOptions? computer = null, Func<string, Microsoft.Playwright.IPage, Task>? look = null,
        DateTimeOffset? deadline = null)
    {
        var adding = running.House.AddAsync(deadline: deadline);
        var unpacked = await PhoneInBrowser.UnpackAsync(running.House, language, phone);
        return new Scene(running.House, await adding, await Computer.StartAsync(running.House, language, computer), unpacked, Labels.For(language), look);
    }

    /// <summary>The next morning: another browser, without a cookie of yesterday.</summary>
    public async Task NextDayAsync(ComputerOptions? options = null)
    {
        _others.Add(Computer);
        Walk.Computer = Computer = await Computer.StartAsync(House, Words.Language, options);
    }

    /// <summary>No error on any console, no violation of the content policy, no request to a stranger.</summary>
    public void NobodyComplained() => Running.NobodyComplained([Phone.Witness, Computer.Witness, .. _others.Select(computer => computer.Witness)]);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var computer in _others.Append(Computer)) await computer.DisposeAsync();
        await Phone.DisposeAsync();
    }
}
