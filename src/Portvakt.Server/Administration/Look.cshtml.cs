using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The organisation's colours, logo and background: looked at in light and in dark before they are used.</summary>
[Upload(Act.ManageLook, LargestForm)]
[RequestFormLimits(MultipartBodyLengthLimit = LargestForm)]
public sealed class LookModel(Reception reception, HouseStyle style, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageLook)
{
    /// <summary>The larger of the two pictures, and what a form adds; a little more, so that who sends too much is told so.</summary>
    public const int LargestForm = 2 * 1024 * 1024;

    private const string Address = "/administration/look";

    [BindProperty(SupportsGet = true)]
    public string? Colour { get; set; }

    [BindProperty(SupportsGet = true)]
    public bool Tinted { get; set; }

    [BindProperty(Name = "File")]
    public IFormFile? Upload { get; set; }

    [BindProperty]
    public bool HasName { get; set; }

    /// <summary>What everybody sees now.</summary>
    public StyleEdition Worn => style.Current;

    /// <summary>What the page shows: as it was asked for, or as it is.</summary>
    public BrandTheme? Theme { get; private set; }

    /// <summary>As it was typed.</summary>
    public string Asked { get; private set; } = "";

    public bool HasWrongColour { get; private set; }
    public string? Problem { get; private set; }

    /// <summary>The two boxes of the preview. Their names are not in the page's own text: the stylesheet of all pages need not know them.</summary>
    public static IEnumerable<(string Scheme, string Word, string Shifted, Branding.Colour Button, Branding.Colour Letters)> PreviewOf(BrandTheme theme) =>
        [("light", "LookLight", "LookDarkened", theme.Button.Light, Branding.Colour.White), ("dark", "LookDark", "LookLightened", theme.Button.Dark, Branding.Colour.Black)];

    public IActionResult OnGet() => IsAllowed() ? Shown() : StatusCode(StatusCodes.Status403Forbidden);

    /// <summary>The rules of the preview.</summary>
    public IActionResult OnGetSheet() =>
        !IsAllowed() ? StatusCode(StatusCodes.Status403Forbidden)
        : Branding.Colour.Parse(Colour) is { } colour ? Content(BrandTheme.Of(colour, Tinted).PreviewRules(), "text/css")
        : NotFound();

    public async Task<IActionResult> OnPostAsync()
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        if (Branding.Colour.Parse(Colour) is not { } colour) return Shown(StatusCodes.Status422UnprocessableEntity);
        return await ChangeAsync($"colour/{colour}", "LookColoursKept", look => (look.Colour, look.IsTinted) = (colour.ToString(), Tinted));
    }

    public Task<IActionResult> OnPostStandardAsync() => ChangeAsync("colour", "LookStandardAgain", look => (look.Colour, look.IsTinted) = (null, false));

    public Task<IActionResult> OnPostLogoAsync() =>
        WithPictureAsync(HouseStyle.MostLogoBytes, HouseStyle.MostLogoPixels, picture => ChangeAsync("logo", "LookLogoKept", look => (look.Logo, look.LogoHasName) = (picture.Content, HasName)));

    public Task<IActionResult> OnPostRemoveLogoAsync() => ChangeAsync("logo", "LookLogoRemoved", look => (look.Logo, look.LogoHasName) = (null, false));

    public Task<IActionResult> OnPostBackgroundAsync() =>
        WithPictureAsync(HouseStyle.MostBackgroundBytes, HouseStyle.MostBackgroundPixels, picture => ChangeAsync("background", "LookBackgroundKept", look => look.Background = picture.Content));

    public Task<IActionResult> OnPostRemoveBackgroundAsync() => ChangeAsync("background", "LookBackgroundRemoved", look => look.Background = null);

    private bool IsAllowed() => Desk.AllowsEverywhere(Act.ManageLook);

    /// <summary>The page, with what was asked for or, where nothing was, with what is worn.</summary>
    private IActionResult Shown(int status = StatusCodes.Status200OK)
    {
        if (Colour is null && status is StatusCodes.Status200OK)
        {
            Tinted = Worn.IsTinted;
            Theme = Worn.Theme;
            Asked = Theme?.Brand.ToString() ?? "";
            return Page();
        }

        Asked = Colour?.Trim() ?? "";
        Theme = Branding.Colour.Parse(Colour) is { } colour ? BrandTheme.Of(colour, Tinted) : null;
        if (Theme is not null) return Page();
        HasWrongColour = true;
        Problem = admin["LookNoColour"];
        return Again();
    }

    private async Task<IActionResult> WithPictureAsync(int mostBytes, int mostPixels, Func<PictureFile, Task<IActionResult>> then)
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        if (Upload is not { Length: > 0 } file) return Wrong(admin["LookNoFile"]);
        if (file.Length > mostBytes) return Wrong(Trouble(PictureTrouble.TooManyBytes));
        using var content = new MemoryStream((int)file.Length);
        await file.CopyToAsync(content, Aborted);
        return PictureFile.Read(content.ToArray(), mostBytes, mostPixels, out var picture) is var trouble and not PictureTrouble.None ? Wrong(Trouble(trouble)) : await then(picture!);

        string Trouble(PictureTrouble what) => admin["LookTrouble" + what, mostBytes / 1024, mostPixels];
    }

    private IActionResult Wrong(string problem)
    {
        _ = Shown();
        Problem = problem;
        return Again();
    }

    private async Task<IActionResult> ChangeAsync(string what, string sentence, Action<OrganisationLook> change)
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        change(await HouseStyle.ForChangeAsync(Db, Now, Aborted));
        Record(SecurityEvent.LookChanged, null, what);
        if (!await Db.TrySaveAsync(Aborted)) return Done(admin["LookChangedElsewhere"], Address);
        await style.PublishAsync(Aborted);
        return Done(admin[sentence], Address);
    }
}
