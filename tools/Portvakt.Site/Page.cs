namespace Portvakt.Site;

/// <summary>One page of the website.</summary>
/// <param name="Source">The text it is made of, as a path in the repository.</param>
/// <param name="Address">Where it lies in the website: <c>operating/install.html</c>.</param>
/// <param name="Title">Its first heading.</param>
/// <param name="Body">Its content as HTML.</param>
/// <param name="Sections">Its parts, in their order; the first one is what stands before the second heading.</param>
public sealed record Page(string Source, string Address, string Title, string Body, IReadOnlyList<Section> Sections);

/// <param name="Anchor">Empty for the beginning of the page.</param>
/// <param name="Level">2 or more below the page's own heading.</param>
/// <param name="Title">The heading.</param>
/// <param name="Text">What stands below it, without any markup, for the search.</param>
public sealed record Section(string Anchor, int Level, string Title, string Text);
