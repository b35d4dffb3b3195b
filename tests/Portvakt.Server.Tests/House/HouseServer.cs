using System.Text.RegularExpressions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>One server for tests that only look.</summary>
public sealed partial class HouseServer : IAsyncLifetime
{
    public PortvaktServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>A route with something in the place of each parameter.</summary>
    public static string Filled(string pattern) => Parameter().Replace(pattern, parameter => parameter.Groups[1].Value switch
    {
        "status" => "404",
        "which" => "iphone",
        "code" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "way" => "text",
        "file" => "index.html",
        _ => "AAAAAAAAAAAAAAAAAAAAAA",
    });

    [GeneratedRegex(@"\{\**(\w+)[^{}]*\}")]
    private static partial Regex Parameter();
}
