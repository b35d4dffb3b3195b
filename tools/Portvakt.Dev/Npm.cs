using System.ComponentModel;
using System.Security.Cryptography;

namespace Portvakt.Dev;

/// <summary>What npm installs and builds: the stylesheet and the phone app. The other implementations in tests/peers are only installed.</summary>
public static class Npm
{
    public static readonly string Program = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
    public static readonly string[] Packages = ["src/Portvakt.Server/Look", "src/phone", "tests/peers"];

    /// <param name="always">Build also what looks up to date.</param>
    public static async Task InstallAndBuildAsync(bool always = false)
    {
        await CheckNodeAsync();
        foreach (var package in Packages) await InstallAsync(package);
        await BuildAsync("the stylesheet", "src/Portvakt.Server/Look", "src/Portvakt.Server/wwwroot/design", always);
        await BuildAsync("the phone app", "src/phone", "src/Portvakt.Server/wwwroot/phone", always);
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

    private static async Task InstallAsync(string package)
    {
        var stamp = Repo.Path($"{package}/node_modules/.portvakt-lock");
        var locked = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Repo.Path($"{package}/package-lock.json"))));
        if (File.Exists(stamp) && string.Equals(await File.ReadAllTextAsync(stamp), locked, StringComparison.Ordinal)) return;
        await Step.DoAsync($"Installing npm packages of {package}", () => Tool.QuietAsync(Program, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], Repo.Path(package)));
        await File.WriteAllTextAsync(stamp, locked);
    }

    private static async Task BuildAsync(string what, string package, string output, bool always)
    {
        // The words of the phone app come from the server's resources: they are sources, too.
        if (!always && Newest(output) > Newest(package) && Newest(output) > Newest("src/Portvakt.Server/Resources")) return;
        await Step.DoAsync($"Building {what}", () => Tool.QuietAsync(Program, ["run", "build", "--silent"], Repo.Path(package)));
    }

    private static DateTime Newest(string path)
    {
        var directory = new DirectoryInfo(Repo.Path(path));
        return !directory.Exists ? DateTime.MinValue : directory.EnumerateFileSystemInfos()
            .Where(entry => entry.Name is not "node_modules")
            .Select(entry => entry is DirectoryInfo ? Newest(entry.FullName) : entry.LastWriteTimeUtc)
            .Append(directory.LastWriteTimeUtc) // a file that was removed shows in its directory
            .Max();
    }
}
