using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using MimeKit;
using MimeKit.Text;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Mails;

/// <summary>A row of the outbox as a message (RFC 5322): plain text, and the same text in one simple layout that needs no pictures.</summary>
public static partial class Letter
{
    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All); // æ, ø and å need no escape

    /// <param name="mail">The row. Its id makes the Message-ID, so that the same mail is the same message however often it is sent.</param>
    /// <param name="settings">The sender, and the organisation's name.</param>
    public static MimeMessage Of(Mail mail, PortvaktSettings settings)
    {
        var message = new MimeMessage
        {
            Subject = mail.Subject,
            Date = mail.CreatedAt,
            MessageId = $"{mail.Id:N}@{settings.PublicUri.Host}",
            Body = new MultipartAlternative
            {
                new TextPart(TextFormat.Plain) { Text = mail.Text },
                new TextPart(TextFormat.Html) { Text = Html(mail.Text, mail.Language, settings.Organisation) },
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

    /// <summary>The whole HTML part.</summary>
    public static string Html(string text, string language, string organisation) =>
        $"""
        <!doctype html>
        <html lang="{language}">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"></head>
        <body style="margin:0;padding:24px 12px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif;font-size:16px;line-height:1.5">
        <div style="max-width:560px;margin:0 auto">
        <p style="margin:0 0 24px;padding:0 0 12px;border-bottom:3px solid #0062ba;font-size:20px;font-weight:600">{Encoder.Encode(organisation)}</p>
        {Paragraphs(text)}</div>
        </body>
        </html>

        """;

    /// <summary>After the escaping: no quote, angle or blank can be in it. A full stop at its end belongs to the sentence.</summary>
    [GeneratedRegex(@"https?://[^\s<>""']*[^\s<>""'.,;:!?)]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}
