using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
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
/// Brings a file of people in, in one transaction: all of it or nothing. Who is new gets no password. Of who is known only what the file has columns for is
/// touched; passwords, factors and roles never are (R47). The same file again changes nothing.
/// </summary>
public sealed class PeopleImport(PortvaktDb db, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    private const int BatchSize = 1000;

    /// <summary>Held on PostgreSQL by the one import that writes; SQLite has one writer anyway.</summary>
    internal const long Lock = 0x70_6f_72_74;

    /// <summary>The dry run: nothing is written.</summary>
    public Task<ImportReport> CompareAsync(Stream file, CancellationToken cancellationToken) => RunAsync(file, write: false, null, cancellationToken);

    /// <param name="file">The file.</param>
    /// <param name="actorId">Who brings it in; null: the operator of the machine.</param>
    /// <param name="finish">Written in the same transaction, before its end.</param>
    /// <param name="progress">Told how many lines are done, after each thousand.</param>
    /// <param name="cancellationToken">Ends it before anything is visible.</param>
    /// <exception cref="DbUpdateException">Somebody else changed one of the people, or took one of the user names, in the meantime; nothing was written.</exception>
    public async Task<ImportReport> BringInAsync(Stream file, Guid? actorId, Func<PortvaktDb, ImportReport, Task>? finish, Action<int>? progress, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        if (db.Database.IsNpgsql()) await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({Lock})", cancellationToken);
        var report = await RunAsync(file, write: true, progress, cancellationToken);
        db.Record(SecurityEvent.PeopleImported, null, null, null, clock.GetUtcNow(), actorId, $"added {report.Added}, changed {report.Changed}, unchanged {report.Unchanged}, left out {report.ProblemCount}");
        await db.SaveChangesAsync(cancellationToken);
        if (finish is not null) await finish(db, report);
        cancellationToken.ThrowIfCancellationRequested();
        await transaction.CommitAsync(CancellationToken.None);
        return report;
    }

    private async Task<ImportReport> RunAsync(Stream file, bool write, Action<int>? progress, CancellationToken cancellationToken)
    {
        var report = new ImportReport();
        var now = clock.GetUtcNow();
        var waves = await WaveRules.LoadAsync(db, cancellationToken);
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            foreach (var some in PeopleFile.Read(file, now, settings.Value.Zone, Problem).Chunk(BatchSize))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var names = some.Select(line => line.UserName).ToList();
                var found = db.People.Where(person => names.Contains(person.UserName));
                var known = await (write ? found : found.AsNoTracking()).ToDictionaryAsync(person => person.UserName, StringComparer.Ordinal, cancellationToken);
                foreach (var line in some) Bring(line, known.GetValueOrDefault(line.UserName));
                if (write)
                {
                    db.ChangeTracker.DetectChanges();
                    await db.SaveChangesAsync(cancellationToken);
                    db.ChangeTracker.Clear();
                }

                report.Lines += some.Length;
                progress?.Invoke(report.Lines + report.ProblemCount);
            }
        }
        finally
        {
            db.ChangeTracker.AutoDetectChangesEnabled = true;
        }

        report.Lines += report.ProblemCount;
        report.Problems.Sort((one, other) => one.Line.CompareTo(other.Line));
        return report;

        void Problem(ImportProblem problem)
        {
            report.ProblemCount++;
            if (report.Problems.Count < ImportReport.Shown) report.Problems.Add(problem);
        }

        void Bring(ImportedPerson line, Person? person)
        {
            var isNew = person is null;
            person ??= new Person(UserName.Parse(line.UserName), line.Name, now);
            var fields = isNew ? [] : Differences(person, line);
            if (!isNew && fields.Count is 0)
            {
                report.Unchanged++;
                return;
            }

            if (isNew) report.Added++;
            else report.Changed++;
            if (report.Changes.Count < ImportReport.Shown) report.Changes.Add(new ImportedChange(line.Line, line.UserName, line.Name, fields));
            if (!write) return;
            Apply(person, line);
            if (!person.WaveIsFixed) person.JoinWave(WaveRules.WaveOf(person.Attributes, waves), byName: false);
            if (isNew) db.People.Add(person);
        }
    }

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
