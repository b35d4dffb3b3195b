using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Portvakt.Server.Hosting;

/// <summary>
/// What the pages wear: icon, stylesheet, script. Those in <c>design</c> lie there compressed as well. The pages themselves are never
/// compressed: they hold secrets beside what somebody else may have typed (BREACH).
/// </summary>
public static class PageFiles
{
    private static readonly (string Encoding, string Ending)[] Compressed = [("br", ".br"), ("gzip", ".gz")];

    public static void UsePageFiles(this WebApplication app)
    {
        var files = app.Environment.WebRootFileProvider;
        app.Use((http, next) =>
        {
            if (!http.Request.Path.StartsWithSegments("/design", StringComparison.OrdinalIgnoreCase)) return next(http);
            http.Response.Headers.Vary = HeaderNames.AcceptEncoding;
            var accepted = http.Request.Headers.AcceptEncoding.ToString();
            var ending = Array.Find(Compressed, known => accepted.Contains(known.Encoding, StringComparison.OrdinalIgnoreCase) && files.GetFileInfo(http.Request.Path + known.Ending).Exists).Ending;
            if (ending is not null) http.Request.Path += ending;
            return next(http);
        });

        // The phone app's files have a policy of their own: PhoneApp.
        app.UseWhen(
            http => !http.Request.Path.StartsWithSegments("/phone", StringComparison.OrdinalIgnoreCase),
            pages => pages.UseStaticFiles(new StaticFileOptions { ContentTypeProvider = new InnerType(), OnPrepareResponse = Prepare }));
    }

    private static void Prepare(StaticFileResponseContext file)
    {
        var headers = file.Context.Response.Headers;
        headers.CacheControl = file.Context.Request.Query.ContainsKey("v") ? "public, max-age=31536000, immutable" : "no-cache";
        var encoding = Array.Find(Compressed, known => file.File.Name.EndsWith(known.Ending, StringComparison.Ordinal)).Encoding;
        if (encoding is not null) headers.ContentEncoding = encoding;
    }

    /// <summary>A compressed file has the type of what is in it.</summary>
    private sealed class InnerType : IContentTypeProvider
    {
        private readonly FileExtensionContentTypeProvider _types = new();

        public bool TryGetContentType(string subpath, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out string contentType) =>
            _types.TryGetContentType(Array.Find(Compressed, known => subpath.EndsWith(known.Ending, StringComparison.Ordinal)).Ending is { } ending ? subpath[..^ending.Length] : subpath, out contentType);
    }
}
