namespace Portvakt.Server.Branding;

/// <summary>Hands out the organisation's stylesheet and pictures, from memory.</summary>
public static class StyleEndpoint
{
    public static void MapHouseStyle(this WebApplication app) => app.MapMethods("/look/{version}/{file}", ["GET", "HEAD"], Send).ExcludeFromDescription().WithSummary("The organisation's look.");

    private static IResult Send(string version, string file, HttpContext http, HouseStyle style)
    {
        if (style.Current.Files.FirstOrDefault(known => known.Name == file) is not { } found) return Results.NotFound();
        var headers = http.Response.Headers;

        // Another version: this node has not heard of it yet, or the page is old. What is worn now is shown, and kept by nobody.
        headers.CacheControl = found.Version == version ? "public, max-age=31536000, immutable" : "no-store";
        if (found.Compressed is not { } compressed) return Results.Bytes(found.Content, found.MediaType);
        headers.Vary = "Accept-Encoding";
        if (!http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.OrdinalIgnoreCase)) return Results.Bytes(found.Content, found.MediaType);
        headers.ContentEncoding = "br";
        return Results.Bytes(compressed, found.MediaType);
    }
}
