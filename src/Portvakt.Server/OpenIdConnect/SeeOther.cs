namespace Portvakt.Server.OpenIdConnect;

/// <summary>303: what follows is a GET, whatever came before (R72). The caller has checked the address.</summary>
internal sealed class SeeOther(string address) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = address;
        httpContext.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    /// <summary>The same request as a GET, in one canonical spelling: sorted, everything escaped, without <paramref name="leaveOut"/>.</summary>
    public static string SameRequest(HttpRequest request, string? leaveOut)
    {
        IEnumerable<KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>> parameters = HttpMethods.IsPost(request.Method) ? request.Form : request.Query;
        return request.Path + QueryString.Create(parameters.Where(pair => pair.Key != leaveOut).OrderBy(pair => pair.Key, StringComparer.Ordinal)).ToUriComponent();
    }
}
