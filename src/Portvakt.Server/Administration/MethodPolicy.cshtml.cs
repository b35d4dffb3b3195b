using System.Globalization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;
using Portvakt.Server.Resources;
using Portvakt.Server.Sessions;

namespace Portvakt.Server.Administration;

/// <summary>One policy of methods, new or known: what is typed is shown with what it does to people, and saved only then.</summary>
public sealed class MethodPolicyModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageMethods)
{
    /// <summary>What a policy can name; what a pass opens is a question of its own.</summary>
    public static readonly IReadOnlyList<Methods> Choices = [.. MethodOrder.StrongestFirst.Where(method => method is not Methods.AccessPass)];

    /// <summary>What a change does to people.</summary>
    /// <param name="People">Who falls under the policy afterwards.</param>
    /// <param name="Moving">Who falls under another policy than before.</param>
    /// <param name="Losing">Who holds a method that counts before and not afterwards.</param>
    /// <param name="LosingLast">Who of them has none left: the password alone lets nobody set up another, only a pass does.</param>
    public sealed record Effect(int People, int Moving, int Losing, int LosingLast);

    public override string Section => "/administration/methods";

    [FromRoute(Name = "id")]
    public string Id { get; set; } = "";

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty]
    public string? Rule { get; set; }

    /// <summary>Names of <see cref="Domain.Authenticators.Methods"/>.</summary>
    [BindProperty]
    public Dictionary<string, bool> Enrol { get; set; } = new(StringComparer.Ordinal);

    [BindProperty]
    public Dictionary<string, bool> Use { get; set; } = new(StringComparer.Ordinal);

    [BindProperty]
    public PassUse Pass { get; set; }

    [BindProperty]
    public int MaximumPhones { get; set; } = MethodPolicy.MostPhones;

    [BindProperty]
    public int MaximumPasskeys { get; set; } = MethodPolicy.Default.MaximumPasskeys;

    /// <summary>Its place among the policies, from 1.</summary>
    [BindProperty]
    public int Place { get; set; }

    /// <summary>The policy is to be taken away.</summary>
    [BindProperty]
    public bool Removing { get; set; }

    /// <summary>The version of the policy that was on the page.</summary>
    [BindProperty]
    public int Seen { get; set; }

    public bool IsNew => Id is "new";

    /// <summary>How many places there are, for this policy too.</summary>
    public int Places { get; private set; }

    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>Null while the form is filled in.</summary>
    public Effect? Preview { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (!Desk.AllowsEverywhere(Act.ManageMethods)) return StatusCode(StatusCodes.Status403Forbidden);
        var all = await AllAsync();
        Places = all.Count + (IsNew ? 1 : 0);
        Place = Places;
        var policy = IsNew ? MethodPolicy.Default : all.Find(row => row.Id.ToString() == Id);
        if (policy is null) return NotFound();
        (Name, Rule, Pass, Seen) = (policy.Name, policy.Rule, policy.Pass, policy.Version);
        (MaximumPhones, MaximumPasskeys) = (policy.MaximumPhones, policy.MaximumPasskeys);
        (Enrol, Use) = (MethodOrder.Of(policy.ForEnrolment).ToDictionary(method => method.ToString(), _ => true, StringComparer.Ordinal), MethodOrder.Of(policy.ForUse).ToDictionary(method => method.ToString(), _ => true, StringComparer.Ordinal));
        if (!IsNew) Place = all.IndexOf(policy) + 1;
        return Page();
    }

    /// <summary>Says what would happen; nothing is changed.</summary>
    public async Task<IActionResult> OnPostAsync()
    {
        var (answer, before, after, _, _) = await CheckAsync();
        if (answer is not null) return answer;
        Preview = await EffectAsync(before, after);
        Db.ChangeTracker.Clear();
        return Page();
    }

    /// <summary>Back from the preview to the form.</summary>
    public async Task<IActionResult> OnPostEditAsync()
    {
        Places = await Db.MethodPolicies.CountAsync(Aborted) + (IsNew ? 1 : 0);
        Removing = false;
        return Page();
    }

    public async Task<IActionResult> OnPostSaveAsync()
    {
        var (answer, _, after, policy, changes) = await CheckAsync();
        if (answer is not null) return answer;
        for (var place = 0; place < after.Count; place++) after[place].Position = place + 1;
        if (IsNew) Db.MethodPolicies.Add(policy!);
        else if (Removing) Db.MethodPolicies.Remove(policy!);
        else Db.Entry(policy!).Property(row => row.Name).IsModified = true; // under its version, whatever was changed
        Record(SecurityEvent.MethodPolicyChanged, null, policy!.Id.ToString("N"), string.Join("; ", changes));
        if (!await Db.TrySaveAsync(Aborted)) return Meanwhile();
        return Done(admin[Removing ? "MethodPolicyRemoved" : "MethodPolicySaved", policy.Name], "/administration/methods");
    }

    private Task<List<MethodPolicy>> AllAsync() => Db.MethodPolicies.OrderBy(row => row.Position).ThenBy(row => row.CreatedAt).ToListAsync(Aborted);

    /// <summary>An answer when the form cannot be applied; otherwise the policies as they are and as they would be, in order, with this one among them and what changes in it.</summary>
    private async Task<(IActionResult? Answer, MethodPolicies Before, List<MethodPolicy> After, MethodPolicy? Policy, List<string> Changes)> CheckAsync()
    {
        if (!Desk.AllowsEverywhere(Act.ManageMethods)) return (StatusCode(StatusCodes.Status403Forbidden), null!, [], null, []);
        var before = await MethodPolicies.LoadAsync(Db, Aborted);
        var all = await AllAsync();
        Places = all.Count + (IsNew ? 1 : 0);
        var known = all.Find(row => row.Id.ToString() == Id);
        if (!IsNew && known is null) return (NotFound(), before, [], null, []);
        if (known is not null && known.Version != Seen) return (Meanwhile(), before, [], null, []);
        var changes = new List<string>();
        if (Removing && known is not null)
        {
            changes.Add($"removed: {known.Name}");
            (Name, Rule) = (known.Name, known.Rule);
            return await KeepsTheDeskAsync([.. all.Where(row => row != known)]) ? (null, before, [.. all.Where(row => row != known)], known, changes) : (Refuse(admin["MethodPolicyOwn"]), before, [], null, []);
        }

        var problems = new List<string>();
        var (name, rule) = (Name?.Trim() ?? "", Rule?.ReplaceLineEndings("\n").Trim() ?? "");
        var (enrol, use) = (SetOf(Enrol), SetOf(Use));
        if (name.Length is 0 or > MethodPolicy.LongestName) problems.Add(admin["WaveNameWrong", MethodPolicy.LongestName]);
        else if (all.Exists(row => row != known && row.Name == name)) problems.Add(admin["MethodPolicyNameTaken"]);
        if (!WaveRule.TryParse(rule, out _, out var wrongLine)) problems.Add(admin["WaveRuleWrong", wrongLine]);
        else if (rule.Length is 0) problems.Add(admin["MethodPolicyNobody"]);
        if (enrol is null || use is null || !Enum.IsDefined(Pass) || !ModelState.IsValid) problems.Add(admin["WaveChoiceWrong"]);
        else if ((use & MethodOrder.Primary) is Methods.None) problems.Add(admin["MethodPolicyEmpty"]);
        if (MaximumPhones is < 1 or > MethodPolicy.MostPhones) problems.Add(admin["MethodPhonesWrong", MethodPolicy.MostPhones]);
        if (MaximumPasskeys is < 1 or > 50) problems.Add(admin["MethodPasskeysWrong"]);
        if (Place < 1 || Place > Places) problems.Add(admin["MethodPlaceWrong", Places]);
        if (problems.Count > 0) return (Refuse([.. problems]), before, [], null, []);

        var policy = known ?? new MethodPolicy(name, rule, Now);
        Note("name", known?.Name, name);
        Note("rule", known?.Rule, rule);
        Note("may be set up", known?.ForEnrolment.ToString(), enrol.ToString()!);
        Note("may be used", known?.ForUse.ToString(), use.ToString()!);
        Note("pass", known?.Pass.ToString(), Pass.ToString());
        Note("phones", known?.MaximumPhones.ToString(CultureInfo.InvariantCulture), MaximumPhones.ToString(CultureInfo.InvariantCulture));
        Note("passkeys", known?.MaximumPasskeys.ToString(CultureInfo.InvariantCulture), MaximumPasskeys.ToString(CultureInfo.InvariantCulture));
        Note("place", known is null ? null : (all.IndexOf(known) + 1).ToString(CultureInfo.InvariantCulture), Place.ToString(CultureInfo.InvariantCulture));
        (policy.Name, policy.Rule, policy.ForEnrolment, policy.ForUse, policy.Pass) = (name, rule, enrol!.Value, use!.Value, Pass);
        (policy.MaximumPhones, policy.MaximumPasskeys) = (MaximumPhones, MaximumPasskeys);
        if (known is not null) all.Remove(known);
        all.Insert(Place - 1, policy);
        return await KeepsTheDeskAsync(all) ? (null, before, all, policy, changes) : (Refuse(admin["MethodPolicyOwn"]), before, [], null, []);

        void Note(string what, string? old, string typed)
        {
            if (old != typed) changes.Add(old is null or "" ? $"{what}: {typed}" : $"{what}: {old} → {typed}");
        }
    }

    /// <summary>Nobody locks themselves out of administration: whoever saves must still be able to open the desk.</summary>
    private async Task<bool> KeepsTheDeskAsync(List<MethodPolicy> after)
    {
        var held = (await Holding.Of(Db, Db.People.Where(row => row.Id == Desk.Person.Id)).SingleAsync(Aborted)).Held;
        return (new MethodPolicies(after).Of(Desk.Person.Attributes).ForUse & held & (Methods.App | Methods.Passkey)) is not Methods.None;
    }

    /// <summary>Everybody, one by one as the database hands them out: what the policies made of them before, and what they make of them afterwards.</summary>
    private async Task<Effect> EffectAsync(MethodPolicies before, List<MethodPolicy> inOrder)
    {
        var (after, offered) = (new MethodPolicies(inOrder), Rulings.Offered(Rules));
        var own = inOrder.Find(row => IsNew ? row.Name == Name!.Trim() : row.Id.ToString() == Id);
        var (people, moving, losing, losingLast) = (0, 0, 0, 0);
        await foreach (var row in Holding.Of(Db, Db.People.AsNoTracking()).AsAsyncEnumerable().WithCancellation(Aborted))
        {
            var (old, now) = (before.Of(row.Person.Attributes), after.Of(row.Person.Attributes));
            if (now == own) people++;
            if (old.Id != now.Id) moving++;
            var (had, has) = (row.Held & old.ForUse & offered, row.Held & now.ForUse & offered);
            if ((had & ~has) is Methods.None) continue;
            losing++;
            if ((had & MethodOrder.Primary) is not Methods.None && (has & MethodOrder.Primary) is Methods.None) losingLast++;
        }

        return new Effect(people, moving, losing, losingLast);
    }

    /// <summary>The set of these names; null: one of them is none that a policy can name.</summary>
    private static Methods? SetOf(Dictionary<string, bool> names)
    {
        var set = Methods.None;
        foreach (var name in names.Where(pair => pair.Value).Select(pair => pair.Key))
        {
            if (Choices.Select(choice => (Methods?)choice).FirstOrDefault(choice => choice.ToString() == name) is not { } method) return null;
            set |= method;
        }

        return set;
    }

    private IActionResult Refuse(params IReadOnlyList<string> problems)
    {
        Db.ChangeTracker.Clear();
        Problems = problems;
        return Again();
    }

    private IActionResult Meanwhile()
    {
        Problems = [admin["MethodPolicyMeanwhile"]];
        return Again(StatusCodes.Status409Conflict);
    }
}
