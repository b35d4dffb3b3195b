using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Portvakt.Server.Hosting;

/// <summary>What is put in the place of the placeholders of a <see cref="TelephoneGateway"/>.</summary>
/// <param name="Number">E.164: +4712345678.</param>
/// <param name="Text">What is sent or read out.</param>
/// <param name="Language">nb, nn or en.</param>
/// <param name="Id">Ours; the same when the same message is tried again.</param>
public sealed record TelephoneValues(string Number, string Text, string Language, string Id);

/// <summary>
/// A provider of text messages or calls, as one HTTP request: any provider can be used. In the address and the body <c>{number}</c>, <c>{text}</c>,
/// <c>{language}</c> and <c>{id}</c> stand for what is sent, encoded for the place where they stand; in headers <c>{number}</c> and <c>{id}</c>.
/// </summary>
public sealed partial class TelephoneGateway
{
    private const string Json = "application/json";
    private const string Form = "application/x-www-form-urlencoded";
    private const string Plain = "text/plain";

    /// <summary>What would break out of every form if it were not encoded.</summary>
    private static readonly TelephoneValues Sample = new("+4790000000", "\"\\\r\n&={text}", "nb", "0");

    /// <summary>https, or http on this machine.</summary>
    public string Address { get; set; } = "";

    /// <summary>POST, PUT or GET.</summary>
    public string Method { get; set; } = "POST";

    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Its form decides how values are encoded: <c>application/json</c>, <c>application/x-www-form-urlencoded</c> or <c>text/plain</c>.</summary>
    public string ContentType { get; set; } = Json;

    public string Body { get; set; } = "";

    /// <summary>
    /// Where the provider's answer, in JSON, says what it calls the message: members and indexes, <c>messages.0.id</c>. Only for a provider whose reports do not
    /// carry our <c>{id}</c>.
    /// </summary>
    public string AnswerId { get; set; } = "";

    /// <summary>How the provider tells later what became of a message; null: it does not.</summary>
    public DeliveryReport? Report { get; set; }

    /// <summary>Sentences for the operator; what is set is never shown, for it may hold a password.</summary>
    /// <param name="name">Name of the setting.</param>
    public IEnumerable<string> Problems(string name)
    {
        if (Placeholder().IsMatch(HostOf(Address)))
            yield return $"Portvakt:{name}:Address may have placeholders only after the host.";
        else if (!Uri.TryCreate(Filled(Address, Sample, Uri.EscapeDataString), UriKind.Absolute, out var address) || address is not { Scheme: "https" } and not { Scheme: "http", IsLoopback: true })
            yield return $"Portvakt:{name}:Address must be https (http is for this machine only).";
        if (Method is not ("POST" or "PUT" or "GET")) yield return $"Portvakt:{name}:Method must be POST, PUT or GET.";
        else if (Method is "GET" && Body.Length > 0) yield return $"Portvakt:{name}:Body must be empty with GET.";
        if (ContentType is not (Json or Form or Plain)) yield return $"Portvakt:{name}:ContentType must be {Json}, {Form} or {Plain}.";
        foreach (var placeholder in (string[])["{number}", "{text}"])
        {
            if (!Address.Contains(placeholder, StringComparison.Ordinal) && !Body.Contains(placeholder, StringComparison.Ordinal)) yield return $"Portvakt:{name} must have {placeholder} in its address or its body.";
        }

        if (ContentType is Json && Body.Length > 0 && !IsJson(Filled(Body, Sample, AsJson))) yield return $"Portvakt:{name}:Body is no JSON once its placeholders are filled; each stands between quotation marks.";
        if (!Headers.All(IsHeader)) yield return $"Portvakt:{name}:Headers must be names and values of one line, with no placeholder but {{number}} and {{id}}; the content type has a setting of its own.";
        if (Report is null) yield break;
        foreach (var problem in Report.Problems($"{name}:{nameof(Report)}")) yield return problem;
        if (AnswerId.Length is 0 && !Headers.Values.Append(Address).Append(Body).Any(text => text.Contains("{id}", StringComparison.Ordinal)))
            yield return $"Portvakt:{name} must send {{id}}, or say in AnswerId where the answer has the provider's own: a report could not be told whose it is.";
    }

