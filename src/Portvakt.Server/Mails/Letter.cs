using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using MimeKit;
using MimeKit.Text;
using MimeKit.Utils;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Mails;

/// <summary>A row of the outbox as a message (RFC 5322): plain text, and the same text in one simple layout that is whole without its picture.</summary>
public static partial class Letter
{
    /// <summary>A logo goes along in every mail, so only a small one does; and none that Outlook cannot draw.</summary>
    public const int MostLogoBytes = 48 * 1024;

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All); // æ, ø and å need no escape

    /// <param name="mail">The row. Its id makes the Message-ID, so that the same mail is the same message however often it is sent.</param>
    /// <param name="settings">The sender, and the organisation's name.</param>
    /// <param name="style">The organisation's colour and logo, where it has some.</param>
    public static MimeMessage Of(Mail mail, PortvaktSettings settings, StyleEdition style)
    {
        var message = new MimeMessage
        {
            Subject = mail.Subject,
            Date = mail.CreatedAt,
            MessageId = $"{mail.Id:N}@{settings.PublicUri.Host}",
            Body = new MultipartAlternative
            {
                new TextPart(TextFormat.Plain) { Text = mail.Text },
                HtmlPart(mail, settings.Organisation, style),
            },
        };
        message.From.Add(new MailboxAddress(settings.Organisation, settings.MailFrom!));
        message.To.Add(new MailboxAddress(null, mail.Recipient));
        if (settings.HelpdeskMail is { Length: > 0 } helpdesk) message.ReplyTo.Add(new MailboxAddress(null, helpdesk));
        message.Headers.Add("Auto-Submitted", "auto-generated"); // RFC 3834: no "out of office" in return
        return message;
    }

    /// <summary>The text as paragraphs of HTML, escaped, with its addresses as links.</summary>
    public static string Paragraphs(string text) => string.Concat(text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(paragraph =>
        $"<p>{Address().Replace(Encoder.Encode(paragraph).Replace("&#xA;", "<br>", StringComparison.Ordinal), match => $"<a href=\"{match.Value}\">{match.Value}</a>")}</p>\n"));

    /// <summary>The logo travels inside the mail (RFC 2392): nothing is fetched, so nobody learns who reads when, and no reader has to allow it.</summary>
    private static MimeEntity HtmlPart(Mail mail, string organisation, StyleEdition style)
    {
        var colour = (style.Theme?.Button ?? BrandTheme.Standard.Single(part => part.Name is "accent-base-default")).Light;
        if (style.Logo is not { Kind: PictureKind.Png or PictureKind.Jpeg, Content.Length: <= MostLogoBytes } logo) return new TextPart(TextFormat.Html) { Text = Html(mail, organisation, colour, "", withName: true) };
        var id = MimeUtils.GenerateMessageId();
        var scale = Math.Min(1, Math.Min(240.0 / logo.Width, 48.0 / logo.Height));
        var (width, height) = ((int)Math.Ceiling(logo.Width * scale), (int)Math.Ceiling(logo.Height * scale));
        var image = $"""<img src="cid:{id}" alt="{(style.LogoHasName ? Encoder.Encode(organisation) : "")}" width="{width}" height="{height}" style="display:inline-block;vertical-align:middle;margin:0 12px 0 0;padding:4px;border-radius:4px;background:#ffffff;color:#000000">""";
        return new MultipartRelated
        {
            new TextPart(TextFormat.Html) { Text = Html(mail, organisation, colour, image, withName: !style.LogoHasName) },
            new MimePart(logo.MediaType)
            {
                ContentId = id,
                Content = new MimeContent(new MemoryStream(logo.Content)),
                ContentDisposition = new ContentDisposition(ContentDisposition.Inline),
                ContentTransferEncoding = ContentEncoding.Base64,
            },
        };
    }

    /// <summary>The whole HTML part. The first line that is nothing but an address looks like a button; it still says where it leads.</summary>
    private static string Html(Mail mail, string organisation, Colour colour, string logo, bool withName) =>
        $"""
        <!doctype html>
        <html lang="{mail.Language}">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"></head>
        <body style="margin:0;padding:24px 12px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
        <div style="max-width:560px;margin:0 auto">
        <p style="margin:0 0 24px;padding:0 0 12px;border-bottom:3px solid {colour};font-size:20px;font-weight:600">{logo}{(withName ? Encoder.Encode(organisation) : "")}</p>
        {AloneOnItsLine().Replace(Paragraphs(mail.Text), $"<a href=\"${{address}}\" style=\"display:inline-block;margin:8px 0 0;padding:12px 20px;border-radius:4px;background:{colour};color:#ffffff;font-weight:600;text-decoration:none\">${{address}}</a>", 1)}</div>
        </body>
        </html>

        """;

    /// <summary>After the escaping: no quote, angle or blank can be in it. A full stop at its end belongs to the sentence.</summary>
    [GeneratedRegex(@"https?://[^\s<>""']*[^\s<>""'.,;:!?)]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();

    [GeneratedRegex(@"(?<=<p>|<br>)<a href=""(?<address>[^""]*)"">[^<]*</a>(?=</p>|<br>)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AloneOnItsLine();
}
