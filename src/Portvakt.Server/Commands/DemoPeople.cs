using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Commands;

/// <summary>
/// <c>portvakt demo-people</c>: a rollout in full swing for <c>dev.cs demo</c>. Three waves and 500 people, made up by a fixed rule and in every state that the
/// board knows, so that each of its numbers has somebody behind it; besides Kari, Ola and an administrator, the only ones who can sign in.
/// </summary>
public static class DemoPeople
{
    /// <summary>How many besides Kari, Ola and the administrator.</summary>
    public const int Count = 500;

    /// <summary>What the command answers when there are people already.</summary>
    public const int ExistsAlready = 3;

    private static readonly string[][] Units =
    [
        ["Oppvekst/Skole nord", "Oppvekst/Skole sør", "Oppvekst/Skole øst", "Oppvekst/Barnehage"],
        ["Helse/Hjemmetjeneste nord", "Helse/Hjemmetjeneste sør", "Helse/Legevakt", "Helse/Sykehjem"],
        ["Administrasjon/IT", "Administrasjon/Lønn", "Administrasjon/Servicetorg", "Administrasjon/Teknisk drift"],
    ];

    private static readonly string[] ExemptionReasons = ["Foreldrepermisjon", "Langtidssykmeldt", "Permisjon uten lønn"];
    private static readonly string[] ExtensionReasons = ["Har bestilt ny jobbtelefon", "På reise uten telefon", "Vikar, får telefon ved oppstart"];

    /// <summary>Where people get stuck, and over what.</summary>
    private static readonly (SignInStep Step, EnrolmentTrouble? Trouble)[] Obstacles =
    [
        (SignInStep.SetUpPhone, EnrolmentTrouble.CodeExpired), (SignInStep.SetUpPhone, EnrolmentTrouble.Unlock), (SignInStep.TestApproval, EnrolmentTrouble.NoAnswer),
        (SignInStep.SetUpPhone, EnrolmentTrouble.CodeExpired), (SignInStep.TestApproval, EnrolmentTrouble.WrongNumber), (SignInStep.SetUpCode, EnrolmentTrouble.WrongCode),
        (SignInStep.ChooseMethod, null), (SignInStep.SetUpPhone, EnrolmentTrouble.TwoPhones), (SignInStep.TestApproval, EnrolmentTrouble.Denied), (SignInStep.SetUpPhone, null),
    ];

