using System.Globalization;
using Microsoft.Extensions.Localization;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Hosting;

/// <summary>How somebody who tries too often is told when to come back: the machine in seconds, the person in minutes.</summary>
public static class SlowDown
{
    /// <summary>When whoever met a full queue, or a database that is away, shall come back.</summary>
    public static readonly TimeSpan Busy = TimeSpan.FromSeconds(5);

    /// <summary>The header <c>Retry-After</c> (RFC 9110, section 10.2.3), in whole seconds and never too early.</summary>
    public static void RetryAfter(this HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = ((int)Math.Min(Math.Ceiling(wait.TotalSeconds), int.MaxValue)).ToString(CultureInfo.InvariantCulture);

    public static string TooManyTries(this IStringLocalizer<Words> words, TimeSpan wait) => words["TooManyTries", Math.Max(1, (int)Math.Ceiling(wait.TotalMinutes))];
}
