using Portvakt.Domain.People;

namespace Portvakt.Domain.Tests.People;

/// <summary>R44: the whole matrix, every role, every act, every kind of target, against the rule said in other words.</summary>
public sealed class AuthorityTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 8, 0, 0, TimeSpan.Zero);
    private static readonly Guid Actor = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Target = new("22222222-2222-2222-2222-222222222222");

    private static RoleAssignment Held(Role role, string? unit = null) => new(Actor, role, unit, null, Now);

    /// <summary>What the table of the documentation says, as letters: who may do it.</summary>
    private static string WhoMay(Act act) => act switch
    {
        Act.SeePeople or Act.SeeBoard => "auditor helpdesk rolloutmanager administrator",
        Act.SeeAudit => "auditor administrator",
        Act.IssuePass or Act.EndSessions or Act.RemoveFactors or Act.LockAccount or Act.CallPhone or Act.HandleCases => "helpdesk administrator",
        Act.ManageWaves or Act.GrantTerms or Act.ManageMail => "rolloutmanager administrator",
        Act.ImportPeople or Act.ManageRoles or Act.ErasePeople or Act.ManageMethods or Act.ManageLook => "administrator",
        _ => throw new ArgumentOutOfRangeException(nameof(act), act, "A new act: say who may do it."),
    };

    [Fact]
    public void Rollout_R44_Every_role_may_do_what_the_table_says_and_nobody_acts_on_oneself_or_on_a_higher_role()
    {
        var judged = 0;
        foreach (var role in Enum.GetValues<Role>())
        {
            foreach (var act in Enum.GetValues<Act>())
            {
                var allowed = WhoMay(act).Split(' ').Contains(role.ToString().ToLowerInvariant());
                Assert.Equal(allowed, Authority.Allows([Held(role)], act));
                Assert.Equal(allowed, Authority.AllowsEverywhere([Held(role)], act));
                Assert.False(Authority.AllowsEverywhere([Held(role, "Skole")], act));
                Assert.False(Authority.MayAct(Actor, [Held(role)], act, Actor, null, []));
                Assert.Equal(allowed, Authority.MayAct(Actor, [Held(role)], act, Target, null, []));
                foreach (var other in Enum.GetValues<Role>())
                {
                    var targets = new[] { new RoleAssignment(Target, other, null, null, Now) };
                    Assert.Equal(allowed && (int)role >= (int)other, Authority.MayAct(Actor, [Held(role)], act, Target, null, targets));
                    Assert.False(Authority.MayAct(Actor, [Held(role)], act, Actor, null, targets));
                    judged++;
                }

                Assert.Equal(allowed, Authority.MayAct(Actor, [Held(role, "Skole")], act, Target, "Skole/Nord", []));
                Assert.False(Authority.MayAct(Actor, [Held(role, "Skole")], act, Target, "Skolebygg", []));
                Assert.False(Authority.MayAct(Actor, [Held(role, "Skole")], act, Target, "Helse", []));
                Assert.False(Authority.MayAct(Actor, [Held(role, "Skole")], act, Target, null, []));
            }
        }

        Assert.Equal(4 * 4 * Enum.GetValues<Act>().Length, judged);
    }

    [Fact]
    public void Rollout_R44_Two_small_roles_do_not_add_up_to_a_large_one()
    {
        // Helpdesk in one unit, rollout manager everywhere: the pass is still for that unit only, and a manager elsewhere is not beneath.
        RoleAssignment[] roles = [Held(Role.Helpdesk, "Skole"), Held(Role.RolloutManager)];
        Assert.False(Authority.MayAct(Actor, roles, Act.IssuePass, Target, "Helse", []));
        Assert.True(Authority.MayAct(Actor, roles, Act.IssuePass, Target, "Skole", []));
        Assert.False(Authority.MayAct(Actor, roles, Act.IssuePass, Target, "Skole", [new RoleAssignment(Target, Role.RolloutManager, null, null, Now)]));
    }

    [Fact]
    public void Rollout_Who_has_no_role_may_nothing() =>
        Assert.All(Enum.GetValues<Act>(), act => Assert.False(Authority.Allows([], act) || Authority.MaySee([], act, null) || Authority.MayAct(Actor, [], act, Target, null, [])));
}
