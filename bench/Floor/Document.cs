using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Portvakt.Bench.Floor;

/// <summary>A public document: bytes, and headers that were made once.</summary>
internal sealed class Document(byte[] bytes)
{
    private readonly string _tag = $"\"{Base64Url.EncodeToString(SHA256.HashData(bytes))}\"";

    public Task SendAsync(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ETag = _tag;
        headers.CacheControl = "public, max-age=3600";
        headers.ContentType = "application/json";
        headers.ContentLength = bytes.Length;
        return http.Response.Body.WriteAsync(bytes, http.RequestAborted).AsTask();
    }
}
