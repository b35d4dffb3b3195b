using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Sessions;
using Portvakt.Domain.SignIn;

namespace Portvakt.Server.Data;

/// <summary>How the heart's classes lie in tables. Names come from the naming convention (snake_case).</summary>
internal static class Mapping
{
    public static void Apply(ModelBuilder model)
    {
        model.Entity<Person>(person =>
        {
            person.ToTable("people");
            Versioned(person);
            person.HasIndex(row => row.UserName).IsUnique();
            person.Property(row => row.UserName).HasMaxLength(UserName.MaximumLength);
        });

        model.Entity<SignInAttempt>(attempt =>
        {
            attempt.ToTable("sign_in_attempts");
            Versioned(attempt);
            attempt.HasIndex(row => row.ExpiresAt);
        });

        model.Entity<Session>(session =>
        {
            session.ToTable("sessions");
            Versioned(session);
            session.HasIndex(row => row.SecretHash).IsUnique();
            session.HasIndex(row => row.PersonId);
            session.Ignore(row => row.Assurance);
        });

        model.Entity<FamiliarBrowser>(browser =>
        {
            browser.ToTable("familiar_browsers");
            browser.HasKey(row => new { row.PersonId, row.BrowserHash });
        });

        model.Entity<FailureCount>(count =>
        {
            count.ToTable("failure_counts");
            count.HasKey(row => row.Key);
        });

        model.Entity<BindingCode>(code =>
        {
            code.ToTable("binding_codes");
            Versioned(code);
            code.HasIndex(row => row.CodeHash).IsUnique();
            code.HasIndex(row => row.TypedCodeHash).IsUnique();
            code.HasIndex(row => row.AttemptId);
        });

        model.Entity<PhoneAuthenticator>(phone =>
        {
            phone.ToTable("phones");
            Versioned(phone);
            phone.HasIndex(row => row.KeyId).IsUnique();
            phone.HasIndex(row => row.PersonId);
            phone.HasIndex(row => row.CredentialId).IsUnique();
            phone.Ignore(row => row.CanBeAsked);
        });

        model.Entity<TotpAuthenticator>(totp =>
        {
            totp.ToTable("totps");
            Versioned(totp);
            totp.HasIndex(row => row.PersonId);
        });

        model.Entity<RecoveryCode>(code =>
        {
            code.ToTable("recovery_codes");
            Versioned(code);
            code.HasIndex(row => row.Hash).IsUnique();
            code.HasIndex(row => row.PersonId);
        });

        model.Entity<ApprovalRequest>(request =>
        {
            request.ToTable("approvals");
            Versioned(request);
            request.Ignore(row => row.DisplayedNumber);
            request.HasIndex(row => row.AttemptId);

            // At most one live request per person: the database itself says so.
            request.HasIndex(row => row.PersonId).IsUnique().HasFilter("state = 'Pending'").HasDatabaseName("ix_approvals_one_pending");
        });

        model.Entity<AuditEvent>(row =>
        {
            row.ToTable("audit_events");
            row.HasIndex(audit => new { audit.PersonId, audit.At });
        });

        model.Entity<UsedProof>(proof =>
        {
            proof.ToTable("used_proofs");
            proof.HasKey(row => row.Hash);
            proof.HasIndex(row => row.ExpiresAt);
        });

        model.Entity<ServerKey>(key => key.ToTable("server_keys"));

        model.Entity<AuthorizationCode>(code =>
        {
            code.ToTable("authorization_codes");
            code.HasKey(row => row.Hash);
            code.Property(row => row.Version).IsConcurrencyToken();
            code.HasIndex(row => row.ExpiresAt);
        });

        model.Entity<RefreshFamily>(family =>
        {
            family.ToTable("refresh_families");
            Versioned(family);
            family.HasIndex(row => row.SessionId);
        });

        model.Entity<LogoutNotice>(notice =>
        {
            notice.ToTable("logout_notices");
            Versioned(notice);
            notice.HasIndex(row => row.NextTryAt);
        });
    }

    private static void Versioned<T>(EntityTypeBuilder<T> entity) where T : class
    {
        entity.HasKey("Id");
        entity.Property<int>("Version").IsConcurrencyToken();
    }
}
