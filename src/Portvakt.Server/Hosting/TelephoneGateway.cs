namespace Portvakt.Server.Hosting;

/// <summary>
/// A provider of text messages or calls, as one HTTP request: any provider can be used. In the address, the headers and the body <c>{number}</c>, <c>{text}</c>,
/// <c>{language}</c> and <c>{id}</c> stand for what is sent, encoded for the place where they stand.
/// </summary>
public sealed class TelephoneGateway
{
    /// <summary>https, or http on this machine.</summary>
    public string Address { get; set; } = "";

    /// <summary>POST, PUT or GET.</summary>
    public string Method { get; set; } = "POST";

    public Dictionary<string, string> Headers { get; set; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Its form decides how values are encoded: <c>application/json</c>, <c>application/x-www-form-urlencoded</c> or <c>text/plain</c>.</summary>
    public string ContentType { get; set; } = "application/json";

    public string Body { get; set; } = "";
}
