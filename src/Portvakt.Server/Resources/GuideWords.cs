namespace Portvakt.Server.Resources;

/// <summary>
/// The words of the guides: GuideWords.resx (English), .nb, .nn. Each step has a title, a text and, where it has a picture, what the picture shows. What a text quotes are labels, and a
/// test finds each of them on a screen.
/// </summary>
public sealed class GuideWords;
