using Portvakt.EndToEnd.Tests;
using Portvakt.EndToEnd.Tests.Actors;

[assembly: AssemblyFixture(typeof(Running))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)] // two cores hold one computer and one phone

namespace Portvakt.EndToEnd.Tests;

/// <summary>The one house of this run.</summary>
public sealed class Running : IAsyncLifetime
{
    public House House { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Microsoft.Playwright.Assertions.SetDefaultExpectTimeout(Patience.Milliseconds);
        House = await House.OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await AccessReport.WriteAsync(TimeProvider.System);
        await House.DisposeAsync();
    }

    /// <summary>No error on any console, no violation of the content policy, no request to a stranger.</summary>
    public static void NobodyComplained(params Witness[] witnesses)
    {
        var complaints = string.Join('\n', witnesses.SelectMany(witness => witness.Complaints));
        if (complaints.Length > 0) Assert.Fail(complaints); // in full; a comparison would shorten it
    }
}
