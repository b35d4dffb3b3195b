using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>Who holds which role, in which unit. Nobody gives or takes a role of their own (R44).</summary>
public sealed class RolesModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageRoles)
{
    public sealed record Row(Guid Id, string UserName, string Name, Role Role, string? Unit, bool IsOwn);

    public IReadOnlyList<Row> Held { get; private set; } = [];
    public string? Problem { get; private set; }

    [BindProperty]
    public string? UserName { get; set; }

    [BindProperty]
    public Role Role { get; set; } = Role.Helpdesk;

    [BindProperty]
    public string? Unit { get; set; }

    public Task OnGetAsync() => LoadAsync();

    public async Task<IActionResult> OnPostAsync()
    {
        var person = Domain.People.UserName.TryParse(UserName, out var name) ? await Db.People.SingleOrDefaultAsync(row => row.UserName == name.Value.Value, Aborted) : null;
        var unit = string.IsNullOrWhiteSpace(Unit) ? null : Unit.Trim().Trim('/');
        Problem = person switch
        {
            null => admin["NoSuchPerson"].Value,
            _ when !Desk.AllowsEverywhere(Act.ManageRoles) => admin["RoleOfAUnit"].Value,
            _ when person.Id == Desk.Person.Id => admin["NotOneself"].Value,
            _ when !Enum.IsDefined(Role) => admin["NoSuchRole"].Value,
            _ when await Db.RoleAssignments.AnyAsync(held => held.PersonId == person.Id && held.Role == Role && held.Unit == unit, Aborted) => admin["HasRoleAlready"].Value,
            _ => null,
        };
        if (Problem is not null)
        {
            await LoadAsync();
            return Again();
        }

        var given = new RoleAssignment(person!.Id, Role, unit, Desk.Person.Id, Now);
        Db.RoleAssignments.Add(given);
        Record(SecurityEvent.RoleGranted, person.Id, given.Id.ToString("N"), $"{Role} {unit}".TrimEnd());
        await Db.SaveChangesAsync(Aborted);
        return Done(admin["RoleGiven", person.DisplayName, admin["Role" + Role]]);
    }

    public async Task<IActionResult> OnPostTakeAsync(Guid id)
    {
        var held = await Db.RoleAssignments.SingleOrDefaultAsync(row => row.Id == id, Aborted);
        if (held is null) return Done(admin["RoleGoneAlready"]);
        if (held.PersonId == Desk.Person.Id || !Desk.AllowsEverywhere(Act.ManageRoles))
        {
            Problem = admin[held.PersonId == Desk.Person.Id ? "NotOneself" : "RoleOfAUnit"];
            await LoadAsync();
            return Again(StatusCodes.Status403Forbidden);
        }

        Db.RoleAssignments.Remove(held);
        Record(SecurityEvent.RoleRevoked, held.PersonId, held.Id.ToString("N"), $"{held.Role} {held.Unit}".TrimEnd());
        await Db.SaveChangesAsync(Aborted);
        return Done(admin["RoleTaken"]);
    }

    private async Task LoadAsync() => Held = await (
        from role in Db.RoleAssignments
        join person in Db.People on role.PersonId equals person.Id
        orderby role.CreatedAt
        select new Row(role.Id, person.UserName, person.DisplayName, role.Role, role.Unit, person.Id == Desk.Person.Id)).ToListAsync(Aborted);
}
