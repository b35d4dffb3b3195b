using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
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
            person.Ignore(row => row.IsEnrolled);
            person.Ignore(row => row.Attributes);

            // The board counts a hundred thousand people from this index alone.
            person.HasIndex(row => new { row.WaveId, row.Unit, row.EnrolledAt, row.EnrolmentStep, row.EnrolmentTrouble, row.EnrolmentStepAt }).HasDatabaseName("ix_people_board");
            person.HasIndex(row => row.Unit);
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
            session.HasIndex(row => new { row.PersonId, row.LastSeenAt }); // when a person was seen last, however often that was
            session.HasIndex(row => new { row.Method, row.ExpiresAt }); // which a deadline or a policy overtakes, each minute
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
            code.Ignore(row => row.Digits);

            // At most one live move of a phone: the database itself says so.
            code.HasIndex(row => row.ReplacesPhoneId).IsUnique().HasFilter("state IN ('Waiting', 'Claimed', 'Bound')").HasDatabaseName("ix_binding_codes_one_move");
            code.HasIndex(row => row.PersonId);
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
            totp.HasIndex(row => row.SerialNumber);
            totp.Property(row => row.Period).HasDefaultValue(Totp.PeriodSeconds); // of those from before there were others
        });

        model.Entity<Passkey>(passkey =>
        {
            passkey.ToTable("passkeys");
            Versioned(passkey);
            passkey.Property(row => row.Name).HasMaxLength(Passkey.LongestName);
            passkey.HasIndex(row => row.CredentialId).IsUnique();
            passkey.HasIndex(row => row.PersonId);
        });

        model.Entity<TelephoneNumber>(number =>
        {
            number.ToTable("telephone_numbers");
            Versioned(number);
            number.HasIndex(row => row.PersonId);
        });

        model.Entity<TelephoneMessage>(message =>
        {
            message.ToTable("telephone_messages");
            Versioned(message);
            message.HasIndex(row => row.AttemptId);
            message.HasIndex(row => new { row.State, row.NextTryAt });
            message.HasIndex(row => new { row.PersonId, row.CreatedAt });
            message.HasIndex(row => new { row.Number, row.CreatedAt });
            message.HasIndex(row => row.GatewayId);
        });

        model.Entity<MethodPolicy>(policy =>
        {
            policy.ToTable("method_policies");
            Versioned(policy);
            policy.Property(row => row.Name).HasMaxLength(MethodPolicy.LongestName);
            policy.HasIndex(row => row.Name).IsUnique();
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
            request.HasIndex(row => new { row.PersonId, row.CreatedAt }); // how often a phone was asked lately

            // At most one live request per person: the database itself says so.
            request.HasIndex(row => row.PersonId).IsUnique().HasFilter("state = 'Pending'").HasDatabaseName("ix_approvals_one_pending");
        });

        model.Entity<AuditEvent>(row =>
        {
            row.ToTable("audit_events");
            row.Ignore(audit => audit.IsErased);
            row.HasIndex(audit => new { audit.PersonId, audit.At });
            row.HasIndex(audit => audit.At);
            row.HasIndex(audit => new { audit.What, audit.At });
            row.HasIndex(audit => audit.ActorId).HasFilter("actor_id IS NOT NULL"); // in the rows of a sign-in nobody else acts
            row.HasIndex(audit => audit.ChainNumber).IsUnique();
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
            code.HasIndex(row => row.SessionId); // whom to tell when a session ends
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
            notice.HasIndex(row => new { row.PersonId, row.CreatedAt });
        });

        model.Entity<SignOutRound>(round => round.ToTable("sign_out_rounds"));

        model.Entity<Wave>(wave =>
        {
            wave.ToTable("waves");
            Versioned(wave);
            wave.Property(row => row.Name).HasMaxLength(Wave.LongestName);
            wave.HasIndex(row => row.Name).IsUnique();
        });

        model.Entity<PersonalTerm>(term =>
        {
            term.ToTable("personal_terms");
            Versioned(term);
            term.HasIndex(row => row.PersonId);
            term.HasIndex(row => row.Until);
        });

        model.Entity<RoleAssignment>(role =>
        {
            role.ToTable("role_assignments");
            role.HasIndex(row => row.PersonId);
        });

        model.Entity<AccessPass>(pass =>
        {
            pass.ToTable("access_passes");
            Versioned(pass);
            pass.HasIndex(row => row.PersonId);
        });

        model.Entity<HelpdeskCase>(found =>
        {
            found.ToTable("helpdesk_cases");
            Versioned(found);
            found.HasIndex(row => new { row.PersonId, row.ClosedAt });
        });

        model.Entity<Mail>(mail =>
        {
            mail.ToTable("mails");
            Versioned(mail);
            mail.HasIndex(row => row.OnceKey).IsUnique();
            mail.HasIndex(row => new { row.State, row.NextTryAt });
            mail.HasIndex(row => row.PersonId);
        });

        model.Entity<MailTemplate>(template =>
        {
            template.ToTable("mail_templates");
            template.HasKey(row => new { row.Kind, row.Language });
            template.Property(row => row.Version).IsConcurrencyToken();
        });

        model.Entity<OrganisationLook>(look =>
        {
            look.ToTable("organisation_looks");
            Versioned(look);
            look.Property(row => row.Id).ValueGeneratedNever();
        });

        model.Entity<OwnText>(text =>
        {
            text.ToTable("own_texts");
            text.HasKey(row => new { row.Key, row.Language });
            text.Property(row => row.Version).IsConcurrencyToken();
        });

        model.Entity<ImportRun>(run =>
        {
            run.ToTable("import_runs");
            Versioned(run);
        });

        model.Entity<AuditCheckpoint>(checkpoint =>
        {
            checkpoint.ToTable("audit_checkpoints");
            Versioned(checkpoint);
            checkpoint.Property(row => row.Id).ValueGeneratedNever();
        });
    }

    private static void Versioned<T>(EntityTypeBuilder<T> entity) where T : class
    {
        entity.HasKey("Id");
        entity.Property<int>("Version").IsConcurrencyToken();
    }
}
