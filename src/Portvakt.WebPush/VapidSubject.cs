using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Portvakt.WebPush;

/// <summary>Whom a push service can write to about our messages (RFC 8292, section 2.1): <c>mailto:</c> or <c>https:</c>.</summary>
/// <remarks>
/// Apple answers 403 to a subject that it does not like (a name in angle brackets, a space, localhost), and that never heals
/// by itself. So it is refused where it is set up, not where it is used.
/// </remarks>
public sealed partial class VapidSubject
{
    // Names that lead nowhere outside the house (RFC 6761, RFC 6762, ICANN's .internal). "example" stays: documents and
    // demonstrations are written with it, and push services take it.
    private static readonly string[] NowhereDomains = ["localhost", "localdomain", "local", "internal", "invalid", "test", "lan", "home"];

    private readonly string _text;

    private VapidSubject(string text) => _text = text;

    /// <summary>Reads a contact.</summary>
    /// <returns>False unless it is <c>mailto:</c> with one plain address, or <c>https:</c> with a host name, in a public domain.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out VapidSubject? subject)
    {
        subject = text is { Length: <= 320 } && (MailPattern.Match(text) is { Success: true } mail ? mail : PagePattern.Match(text)) is { Success: true } match
            && LeadsSomewhere(match.Groups["domain"].ValueSpan)
                ? new VapidSubject(text)
                : null;
        return subject is not null;
    }

    /// <summary>The contact as it stands in the token's <c>sub</c>.</summary>
    public override string ToString() => _text;

    private static bool LeadsSomewhere(ReadOnlySpan<char> domain)
    {
        var last = domain[(domain.LastIndexOf('.') + 1)..];
        foreach (var nowhere in NowhereDomains)
        {
            if (last.Equals(nowhere, StringComparison.OrdinalIgnoreCase))
                return false;
        }

        return true;
    }

    private const string Domain = @"(?<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9]))";

    [GeneratedRegex(@"\Amailto:[A-Za-z0-9_'+/=~-]+(?:\.[A-Za-z0-9_'+/=~-]+)*@" + Domain + @"\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex MailPattern { get; }

    [GeneratedRegex(@"\Ahttps://" + Domain + @"(?::[0-9]{1,5})?(?:/[!#-;=?-~]*)?\z", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex PagePattern { get; }
}
