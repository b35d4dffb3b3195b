using System.Globalization;
using Portvakt.Bench.Actors;
using Portvakt.Bench.Cost;
using Portvakt.EndToEnd.Tests.Actors;

namespace Portvakt.Bench.Peers;

/// <summary>All providers, started before the first figure and left running until the last.</summary>
internal sealed class Company : IAsyncDisposable
{
    private readonly List<Resident> _residents = [];
    private readonly List<RunningProgram> _programs = [];

    private Company()
    {
    }

    /// <summary>Portvakt first.</summary>
    public IReadOnlyList<Peer> All { get; private set; } = [];

    public static async Task<Company> GatherAsync(Stage stage, Scale scale)
    {
        var company = new Company();
        try
        {
            await company.StartAsync(stage, scale);
            return company;
        }
        catch
        {
            await company.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var resident in _residents) resident.Dispose();
        foreach (var program in _programs) await program.DisposeAsync();
    }

    private async Task StartAsync(Stage stage, Scale scale)
    {
        foreach (var name in await stage.FillAsync(scale.Residents)) _residents.Add(new Resident(name, stage.Site));
        await stage.RestartServerAsync();
        await stage.StartFloorAsync();
        await Measurements.EachAsync(_residents, resident => resident.EnrolAsync());
        var nodePeer = await StartAsync(Path.Combine(RunningProgram.Root, "bench/Peers/oidc-provider/provider.mjs"), address => [Port(address), stage.Secret]);
        var openIddict = await StartAsync(RunningProgram.FileOf("bench/Peers/OpenIddict", "Portvakt.Bench.Peers.OpenIddict.dll"), address => [Port(address), stage.PathOf("openiddict.db"), stage.Secret]);
        All =
        [
            new Peer("Portvakt", stage.ServerAddress, stage.Server, Goal: null, ServesOwnKeys: true, person => Task.FromResult(_residents[person].Browser), stage),
            new Peer("floor", stage.FloorAddress, stage.Floor, Goal: null, ServesOwnKeys: false, async _ =>
            {
                var browser = new Browser(stage.Http, stage.FloorAddress);
                await browser.GetAsync("/session");
                return browser;
            }, stage),
            new Peer("oidc-provider", nodePeer.Address, nodePeer.Program, Goal: 3, ServesOwnKeys: true, _ => Task.FromResult(new Browser(stage.Http, nodePeer.Address)), stage),
            new Peer("OpenIddict", openIddict.Address, openIddict.Program, Goal: 20, ServesOwnKeys: true, _ => Task.FromResult(new Browser(stage.Http, openIddict.Address)), stage),
        ];
    }

    private async Task<(string Address, RunningProgram Program)> StartAsync(string file, Func<string, string[]> arguments)
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://localhost:{RunningProgram.FreePort()}");
        var program = await RunningProgram.StartAsync(file, arguments(address), new Dictionary<string, string>(StringComparer.Ordinal) { ["NODE_ENV"] = "production" }, address + "/.well-known/openid-configuration");
        _programs.Add(program);
        return (address, program);
    }

    private static string Port(string address) => new Uri(address).Port.ToString(CultureInfo.InvariantCulture);
}
