using Portvakt.Domain.Rollout;

namespace Portvakt.Domain.People;

/// <summary>Roles of administration, in order of their weight: nobody acts on a higher one.</summary>
public enum Role
{
    /// <summary>Reads everything, the audit log too; changes nothing.</summary>
    Auditor = 1,

    /// <summary>Helps people on the telephone.</summary>
    Helpdesk = 2,

    /// <summary>Plans waves, exempts and extends, sends mails.</summary>
    RolloutManager = 3,

    Administrator = 4,
}

/// <summary>What somebody may want to do in administration.</summary>
public enum Act
{
    SeePeople,
    SeeBoard,
    SeeAudit,
    ManageWaves,
    GrantTerms,
    IssuePass,
    EndSessions,
    RemoveFactors,
    LockAccount,
    CallPhone,
    HandleCases,
    ManageMail,
    ImportPeople,
    ManageRoles,
    ErasePeople,

    /// <summary>Decides which methods count, and for whom.</summary>
    ManageMethods,

    /// <summary>Decides on colours and logo.</summary>
    ManageLook,
}

/// <summary>A role of one person, in the whole organisation or in one unit and what lies below it.</summary>
public sealed class RoleAssignment
{
    private RoleAssignment() { }

    public RoleAssignment(Guid personId, Role role, string? unit, Guid? grantedBy, DateTimeOffset now) =>
        (Id, PersonId, Role, Unit, GrantedBy, CreatedAt) = (Guid.CreateVersion7(now), personId, role, unit, grantedBy, now);

    public Guid Id { get; private set; }
    public Guid PersonId { get; private set; }
    public Role Role { get; private set; }

    /// <summary>Null: everywhere.</summary>
    public string? Unit { get; private set; }

    /// <summary>Null: the operator of the machine.</summary>
    public Guid? GrantedBy { get; private set; }

    public DateTimeOffset CreatedAt { get; private set; }
}

/// <summary>Who may do what to whom: pure, one table.</summary>
public static class Authority
{
    private static readonly Dictionary<Role, Act[]> Table = new()
    {
        [Role.Auditor] = [Act.SeePeople, Act.SeeBoard, Act.SeeAudit],
        [Role.Helpdesk] =
        [
            Act.SeePeople, Act.SeeBoard, Act.IssuePass, Act.EndSessions, Act.RemoveFactors, Act.LockAccount, Act.CallPhone, Act.HandleCases,
        ],
        [Role.RolloutManager] = [Act.SeePeople, Act.SeeBoard, Act.ManageWaves, Act.GrantTerms, Act.ManageMail],
        [Role.Administrator] = Enum.GetValues<Act>(),
    };

    /// <summary>Whether any of the roles allows it, somewhere.</summary>
    public static bool Allows(IEnumerable<RoleAssignment> actor, Act act) =>
        actor.Any(role => Table[role.Role].Contains(act));

    /// <summary>Whether any of the roles allows it in the whole organisation: what has no unit of its own (waves, imports, roles, mails) is nobody's who has a part only.</summary>
    public static bool AllowsEverywhere(IEnumerable<RoleAssignment> actor, Act act) =>
        actor.Any(role => role.Unit is null && Table[role.Role].Contains(act));

    /// <summary>Whether the actor may look at somebody: in a unit of the actor's roles.</summary>
    public static bool MaySee(IReadOnlyCollection<RoleAssignment> actor, Act act, string? unit) =>
        actor.Any(role => Table[role.Role].Contains(act) && Covers(role, unit));

    /// <summary>Whether the actor may act on somebody: in a unit of the role, never on oneself, never on a higher role (R44).</summary>
    public static bool MayAct(Guid actorId, IReadOnlyCollection<RoleAssignment> actor, Act act, Guid targetId, string? targetUnit, IReadOnlyCollection<RoleAssignment> target) =>
        actorId != targetId
        && actor.Any(role => Table[role.Role].Contains(act) && Covers(role, targetUnit) && (target.Count is 0 || role.Role >= target.Max(held => held.Role)));

    private static bool Covers(RoleAssignment role, string? unit) => role.Unit is null || WaveRule.IsUnder(unit, role.Unit);
}
