using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Data;

/// <summary>One model for both databases. The two subclasses only own their migrations.</summary>
public abstract class PortvaktDb(DbContextOptions options) : DbContext(options)
{
    private static readonly SqlStatement UseProof = new(
        "INSERT INTO used_proofs (hash, expires_at) VALUES (@hash, @expires) ON CONFLICT (hash) DO NOTHING", null, ("hash", typeof(byte[])), ("expires", typeof(DateTime)));

    public DbSet<Person> People => Set<Person>();
    public DbSet<SignInAttempt> SignInAttempts => Set<SignInAttempt>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<FamiliarBrowser> FamiliarBrowsers => Set<FamiliarBrowser>();
    public DbSet<FailureCount> FailureCounts => Set<FailureCount>();
    public DbSet<BindingCode> BindingCodes => Set<BindingCode>();
    public DbSet<PhoneAuthenticator> Phones => Set<PhoneAuthenticator>();
    public DbSet<TotpAuthenticator> Totps => Set<TotpAuthenticator>();
    public DbSet<Passkey> Passkeys => Set<Passkey>();
    public DbSet<TelephoneNumber> TelephoneNumbers => Set<TelephoneNumber>();
    public DbSet<TelephoneMessage> TelephoneMessages => Set<TelephoneMessage>();
    public DbSet<MethodPolicy> MethodPolicies => Set<MethodPolicy>();
    public DbSet<RecoveryCode> RecoveryCodes => Set<RecoveryCode>();
    public DbSet<ApprovalRequest> Approvals => Set<ApprovalRequest>();
    public DbSet<AuditEvent> AuditEvents => Set<AuditEvent>();
    public DbSet<UsedProof> UsedProofs => Set<UsedProof>();
    public DbSet<ServerKey> ServerKeys => Set<ServerKey>();
    public DbSet<AuthorizationCode> AuthorizationCodes => Set<AuthorizationCode>();
    public DbSet<RefreshFamily> RefreshFamilies => Set<RefreshFamily>();
    public DbSet<LogoutNotice> LogoutNotices => Set<LogoutNotice>();
    public DbSet<SignOutRound> SignOutRounds => Set<SignOutRound>();
    public DbSet<Wave> Waves => Set<Wave>();
    public DbSet<PersonalTerm> PersonalTerms => Set<PersonalTerm>();
    public DbSet<RoleAssignment> RoleAssignments => Set<RoleAssignment>();
    public DbSet<AccessPass> AccessPasses => Set<AccessPass>();
    public DbSet<HelpdeskCase> Cases => Set<HelpdeskCase>();
    public DbSet<Mail> Mails => Set<Mail>();
    public DbSet<MailTemplate> MailTemplates => Set<MailTemplate>();
    public DbSet<OrganisationLook> OrganisationLooks => Set<OrganisationLook>();
    public DbSet<OwnText> OwnTexts => Set<OwnText>();
    public DbSet<ImportRun> ImportRuns => Set<ImportRun>();
    public DbSet<AuditCheckpoint> AuditCheckpoints => Set<AuditCheckpoint>();

    /// <summary>Who writes on SQLite; null elsewhere, and where a context was made without a server.</summary>
    private SqliteWriter? Writer => field ??= Database.IsSqlite() ? this.GetInfrastructure().GetService<IDbContextOptions>()!.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetService<SqliteWriter>() : null;

    /// <summary>
    /// Saves, and says whether this was the save that won. False: somebody else changed one of the rows in between, and
    /// nothing of this was written. That is how everything that counts once counts once.
    /// </summary>
    public async Task<bool> TrySaveAsync(CancellationToken cancellationToken)
    {
        try
        {
            await SaveChangesAsync(cancellationToken);
            return true;
        }
        catch (Exception lost) when (lost is DbUpdateConcurrencyException || IsUniqueViolation(lost as DbUpdateException) || IsDeadlock(lost))
        {
            ChangeTracker.Clear();
            return false;
        }
    }

    /// <summary>Whether this is the first use of what may be used once; the primary key refuses the second, on every server.</summary>
    /// <param name="hash">Of what is used, 32 bytes.</param>
    /// <param name="expiresAt">From when nobody believes it any more and it need not be remembered.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<bool> UseOnceAsync(byte[] hash, DateTimeOffset expiresAt, CancellationToken cancellationToken) => await UseProof.WriteAsync(this, cancellationToken, hash, expiresAt.UtcDateTime) is 1;

    /// <summary>What stood in the way of an enrolment, for the board and the helpdesk that is phoned about it. Beside the row's version: it decides nothing.</summary>
    public Task RememberTroubleAsync(Guid personId, EnrolmentTrouble trouble) =>
        WriteAsync(
            () => People.Where(row => row.Id == personId && row.EnrolledAt == null && row.EnrolmentStep != null).ExecuteUpdateAsync(set => set.SetProperty(row => row.EnrolmentTrouble, trouble), CancellationToken.None),
            CancellationToken.None);

    /// <summary>The deadline of the whole organisation, where all waves end on the same day: what may be told to whoever is in none or in any of them.</summary>
    public async Task<DateTimeOffset?> CommonDeadlineAsync(TimeZoneInfo zone, CancellationToken cancellationToken)
    {
        var deadlines = await Waves.Select(wave => wave.DeadlineAt).Distinct().ToListAsync(cancellationToken);
        return deadlines.Select(deadline => EnrolmentRule.LastDay(deadline, zone)).Distinct().Count() is 1 ? deadlines[0] : null;
    }

