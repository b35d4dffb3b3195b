using System.Globalization;
using Microsoft.AspNetCore.Localization;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Portvakt.Server.Hosting;

/// <summary>Bokmål, nynorsk and English as equals: asked for by the browser, chosen by the person with <c>?lang=</c>, remembered in a cookie.</summary>
public static class Localisation
{
    public const string CookieName = "__Host-portvakt-language";

    /// <summary>Code, and the language's name for itself.</summary>
    public static readonly (string Code, string Name)[] Languages = [("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English")];

    public static void AddPortvaktLocalisation(this IServiceCollection services)
    {
        services.AddLocalization();
        services.AddOptions<RequestLocalizationOptions>().Configure<IOptions<PortvaktSettings>>((options, settings) =>
        {
            var fallback = settings.Value.DefaultLanguage;
            options.SupportedCultures = [.. Languages.Select(language => CultureOf(language.Code))];
            options.SupportedUICultures = [.. Languages.Select(language => CultureInfo.GetCultureInfo(language.Code))];
            options.DefaultRequestCulture = new RequestCulture(CultureOf(fallback), CultureInfo.GetCultureInfo(fallback));
            options.FallBackToParentCultures = false;
            options.FallBackToParentUICultures = false;
            options.RequestCultureProviders = [new CustomRequestCultureProvider(http => Task.FromResult<ProviderCultureResult?>(Choose(http, fallback)))];
        });
    }

    public static bool IsKnown(string? code) => code is "nb" or "nn" or "en";

    /// <summary>How dates and numbers are written in a language.</summary>
    public static CultureInfo CultureOf(string code) => CultureInfo.GetCultureInfo(code switch { "nn" => "nn-NO", "en" => "en-GB", _ => "nb-NO" });

    /// <summary>A day as a sentence has it: "1. november 2026", "1 November 2026".</summary>
    /// <param name="moment">Any moment of the day.</param>
    /// <param name="zone">Where it is that day: <see cref="PortvaktSettings.Zone"/>.</param>
    public static string Date(DateTimeOffset moment, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(moment, zone).ToString(Current is "en" ? "d MMMM yyyy" : "d. MMMM yyyy", CultureInfo.CurrentCulture);

    /// <summary>A day and a time of day there: "1. november 2026 kl. 08:30", "1 November 2026 at 08:30".</summary>
    public static string DateAndTime(DateTimeOffset moment, TimeZoneInfo zone) =>
        $"{Date(moment, zone)} {(Current is "en" ? "at" : "kl.")} {TimeZoneInfo.ConvertTime(moment, zone).ToString("HH:mm", CultureInfo.CurrentCulture)}";

    /// <summary>The last day before a deadline, as people of a time zone count days.</summary>
    public static string LastDay(DateTimeOffset deadline, TimeZoneInfo zone) => Date(Domain.Rollout.EnrolmentRule.LastDay(deadline, zone));

    public static string Date(DateOnly day) => Date(day, Current);

    /// <summary>As above, in a language that is not the one of the request.</summary>
    public static string Date(DateOnly day, string language) => day.ToString(language is "en" ? "d MMMM yyyy" : "d. MMMM yyyy", CultureOf(language));

    /// <summary>The language of the present request: nb, nn or en.</summary>
    public static string Current => CultureInfo.CurrentUICulture.Name;

    private static ProviderCultureResult Choose(HttpContext http, string fallback)
    {
        var code = Asked(http) ?? (http.Request.Cookies[CookieName] is { } chosen && IsKnown(chosen) ? chosen : FromHeader(http, fallback));
        return new ProviderCultureResult(CultureOf(code).Name, code);
    }

    private static string? Asked(HttpContext http)
    {
        if (http.Request.Query["lang"] is not [{ } code] || !IsKnown(code)) return null;
        http.Response.Cookies.Append(CookieName, code, BrowserCookie.Options(TimeSpan.FromDays(365)));
        return code;
    }

    /// <summary>The first language of the browser that we speak. One that names only others gets English.</summary>
    private static string FromHeader(HttpContext http, string fallback)
    {
        if (!StringWithQualityHeaderValue.TryParseList(http.Request.Headers.AcceptLanguage, out var accepted) || accepted.Count is 0) return fallback;
        foreach (var tag in accepted.Where(item => item.Quality is not 0).OrderByDescending(item => item.Quality ?? 1).Select(item => item.Value.Value ?? ""))
        {
            var code = tag.Split('-')[0].ToLowerInvariant();
            if (code is "*") return fallback;
            if (code is "no") return "nb";
            if (IsKnown(code)) return code;
        }

        return "en";
    }
}
