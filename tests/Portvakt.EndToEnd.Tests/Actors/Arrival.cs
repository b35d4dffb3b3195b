using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>Where a page has come to.</summary>
internal static class Arrival
{
    /// <summary>
    /// Looks until the page is at this address. Playwright's own wait for an address waits for the page's <c>load</c> as well, and for ever where a redirect came in between.
    /// </summary>
    /// <param name="page">Which.</param>
    /// <param name="address">Whole; <c>*</c> stands for anything within a segment, <c>**</c> for anything.</param>
    public static Task ArriveAsync(this IPage page, string address) =>
        Expect(page).ToHaveURLAsync(new Regex($"^{Regex.Escape(address).Replace(@"\*\*", ".*", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal)}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
}
