using Microsoft.AspNetCore.WebUtilities;

namespace Portvakt.Server.Shared;

/// <summary>Links that a layout needs.</summary>
public static class Addresses
{
    /// <summary>The present page in another language: same path, same query, nothing of a form.</summary>
    public static string WithLanguage(HttpRequest request, string code)
    {
        var query = QueryHelpers.ParseQuery(request.QueryString.Value).Where(pair => pair.Key != "lang").Append(new("lang", code));
        return QueryHelpers.AddQueryString(request.Path, query.SelectMany(pair => pair.Value, (pair, value) => new KeyValuePair<string, string?>(pair.Key, value)));
    }
}
