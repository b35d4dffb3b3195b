using System.Text.Json;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Administration;

/// <summary>A file of people: uploaded and compared, then brought in or put away.</summary>
[Upload(Act.ImportPeople, LargestFile)]
[RequestFormLimits(MultipartBodyLengthLimit = LargestFile)]
public sealed class ImportModel(Reception reception, PeopleImport import, ImportWorker worker, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ImportPeople)
{
    public const int LargestFile = 64 * 1024 * 1024;

    public override string Section => "/administration/import";

    /// <summary>The import that is shown; none: the page to upload.</summary>
    [FromQuery(Name = "run")]
    public string? RunId { get; set; }

    [BindProperty(Name = "File")]
    public IFormFile? Upload { get; set; }

    public ImportRun? Run { get; private set; }
    public ImportDetails Details { get; private set; } = new([], []);
    public int LinesDone { get; private set; }
    public string? Problem { get; private set; }
    public bool MayImport => Desk.AllowsEverywhere(Act.ImportPeople);

    public async Task<IActionResult> OnGetAsync()
    {
        if (RunId is null) return Page();
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden); // it tells of people in every unit
        Run = await FindAsync();
        if (Run is null) return NotFound();
        var told = JsonSerializer.Deserialize<ImportDetails>(Run.Problems);
        Details = new ImportDetails(told?.Problems ?? [], told?.Changes ?? []);
        LinesDone = worker.ProgressOf(Run.Id) ?? Run.LinesDone;
        return Page();
    }

    /// <summary>The dry run: reads and compares.</summary>
    public async Task<IActionResult> OnPostAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (Upload is not { Length: > 0 and <= LargestFile } file)
        {
            Problem = admin["ImportNoFile"];
            return Again();
        }

        using var content = new MemoryStream((int)file.Length);
        await file.CopyToAsync(content, Aborted);
        var report = await import.CompareAsync(content, Aborted);
        var name = Path.GetFileName(file.FileName);
        var run = new ImportRun
        {
            Id = RandomId.New(),
            AuthorId = Desk.Person.Id,
            FileName = name.Length <= 120 ? name : name[..120],
            Content = content.ToArray(),
            CreatedAt = Now,
            State = ImportState.Checked,
            Lines = report.Lines,
            Added = report.Added,
            Changed = report.Changed,
            Unchanged = report.Unchanged,
            ProblemCount = report.ProblemCount,
            Problems = JsonSerializer.Serialize(new ImportDetails(report.Problems, report.Changes)),
        };
        Db.ImportRuns.Add(run);
        await Db.SaveChangesAsync(Aborted);
        return SignInJourney.SeeOther($"/administration/import?run={run.Id}");
    }

    public async Task<IActionResult> OnPostBringInAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (await FindAsync() is not { State: ImportState.Checked, Content: not null, Added: var added, Changed: var changed } || added + changed is 0) return Back(admin["ImportNotNow"]);

        // Of two who press at once one begins it.
        var begun = await Db.ImportRuns.Where(run => run.Id == RunId && run.State == ImportState.Checked).ExecuteUpdateAsync(set => set.SetProperty(run => run.State, ImportState.Running).SetProperty(run => run.Version, run => run.Version + 1), Aborted);
        if (begun is 1) worker.Begin(RunId!);
        return Back(null);
    }

    public async Task<IActionResult> OnPostCancelAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (RunId is { } id && worker.Cancel(id, Desk.Person.Id)) return Back(admin["ImportCancelAsked"]);
        var now = Now;
        await Db.ImportRuns.Where(run => run.Id == RunId && run.State == ImportState.Checked)
            .ExecuteUpdateAsync(set => set.SetProperty(run => run.State, ImportState.Cancelled).SetProperty(run => run.FinishedAt, now).SetProperty(run => run.Content, (byte[]?)null), Aborted);
        return Back(null);
    }

    /// <summary>Without the file, which can be large: an empty one says that it is there.</summary>
    private async Task<ImportRun?> FindAsync()
    {
        var found = await Db.ImportRuns.Where(run => run.Id == RunId && run.State != ImportState.TokensChecked).Select(run => new
        {
            run.Id,
            run.AuthorId,
            run.FileName,
            HasFile = run.Content != null,
            run.CreatedAt,
            run.State,
            run.Lines,
            run.LinesDone,
            run.Added,
            run.Changed,
            run.Unchanged,
            run.Problems,
            run.ProblemCount,
        }).SingleOrDefaultAsync(Aborted);
        return found is null ? null : new ImportRun
        {
            Id = found.Id,
            AuthorId = found.AuthorId,
            FileName = found.FileName,
            Content = found.HasFile ? [] : null,
            CreatedAt = found.CreatedAt,
            State = found.State,
            Lines = found.Lines,
            LinesDone = found.LinesDone,
            Added = found.Added,
            Changed = found.Changed,
            Unchanged = found.Unchanged,
            Problems = found.Problems,
            ProblemCount = found.ProblemCount,
        };
    }

    private IActionResult Back(string? sentence)
    {
        if (sentence is not null) TempData["Done"] = sentence;
        return SignInJourney.SeeOther($"/administration/import?run={Uri.EscapeDataString(RunId ?? "")}");
    }
}
