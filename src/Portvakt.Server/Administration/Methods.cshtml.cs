using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;

namespace Portvakt.Server.Administration;

/// <summary>The policies of methods in their order: a person falls under the first one whose rule includes them.</summary>
public sealed class MethodsModel(Reception reception) : AdministrationPage(reception, Act.ManageMethods)
{
    public IReadOnlyList<MethodPolicy> Policies { get; private set; } = [];

    public async Task OnGetAsync() => Policies = await Db.MethodPolicies.AsNoTracking().OrderBy(row => row.Position).ThenBy(row => row.CreatedAt).ToListAsync(Aborted);

    /// <summary>The methods of a set as names, the strongest first.</summary>
    public static IEnumerable<string> NamesOf(Methods some) => MethodOrder.Of(some).Select(method => "Method" + method);
}
