using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>"It wasn't me": what people have reported, the open ones first (R18). A case is closed with what was found out.</summary>
public sealed class CasesModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.HandleCases)
{
    private const int Most = 200;
    private const int LongestNote = 1000;

    public sealed record Row(HelpdeskCase Case, string UserName, string Name, string? Phone, string? ClosedBy);

    public IReadOnlyList<Row> Rows { get; private set; } = [];
    public string? Problem { get; private set; }

    public Task OnGetAsync() => LoadAsync();

    public async Task<IActionResult> OnPostCloseAsync(Guid id, string? note)
    {
        var found = await Db.Cases.SingleOrDefaultAsync(row => row.Id == id, Aborted);
        var person = found is null ? null : await Db.People.AsNoTracking().SingleOrDefaultAsync(row => row.Id == found.PersonId, Aborted);
        if (found is null || person is null || !Authority.MaySee(Desk.Roles, Act.HandleCases, person.Unit)) return NotFound();
        var roles = await Db.RoleAssignments.AsNoTracking().Where(role => role.PersonId == person.Id).ToListAsync(Aborted);
        if (!Authority.MayAct(Desk.Person.Id, Desk.Roles, Act.HandleCases, person.Id, person.Unit, roles))
        {
            Record(SecurityEvent.AccessDenied, person.Id);
            await Db.SaveChangesAsync(Aborted);
            return await WithAsync(admin[Desk.Person.Id == person.Id ? "NotOnOneself" : "NotOnHigher"], StatusCodes.Status403Forbidden);
        }

        if (string.IsNullOrWhiteSpace(note) || note.Length > LongestNote) return await WithAsync(admin["NoteNeeded"], StatusCodes.Status422UnprocessableEntity);
        if (found.ClosedAt is not null) return Done(admin["CaseClosedAlready"]);
        found.Close(Desk.Person.Id, note.Trim(), Now);
        Record(SecurityEvent.CaseClosed, person.Id, found.Id.ToString("N"), note.Trim());
        return Done(admin[await Db.TrySaveAsync(Aborted) ? "CaseIsClosed" : "CaseClosedAlready"]);
    }

    private async Task<IActionResult> WithAsync(string problem, int status)
    {
        Problem = problem;
        await LoadAsync();
        return Again(status);
    }

    private async Task LoadAsync()
    {
        var rows = from row in Db.Cases.AsNoTracking()
                   join person in PeopleInScope(Act.HandleCases) on row.PersonId equals person.Id
                   orderby row.ClosedAt == null descending, row.OpenedAt descending
                   select new Row(row, person.UserName, person.DisplayName, person.Phone, Db.People.Where(other => other.Id == row.ClosedBy).Select(other => other.DisplayName).SingleOrDefault());
        Rows = await rows.Take(Most).ToListAsync(Aborted);
    }
}
