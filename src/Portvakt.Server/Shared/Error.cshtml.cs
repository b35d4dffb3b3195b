using System.Globalization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Shared;

/// <summary>Whatever went wrong, in words for a person; the log has the cause under the same reference.</summary>
[IgnoreAntiforgeryToken]
[ResponseCache(NoStore = true)]
public sealed class ErrorModel : PageModel
{
    /// <summary>Not bound as a parameter: that would read the form of the request that failed, and fail again. A body that Kestrel refused keeps Kestrel's status.</summary>
    public int Status => HttpContext.Features.Get<IExceptionHandlerFeature>()?.Error switch
    {
        null => int.Parse((string)RouteData.Values["status"]!, CultureInfo.InvariantCulture),
        BadHttpRequestException wrong => wrong.StatusCode,
        _ => Response.StatusCode, // the handler has looked what it was
    };

    /// <summary>A form of ours whose cookie has gone while it lay open. What applications ask wrongly comes to /connect.</summary>
    public bool IsStaleForm => Status is StatusCodes.Status400BadRequest && HttpMethods.IsPost(Request.Method)
        && HttpContext.Features.Get<IStatusCodeReExecuteFeature>() is { } refused && !refused.OriginalPath.StartsWith("/connect/", StringComparison.Ordinal);

    public string Reference => HttpContext.TraceIdentifier;

    public void OnGet() => Show();

    public void OnPost() => Show();

    private void Show()
    {
        Response.StatusCode = Status is >= 400 and <= 599 ? Status : StatusCodes.Status404NotFound;
        if (Status is StatusCodes.Status503ServiceUnavailable) Response.RetryAfter(SlowDown.Busy);
    }
}
