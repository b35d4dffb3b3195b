namespace Portvakt.Dev;

/// <summary>The Debian packages that the tests use; installed when they are missing and this user may.</summary>
public static class DebianPackages
{
    public static async Task NeedAsync(bool withBrowser)
    {
        var missing = new (string Package, bool IsThere)[]
        {
            ("postgresql", Postgres.Find("initdb") is not null),
            ("redis-server", Tool.Find("redis-server") is not null),
            ("chromium", !withBrowser || Tool.Find("chromium") is not null),
            ("zbar-tools", Tool.Find("zbarimg") is not null),
            ("oathtool", Tool.Find("oathtool") is not null),
        }.Where(need => !need.IsThere).Select(need => need.Package).ToArray();
        if (missing.Length == 0) return;

        var list = string.Join(' ', missing);
        var sudo = Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["sudo", "-n"];
        if (Tool.Find("apt-get") is null || (sudo.Length > 0 && (Tool.Find("sudo") is null || (await Tool.RunAsync("sudo", ["-n", "true"])).ExitCode != 0)))
            throw new RefusalException($"The tests also need: {list} (Debian's names). Install with: sudo apt-get install {list}");
        if (Environment.GetEnvironmentVariable("CI") is null && !Console.IsInputRedirected)
        {
            Console.Write($"The tests also need Debian's {list}. Install now? [Y/n] ");
            if (Console.ReadLine()?.Trim() is not ("" or "y" or "Y" or "yes")) throw new RefusalException($"Install with: sudo apt-get install {list}");
        }

        // At run level 1 no package starts its services: we want the programs of PostgreSQL and Redis, not their servers.
        string[] apt = [.. sudo, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"];
        await Step.DoAsync($"Installing {list}", async () =>
        {
            await Tool.QuietAsync(apt[0], [.. apt[1..], "update"]);
            await Tool.QuietAsync(apt[0], [.. apt[1..], "install", "--no-install-recommends", .. missing]);
        });
    }
}
