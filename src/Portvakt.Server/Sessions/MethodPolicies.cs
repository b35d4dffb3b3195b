using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;

namespace Portvakt.Server.Sessions;

/// <summary>Finds the policy of methods that a person falls under.</summary>
public static class MethodPolicies
{
    /// <summary>The first whose rule includes the person; without one, what holds where nobody has decided anything.</summary>
    /// <param name="policies">In the order in which they are asked.</param>
    /// <param name="person">Who.</param>
    public static MethodPolicy Of(IEnumerable<MethodPolicy> policies, Person person) =>
        policies.FirstOrDefault(policy => WaveRule.TryParse(policy.Rule, out var rule, out _) && rule.Includes(person.Attributes)) ?? MethodPolicy.Default;
}
