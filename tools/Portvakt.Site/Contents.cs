namespace Portvakt.Site;

/// <summary>One heading of the navigation, and the texts below it: the named ones first, then whatever else lies in its folder.</summary>
/// <param name="Title">What the visitor wants.</param>
/// <param name="Folder">A text that nobody has named here still has its place; <see langword="null"/>: the named ones only.</param>
/// <param name="Sources">Paths in the repository, in the order in which one reads them.</param>
internal sealed record Chapter(string Title, string? Folder, params string[] Sources);

/// <summary>The table of contents.</summary>
internal static class Contents
{
    /// <summary>Longest folder first: a text belongs to the first chapter that has it.</summary>
    public static readonly Chapter[] Chapters =
    [
        new("Get to know it", null, "README.md", "docs/tour.md", "docs/try.md", "docs/guides.md"),
        new("Run it", null, "docs/operating/install.md", "docs/operating/relying-parties.md", "docs/operating/capacity.md", "docs/operating/nodes.md", "docs/operating/observability.md"),
        new("Administer it", "docs/operating/", "docs/operating/rollout.md", "docs/operating/helpdesk.md", "docs/operating/methods.md", "docs/operating/telephones.md", "docs/operating/tokens.md",
            "docs/operating/audit.md", "docs/operating/break-glass.md"),
        new("Trust it", "docs/security/", "docs/security/model.md", "SECURITY.md", "docs/security/open-rows.md", "docs/security/other-accounts.md"),
        new("Build on it", "docs/", "docs/protocol.md", "docs/journeys/sign-in.md", "ARCHITECTURE.md", "docs/glossary.md", "docs/words.md", "CONTRIBUTING.md", "bench/README.md", "CHANGELOG.md"),
    ];

    /// <summary>Decisions are many and short: the navigation shows their list alone.</summary>
    public const string Decisions = "docs/decisions/";
}