    /// <summary>Two saves wanted the same key: the other one was first.</summary>
    private static bool IsUniqueViolation(DbUpdateException? exception) => exception?.InnerException switch
    {
        Npgsql.PostgresException postgres => postgres.SqlState == Npgsql.PostgresErrorCodes.UniqueViolation,
        Microsoft.Data.Sqlite.SqliteException sqlite => sqlite.SqliteExtendedErrorCode is 1555 or 2067, // SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE
        _ => false,
    };

    /// <summary>Two saves waited for each other's rows, and the database let the other one through. Npgsql wraps what it thinks worth another try.</summary>
    private static bool IsDeadlock(Exception exception) =>
        (exception as DbUpdateException ?? exception.InnerException as DbUpdateException)?.InnerException is Npgsql.PostgresException { SqlState: Npgsql.PostgresErrorCodes.DeadlockDetected };

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        if (!Stamp()) return 0;

        // Everything that has changed was found by now; to look for it again would cost as much as to write it.
        ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            if (Writer is not { } writer || Database.CurrentTransaction is not null) return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
            var rows = 0;
            await writer.RunAsync(
                this,
                async () =>
                {
                    rows = await base.SaveChangesAsync(acceptAllChangesOnSuccess, CancellationToken.None); // begun is finished
                    return true;
                },
                isOneStatement: false,
                cancellationToken);
            return rows;
        }
        finally
        {
            ChangeTracker.AutoDetectChangesEnabled = true;
        }
    }

    /// <summary>
    /// All of it or nothing, durable when it is done. On SQLite what others want to write goes into the same commit, and nobody else writes meanwhile.
    /// Within another one it is a part of that.
    /// </summary>
    /// <param name="work">Asks this database and waits for nothing else. False: nothing of it shall be written.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <returns>What <paramref name="work"/> answered.</returns>
    public async Task<bool> InTransactionAsync(Func<Task<bool>> work, CancellationToken cancellationToken)
    {
        if (Database.CurrentTransaction is not null) return await work();
        if (Writer is { } writer) return await writer.RunAsync(this, work, isOneStatement: false, cancellationToken);
        await using var transaction = await Database.BeginTransactionAsync(cancellationToken);
        if (!await work()) return false;
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>A statement that writes, durable when it is done: a transaction of its own, shared with others on SQLite.</summary>
    /// <param name="statement">Runs it.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    /// <param name="isOne">False: on SQLite it is several, all or none of which shall be written.</param>
    public async Task<T> WriteAsync<T>(Func<Task<T>> statement, CancellationToken cancellationToken, bool isOne = true)
    {
        if (Writer is not { } writer || Database.CurrentTransaction is not null) return await statement();
        T result = default!;
        await writer.RunAsync(
            this,
            async () =>
            {
                result = await statement();
                return true;
            },
            isOne,
            cancellationToken);
        return result;
    }

    /// <summary>What each kind of row keeps by itself. False: nothing has changed.</summary>
    private bool Stamp()
    {
        var any = false;
        foreach (var entry in ChangeTracker.Entries())
        {
            if (entry.State is not (EntityState.Added or EntityState.Modified or EntityState.Deleted)) continue;
            any = true;

            // The concurrency token: EF asks for the old value in the WHERE clause, so one row can be won once.
            if (entry.State is EntityState.Modified && entry.Metadata.FindProperty("Version") is not null)
            {
                var version = entry.Property("Version");
                version.CurrentValue = (int)version.OriginalValue! + 1;
            }

            if (entry is { Entity: Person person, State: EntityState.Added or EntityState.Modified })
            {
                person.RefreshSearchText();
                entry.DetectChanges();
            }
        }

        return any;
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // SQLite cannot compare or sort DateTimeOffset; UTC DateTime it can, and PostgreSQL wants nothing else.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcConverter>();
        configurationBuilder.Properties<Enum>().HaveConversion<string>().HaveMaxLength(40);
        configurationBuilder.Properties<Methods>().HaveConversion<int>(); // a set of flags
    }

    /// <summary>An instant as text in UTC, cut off after so many characters (13: the hour, 16: the minute), so that either database can count by it. For queries only.</summary>
    public static string? MomentOf(DateTimeOffset? at, int length) => throw new NotSupportedException($"{at} and {length} are for the database to see.");

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        Mapping.Apply(modelBuilder);
        var isPostgres = Database.IsNpgsql();
        modelBuilder.HasDbFunction(() => MomentOf(null, 0)).HasTranslation(values => Text("substr", isPostgres ? Text("to_char", Text("timezone", new SqlFragmentExpression("'UTC'"), values[0]), new SqlFragmentExpression("'YYYY-MM-DD HH24:MI'")) : values[0], new SqlFragmentExpression("1"), values[1]));

        static SqlFunctionExpression Text(string name, params SqlExpression[] values) => new(name, values, nullable: true, values.Select(_ => true), typeof(string), StringTypeMapping.Default);
    }

    private sealed class UtcConverter() : ValueConverter<DateTimeOffset, DateTime>(
        instant => instant.UtcDateTime,
        stored => new DateTimeOffset(DateTime.SpecifyKind(stored, DateTimeKind.Utc)));
}

public sealed class SqlitePortvaktDb(DbContextOptions<SqlitePortvaktDb> options) : PortvaktDb(options);

public sealed class PostgresPortvaktDb(DbContextOptions<PostgresPortvaktDb> options) : PortvaktDb(options);
