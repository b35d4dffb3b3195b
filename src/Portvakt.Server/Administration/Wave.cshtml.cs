using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>One wave, new or known: what is typed is shown with what it will do to people, and saved only then.</summary>
[Upload(Act.ManageWaves, LargestForm)]
[RequestFormLimits(ValueLengthLimit = LargestForm)]
public sealed class WaveModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageWaves)
{
    private const int LargestForm = 1024 * 1024;
    private const int MostNamed = 5000;

    /// <summary>What a change does to people.</summary>
    /// <param name="People">Who will be in the wave, and has not enrolled.</param>
    /// <param name="Joining">Who comes into it by name or rule.</param>
    /// <param name="Leaving">Who leaves it.</param>
    /// <param name="LosingDays">Who has fewer days left than before.</param>
    /// <param name="BlockedAtOnce">Whose deadline passes by this very change.</param>
    public sealed record Effect(int People, int Joining, int Leaving, int LosingDays, int BlockedAtOnce);

    public override string Section => "/administration/waves";

    [BindProperty(SupportsGet = true, Name = "id")]
    public string Id { get; set; } = "";

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty]
    public DateOnly? FirstDay { get; set; }

    [BindProperty]
    public DateOnly? LastDay { get; set; }

    [BindProperty]
    public AfterDeadline After { get; set; }

    [BindProperty]
    public EnrolmentAccess Access { get; set; } = EnrolmentAccess.TrustedNetworks;

    [BindProperty]
    public string? Rule { get; set; }

    [BindProperty]
    public string? Named { get; set; }

    [BindProperty]
    public bool SendsMail { get; set; }

    [BindProperty]
    public string? Reason { get; set; }

    /// <summary>The version of the wave that was on the page.</summary>
    [BindProperty]
    public int Seen { get; set; }

    public bool IsNew => Id is "new";
    public bool MayChange => Desk.AllowsEverywhere(Act.ManageWaves);
    public IReadOnlyList<string> Problems { get; private set; } = [];

    /// <summary>Null while the form is filled in.</summary>
    public Effect? Preview { get; private set; }

    public async Task<IActionResult> OnGetAsync()
    {
        if (IsNew)
        {
            if (!MayChange) return StatusCode(StatusCodes.Status403Forbidden);
            SendsMail = true;
            return Page();
        }

        if (await FindAsync() is not { } wave) return NotFound();
        await FillAsync(wave);
        return Page();
    }

    /// <summary>Says what would happen; nothing is changed.</summary>
    public async Task<IActionResult> OnPostAsync()
    {
        var (answer, wave, named) = await CheckAsync();
        if (answer is not null) return answer;
        await using var transaction = await Db.Database.BeginTransactionAsync(Aborted);
        Preview = (await ApplyAsync(wave, named)).Effect; // the very change, and back again
        await transaction.RollbackAsync(Aborted);
        return Page();
    }

    /// <summary>Back from the preview to the form.</summary>
    public Task<IActionResult> OnPostEditAsync() => Task.FromResult<IActionResult>(Page());

    public async Task<IActionResult> OnPostSaveAsync()
    {
        var (answer, known, named) = await CheckAsync();
        if (answer is not null) return answer;
        var (startedAt, deadlineAt) = (known?.StartsAt, known?.DeadlineAt);
        await using var transaction = await Db.Database.BeginTransactionAsync(Aborted);
        var (effect, wave, changes) = await ApplyAsync(known, named);
        if (wave is null) return Meanwhile();
        var subject = wave.Id.ToString("N");
        var reason = string.IsNullOrWhiteSpace(Reason) ? null : Reason.Trim();
        Record(known is null ? SecurityEvent.WaveCreated : SecurityEvent.WaveChanged, null, subject, string.Join("; ", changes.Append(reason).Where(text => text is not null)));
        if (wave.DeadlineAt < deadlineAt) Record(SecurityEvent.DeadlineShortened, null, subject, reason);
        if (wave.DeadlineAt > deadlineAt) Record(SecurityEvent.DeadlineLengthened, null, subject, reason);
        if (!await Db.TrySaveAsync(Aborted)) return Meanwhile();
        await transaction.CommitAsync(Aborted);
        return Done(admin[startedAt is null ? "WaveMade" : "WaveSaved", wave.Name, effect.People], "/administration/waves");
    }

    /// <summary>Takes the wave away; its people come under the rules of the others.</summary>
    public async Task<IActionResult> OnPostRemoveAsync()
    {
        if (!MayChange) return StatusCode(StatusCodes.Status403Forbidden);
        if (await FindAsync() is not { } wave) return NotFound();
        if (wave.Version != Seen) return Meanwhile();
        await using var transaction = await Db.Database.BeginTransactionAsync(Aborted);
        Db.Waves.Remove(wave);
        Record(SecurityEvent.WaveRemoved, null, wave.Id.ToString("N"), string.IsNullOrWhiteSpace(Reason) ? wave.Name : $"{wave.Name}; {Reason.Trim()}");
        if (!await Db.TrySaveAsync(Aborted)) return Meanwhile();
        await Db.People.Where(person => person.WaveId == wave.Id).ExecuteUpdateAsync(set => set.SetProperty(person => person.WaveId, (Guid?)null).SetProperty(person => person.WaveIsFixed, false), Aborted);
        await WaveRules.AssignAsync(Db, Aborted);
        await transaction.CommitAsync(Aborted);
        return Done(admin["WaveRemoved", wave.Name], "/administration/waves");
    }

    private async Task<Wave?> FindAsync() => Guid.TryParse(Id, out var id) ? await Db.Waves.SingleOrDefaultAsync(wave => wave.Id == id, Aborted) : null;

    private async Task FillAsync(Wave wave)
    {
        var zone = Rules.Zone;
        (Name, FirstDay, LastDay) = (wave.Name, DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(wave.StartsAt, zone).DateTime), EnrolmentRule.LastDay(wave.DeadlineAt, zone));
        (After, Access, Rule, SendsMail, Seen) = (wave.AfterDeadline, wave.Access, wave.Rule, wave.SendsMail, wave.Version);
        Named = string.Join('\n', await Db.People.Where(person => person.WaveId == wave.Id && person.WaveIsFixed).OrderBy(person => person.UserName).Select(person => person.UserName).ToListAsync(Aborted));
    }

    /// <summary>An answer when the form cannot be applied; otherwise the wave (null: a new one) and who is named for it.</summary>
    private async Task<(IActionResult? Answer, Wave? Wave, List<Guid> Named)> CheckAsync()
    {
        if (!MayChange) return (StatusCode(StatusCodes.Status403Forbidden), null, []);
        var wave = IsNew ? null : await FindAsync();
        if (!IsNew && wave is null) return (NotFound(), null, []);
        if (wave is not null && wave.Version != Seen) return (Meanwhile(), null, []);

        var problems = new List<string>();
        var name = Name?.Trim() ?? "";
        if (name.Length is 0 or > Wave.LongestName) problems.Add(admin["WaveNameWrong", Wave.LongestName]);
        else if (await Db.Waves.AnyAsync(row => row.Name == name && row.Id != (wave == null ? Guid.Empty : wave.Id), Aborted)) problems.Add(admin["WaveNameTaken"]);
        if (FirstDay is not { Year: > 1999 and < 2200 } first || LastDay is not { Year: > 1999 and < 2200 } last) problems.Add(admin["WaveDaysWrong"]);
        else if (last < first) problems.Add(admin["WaveDaysSwapped"]);
        else if (wave is not null && wave.DeadlineAt > EnrolmentRule.StartOf(last.AddDays(1), Rules.Zone) && string.IsNullOrWhiteSpace(Reason)) problems.Add(admin["WaveReasonWanted"]);
        if (Reason?.Length > PersonalTerm.LongestReason) problems.Add(admin["WaveReasonLong", PersonalTerm.LongestReason]);
        if (!Enum.IsDefined(After) || !Enum.IsDefined(Access)) problems.Add(admin["WaveChoiceWrong"]);
        if (!WaveRule.TryParse(Rule ?? "", out _, out var wrongLine)) problems.Add(admin["WaveRuleWrong", wrongLine]);

        var (people, unknown) = await ReadNamesAsync();
        problems.AddRange(unknown.Take(20).Select(line => admin["WaveNameUnknown", line.Line, line.Text].Value));
        if (unknown.Count > 20) problems.Add(admin["WaveNamesUnknown", unknown.Count]);
        if (problems.Count is 0) return (null, wave, people);
        Problems = problems;
        return (Again(), null, []);
    }

    private async Task<(List<Guid> People, List<(int Line, string Text)> Unknown)> ReadNamesAsync()
    {
        var lines = (Named ?? "").Split('\n').Select((text, index) => (Line: index + 1, Text: text.Trim())).Where(line => line.Text.Length > 0).ToList();
        var unknown = lines.Skip(MostNamed).ToList();
        var read = lines.Take(MostNamed).Select(line => (line.Line, line.Text, Name: UserName.TryParse(line.Text, out var name) ? name.Value.Value : null)).ToList();
        var found = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var some in read.Select(line => line.Name).OfType<string>().Distinct(StringComparer.Ordinal).Chunk(1000))
        {
            foreach (var person in await Db.People.Where(person => some.Contains(person.UserName)).Select(person => new { person.UserName, person.Id }).ToListAsync(Aborted)) found[person.UserName] = person.Id;
        }

        unknown.AddRange(read.Where(line => line.Name is null || !found.ContainsKey(line.Name)).Select(line => (line.Line, line.Text)));
        return ([.. found.Values], [.. unknown.OrderBy(line => line.Line)]);
    }

    /// <summary>Makes the change within a transaction that is open, and says what it did. The wave is null when somebody else was faster.</summary>
    private async Task<(Effect Effect, Wave? Wave, List<string> Changes)> ApplyAsync(Wave? known, List<Guid> named)
    {
        var now = Now;
        var before = await TermsAsync();
        var (startsAt, deadlineAt) = (EnrolmentRule.StartOf(FirstDay!.Value, Rules.Zone), EnrolmentRule.StartOf(LastDay!.Value.AddDays(1), Rules.Zone));
        var changes = new List<string>();
        var wave = known ?? new Wave(Name!.Trim(), startsAt, deadlineAt, now) { Position = await Db.Waves.MaxAsync(row => (int?)row.Position, Aborted) + 1 ?? 1 };
        if (known is null) Db.Waves.Add(wave);
        Note("name", known?.Name, Name!.Trim());
        Note("start", known?.StartsAt.ToString("u"), startsAt.ToString("u"));
        Note("deadline", known?.DeadlineAt.ToString("u"), deadlineAt.ToString("u"));
        Note("after the deadline", known?.AfterDeadline.ToString(), After.ToString());
        Note("access", known?.Access.ToString(), Access.ToString());
        Note("rule", known?.Rule, Rule?.ReplaceLineEndings("\n").Trim() ?? "");
        Note("mail", known?.SendsMail.ToString(), SendsMail.ToString());
        wave.Change(Name!, startsAt, deadlineAt);
        (wave.AfterDeadline, wave.Access, wave.Rule, wave.SendsMail) = (After, Access, Rule?.ReplaceLineEndings("\n").Trim() ?? "", SendsMail);
        if (known is not null) Db.Entry(wave).Property(row => row.Name).IsModified = true; // who is named for it belongs to the wave: of two such changes one wins
        if (!await Db.TrySaveAsync(Aborted)) return (new Effect(0, 0, 0, 0, 0), null, []);

        var isNamed = named.ToHashSet();
        var wasNamed = known is null ? [] : (await Db.People.Where(person => person.WaveId == wave.Id && person.WaveIsFixed).Select(person => person.Id).ToListAsync(Aborted)).ToHashSet();
        foreach (var some in named.Where(id => !wasNamed.Contains(id)).Chunk(1000))
            await Db.People.Where(person => some.Contains(person.Id)).ExecuteUpdateAsync(set => set.SetProperty(person => person.WaveId, wave.Id).SetProperty(person => person.WaveIsFixed, true), Aborted);
        foreach (var some in wasNamed.Where(id => !isNamed.Contains(id)).Chunk(1000))
            await Db.People.Where(person => some.Contains(person.Id)).ExecuteUpdateAsync(set => set.SetProperty(person => person.WaveId, (Guid?)null).SetProperty(person => person.WaveIsFixed, false), Aborted);
        if (!isNamed.SetEquals(wasNamed)) changes.Add($"named: {wasNamed.Count} → {isNamed.Count}");
        await WaveRules.AssignAsync(Db, Aborted);

        var after = await TermsAsync();
        var effect = new Effect(0, 0, 0, 0, 0);
        foreach (var (id, term) in after)
        {
            var old = before.GetValueOrDefault(id);
            if (term.WaveId == wave.Id) effect = effect with { People = effect.People + 1, Joining = effect.Joining + (old?.WaveId == wave.Id ? 0 : 1) };
            else if (old?.WaveId == wave.Id) effect = effect with { Leaving = effect.Leaving + 1 };
            if (term.DeadlineAt is not { } own || term.DeadlineAt == old?.DeadlineAt) continue;
            if (own < (old?.DeadlineAt ?? DateTimeOffset.MaxValue)) effect = effect with { LosingDays = effect.LosingDays + (old?.DeadlineAt is null ? 0 : 1) };
            if (own <= now && (old?.DeadlineAt is null || old.DeadlineAt > now)) effect = effect with { BlockedAtOnce = effect.BlockedAtOnce + 1 };
        }

        return (effect, wave, changes);

        void Note(string what, string? old, string typed)
        {
            if (old != typed) changes.Add(old is null or "" ? $"{what}: {typed}" : $"{what}: {old} → {typed}");
        }
    }

    private sealed record Term(Guid? WaveId, DateTimeOffset? DeadlineAt);

    /// <summary>Everybody who has not enrolled and is not exempt, with wave and own deadline.</summary>
    private async Task<Dictionary<Guid, Term>> TermsAsync()
    {
        var now = Now;
        var live = Db.PersonalTerms.Where(term => term.EndedAt == null && term.Until > now);
        var rows = await (
            from person in Db.People
            where person.EnrolledAt == null && !live.Any(term => term.PersonId == person.Id && term.Kind == PersonalTermKind.Exemption)
            join wave in Db.Waves on person.WaveId equals wave.Id into waves
            from wave in waves.DefaultIfEmpty()
            select new { person.Id, person.WaveId, DeadlineAt = (DateTimeOffset?)wave.DeadlineAt }).AsNoTracking().ToListAsync(Aborted);
        var extended = await live.Where(term => term.Kind == PersonalTermKind.Extension).GroupBy(term => term.PersonId).Select(group => new { group.Key, Until = group.Max(term => term.Until) }).ToDictionaryAsync(row => row.Key, row => row.Until, Aborted);
        return rows.ToDictionary(row => row.Id, row => new Term(row.WaveId, row.DeadlineAt is { } common && extended.TryGetValue(row.Id, out var own) && own > common ? own : row.DeadlineAt));
    }

    private IActionResult Meanwhile()
    {
        Problems = [admin["WaveChangedMeanwhile"]];
        return Again(StatusCodes.Status409Conflict);
    }
}
