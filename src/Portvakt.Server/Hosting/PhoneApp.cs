using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace Portvakt.Server.Hosting;

/// <summary>Serves the phone app's files: its own policy, precompressed, hashed names for ever and the rest never without asking.</summary>
public static class PhoneApp
{
    public static void MapPhoneApp(this WebApplication app)
    {
        var files = app.Environment.WebRootFileProvider;
        foreach (var path in new[] { "/phone", "/phone/{**file}" })
        {
            app.MapMethods(path, ["GET", "HEAD"], (HttpContext http, string? file) => SendAsync(http, files, string.IsNullOrEmpty(file) ? "index.html" : file))
                .ExcludeFromDescription().WithSummary("The phone app.");
        }
    }

    private static async Task SendAsync(HttpContext http, IFileProvider files, string name)
    {
        // What people type leads to how the app gets on the phone. An app that is there begins at the folder, which is its worker's scope.
        if (http.Request.Path.Value is "/phone")
        {
            http.Response.Redirect("/phone/get" + http.Request.QueryString);
            return;
        }

        var type = Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".webmanifest" => "application/manifest+json; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".png" => "image/png",
            ".txt" => "text/plain; charset=utf-8",
            _ => null,
        };
        var plain = files.GetFileInfo($"phone/{name}");
        if (type is null || !plain.Exists)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        ContentPolicy.Of(http).Override = SecurityHeaders.PhonePolicy;
        var (encoding, file) = Encoded(http.Request, files, name) ?? (null, plain);
        var headers = http.Response.Headers;
        headers.Vary = "Accept-Encoding";
        if (name is "index.html" && Words(files) is { } words)
        {
            // The first script would ask for these once it runs; on a mobile network that is one more wait.
            headers.Link = $"</phone/assets/{words}>; rel=modulepreload";
            headers.Vary = "Accept-Encoding, Accept-Language";
        }

        if (encoding is not null) headers.ContentEncoding = encoding;
        headers.ContentType = type;

        // A name with a hash in it never changes its content; the page, the worker and the manifest do.
        headers.CacheControl = HasHash(name) ? "public, max-age=31536000, immutable" : "no-cache";
        var tag = new EntityTagHeaderValue($"\"{file.LastModified.UtcTicks:x}-{file.Length:x}\"");
        headers.ETag = tag.ToString();
        if (http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false)))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        http.Response.ContentLength = file.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await http.Response.SendFileAsync(file, http.RequestAborted);
    }

    private static (string? Encoding, IFileInfo File)? Encoded(HttpRequest request, IFileProvider files, string name)
    {
        var accepted = request.Headers.AcceptEncoding.ToString();
        foreach (var (encoding, ending) in new[] { ("br", ".br"), ("gzip", ".gz") })
        {
            if (accepted.Contains(encoding, StringComparison.OrdinalIgnoreCase) && files.GetFileInfo($"phone/{name}{ending}") is { Exists: true } file) return (encoding, file);
        }

        return null;
    }

    /// <summary>The app's texts in the language that the person asked for. Should the app choose another, it loads that one as well.</summary>
    private static string? Words(IFileProvider files) => files.GetDirectoryContents("phone/assets").Select(file => file.Name)
        .FirstOrDefault(name => name.StartsWith($"words.{Localisation.Current}-", StringComparison.Ordinal) && name.EndsWith(".js", StringComparison.Ordinal));

    private static bool HasHash(string name)
    {
        var stem = Path.GetFileNameWithoutExtension(name);
        var hash = stem.LastIndexOfAny(['-', '.']) is var at and >= 0 ? stem[(at + 1)..] : "";
        return hash.Length >= 8 && hash.All(char.IsAsciiLetterOrDigit);
    }
}
