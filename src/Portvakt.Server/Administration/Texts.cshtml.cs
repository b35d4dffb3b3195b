using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Branding;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The texts that are handed out, hang on the wall and open the guides: the organisation's own words for each language, ready to copy, and back to the standard ones with one button.</summary>
public sealed class TextsModel(Reception reception, HouseStyle style, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMail)
{
    [BindProperty(SupportsGet = true)]
    public string Which { get; set; } = OwnTexts.Announcement;

    [BindProperty(SupportsGet = true)]
    public string Language { get; set; } = Localisation.Current;

    [BindProperty]
    public string? Text { get; set; }

    public OwnTextKind Kind { get; private set; } = null!;

    /// <summary>Whether these are the organisation's own.</summary>
    public bool IsOwn { get; private set; }

    /// <summary>Filled in, as it is handed out.</summary>
    public string? Ready { get; private set; }

    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (Refusal() is { } refusal) return refusal;
        var own = await OwnAsync();
        IsOwn = own is not null;
        Text = own?.Text ?? OwnTexts.Standard(Which, Language);
        Ready = await FilledAsync(Text);
        return Page();
    }

    public Task<IActionResult> OnPostPreviewAsync() => WithWordsAsync((_, _) => Task.FromResult<IActionResult>(Page()));

    public Task<IActionResult> OnPostAsync() => WithWordsAsync(async (own, text) =>
    {
        if (own is not null) (own.Text, own.ChangedAt) = (text, Now);
        else Db.OwnTexts.Add(new OwnText { Key = Which, Language = Language, Text = text, ChangedAt = Now });
        return await KeepAsync("OwnTextKept");
    });

    /// <summary>Back to the words that come with the program.</summary>
    public async Task<IActionResult> OnPostStandardAsync()
    {
        if (Refusal() is { } refusal) return refusal;
        if (await OwnAsync() is not { } own) return Done(admin["MailWordsStandardAgain"], Here);
        Db.OwnTexts.Remove(own);
        return await KeepAsync("MailWordsStandardAgain", admin["MailWordsStandard"]);
    }

    private string Here => $"/administration/texts?which={Which}&language={Language}";

    /// <summary>As mails: what everybody reads is nobody's who has a part only.</summary>
    private IActionResult? Refusal()
    {
        if (!Desk.AllowsEverywhere(Act.ManageMail)) return StatusCode(StatusCodes.Status403Forbidden);
        if (OwnTexts.Find(Which) is not { } kind || !Localisation.IsKnown(Language)) return NotFound();
        Kind = kind;
        return null;
    }

    private async Task<IActionResult> WithWordsAsync(Func<OwnText?, string, Task<IActionResult>> then)
    {
        if (Refusal() is { } refusal) return refusal;
        var own = await OwnAsync();
        IsOwn = own is not null;
        var text = Text?.ReplaceLineEndings("\n").Trim() ?? "";
        Problem = OwnTexts.Validate(Kind, text) switch
        {
            OwnTextProblem.None => null,
            OwnTextProblem.Empty => admin["OwnTextEmpty"].Value,
            OwnTextProblem.TooLong => admin["OwnTextTooLong", Kind.IsLong ? OwnTexts.LongestText : OwnTexts.LongestLine].Value,
            OwnTextProblem.LineBreak => admin["OwnTextOneLine"].Value,
            _ => admin["OwnTextUnknown"].Value,
        };
        if (Problem is not null) return Again();
        Ready = await FilledAsync(text);
        return await then(own, text);
    }

    private async Task<IActionResult> KeepAsync(string sentence, string? reason = null)
    {
        await HouseStyle.ForChangeAsync(Db, Now, Aborted);
        Record(SecurityEvent.OwnTextChanged, null, $"{Which}/{Language}", reason);
        if (!await Db.TrySaveAsync(Aborted)) return Done(admin["MailWordsChangedElsewhere"], Here);
        await style.PublishAsync(Aborted);
        return Done(admin[sentence], Here);
    }

    /// <summary>With what the organisation is called, and the deadline where it is the same for all.</summary>
    private async Task<string> FilledAsync(string text) => OwnTexts.Fill(text, new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["organisation"] = Rules.Organisation,
        ["deadline"] = await Db.CommonDeadlineAsync(Rules.Zone, Aborted) is { } deadline && deadline > Now ? Localisation.Date(EnrolmentRule.LastDay(deadline, Rules.Zone), Language) : GuideWords.Of("ReadyDeadline", Language),
        ["guide"] = Rules.Origin + "/guides",
        ["link"] = Rules.Origin + "/activate",
        ["helpdesk"] = Rules.Helpdesk is { Length: > 0 } helpdesk ? helpdesk : GuideWords.Of("GuideHelpdesk", Language),
    });

    private Task<OwnText?> OwnAsync() => Db.OwnTexts.SingleOrDefaultAsync(row => row.Key == Which && row.Language == Language, Aborted);
}
