using System.Globalization;
using System.Resources;

namespace Portvakt.Server.Resources;

/// <summary>The words of mails: MailWords.resx (English), .nb, .nn. A mail speaks the language of who reads it, not of the request.</summary>
public static class MailWords
{
    private static readonly ResourceManager Texts = new(typeof(MailWords));

    /// <param name="key">Which words.</param>
    /// <param name="language">nb, nn or en.</param>
    public static string Of(string key, string language) =>
        Texts.GetString(key, CultureInfo.GetCultureInfo(language)) ?? throw new ArgumentException($"There are no words {key} for mails.", nameof(key));
}
