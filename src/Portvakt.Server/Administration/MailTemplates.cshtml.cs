using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The organisation's own words for each mail and language: looked at before they are kept, and back to the standard ones with one button.</summary>
public sealed class MailTemplatesModel(Reception reception, MailComposer composer, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMail)
{
    [BindProperty(SupportsGet = true)]
    public MailKind Kind { get; set; }

    [BindProperty(SupportsGet = true)]
    public string Language { get; set; } = "nb";

    [BindProperty]
    public string? Subject { get; set; }

    [BindProperty]
    public string? Text { get; set; }

    /// <summary>Whether these are the organisation's own.</summary>
    public bool IsOwn { get; private set; }

    public MailText? Preview { get; private set; }
    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        if (!Enum.IsDefined(Kind) || !Localisation.IsKnown(Language)) return NotFound();
        var words = await composer.WordsAsync(Kind, Language, Aborted);
        (Subject, Text) = (words.Subject, words.Text);
        IsOwn = await OwnAsync() is not null;
        Preview = composer.Preview(Kind, words, Language, Now);
        return Page();
    }

    public Task<IActionResult> OnPostPreviewAsync() => WithWordsAsync(_ => Task.FromResult<IActionResult>(Page()));

    public Task<IActionResult> OnPostAsync() => WithWordsAsync(async words =>
    {
        if (await OwnAsync() is { } own) (own.Subject, own.Text, own.ChangedAt) = (words.Subject, words.Text, Now);
        else Db.MailTemplates.Add(new MailTemplate { Kind = Kind.ToString(), Language = Language, Subject = words.Subject, Text = words.Text, ChangedAt = Now });
        Record(SecurityEvent.MailTemplateChanged, null, $"{Kind}/{Language}");
        return Done(admin[await Db.TrySaveAsync(Aborted) ? "MailWordsKept" : "MailWordsChangedElsewhere"], Here);
    });

    /// <summary>Back to the words that come with the program.</summary>
    public async Task<IActionResult> OnPostStandardAsync()
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        if (await OwnAsync() is { } own)
        {
            Db.MailTemplates.Remove(own);
            Record(SecurityEvent.MailTemplateChanged, null, $"{Kind}/{Language}", admin["MailWordsStandard"]);
            if (!await Db.TrySaveAsync(Aborted)) return Done(admin["MailWordsChangedElsewhere"], Here);
        }

        return Done(admin["MailWordsStandardAgain"], Here);
    }

    private string Here => $"/administration/mails/templates?kind={Kind}&language={Language}";

    private bool IsAllowed() => Desk.AllowsEverywhere(Act.ManageMail); // as the outbox

    private async Task<IActionResult> WithWordsAsync(Func<MailText, Task<IActionResult>> then)
    {
        if (!IsAllowed()) return StatusCode(StatusCodes.Status403Forbidden);
        if (!Enum.IsDefined(Kind) || !Localisation.IsKnown(Language)) return NotFound();
        IsOwn = await OwnAsync() is not null;
        var words = new MailText(Subject?.Trim() ?? "", Text?.ReplaceLineEndings("\n").Trim() ?? "");
        Problem = MailComposer.Validate(Kind, words) switch
        {
            MailTextProblem.None => null,
            MailTextProblem.Empty => admin["MailWordsEmpty"].Value,
            MailTextProblem.TooLong => admin["MailWordsTooLong", MailComposer.LongestSubject, MailComposer.LongestText].Value,
            MailTextProblem.LineBreakInSubject => admin["MailWordsOneLine"].Value,
            MailTextProblem.LinkMissing => admin["MailWordsLink"].Value,
            _ => admin["MailWordsUnknown"].Value,
        };
        if (Problem is not null) return Again();
        Preview = composer.Preview(Kind, words, Language, Now);
        return await then(words);
    }

    private Task<MailTemplate?> OwnAsync() => Db.MailTemplates.SingleOrDefaultAsync(row => row.Kind == Kind.ToString() && row.Language == Language, Aborted);
}