    internal static Command Command(string[] settings)
    {
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password of kari, ola and admin from standard input.", Required = true };
        var command = new Command("demo-people", "Fill a new database with the demo's people. Refused outside the demo.") { fromInput };
        command.Hidden = true;
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            if (!app.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value.Demo) return await FailAsync("Made-up people belong in a demo: this needs Portvakt:Demo.", 2);
            var password = await Console.In.ReadLineAsync(cancellationToken) ?? "";
            var rules = app.Services.GetRequiredService<PasswordPolicy>();
            if (rules.Judge(password, UserName.Parse("kari"), "Kari Nordmann", withSecondFactor: true) is not PasswordProblem.None and var problem) return await FailAsync(PasswordPolicy.Explain(problem), 4);
            return await FillAsync(app.Services, password, cancellationToken) ? 0 : await FailAsync("There are people already.", ExistsAlready);
        });
        return command;
    }

    /// <summary>Everything in one transaction. False: somebody is there already, and nothing was done.</summary>
    public static async Task<bool> FillAsync(IServiceProvider services, string password, CancellationToken cancellationToken)
    {
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        if (await db.People.AnyAsync(cancellationToken)) return false;
        var hash = await services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(password)!, cancellationToken);
        new Town(db, services.GetRequiredService<Vault>(), services.GetRequiredService<IOptions<PortvaktSettings>>().Value.Zone, services.GetRequiredService<TimeProvider>().GetUtcNow()).Settle(hash);
        await db.SaveChangesAsync(cancellationToken);
        return true;
    }

    private static async Task<int> FailAsync(string sentence, int code)
    {
        await Console.Error.WriteLineAsync(sentence);
        return code;
    }

    /// <summary>The same people in the same states, whenever it is built.</summary>
    private sealed class Town(PortvaktDb db, Vault vault, TimeZoneInfo zone, DateTimeOffset now)
    {
        private Person _admin = null!;

        public void Settle(string passwordHash)
        {
            var (school, health, office) = (
                AddWave(1, "Oppvekst", -34, -3, AfterDeadline.Block),
                AddWave(2, "Helse", -26, 3, AfterDeadline.Block),
                AddWave(3, "Administrasjon", -5, 24, AfterDeadline.EnrolNow));

            _admin = Add("admin", "Demo-administrator", Units[2][0], office, "nb", now.AddDays(-60));
            _admin.SetPassword(passwordHash);
            _admin.RecordUseElsewhere(now.AddDays(-1));
            db.RoleAssignments.Add(new RoleAssignment(_admin.Id, Role.Administrator, unit: null, grantedBy: null, now.AddDays(-60)));
            db.Record(SecurityEvent.RoleGranted, _admin.Id, nameof(Role.Administrator), null, now.AddDays(-60));

            // Kari has switched 2-factor on: she enrols at her next sign-in. Ola's wave is in its last days: he may say "not now", each time.
            var kari = Add("kari", "Kari Nordmann", Units[2][1], office, "nb", now.AddDays(-60));
            kari.SetPassword(passwordHash);
            kari.RecordUseElsewhere(now.AddDays(-1));
            kari.Activate(now.AddHours(-1));
            db.Record(SecurityEvent.TwoFactorActivated, kari.Id, null, null, now.AddHours(-1), kari.Id);
            var ola = Add("ola", "Ola Nordmann", Units[1][1], health, "nb", now.AddDays(-60));
            ola.SetPassword(passwordHash);
            ola.RecordUseElsewhere(now.AddDays(-1));

            for (var number = 1; number <= Count; number++)
            {
                var place = Dice(number, "place", 100) switch { < 40 => 0, < 74 => 1, _ => 2 };
                var person = Add(
                    string.Create(CultureInfo.InvariantCulture, $"ansatt{number:000}"), string.Create(CultureInfo.InvariantCulture, $"Ansatt {number:000}"),
                    Units[place][Dice(number, "unit", 4)], place switch { 0 => school, 1 => health, _ => office },
                    Dice(number, "language", 100) switch { < 72 => "nb", < 92 => "nn", _ => "en" }, now.AddDays(-60 - Dice(number, "since", 900)));
                Live(person, number, place switch { 0 => school, 1 => health, _ => office }, place switch { 0 => 80, 1 => 56, _ => 17 });
            }
        }

        /// <param name="person">Who.</param>
        /// <param name="number">The dice are thrown by it.</param>
        /// <param name="wave">Where the person belongs.</param>
        /// <param name="enrolled">How many of a hundred have enrolled in this wave.</param>
        private void Live(Person person, int number, Wave wave, int enrolled)
        {
            var isOver = wave.DeadlineAt <= now;
            var rest = Dice(number, "fate", 100) - enrolled;
            if (rest >= 0)
            {
                // What is left of a hundred, in the same shares in each wave.
                var share = rest * 100 / (100 - enrolled);
                if (share < 24) Stick(person, number);
                else if (share < 34) Exempt(person, number);
                else if (share < 46) Extend(person, number, wave);
                else if (share < 54) return; // never used
                else if (share < 60) person.RecordUseElsewhere(now.AddDays(-31 - Dice(number, "asleep", 200)));
                else if (share < 66) Lock(person, number);
                else if (share < 84 && !isOver) Postpone(person, number);
                if (share is < 54 or >= 60) person.RecordUseElsewhere(UsedAt(number));
                return;
            }

            Enrol(person, number, wave);
        }

        private void Enrol(Person person, int number, Wave wave)
        {
            // People come in two crowds: when they are told, and when it is nearly too late.
            var end = wave.DeadlineAt < now ? wave.DeadlineAt : now.AddHours(-3);
            var (span, throw1) = (end - wave.StartsAt, Dice(number, "day", 1000) / 1000.0);
            var part = Dice(number, "crowd", 100) < 45 || wave.DeadlineAt > now.AddDays(10) ? throw1 * throw1 : 1 - (throw1 * throw1 * 0.6);
            var day = TimeZoneInfo.ConvertTime(wave.StartsAt + (span * part), zone).Date;
            if (day.DayOfWeek is DayOfWeek.Saturday) day = day.AddDays(-1);
            if (day.DayOfWeek is DayOfWeek.Sunday) day = day.AddDays(1);
            var at = EnrolmentRule.StartOf(DateOnly.FromDateTime(day), zone) + TimeSpan.FromMinutes((7 * 60) + Dice(number, "minute", 9 * 60));
            if (at >= end) at = end - TimeSpan.FromMinutes(10 + Dice(number, "late", 600));
            if (at < wave.StartsAt) at = wave.StartsAt + TimeSpan.FromMinutes(10 + Dice(number, "early", 600));

            person.RecordUseElsewhere(at.AddDays(-1));
            var totp = new TotpAuthenticator(person.Id, phoneId: null, attemptId: null, at);
            totp.SealedSeed = vault.Seal(RandomNumberGenerator.GetBytes(Totp.SeedLength), "totps.seed", totp.Id.ToString("N"));
            totp.Activate();
            db.Totps.Add(totp);
            person.RecordEnrolment(at);
            person.RecordSignIn(at, at.AddDays(-1), twoFactors: true);
            db.Record(SecurityEvent.EnrolmentBegun, person.Id, null, null, at.AddMinutes(-4));
            db.Record(SecurityEvent.TotpActivated, person.Id, totp.Id.ToString("N"), null, at);
            var later = UsedAt(number);
            if (later > at) person.RecordSignIn(later, at, twoFactors: true);
        }

        private void Stick(Person person, int number)
        {
            var (step, trouble) = Obstacles[Dice(number, "obstacle", Obstacles.Length)];
            var at = Dice(number, "stuck", 100) switch { < 10 => now.AddMinutes(-2), < 60 => now.AddMinutes(-30 - Dice(number, "stuck2", 600)), _ => now.AddDays(-1 - Dice(number, "stuck3", 4)) };
            var row = db.Entry(person);
            row.Property(who => who.EnrolmentStep).CurrentValue = step;
            row.Property(who => who.EnrolmentStepAt).CurrentValue = at;
            row.Property(who => who.EnrolmentTrouble).CurrentValue = trouble;
            db.Record(SecurityEvent.EnrolmentBegun, person.Id, null, null, at.AddMinutes(-5));
        }

        private void Exempt(Person person, int number) => Grant(PersonalTermKind.Exemption, person, now.AddDays(20 + Dice(number, "exempt", 120)), ExemptionReasons[Dice(number, "why", 3)]);

        private void Extend(Person person, int number, Wave wave) =>
            Grant(PersonalTermKind.Extension, person, (wave.DeadlineAt < now ? now : wave.DeadlineAt).AddDays(4 + Dice(number, "extend", 10)), ExtensionReasons[Dice(number, "why", 3)]);

        private void Grant(PersonalTermKind kind, Person person, DateTimeOffset until, string reason)
        {
            var at = now.AddDays(-4);
            var end = EnrolmentRule.StartOf(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(until, zone).Date), zone);
            db.PersonalTerms.Add(new PersonalTerm(kind, person.Id, end, reason, _admin.Id, at));
            db.Record(SecurityEvent.TermGranted, person.Id, kind.ToString(), null, at, _admin.Id, reason);
        }

        private void Lock(Person person, int number)
        {
            person.Lock();
            db.Record(SecurityEvent.PersonLocked, person.Id, null, null, now.AddDays(-1 - Dice(number, "locked", 9)), _admin.Id, "Sluttet");
        }

        private void Postpone(Person person, int number)
        {
            var at = now.AddMinutes(-20 - Dice(number, "postponed", 1100));
            person.Postpone(at.AddDays(1));
            db.Record(SecurityEvent.EnrolmentPostponed, person.Id, null, null, at);
        }

        private Person Add(string userName, string name, string unit, Wave wave, string language, DateTimeOffset since)
        {
            var person = new Person(UserName.Parse(userName), name, since) { Email = $"{userName}@eksempel.kommune.no", Language = language, Unit = unit };
            person.JoinWave(wave.Id, byName: false); // where the wave's rule puts the unit
            db.People.Add(person);
            db.Record(SecurityEvent.PersonCreated, person.Id, null, null, since);
            return person;
        }

        private Wave AddWave(int position, string unit, int startsInDays, int deadlineInDays, AfterDeadline after)
        {
            var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).Date);
            var starts = EnrolmentRule.StartOf(today.AddDays(startsInDays), zone);
            var wave = new Wave(unit, starts, EnrolmentRule.StartOf(today.AddDays(deadlineInDays), zone), starts.AddDays(-14)) { Position = position, AfterDeadline = after, Rule = $"unit under {unit}" };
            db.Waves.Add(wave);
            db.Record(SecurityEvent.WaveCreated, null, wave.Id.ToString("N"), null, starts.AddDays(-14));
            return wave;
        }

        private DateTimeOffset UsedAt(int number) => now.AddMinutes(-90 - Dice(number, "used", 9 * 24 * 60));

        /// <summary>From 0 to one less than <paramref name="sides"/>: the same for the same person and question, in every demo.</summary>
        private static int Dice(int number, string question, int sides) =>
            (int)(BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{question}\0{number}")))) % (uint)sides);
    }
}