    /// <summary>The request that sends one message.</summary>
    public HttpRequestMessage RequestFor(TelephoneValues values)
    {
        var request = new HttpRequestMessage(HttpMethod.Parse(Method), new Uri(Filled(Address, values, Uri.EscapeDataString)));
        foreach (var (name, value) in Headers) request.Headers.TryAddWithoutValidation(name, Filled(value, values, OneLine));
        if (Method is "GET") return request;
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Filled(Body, values, ContentType switch { Json => AsJson, Form => Uri.EscapeDataString, _ => OneLine })));
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(ContentType, ContentType is Json ? null : "utf-8");
        return request;
    }

    /// <summary>All at once, so that a value that looks like a placeholder stays what it is.</summary>
    private static string Filled(string template, TelephoneValues values, Func<string, string> encode) => Placeholder().Replace(template, match => encode(match.Value switch
    {
        "{number}" => values.Number,
        "{text}" => values.Text,
        "{language}" => values.Language,
        _ => values.Id,
    }));

    /// <summary>Scheme and host: what stands before the first slash, question mark or hash after <c>://</c>.</summary>
    private static string HostOf(string address)
    {
        var host = address.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme ? scheme + "://".Length : 0;
        return address.AsSpan(host).IndexOfAny('/', '?', '#') is >= 0 and var end ? address[..(host + end)] : address;
    }

    private static string AsJson(string value) => JsonEncodedText.Encode(value).ToString();

    private static string OneLine(string value) => string.Concat(value.Select(letter => char.IsControl(letter) ? ' ' : letter));

    private static bool IsHeader(KeyValuePair<string, string> header)
    {
        if (header.Value.Any(char.IsControl) || header.Value.Contains("{text}", StringComparison.Ordinal) || header.Value.Contains("{language}", StringComparison.Ordinal)) return false;
        using var request = new HttpRequestMessage();
        return request.Headers.TryAddWithoutValidation(header.Key, header.Value); // no name, or one that belongs to the content, is refused
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\{(?:number|text|language|id)\}", RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder();
}

/// <summary>
/// A provider's delivery reports: a POST in JSON (one object, or a list of them) or as a form to <c>/telephone/reports/{texts|calls}/{Key}</c>. The key is all
/// that tells the provider from a stranger, and all that a stranger could do with it is to say "delivered" or "not delivered": no code, no name and no number
/// comes back.
/// </summary>
public sealed class DeliveryReport
{
    private const int ShortestKey = 20;

    /// <summary>Part of the address; at least 20 letters and digits, of your own making.</summary>
    public string Key { get; set; } = "";

    /// <summary>Where the report says which message: members and indexes, <c>message.id</c>.</summary>
    public string Id { get; set; } = "id";

    /// <summary>Where the report says what became of it.</summary>
    public string State { get; set; } = "status";

    /// <summary>What the provider says, of whatever case, when it has arrived; several with commas between.</summary>
    public string Delivered { get; set; } = "delivered";

    /// <summary>What it says when it never will. Anything else is neither.</summary>
    public string Failed { get; set; } = "failed,undelivered,rejected,expired";

    public IEnumerable<string> Problems(string name)
    {
        if (Key.Length < ShortestKey || !Key.All(char.IsAsciiLetterOrDigit)) yield return $"Portvakt:{name}:Key must be {ShortestKey} letters and digits or more.";
        if (Id.Length is 0 || State.Length is 0) yield return $"Portvakt:{name}:Id and State must say where they stand in the report.";
        if (WordsOf(Delivered).Intersect(WordsOf(Failed), StringComparer.OrdinalIgnoreCase).Any()) yield return $"Portvakt:{name}: a word is both in Delivered and in Failed.";
    }

    /// <summary>True: arrived; false: never will; null: neither.</summary>
    public bool? IsDelivered(string state) =>
        WordsOf(Delivered).Contains(state, StringComparer.OrdinalIgnoreCase) ? true : WordsOf(Failed).Contains(state, StringComparer.OrdinalIgnoreCase) ? false : null;

    private static string[] WordsOf(string list) => list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
