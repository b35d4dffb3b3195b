using System.ComponentModel;
using System.Security.Cryptography;

namespace Portvakt.Dev;

/// <summary>What npm installs and builds: the stylesheet and the phone app. The other implementations in tests/peers are only installed.</summary>
public static class Npm
{
    public static readonly string Program = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
    public static readonly string[] Packages = ["src/Portvakt.Server/Look", "src/phone", "tests/peers"];

    /// <summary>The server's project file says how and when; asked by itself, because a build lists the files of wwwroot before it begins.</summary>
    public static async Task InstallAndBuildAsync()
    {
        await CheckNodeAsync();
        foreach (var package in Packages) await InstallAsync(package);
        await Step.DoAsync("Building stylesheet and phone app", () => Tool.QuietAsync("dotnet", ["msbuild", "src/Portvakt.Server", "-t:BuildLook", "-t:BuildPhone", "-nologo", "-v:quiet"]));
    }

    private static async Task CheckNodeAsync()
    {
        var needed = new Version(20, 19);
        var version = "";
        try
        {
            version = (await Tool.RunAsync("node", ["--version"])).Output.Trim();
            _ = await Tool.RunAsync(Program, ["--version"]);
        }
        catch (Win32Exception)
        {
            // Said below: it is not there.
        }
        if (!Version.TryParse(version.TrimStart('v'), out var found) || found < needed)
            throw new RefusalException($"The phone app is built with Node.js {needed} or newer and its npm; {(version is "" ? "one of them was not found" : $"this is {version}")}.");
    }

    /// <summary>Exactly what the lock file says, unless it is there already.</summary>
    public static async Task InstallAsync(string package)
    {
        var stamp = Repo.Path($"{package}/node_modules/.portvakt-lock");
        var locked = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Repo.Path($"{package}/package-lock.json"))));
        if (File.Exists(stamp) && string.Equals(await File.ReadAllTextAsync(stamp), locked, StringComparison.Ordinal)) return;
        await Step.DoAsync($"Installing npm packages of {package}", () => Tool.QuietAsync(Program, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], Repo.Path(package)));
        await File.WriteAllTextAsync(stamp, locked);
    }
}
