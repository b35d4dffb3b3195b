using System.CommandLine;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Administration;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Mails;

namespace Portvakt.Server.Commands;

/// <summary><c>portvakt serve | migrate | first-admin | people add | people password | people import | waves add | audit verify | audit checkpoint | keys rotate</c>. Settings come from file, environment and <c>--Portvakt:Name=value</c> as everywhere.</summary>
public static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            return await InvokeAsync(args);
        }
        catch (InvalidOperationException wrong) when (wrong.Source is "portvakt")
        {
            return Fail(wrong.Message, 2); // a sentence for the operator, not a stack
        }
    }

    private static Task<int> InvokeAsync(string[] args)
    {
        // Settings on the command line belong to the configuration, not to the commands.
        var settings = args.Where(arg => arg.StartsWith("--Portvakt", StringComparison.OrdinalIgnoreCase) || arg.StartsWith("--urls", StringComparison.OrdinalIgnoreCase)).ToArray();
        var rest = args.Where(arg => !settings.Contains(arg, StringComparer.Ordinal)).ToArray(); // not Except: the same word may stand there twice

        var root = new RootCommand("Portvakt, the two-factor sign-in.") { Serve(settings), Migrate(settings), FirstAdmin(settings), People(settings), Waves(settings), AuditCommands.Audit(settings), KeyCommands.Keys(settings), DemoPeople.Command(settings), Contract() };
        root.SetAction((_, cancellationToken) => ServeAsync(settings, cancellationToken));
        return root.Parse(rest).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    private static Command Serve(string[] settings)
    {
        var command = new Command("serve", "Start the server (the default).");
        command.SetAction((_, cancellationToken) => ServeAsync(settings, cancellationToken));
        return command;
    }

    private static Command Migrate(string[] settings)
    {
        var command = new Command("migrate", "Create the database, or bring it up to date.");
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await Database.MigrateAsync(app.Services, cancellationToken);
            return 0;
        });
        return command;
    }

    private static Command FirstAdmin(string[] settings)
    {
        var command = new Command("first-admin", "Print a one-time token, good for an hour, that makes a new administrator: when the first one is gone, or locked out.");
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await FirstToken.PrintAsync(app.Services, Console.Out, cancellationToken);
            return 0;
        });
        return command;
    }

    private static Command People(string[] settings)
    {
        var userName = new Argument<string>("user-name") { Description = "What the person types to sign in." };
        var name = new Option<string>("--name") { Description = "Full name.", Required = true };
        var email = new Option<string?>("--email") { Description = "Mail address." };
        var language = new Option<string?>("--language") { Description = "nb, nn or en." };
        var unit = new Option<string?>("--unit") { Description = "Where the person works, for instance Oppvekst/Skole." };
        var wave = new Option<string?>("--wave") { Description = "Name of the wave of the rollout. Without it, the waves' rules decide." };
        var lastUsed = new Option<DateTimeOffset?>("--last-used") { Description = "When the account was last used elsewhere (ISO 8601). Accounts never used cannot enrol with a password alone." };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from standard input: it must not stand in a command line.", Required = true };
        var add = new Command("add", "Add a person with a local password.") { userName, name, email, language, unit, wave, lastUsed, fromInput };
        add.SetAction(async (parsed, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var clock = app.Services.GetRequiredService<TimeProvider>();
            if (!UserName.TryParse(parsed.GetValue(userName), out var parsedName)) return Fail("That is not a user name.", 2);
            if (parsed.GetValue(language) is { } code && !Localisation.IsKnown(code)) return Fail("The language must be nb, nn or en.", 2);
            if (await db.People.AnyAsync(person => person.UserName == parsedName.Value.Value, cancellationToken)) return Fail($"{parsedName} exists already.", 3);

            var waveName = parsed.GetValue(wave);
            var namedWave = waveName is null ? null : await db.Waves.SingleOrDefaultAsync(row => row.Name == waveName, cancellationToken);
            if (waveName is not null && namedWave is null) return Fail($"There is no wave named \"{waveName}\".", 2);

            var password = await Console.In.ReadLineAsync(cancellationToken) ?? "";
            var fullName = parsed.GetValue(name)!;
            var rules = app.Services.GetRequiredService<PasswordPolicy>();
            if (rules.Judge(password, parsedName.Value, fullName, withSecondFactor: true) is not PasswordProblem.None and var problem) return Fail(PasswordPolicy.Explain(problem), 4);

            var now = clock.GetUtcNow();
            var person = new Person(parsedName.Value, fullName, now) { Email = parsed.GetValue(email), Language = parsed.GetValue(language), Unit = parsed.GetValue(unit) };
            person.SetPassword(await app.Services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(password)!, cancellationToken));
            if (parsed.GetValue(lastUsed) is { } used) person.RecordUseElsewhere(used);
            if (namedWave is not null) person.JoinWave(namedWave.Id, byName: true);
            else person.JoinWave(WaveRules.WaveOf(person.Attributes, await WaveRules.LoadAsync(db, cancellationToken)), byName: false);
            db.People.Add(person);
            db.Record(SecurityEvent.PersonCreated, person.Id, null, null, now);
            await db.SaveChangesAsync(cancellationToken);
            return 0;
        });
        return new Command("people", "People with accounts.") { add, Password(settings), Import(settings) };
    }

    private static Command Password(string[] settings)
    {
        var userName = new Argument<string>("user-name") { Description = "Who is known, for instance from an import, and has no password yet." };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from standard input: it must not stand in a command line.", Required = true };
        var command = new Command("password", "Give somebody who has no password a first one. It must be changed after the first sign-in with two factors.") { userName, fromInput };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var person = UserName.TryParse(parsed.GetValue(userName), out var name) ? await db.People.SingleOrDefaultAsync(row => row.UserName == name.Value.Value, cancellationToken) : null;
            if (person is null) return Fail("There is nobody with that user name.", 2);
            if (person.PasswordHash is not null) return Fail($"{person.UserName} has a password already. Nothing was changed.", 3);
            var password = await Console.In.ReadLineAsync(cancellationToken) ?? "";
            if (app.Services.GetRequiredService<PasswordPolicy>().Judge(password, name!.Value, person.DisplayName, withSecondFactor: true) is not PasswordProblem.None and var problem) return Fail(PasswordPolicy.Explain(problem), 4);
            person.SetPassword(await app.Services.GetRequiredService<PasswordHash>().HashAsync(PasswordRules.Normalise(password)!, cancellationToken));
            person.MustChangePassword = true; // whoever typed it here knows it
            var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
            db.Record(SecurityEvent.PasswordChanged, person.Id, null, null, now);
            await scope.ServiceProvider.GetRequiredService<Outbox>().TellAsync(SecurityEvent.PasswordChanged, person, http: null, now, cancellationToken);
            return await db.TrySaveAsync(cancellationToken) ? 0 : Fail("Somebody changed this person in the meantime. Do it once more.", 3);
        });
        return command;
    }

    private static Command Import(string[] settings)
    {
        var path = new Argument<FileInfo>("file") { Description = "CSV with the names of the columns in the first line; see docs/operating/rollout.md." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would change, and change nothing." };
        var command = new Command("import", "Bring in people from a file: all of it or nothing. Lines that cannot be read are left out and named.") { path, dryRun };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(path) is not { Exists: true } file) return Fail("There is no such file.", 2);
            await using var app = PortvaktHost.Build(settings);
            await using var scope = app.Services.CreateAsyncScope();
            var import = scope.ServiceProvider.GetRequiredService<PeopleImport>();
            await using var content = file.OpenRead();
            var isDry = parsed.GetValue(dryRun);
            ImportReport report;
            try
            {
                report = isDry ? await import.CompareAsync(content, cancellationToken) : await import.BringInAsync(content, null, null, lines => Console.Error.Write($"\r{lines} lines"), cancellationToken);
            }
            catch (DbUpdateException)
            {
                return Fail("Somebody changed one of the people in the meantime. Nothing was brought in; do it once more.", 3);
            }

            if (!isDry) await Console.Error.WriteLineAsync();
            foreach (var problem in report.Problems) await Console.Error.WriteLineAsync($"line {problem.Line}: {problem.Trouble} {problem.Text}".TrimEnd());
            if (report.ProblemCount > report.Problems.Count) await Console.Error.WriteLineAsync($"… and {report.ProblemCount - report.Problems.Count} more lines");
            foreach (var change in report.Changes.Where(_ => isDry))
                Console.WriteLine(change.Fields.Count is 0 ? $"line {change.Line}: + {change.UserName}" : $"line {change.Line}: {change.UserName}: {string.Join(", ", change.Fields.Select(field => $"{field.Name} {field.Old} → {field.New}"))}");
            Console.WriteLine($"{(isDry ? "Would add" : "Added")} {report.Added}, change{(isDry ? "" : "d")} {report.Changed}, unchanged {report.Unchanged}, left out {report.ProblemCount}.");
            return report.ProblemCount > 0 ? 4 : 0;
        });
        return command;
    }

    private static Command Waves(string[] settings)
    {
        var name = new Argument<string>("name") { Description = "What the wave is called." };
        var from = new Option<DateTimeOffset>("--from") { Description = "From when its people are asked to set up 2-factor (ISO 8601).", Required = true };
        var deadline = new Option<DateTimeOffset>("--deadline") { Description = "From when none of them gets in without it (ISO 8601).", Required = true };
        var after = new Option<AfterDeadline>("--after-deadline") { Description = "Block (a pass from the helpdesk opens enrolment) or EnrolNow." };
        var access = new Option<EnrolmentAccess>("--access") { Description = "Who may enrol with a password alone: Open, TrustedNetworks or CodeRequired." };
        var rule = new Option<string?>("--rule") { Description = "Who belongs to it, for instance \"unit under Oppvekst\". Conditions are separated by new lines." };
        var add = new Command("add", "Add a wave to the rollout.") { name, from, deadline, after, access, rule };
        add.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(deadline) < parsed.GetValue(from)) return Fail("The deadline lies before the start.", 2);
            if (!WaveRule.TryParse(parsed.GetValue(rule) ?? "", out _, out var wrongLine)) return Fail($"Line {wrongLine} of the rule is not a condition.", 2);
            await using var app = PortvaktHost.Build(settings);
            await using var scope = app.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var called = parsed.GetValue(name)!.Trim();
            if (await db.Waves.AnyAsync(row => row.Name == called, cancellationToken)) return Fail($"{called} exists already.", 3);

            var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
            var wave = new Wave(called, parsed.GetValue(from), parsed.GetValue(deadline), now)
            {
                Position = await db.Waves.CountAsync(cancellationToken) + 1,
                AfterDeadline = parsed.GetValue(after),
                Access = parsed.GetValue(access),
                Rule = parsed.GetValue(rule) ?? "",
            };
            db.Waves.Add(wave);
            db.Record(SecurityEvent.WaveCreated, null, wave.Id.ToString("N"), null, now);
            await db.SaveChangesAsync(cancellationToken);
            await WaveRules.AssignAsync(db, cancellationToken);
            return 0;
        });
        return new Command("waves", "Groups of people who get 2-factor by a date.") { add };
    }

    private static Command Contract()
    {
        var command = new Command("phone-contract", "Print the phone app's types, generated from the server's.") { Hidden = true };
        command.SetAction(_ =>
        {
            Console.Out.Write(PhoneContract.Write());
            return 0;
        });
        return command;
    }

    private static async Task<int> ServeAsync(string[] settings, CancellationToken cancellationToken)
    {
        // As many threads as cores, which is what the pool begins with, means that on a small machine all requests wait for the one that takes long, or for what is swept each minute:
        // the pool thinks half a second about another thread. With one more the kernel shares the cores out instead.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + 1, ports);
        await using var app = PortvaktHost.Build(settings);
        await PortvaktHost.PrepareAsync(app, cancellationToken);
        await FirstToken.AnnounceAsync(app.Services, Console.Out, cancellationToken);
        await app.RunAsync(cancellationToken);
        return 0;
    }

    private static int Fail(string sentence, int code)
    {
        Console.Error.WriteLine(sentence);
        return code;
    }
}
