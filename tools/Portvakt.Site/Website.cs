using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Tables;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Portvakt.Site;

/// <summary>
/// The texts of the repository as a website that needs no server: links between texts become links between pages, and what leads nowhere is a problem.
/// The same texts always make the same files.
/// </summary>
public sealed class Website
{
    private const string Stylesheet = "src/Portvakt.Server/wwwroot/design/portvakt.css";
    private const string Icon = "src/Portvakt.Server/wwwroot/icon.svg";

    private static readonly MarkdownPipeline Markdown = new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).DisableHtml().Build();
    private static readonly Dictionary<string, string> LanguagesOfColumns = new(StringComparer.Ordinal) { ["Bokmål"] = "nb", ["Nynorsk"] = "nn" };

    private readonly string _root;
    private readonly string? _guides;
    private readonly List<string> _problems = [];
    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal); // address → source
    private readonly List<(string Source, string Link, string Address, string Anchor)> _links = [];

    private Website(string root, string? guides) => (_root, _guides) = (Path.GetFullPath(root), guides);

    /// <summary>In the order of the navigation.</summary>
    public IReadOnlyList<Page> Pages { get; private set; } = [];

    /// <summary>What must be mended first: links, anchors and pictures that lead nowhere. A sentence each, with the text it is in.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Reads all texts; writes nothing.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="guides">What <c>dev.cs guides</c> made, a folder for each language; without it the page of the guides says how to make them.</param>
    public static Website Read(string root, string? guides = null)
    {
        var site = new Website(root, guides);
        site.Pages = [.. site.Sources().Select(site.ReadPage)];
        site.Pages = [.. site.Pages, site.ListOfDecisions()];
        site.Take("portvakt.css", Stylesheet);
        site.Take("icon.svg", Icon);
        site.Check();
        return site;
    }

    /// <summary>Writes it all into a folder, which is emptied first.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="Problems"/>, or the folder has something else in it.</exception>
    public void Write(string folder)
    {
        if (_problems.Count > 0) throw new InvalidOperationException("A website with problems is not written.");
        var old = new DirectoryInfo(folder);
        if (old.Exists && old.EnumerateFileSystemInfos().Any() && !File.Exists(Path.Combine(folder, "search-index.js"))) throw new InvalidOperationException($"{folder} holds something else than a website of ours.");
        if (old.Exists) old.Delete(recursive: true);

        foreach (var page in Pages) Save(folder, page.Address, Dress(page));
        foreach (var name in new[] { "site.css", "search.js" }) Save(folder, name, Resource(name));
        Save(folder, "search-index.js", Index());
        foreach (var (address, source) in _files) Copy(Path.Combine(_root, source), Path.Combine(folder, address));
        foreach (var (address, source) in Guides()) Copy(source, Path.Combine(folder, address));
    }

    /// <summary>Each text once, chapter by chapter, the decisions last.</summary>
    private IEnumerable<string> Sources()
    {
        var docs = Path.Combine(_root, "docs");
        var all = (Directory.Exists(docs) ? Directory.EnumerateFiles(docs, "*.md", SearchOption.AllDirectories) : [])
            .Select(file => Path.GetRelativePath(_root, file).Replace('\\', '/')).Order(StringComparer.Ordinal).ToList();
        var named = Contents.Chapters.SelectMany(chapter => chapter.Sources).Where(source => File.Exists(Path.Combine(_root, source))).ToList();
        return named.Concat(all.Except(named, StringComparer.Ordinal));
    }

    private static Chapter? ChapterOf(string source) => source.StartsWith(Contents.Decisions, StringComparison.Ordinal) ? null
        : Contents.Chapters.FirstOrDefault(chapter => chapter.Sources.Contains(source, StringComparer.Ordinal))
        ?? Contents.Chapters.First(chapter => chapter.Folder is { } folder && source.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>docs/operating/install.md is operating/install.html; README.md is the first page; what lies elsewhere keeps its folder's name.</summary>
    private static string AddressOf(string source)
    {
        var path = source.StartsWith("docs/", StringComparison.Ordinal) ? source["docs/".Length..] : source;
        if (path is "README.md") return "index.html";
        return Path.ChangeExtension(path.EndsWith("/README.md", StringComparison.Ordinal) ? path[..^"/README.md".Length] + ".md" : path.Contains('/', StringComparison.Ordinal) ? path : path.ToLowerInvariant(), ".html");
    }

    private Page ReadPage(string source)
    {
        var document = Markdig.Markdown.Parse(File.ReadAllText(Path.Combine(_root, source)), Markdown);
        var headings = document.Descendants<HeadingBlock>().ToList();
        if (headings is not [{ Level: 1 }, ..] || headings.Count(heading => heading.Level is 1) is not 1) _problems.Add($"{source}: begins with one heading of the first level, and has no other.");
        var address = AddressOf(source);
        foreach (var link in document.Descendants<LinkInline>()) link.Url = Resolve(source, address, link);
        foreach (var table in document.Descendants<Table>())
        {
            SayLanguages(table);
            AlignWithoutStyle(table);
        }

        return new(source, address, headings.Count is 0 ? source : TextOf(headings[0]), Render(document), Divide(document));
    }

    /// <summary>Where a link of a text leads from its page. What it leads to is checked when all pages are known.</summary>
    private string Resolve(string source, string page, LinkInline link)
    {
        var url = link.Url ?? "";
        if (Uri.TryCreate(url, UriKind.Absolute, out var absolute) && absolute.Scheme is "https" or "mailto" && !link.IsImage) return url;
        var (path, anchor) = url.Split('#', 2) switch { [var only] => (only, ""), var parts => (parts[0], parts[1]) };
        var target = path is "" ? source : Path.GetRelativePath(_root, Path.GetFullPath(Uri.UnescapeDataString(path), Path.Combine(_root, Path.GetDirectoryName(source)!))).Replace('\\', '/');
        string address;
        if (target.EndsWith(".md", StringComparison.Ordinal)) address = AddressOf(target);
        else if (target.TrimEnd('/') + "/" is Contents.Decisions) address = "decisions/index.html";
        else
        {
            address = target switch
            {
                "LICENSE" => "licence.txt",
                _ when target.StartsWith("docs/", StringComparison.Ordinal) => target["docs/".Length..],
                _ => "pictures/" + string.Join('/', target.Split('/')[^2..]),
            };
            if (link.IsImage || target is "LICENSE" || target.StartsWith("docs/", StringComparison.Ordinal)) Take(address, target, source);
            else _problems.Add($"{source}: links to {url}, which is not a page of the website.");
        }

        if (link.IsImage && string.IsNullOrWhiteSpace(TextOf(link))) _problems.Add($"{source}: the picture {url} has no words for those who cannot see it.");
        _links.Add((source, url, address, anchor));
        var relative = path is "" ? "" : Path.GetRelativePath(Path.GetDirectoryName("/" + page)!, "/" + address).Replace('\\', '/');
        return anchor is "" ? relative : $"{relative}#{anchor}";
    }

    /// <summary>A screen reader says the word of another language by that language's sounds.</summary>
    private static void SayLanguages(Table table)
    {
        if (table is not [TableRow header, ..]) return;
        foreach (var (at, language) in header.Select((cell, at) => (at, Language: LanguagesOfColumns.GetValueOrDefault(TextOf((MarkdownObject)cell)))).Where(column => column.Language is not null))
        {
            foreach (var row in table.Skip(1).Cast<TableRow>().Where(row => row.Count > at)) row[at].GetAttributes().AddProperty("lang", language!);
        }
    }

    /// <summary>The content policy lets no element have a style of its own: columns of figures have a class instead.</summary>
    private static void AlignWithoutStyle(Table table)
    {
        foreach (var (column, at) in table.ColumnDefinitions.Select((column, at) => (column, at)))
        {
            if (column.Alignment is TableColumnAlign.Right)
            {
                foreach (var row in table.Cast<TableRow>().Where(row => row.Count > at)) row[at].GetAttributes().AddClass("figure");
            }

            column.Alignment = null;
        }
    }

    private static string Render(MarkdownDocument document)
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        var renderer = new HtmlRenderer(writer);
        Markdown.Setup(renderer);
        renderer.Render(document);

        // What is wider than the window scrolls by itself, for whoever has only a keyboard too.
        return writer.ToString()
            .Replace("<table>", "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>", StringComparison.Ordinal).Replace("</table>", "</table></div>", StringComparison.Ordinal)
            .Replace("<pre>", "<pre tabindex=\"0\">", StringComparison.Ordinal);
    }

    private static List<Section> Divide(MarkdownDocument document)
    {
        var sections = new List<Section>();
        var (heading, text) = ((HeadingBlock?)null, new StringBuilder());
        foreach (var block in document)
        {
            if (block is HeadingBlock next)
            {
                if (heading is not null) End();
                heading = next;
            }
            else if (TextOf(block) is { Length: > 0 } words) text.Append(words).Append(' ');
        }

        if (heading is not null) End();
        return sections;

        void End()
        {
            sections.Add(new(heading.Level is 1 ? "" : heading.GetAttributes().Id ?? "", heading.Level, TextOf(heading), text.ToString().TrimEnd()));
            text.Clear();
        }
    }

    /// <summary>The words alone.</summary>
    private static string TextOf(MarkdownObject part)
    {
        var text = new StringBuilder();
        Add(part);
        return string.Join(' ', text.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

        void Add(MarkdownObject what)
        {
            switch (what)
            {
                case LiteralInline literal: text.Append(literal.Content.AsSpan()); break;
                case CodeInline code: text.Append(code.ContentSpan); break;
                case HtmlEntityInline entity: text.Append(entity.Transcoded.AsSpan()); break;
                case AutolinkInline link: text.Append(link.Url); break;
                case LineBreakInline: text.Append(' '); break;
                case ContainerInline container: foreach (var inner in container) Add(inner); break;
                case LeafBlock { Inline: { } inline }: Add(inline); text.Append(' '); break;
                case LeafBlock { Lines.Count: > 0 } code: text.Append(code.Lines).Append(' '); break;
                case ContainerBlock container: foreach (var inner in container) Add(inner); break;
                default: break; // a rule between two parts says nothing
            }
        }
    }

    private Page ListOfDecisions()
    {
        var decisions = Pages.Where(page => page.Source.StartsWith(Contents.Decisions, StringComparison.Ordinal)).ToList();
        var body = $"<h1>Decisions</h1>\n<p>Why it is as it is: what was asked, what was decided, and what follows.</p>\n<ul>\n{string.Concat(decisions.Select(page => $"<li><a href=\"{page.Address["decisions/".Length..]}\">{Text(page.Title)}</a></li>\n"))}</ul>\n";
        return new(Contents.Decisions, "decisions/index.html", "Decisions", body, [new("", 1, "Decisions", "")]);
    }

    private void Take(string address, string source, string? from = null)
    {
        if (!File.Exists(Path.Combine(_root, source))) _problems.Add(from is null ? $"{source} is missing; build the server first." : $"{from}: shows or links to {source}, which is not there.");
        else if (!_files.TryAdd(address, source) && _files[address] != source) _problems.Add($"{from}: {source} and {_files[address]} want the same address.");
    }

    private void Check()
    {
        var anchors = Pages.ToDictionary(page => page.Address, page => page.Sections.Select(section => section.Anchor).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var (source, link, address, anchor) in _links)
        {
            if (anchors.TryGetValue(address, out var known))
            {
                if (!known.Contains(anchor)) _problems.Add($"{source}: links to {link}, and there is no such heading.");
            }
            else if (address.EndsWith(".html", StringComparison.Ordinal)) _problems.Add($"{source}: links to {link}, which is not there.");
        }
    }

    private string Dress(Page page)
    {
        var up = string.Concat(Enumerable.Repeat("../", page.Address.Count(letter => letter is '/')));
        var parts = page.Sections.Where(section => section.Level is 2).ToList();
        var values = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["up"] = up,
            ["title"] = Text(page.Address is "index.html" ? page.Title : $"{page.Title} – Portvakt"),
            ["body"] = page.Source is "docs/guides.md" ? page.Body + ListOfGuides() : page.Body,
            ["contents"] = Navigation(page, up),
            ["parts"] = parts.Count < 3 ? "" : $"<nav class=\"parts\" aria-labelledby=\"parts\">\n<h2 id=\"parts\">On this page</h2>\n<ul>\n{string.Concat(parts.Select(part => $"<li><a href=\"#{part.Anchor}\">{Text(part.Title)}</a></li>\n"))}</ul>\n</nav>",
        };
        return values.Aggregate(Resource("page.html"), (html, value) => html.Replace($"{{{{{value.Key}}}}}", value.Value, StringComparison.Ordinal));
    }

    private string Navigation(Page current, string up)
    {
        var html = new StringBuilder();
        foreach (var chapter in Contents.Chapters)
        {
            var pages = Pages.Where(page => ChapterOf(page.Source) == chapter).ToList();
            if (pages.Count is 0) continue;
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Text(chapter.Title)}</h2>\n<ul>\n");
            foreach (var page in pages) html.Append(Item(page));
            if (chapter == Contents.Chapters[^1]) html.Append(Item(Pages[^1])); // the list of decisions
            html.Append("</ul>\n");
        }

        return html.ToString();

        string Item(Page page)
        {
            var here = page == current ? " aria-current=\"page\"" : page == Pages[^1] && current.Source.StartsWith(Contents.Decisions, StringComparison.Ordinal) ? " aria-current=\"true\"" : "";
            var name = page.Title.Split(": ")[0].Split(" (")[0]; // what follows explains it
            return $"<li><a href=\"{up}{page.Address}\"{here}>{Text(name)}</a></li>\n";
        }
    }

    /// <summary>As dev.cs guides names them, in the order of the languages there.</summary>
    private IEnumerable<(string Address, string File)> Guides() => _guides is null ? []
        : Directory.EnumerateFiles(_guides, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".html" or ".pdf").Order(StringComparer.Ordinal)
            .Select(file => ("guides/" + Path.GetRelativePath(_guides, file).Replace('\\', '/'), file));

    private string ListOfGuides()
    {
        (string Code, string Name)[] languages = [("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English")];
        var guides = Guides().Select(guide => guide.Address).ToHashSet(StringComparer.Ordinal);
        if (guides.Count is 0) return "<p>This copy of the website was built without them.</p>\n";
        var html = new StringBuilder("<div class=\"guides\">\n");
        foreach (var (code, name) in languages)
        {
            html.Append(CultureInfo.InvariantCulture, $"<section lang=\"{code}\">\n<h2 id=\"{code}\">{name}</h2>\n<ul>\n");
            foreach (var guide in guides.Where(guide => guide.StartsWith($"guides/{code}/", StringComparison.Ordinal) && guide.EndsWith(".html", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                var paper = Path.ChangeExtension(guide, ".pdf");
                var title = WebUtility.HtmlDecode(TitleOf(Path.Combine(_guides!, guide["guides/".Length..])));
                html.Append(CultureInfo.InvariantCulture, $"<li><a href=\"{guide}\">{Text(title)}</a>{(guides.Contains(paper) ? $" (<a href=\"{paper}\" aria-label=\"{Text(title)}, PDF\">PDF</a>)" : "")}</li>\n");
            }

            html.Append("</ul>\n</section>\n");
        }

        return html.Append("</div>\n").ToString();
    }

    /// <summary>What stands before the organisation's name.</summary>
    private static string TitleOf(string file)
    {
        var html = File.ReadAllText(file);
        var (from, to) = (html.IndexOf("<title>", StringComparison.Ordinal), html.IndexOf("</title>", StringComparison.Ordinal));
        var title = from < 0 || to < from ? "" : html[(from + "<title>".Length)..to].Split(" – ")[0];
        return title is "" ? Path.GetFileNameWithoutExtension(file) : title;
    }

    /// <summary>A script and not a file of data, because a page that was opened from the disk may read the one and not the other.</summary>
    private string Index()
    {
        var entries = Pages.SelectMany(page => page.Sections.Select(section => new[] { section.Anchor is "" ? page.Address : $"{page.Address}#{section.Anchor}", page.Title, section.Level is 1 ? "" : section.Title, section.Text }));
        return $"globalThis.portvaktIndex = {JsonSerializer.Serialize(entries, Readable)};\n";
    }

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(Website).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static void Save(string folder, string address, string text)
    {
        var file = Path.Combine(folder, address);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static void Copy(string source, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target);
    }
}
