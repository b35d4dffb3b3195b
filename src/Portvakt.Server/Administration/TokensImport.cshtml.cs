using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;
using Portvakt.Server.SignIn;

namespace Portvakt.Server.Administration;

/// <summary>
/// A maker's file of code generators: uploaded and compared, then brought in or put away. It is full of secrets: it never touches a disk unsealed, only whoever uploaded it
/// sees what it would do, nothing that is secret is shown, and it is gone when it is brought in, put away or an hour old.
/// </summary>
[Upload(Act.ManageMethods, LargestRequest)]
[RequestFormLimits(MultipartBodyLengthLimit = LargestRequest, MemoryBufferThreshold = LargestRequest)] // a larger one would be laid in a file of the machine's while it is read
public sealed class TokensImportModel(Reception reception, TokenImport import, Vault vault, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMethods)
{
    public const int LargestFile = 1024 * 1024;

    /// <summary>With what stands around the file.</summary>
    private const int LargestRequest = LargestFile + (16 * 1024);

    private const string Column = "import_runs.tokens";

    /// <summary>Lines that are shown one by one, of either kind; the rest is counted.</summary>
    private const int Most = 200;

    public override string Section => "/administration/tokens";

    /// <summary>The file that is shown; none: the page to upload.</summary>
    [FromQuery(Name = "run")]
    public string? RunId { get; set; }

    [BindProperty(Name = "File")]
    public IFormFile? Upload { get; set; }

    public ImportRun? Run { get; private set; }
    public TokenReport Report { get; private set; } = new();
    public IEnumerable<TokenLine> Lines => Report.Lines.Take(Most);
    public IEnumerable<TokenProblem> Problems => Report.Problems.Take(Most);
    public string? Problem { get; private set; }
    public bool MayImport => Desk.AllowsEverywhere(Act.ManageMethods);

    public async Task<IActionResult> OnGetAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (RunId is null) return Page();
        Run = await FindAsync();
        if (Run is null) return Done(admin["TokensGone"], "/administration/tokens/import");
        Report = await import.CompareAsync(Open(Run), Aborted);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (Upload is not { Length: > 0 and <= LargestFile } file)
        {
            Problem = admin["TokensNoFile"];
            return Again();
        }

        using var content = new MemoryStream((int)file.Length);
        await file.CopyToAsync(content, Aborted);
        var (id, name) = (RandomId.New(), Path.GetFileName(file.FileName));
        Db.ImportRuns.Add(new ImportRun
        {
            Id = id,
            AuthorId = Desk.Person.Id,
            FileName = name.Length <= 120 ? name : name[..120],
            Content = vault.Seal(content.ToArray(), Column, id),
            CreatedAt = Now,
            State = ImportState.TokensChecked,
        });
        await Db.SaveChangesAsync(Aborted);
        return SignInJourney.SeeOther($"/administration/tokens/import?run={id}");
    }

    /// <summary>Everything in one save, and the file goes with it: of two who press at once one brings it in.</summary>
    public async Task<IActionResult> OnPostBringInAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        if (await FindAsync() is not { } run) return Done(admin["TokensGone"], "/administration/tokens/import");
        var report = await import.BringInAsync(Open(run), HttpContext, Desk.Person.Id, Aborted);
        Db.ImportRuns.Remove(run);
        if (!await Db.TrySaveAsync(Aborted)) return Done(admin["TokensMeanwhile"], $"/administration/tokens/import?run={run.Id}");
        return Done(admin["TokensBroughtIn", report.Count(TokenOutcome.Added), report.Count(TokenOutcome.Assigned), report.Count(TokenOutcome.Unchanged), report.Problems.Count], "/administration/tokens");
    }

    public async Task<IActionResult> OnPostCancelAsync()
    {
        if (!MayImport) return StatusCode(StatusCodes.Status403Forbidden);
        await Own().ExecuteDeleteAsync(Aborted);
        return Done(admin["TokensPutAway"], "/administration/tokens");
    }

    private IQueryable<ImportRun> Own() => Db.ImportRuns.Where(run => run.Id == RunId && run.State == ImportState.TokensChecked && run.AuthorId == Desk.Person.Id);

    private Task<ImportRun?> FindAsync() => Own().SingleOrDefaultAsync(Aborted);

    private byte[] Open(ImportRun run) => vault.Open(run.Content, Column, run.Id);
}
