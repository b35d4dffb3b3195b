using System.Globalization;
using System.Resources;

namespace Portvakt.Server.Resources;

/// <summary>
/// The words of the guides: GuideWords.resx (English), .nb, .nn. Each step has a title, a text and, where it has a picture, what the picture shows. What a text quotes are labels, and a
/// test finds each of them on a screen.
/// </summary>
public sealed class GuideWords
{
    private static readonly ResourceManager Texts = new(typeof(GuideWords));

    private GuideWords() { }

    /// <summary>As they come with the program, in a language that need not be the one of the request.</summary>
    /// <param name="key">Which words.</param>
    /// <param name="language">nb, nn or en.</param>
    public static string Of(string key, string language) =>
        Texts.GetString(key, CultureInfo.GetCultureInfo(language)) ?? throw new ArgumentException($"There are no words {key} for guides.", nameof(key));
}
