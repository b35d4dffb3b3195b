using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Branding;

/// <summary>A file that is served from memory. Its address changes with its content, so that a browser keeps it for ever.</summary>
/// <param name="Name">Last part of the address.</param>
/// <param name="MediaType">RFC 6838.</param>
/// <param name="Content">As it is.</param>
/// <param name="Compressed">By Brotli (RFC 7932); null for pictures, which are.</param>
public sealed record StyleFile(string Name, string MediaType, byte[] Content, byte[]? Compressed = null)
{
    /// <summary>Names the content.</summary>
    public string Version { get; } = Convert.ToHexStringLower(SHA256.HashData(Content).AsSpan(0, 8));

    public string Address => $"/look/{Version}/{Name}";
}

/// <summary>What the organisation has made its own, as of one moment. Nothing, until somebody has said something.</summary>
public sealed class StyleEdition
{
    public static readonly StyleEdition None = new();

    /// <summary>Of the row that it was read from; null: there is none.</summary>
    public int? Number { get; init; }

    public BrandTheme? Theme { get; init; }
    public bool IsTinted { get; init; }

    /// <summary>Rules that follow the stylesheet of the pages.</summary>
    public StyleFile? Sheet { get; init; }

    public PictureFile? Logo { get; init; }
    public StyleFile? LogoFile { get; init; }

    /// <summary>The logo shows the organisation's name, which need not stand beside it.</summary>
    public bool LogoHasName { get; init; }

    public PictureFile? Background { get; init; }
    public StyleFile? BackgroundFile { get; init; }

    /// <summary>Our own icon in the organisation's colour.</summary>
    public StyleFile? Icon { get; init; }

    /// <summary>The organisation's own words, by key and language.</summary>
    public IReadOnlyDictionary<(string Key, string Language), string> Texts { get; init; } = new Dictionary<(string, string), string>();

    public IEnumerable<StyleFile> Files => ((StyleFile?[])[Sheet, LogoFile, BackgroundFile, Icon]).OfType<StyleFile>();

    /// <summary>A text of <see cref="OwnTexts"/> with its placeholders: the organisation's own, or the standard one.</summary>
    public string Text(string key, string language) => Texts.GetValueOrDefault((key, language)) ?? OwnTexts.Standard(key, language);
}

/// <summary>
/// The organisation's look and words, held in memory because every page wears them. Who changes them calls <see cref="PublishAsync"/>; other nodes are woken by <see cref="Signals"/>, and look
/// every two seconds where there may be others: one number is read, and the rest when it has changed.
/// </summary>
public sealed class HouseStyle(IServiceScopeFactory scopes, Signals signals, IWebHostEnvironment house, IOptions<PortvaktSettings> settings, ILogger<HouseStyle> log) : BackgroundService
{
    public const int MostLogoBytes = 200 * 1024;
    public const int MostLogoPixels = 1600;
    public const int MostBackgroundBytes = 600 * 1024;
    public const int MostBackgroundPixels = 4096;

    private const int TheRow = 1;
    private const string Topic = "look";
    private static readonly TimeSpan LookAnyway = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim _one = new(1);
    private volatile StyleEdition _current = StyleEdition.None;

    public StyleEdition Current => _current;

    /// <summary>A text of <see cref="OwnTexts"/> in the language of the request, with the organisation's name in it.</summary>
    public string Text(string key) =>
        OwnTexts.Fill(_current.Text(key, Localisation.Current), new Dictionary<string, string>(StringComparer.Ordinal) { ["organisation"] = settings.Value.Organisation });

    /// <summary>The row to change, or to change a text beside: marked, so that the save makes a new edition of it.</summary>
    public static async Task<OrganisationLook> ForChangeAsync(PortvaktDb db, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (await db.OrganisationLooks.SingleOrDefaultAsync(known => known.Id == TheRow, cancellationToken) is not { } row) return db.OrganisationLooks.Add(new OrganisationLook { Id = TheRow, ChangedAt = now }).Entity;
        row.ChangedAt = now;
        db.Entry(row).Property(look => look.ChangedAt).IsModified = true; // two changes within one tick are two
        return row;
    }

    /// <summary>After a change was saved: it is worn here at once, and elsewhere in a moment.</summary>
    public async Task PublishAsync(CancellationToken cancellationToken)
    {
        await LoadAsync(cancellationToken);
        signals.Wake(Topic);
    }

