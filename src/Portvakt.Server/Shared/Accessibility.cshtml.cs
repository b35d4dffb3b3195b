using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Shared;

/// <summary>
/// The accessibility statement that Norwegian law asks for (regulation on universal design of ICT solutions, §§ 4 a and 4 b; the model of Implementing Decision (EU) 2018/1523), made from what
/// the tests found: Resources/accessibility.json, written by <c>dev.cs accessibility</c>. Nothing is called tested that was not.
/// </summary>
public sealed class AccessibilityModel(IStringLocalizer<WcagWords> criteria, IOptions<PortvaktSettings> settings) : PageModel
{
    /// <summary>What the product has none of, and for which criteria that is the whole answer: key of the words, and numbers.</summary>
    public static IReadOnlyList<(string Words, string[] Numbers)> Absent { get; } =
    [
        ("AccessNoMedia", ["1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5", "1.4.2"]),
        ("AccessNoShortcuts", ["2.1.4"]),
        ("AccessNoGestures", ["2.5.1", "2.5.4", "2.5.7"]),
    ];

    /// <summary>The last run.</summary>
    public static TestResult Result { get; } = JsonSerializer.Deserialize<TestResult>(typeof(AccessibilityModel).Assembly.GetManifestResourceStream("accessibility.json")!, JsonSerializerOptions.Web)!;

    /// <summary>What one run of the tests saw.</summary>
    /// <param name="Date">When.</param>
    /// <param name="Screens">Pages and states.</param>
    /// <param name="Languages">nb, nn, en.</param>
    /// <param name="Modes">Ways of using a page.</param>
    /// <param name="Looks">Screens × languages × modes.</param>
    /// <param name="Checks">How many things were looked at.</param>
    /// <param name="Violations">How many of them were not as they should be.</param>
    /// <param name="Criteria">Numbers of the success criteria that the checks have to do with.</param>
    public sealed record TestResult(DateOnly Date, int Screens, string[] Languages, string[] Modes, int Looks, int Checks, int Violations, string[] Criteria);

    /// <summary>A success criterion in the reader's language.</summary>
    public sealed record Criterion(string Number, string Level, string Name);

    /// <summary>In the order of the standard.</summary>
    public IReadOnlyList<Criterion> All { get; } =
        [.. criteria.GetAllStrings(includeParentCultures: true).Select(word => (Key: word.Name.Split(' '), word.Value)).DistinctBy(word => word.Key[0], StringComparer.Ordinal)
            .Select(word => new Criterion(word.Key[0], word.Key[1], word.Value)).OrderBy(criterion => Version.Parse(criterion.Number))];

    public IEnumerable<Criterion> Tested => All.Where(criterion => Result.Criteria.Contains(criterion.Number, StringComparer.Ordinal));

    public IEnumerable<Criterion> Untested => All.Except(Tested).Where(criterion => !Absent.Any(group => group.Numbers.Contains(criterion.Number, StringComparer.Ordinal)));

    public IEnumerable<Criterion> Of(string[] numbers) => All.Where(criterion => numbers.Contains(criterion.Number, StringComparer.Ordinal));

    public string TestedOn => Localisation.Date(Result.Date);

    public static string Figure(int number) => number.ToString("N0", CultureInfo.CurrentCulture);

    /// <summary>Where people write or call when they cannot use something.</summary>
    public string? Contact => settings.Value.AccessibilityContact is { Length: > 0 } contact ? contact : settings.Value.Helpdesk;

    public void OnGet()
    {
        // Everything is known since the server started.
    }
}
