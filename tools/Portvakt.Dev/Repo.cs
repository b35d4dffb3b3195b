namespace Portvakt.Dev;

/// <summary>Where things lie in this repository.</summary>
public static class Repo
{
    /// <summary>The directory of dev.cs.</summary>
    public static string Root { get; set; } = "";

    public static string Solution => Path("Portvakt.slnx");

    public static string Path(string relative) => System.IO.Path.GetFullPath(relative, Root);
}
