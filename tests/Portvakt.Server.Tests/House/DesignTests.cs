using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Html.Parser;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>The style page shows all that there is, to those who try the demo and to nobody else.</summary>
public sealed partial class DesignTests(HouseServer house) : IClassFixture<HouseServer>
{
    [Fact]
    public async Task Outside_the_demo_there_is_no_style_page_and_the_files_beside_it_are_there()
    {
        using var http = new HttpClient(house.Server.Handler()) { BaseAddress = new Uri(PortvaktServer.Origin) };
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("/design")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/design/portvakt.css")).StatusCode);
    }

    [Theory]
    [InlineData("nb")]
    [InlineData("nn")]
    [InlineData("en")]
    public async Task In_the_demo_it_shows_every_part_that_the_stylesheets_dress(string language)
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, new() { ["Portvakt:Demo"] = "true", ["Portvakt:PublicAddress"] = "http://localhost" });
        using var http = new HttpClient(server.Handler()) { BaseAddress = new Uri("http://localhost") };
        using var page = await new HtmlParser().ParseDocumentAsync(await http.GetStringAsync($"/design?lang={language}"));
        Assert.Equal(language, page.DocumentElement.GetAttribute("lang"));
        Assert.Equal(page.QuerySelectorAll("main > section").Select(part => "#" + part.Id), page.QuerySelectorAll("main nav a").Select(link => link.GetAttribute("href")));
        Assert.Equal([], page.QuerySelectorAll("[id]").GroupBy(part => part.Id, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => same.Key));

        var look = Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server", "Look");
        var dressed = new[] { "portvakt.css", "install.css" }.SelectMany(name => Class().Matches(File.ReadAllText(Path.Combine(look, name))).Select(match => match.Groups[1].Value)).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(dressed.Count > 50, $"{dressed.Count}");
        Assert.Equal([], dressed.Where(name => page.QuerySelector("." + name) is null).Order(StringComparer.Ordinal));

        // A word that is missing would be shown by its name.
        Assert.DoesNotContain(page.QuerySelectorAll("main p, main label, main button, main h3").Select(part => part.TextContent.Trim()), text => Key().IsMatch(text));
    }

    [GeneratedRegex(@"\.(pv-[a-z-]+)")]
    private static partial Regex Class();

    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-z]+)+(Title|Text)$")]
    private static partial Regex Key();
}
