namespace Portvakt.Server.Shared;

/// <summary>How long a page can still be used; said in time by the script of the page, with a button for more (WCAG 2.2, 2.2.1).</summary>
/// <param name="Seconds">Until nothing can be done here any more.</param>
/// <param name="Address">What is called when the person asks for more.</param>
/// <param name="Text">What they are told: a key of the words.</param>
/// <param name="Posts">Whether that changes something, or is only a sign of life.</param>
public sealed record TimeLimit(int Seconds, string Address, string Text, bool Posts)
{
    /// <summary>Where a page leaves it for the layout.</summary>
    public const string Key = "TimeLimit";
}
