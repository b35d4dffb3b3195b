namespace Portvakt.Dev;

/// <summary>The project's website: the texts of this repository, and the guides of an example organisation.</summary>
public static class Site
{
    public static async Task<int> MakeAsync(Options options)
    {
        var folder = Path.GetFullPath(options.Words is [var directory] ? directory : Repo.Path("artifacts/site"));
        var guides = options.Has("--without-guides") ? null : Repo.Path("artifacts/guides");
        if (guides is not null && !Directory.Exists(guides) && await Tests.MakeGuidesAsync(new Options()) is var exitCode and not 0) return exitCode;
        await Npm.InstallAndBuildAsync(); // its stylesheet is the product's
        string[] arguments = [Repo.Root, folder, .. guides is null ? (string[])[] : [guides]];
        await Step.DoAsync("Making the website", () => Tool.QuietAsync("dotnet", ["run", "--project", "tools/Portvakt.Site", "--", .. arguments]));
        Console.WriteLine($"Open {Path.Combine(folder, "index.html")}");
        return 0;
    }
}