    /// <summary>Reads what has changed since it was read last.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken); // whoever reads later must not be overtaken by who read before
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            if (await db.OrganisationLooks.Where(row => row.Id == TheRow).Select(row => (int?)row.Version).SingleOrDefaultAsync(cancellationToken) == _current.Number) return;
            var row = await db.OrganisationLooks.AsNoTracking().SingleOrDefaultAsync(row => row.Id == TheRow, cancellationToken);
            var texts = await db.OwnTexts.AsNoTracking().ToDictionaryAsync(text => (text.Key, text.Language), text => text.Text, cancellationToken);
            _current = row is null ? StyleEdition.None : Draw(row, texts);
        }
        finally
        {
            _one.Release();
        }
    }

    public override void Dispose()
    {
        _one.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var waiter = signals.Listen(Topic);
        while (true)
        {
            await waiter.WaitAsync(LookAnyway, stoppingToken);
            try
            {
                await LoadAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the looking; what was read last is worn until it is back
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.LookNotRead(problem.GetType().Name);
            }
        }
    }

    private StyleEdition Draw(OrganisationLook row, Dictionary<(string Key, string Language), string> texts)
    {
        var theme = Colour.Parse(row.Colour) is { } colour ? BrandTheme.Of(colour, row.IsTinted) : null;
        var logo = Read(row.Logo, MostLogoBytes, MostLogoPixels);
        var background = Read(row.Background, MostBackgroundBytes, MostBackgroundPixels);
        var logoFile = FileOf(logo, "logo");
        var backgroundFile = FileOf(background, "background");
        var rules = new StringBuilder(theme?.Rules());
        if (logo is not null) rules.Append(LogoRules);
        if (backgroundFile is not null) rules.Append(BackgroundRules(backgroundFile));
        return new StyleEdition
        {
            Number = row.Version,
            Theme = theme,
            IsTinted = row.IsTinted,
            Sheet = rules.Length is 0 ? null : Text("theme.css", "text/css; charset=utf-8", rules.ToString()),
            Logo = logo,
            LogoFile = logoFile,
            LogoHasName = row.LogoHasName,
            Background = background,
            BackgroundFile = backgroundFile,
            Icon = theme is null || !house.WebRootFileProvider.GetFileInfo("icon.svg").Exists ? null : Text("icon.svg", "image/svg+xml", Icon(theme)),
            Texts = texts,
        };
    }

    /// <summary>Read again although it was read before it was kept: what comes out of a database is sent to everybody.</summary>
    private static PictureFile? Read(byte[]? content, int mostBytes, int mostPixels) =>
        content is not null && PictureFile.Read(content, mostBytes, mostPixels, out var picture) is PictureTrouble.None ? picture : null;

    private static StyleFile? FileOf(PictureFile? picture, string name) =>
        picture is null ? null : new StyleFile($"{name}.{(picture.Kind switch { PictureKind.Png => "png", PictureKind.Jpeg => "jpg", _ => "webp" })}", picture.MediaType, picture.Content);

    /// <summary>As large as there is room, and on white in the dark: most logos are drawn for paper.</summary>
    private const string LogoRules = ".pv-organisation{flex-wrap:wrap}.pv-organisation>.pv-logo{width:auto;height:auto;max-width:min(14rem,60vw);max-height:2.75rem}@media print{.pv-organisation>.pv-logo{max-width:70mm;max-height:18mm}}"
        + "@media screen and (prefers-color-scheme:dark){.pv-organisation>.pv-logo{padding:.25rem .5rem;border-radius:.25rem;background:#fff}}";

    /// <summary>Where there is room beside the card. No letter stands on it: the header and the card have their own ground, and so does the footer then. In the dark it is dimmed.</summary>
    private static string BackgroundRules(StyleFile picture) =>
        $"@media screen and (min-width:48rem) and (forced-colors:none){{body{{background-image:url({picture.Address});background-position:center;background-size:cover;background-attachment:fixed}}.pv-footer{{background:var(--ds-color-neutral-background-default)}}}}"
        + "@media screen and (min-width:48rem) and (forced-colors:none) and (prefers-color-scheme:dark){body{background-color:#555;background-blend-mode:multiply}}";

    private string Icon(BrandTheme theme)
    {
        using var reader = new StreamReader(house.WebRootFileProvider.GetFileInfo("icon.svg").CreateReadStream());
        return reader.ReadToEnd().Replace("#0062ba", theme.Button.Light.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    private static StyleFile Text(string name, string type, string text)
    {
        var content = Encoding.UTF8.GetBytes(text);
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true)) brotli.Write(content);
        return new StyleFile(name, type, content, compressed.ToArray());
    }
}

internal static partial class Log
{
    [LoggerMessage(9401, LogLevel.Warning, "The organisation's look could not be read, and stays as it was: {Reason}")]
    public static partial void LookNotRead(this ILogger logger, string reason);
}
