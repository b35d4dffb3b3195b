using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc.Filters;
using Portvakt.Domain.People;

namespace Portvakt.Server.Administration;

/// <summary>
/// A page that takes more than a sign-in may send, from those only who may do the act in the whole organisation: asked before the first byte of the form is read,
/// hence before the check of forgery, which reads it.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class UploadAttribute(Act act, long bytes) : Attribute, IAsyncAuthorizationFilter, IOrderedFilter
{
    public Act Act => act;
    public long Bytes => bytes;
    public int Order => int.MinValue + 1000;

    public async Task OnAuthorizationAsync(AuthorizationFilterContext context)
    {
        var http = context.HttpContext;
        if (!HttpMethods.IsPost(http.Request.Method) || http.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } limit) return;
        if (await http.RequestServices.GetRequiredService<Reception>().DeskAsync(http) is { IsFresh: true } desk && desk.AllowsEverywhere(act)) limit.MaxRequestBodySize = bytes;
    }
}
