using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Data;

namespace Portvakt.Server.Sessions;

/// <summary>The policies of methods in the order in which they are asked, their rules read once.</summary>
public sealed class MethodPolicies(IEnumerable<MethodPolicy> inOrder)
{
    private readonly List<(MethodPolicy Policy, WaveRule Rule)> _policies =
        [.. inOrder.Select(policy => (policy, WaveRule.TryParse(policy.Rule, out var rule, out _) ? rule : null)).Where(pair => pair.Item2 is not null).Select(pair => (pair.policy, pair.Item2!))];

    /// <summary>Nobody has decided anything.</summary>
    public static MethodPolicies None { get; } = new([]);

    public static async Task<MethodPolicies> LoadAsync(PortvaktDb db, CancellationToken cancellationToken) =>
        new(await db.MethodPolicies.AsNoTracking().OrderBy(row => row.Position).ThenBy(row => row.CreatedAt).ToListAsync(cancellationToken));

    /// <summary>The first whose rule includes the person; without one, what holds where nobody has decided anything.</summary>
    public MethodPolicy Of(PersonAttributes person)
    {
        foreach (var (policy, rule) in _policies)
        {
            if (rule.Includes(person)) return policy;
        }

        return MethodPolicy.Default;
    }

    /// <summary>Whether there is anybody at all whose sign-in may not rest on this.</summary>
    public bool AnyRefuses(SecondFactorMethod proven) => !MethodPolicy.Default.Accepts(proven) || _policies.Exists(pair => !pair.Policy.Accepts(proven));
}
