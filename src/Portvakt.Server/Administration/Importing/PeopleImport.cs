using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Administration;

/// <summary>What becomes of one attribute of a person.</summary>
public sealed record ImportedField(string Name, string? Old, string? New);

/// <summary>What becomes of one person; without fields: somebody new.</summary>
public sealed record ImportedChange(int Line, string UserName, string Name, IReadOnlyList<ImportedField> Fields);

/// <summary>What an import did, or would do.</summary>
public sealed class ImportReport
{
    /// <summary>So many problems and changes are shown one by one; the rest is counted.</summary>
    public const int Shown = 100;

    public int Lines { get; set; }
    public int Added { get; set; }
    public int Changed { get; set; }
    public int Unchanged { get; set; }
    public int ProblemCount { get; set; }
    public List<ImportProblem> Problems { get; init; } = [];
    public List<ImportedChange> Changes { get; init; } = [];
}

/// <summary>
/// Brings a file of people in: all of it or nothing. The file is read and compared without a lock, and what it changes is laid aside; then a few statements bring
/// that in, in one short transaction, so that sign-ins go on meanwhile. Who is new gets no password. Of who is known only what the file has columns for is touched;
/// passwords, factors and roles never are (R47). The same file again changes nothing.
/// </summary>
public sealed class PeopleImport(PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    private const int BatchSize = 1000;

    /// <summary>Held on PostgreSQL by the one import that is under way. On SQLite two may read at the same time; they write one after the other.</summary>
    internal const long Lock = 0x70_6f_72_74;

    /// <summary>The dry run: nothing is written.</summary>
    public async Task<ImportReport> CompareAsync(Stream file, CancellationToken cancellationToken) => await ReadAsync(file, await WaveRules.LoadAsync(db, cancellationToken), null, null, cancellationToken);

    /// <param name="file">The file.</param>
    /// <param name="actorId">Who brings it in; null: the operator of the machine.</param>
    /// <param name="finish">Written in the same transaction, before its end.</param>
    /// <param name="progress">Told how many lines are read and laid aside, after each thousand.</param>
    /// <param name="cancellationToken">Ends it before anything is visible.</param>
    /// <exception cref="DbUpdateException">Somebody else took one of the user names at the last moment; nothing was written.</exception>
    public async Task<ImportReport> BringInAsync(Stream file, Guid? actorId, Func<PortvaktDb, ImportReport, Task>? finish, Action<int>? progress, CancellationToken cancellationToken)
    {
        // PostgreSQL's writers do not wait for a transaction that has touched nobody's row yet; SQLite's would, so there it begins when everything is laid aside.
        await using var early = db.Database.IsNpgsql() ? await db.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken) : null;
        if (early is not null) await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({Lock})", cancellationToken);
        var plan = await PlanAsync(cancellationToken);
        var waves = await WaveRules.LoadAsync(db, cancellationToken);
        await using var shelf = await PeopleShelf.OpenAsync(db, cancellationToken);
        var report = await ReadAsync(file, waves, shelf, progress, cancellationToken);

        await using var late = early is null ? await db.Database.BeginTransactionAsync(cancellationToken) : null;
        foreach (var some in (await shelf.EmptyAsync(cancellationToken)).Chunk(BatchSize))
        {
            // Once more and by the same rule, now that nobody can come between.
            var known = await KnownAsync(db.People, some.Select(laid => laid.Line), cancellationToken);
            foreach (var (wasNew, line) in some)
            {
                if (wasNew) report.Added--;
                else report.Changed--;
                if (Bring(line, known.GetValueOrDefault(line.UserName), waves, report) is (var person, true)) db.People.Add(person);
            }

            await db.SaveChangesAsync(cancellationToken);
            db.ChangeTracker.Clear();
        }

        if (!plan.SequenceEqual(await PlanAsync(cancellationToken), StringComparer.Ordinal)) await WaveRules.AssignAsync(db, cancellationToken);
        db.Record(SecurityEvent.PeopleImported, null, null, null, clock.GetUtcNow(), actorId, $"added {report.Added}, changed {report.Changed}, unchanged {report.Unchanged}, left out {report.ProblemCount}");
        await db.SaveChangesAsync(cancellationToken);
        if (finish is not null) await finish(db, report);
        cancellationToken.ThrowIfCancellationRequested();
        await (early ?? late)!.CommitAsync(CancellationToken.None);
        return report;
    }

    /// <summary>Reads and compares the whole file; what it changes goes to the shelf.</summary>
    private async Task<ImportReport> ReadAsync(Stream file, IReadOnlyList<(Guid Id, WaveRule Rule)> waves, PeopleShelf? shelf, Action<int>? progress, CancellationToken cancellationToken)
    {
        var report = new ImportReport();
        foreach (var some in PeopleFile.Read(file, clock.GetUtcNow(), settings.Value.Zone, Problem).Chunk(BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var known = await KnownAsync(db.People.AsNoTracking(), some, cancellationToken);
            var changed = new List<(Person, bool, ImportedPerson)>();
            foreach (var line in some)
            {
                if (Bring(line, known.GetValueOrDefault(line.UserName), waves, report) is var (person, isNew)) changed.Add((person, isNew, line));
            }

            if (shelf is not null && changed.Count > 0) await shelf.LayAsync(changed, cancellationToken);
            report.Lines += some.Length;
            progress?.Invoke(report.Lines + report.ProblemCount);
        }

        report.Lines += report.ProblemCount;
        report.Problems.Sort((one, other) => one.Line.CompareTo(other.Line));
        return report;

        void Problem(ImportProblem problem)
        {
            report.ProblemCount++;
            if (report.Problems.Count < ImportReport.Shown) report.Problems.Add(problem);
        }
    }

    /// <summary>One line, counted. Null: it changes nothing.</summary>
    private (Person Person, bool IsNew)? Bring(ImportedPerson line, Person? person, IReadOnlyList<(Guid Id, WaveRule Rule)> waves, ImportReport report)
    {
        var isNew = person is null;
        person ??= new Person(UserName.Parse(line.UserName), line.Name, clock.GetUtcNow());
        var fields = isNew ? [] : Differences(person, line);
        if (!isNew && fields.Count is 0)
        {
            report.Unchanged++;
            return null;
        }

        if (isNew) report.Added++;
        else report.Changed++;
        if (report.Changes.Count < ImportReport.Shown) report.Changes.Add(new ImportedChange(line.Line, line.UserName, line.Name, fields));
        Apply(person, line);
        person.RefreshSearchText();
        if (!person.WaveIsFixed) person.JoinWave(WaveRules.WaveOf(person.Attributes, waves), byName: false);
        return (person, isNew);
    }

    private static async Task<Dictionary<string, Person>> KnownAsync(IQueryable<Person> people, IEnumerable<ImportedPerson> lines, CancellationToken cancellationToken)
    {
        var names = lines.Select(line => line.UserName).ToList();
        return await people.Where(person => names.Contains(person.UserName)).ToDictionaryAsync(person => person.UserName, StringComparer.Ordinal, cancellationToken);
    }

    /// <summary>The waves and their rules as they are now: when they have changed while the file was read, everybody's wave is found anew.</summary>
    private async Task<List<string>> PlanAsync(CancellationToken cancellationToken) =>
        [.. (await db.Waves.AsNoTracking().OrderBy(wave => wave.Position).ThenBy(wave => wave.StartsAt).Select(wave => new { wave.Id, wave.Rule }).ToListAsync(cancellationToken)).Select(wave => $"{wave.Id:N} {wave.Rule}")];

    private static List<ImportedField> Differences(Person person, ImportedPerson line)
    {
        var fields = new List<ImportedField>();
        Compare(nameof(line.Name), person.DisplayName, line.Name);
        Compare(nameof(line.Mail), person.Email, line.Mail);
        Compare(nameof(line.Phone), person.Phone, line.Phone);
        Compare(nameof(line.Unit), person.Unit, line.Unit);
        Compare(nameof(line.Manager), person.Manager, line.Manager);
        Compare(nameof(line.OfficePhone), person.OfficePhone, line.OfficePhone);
        Compare(nameof(line.Language), person.Language, line.Language);
        if (line.LastUsed is { } used && (person.LastSignInAt is null || used > person.LastSignInAt)) fields.Add(new ImportedField(nameof(line.LastUsed), person.LastSignInAt?.ToString("u"), used.ToString("u")));
        return fields;

        void Compare(string name, string? old, string? typed)
        {
            if (typed is not null && (old ?? "") != typed) fields.Add(new ImportedField(name, old, typed));
        }
    }

    private static void Apply(Person person, ImportedPerson line)
    {
        person.DisplayName = line.Name;
        if (line.Mail is not null) person.Email = Filled(line.Mail);
        if (line.Phone is not null) person.Phone = Filled(line.Phone);
        if (line.Unit is not null) person.Unit = Filled(line.Unit);
        if (line.Manager is not null) person.Manager = Filled(line.Manager);
        if (line.OfficePhone is not null) person.OfficePhone = Filled(line.OfficePhone);
        if (line.Language is not null) person.Language = line.Language;
        if (line.LastUsed is { } used) person.RecordUseElsewhere(used);

        static string? Filled(string text) => text.Length > 0 ? text : null;
    }
}
