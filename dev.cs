#!/usr/bin/env dotnet
// The one command: what a developer needs is a verb here, and CI runs the same verbs. `dotnet run dev.cs help` lists them.
// Each verb is a class of the same name in tools/Portvakt.Dev.

#:project tools/Portvakt.Dev
// Started by `dotnet run`, never published: it needs no native toolchain.
#:property PublishAot=false
// No packages of its own, hence nothing to lock.
#:property RestorePackagesWithLockFile=false
#:property RestoreLockedMode=false

using System.Globalization;
using System.Runtime.InteropServices;
using Portvakt.Dev;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Repo.Root = (string)AppContext.GetData("EntryPointFileDirectoryPath")!;

Verb[] verbs =
[
    new("demo", "server, sample application and two people on this machine", Demo.RunAsync,
        new("--port 5080", "of the server"),
        new("--app-port 5090", "of the sample application"),
        new("--second-app-port 5091", "of the second one"),
        new("--data DIR", "keep the data there; without it they go when the demo ends"),
        new("--password P", "instead of one made for this run"),
        new("--database URL", "postgres://user:password@host/database instead of SQLite"),
        new("--relying-parties FILE", "more OpenID Connect clients, in the server's JSON"),
        new("--allow-loopback-push", "a push service on this machine, for tests")),
    new("test", "all tests, on SQLite and PostgreSQL, with what they need installed and started", Tests.RunAsync,
        new("--filter WORDS", "only tests whose class or method has these words"),
        new("--no-browser", "without the end-to-end tests")),
    new("ci", "what CI runs: format, dependencies, strict build, all tests, and the gates of `bench phone` and `bench cost`", Ci.RunAsync),
    new("deps", "the dependency check alone", Dependencies.RunAsync),
    new("migration NAME", "add a database migration, for both databases", Migration.RunAsync),
    new("bench [WHAT]...", "measure; alone: all that has a bound (`bench cost`, `storm`, `peers`, `wake`, `growth`), `--short`: what CI holds; `bench phone`, with `--gate` to hold its figures and `--quick` for fewer rounds; `bench rollout`; `bench cost`, `bench storm`, `bench peers` and `bench wake`, with `--short` (`bench cost --gate` holds it against what it cost before); `bench growth`, with `--short`; `bench seed --people N --into DIR_OR_CONNECTION`", Bench.RunAsync),
    new("load [OPTIONS]...", "people who sign in to a server of its own: `--people N --rate R --minutes M`, `--nodes K`, `--database sqlite|postgres`; `--monday`: 20,000 within ten minutes on two nodes", Load.RunAsync),
    new("attack", "replay known attacks in full size: guessed codes, push bombing, lockout as a weapon; prints their figures", Attack.RunAsync),
    new("guides [DIR]", "the guides from a real run, in three languages, as HTML and PDF; in artifacts/guides unless said otherwise", Tests.MakeGuidesAsync),
    new("looks [DIR]", "pictures of the style page beside those that were approved, as an HTML report in artifacts/looks unless said otherwise; ends with 1 where they differ", Tests.CompareLooksAsync,
        new Option("--approve", "the new ones are right")), // alone it would be taken for the whole list
    new("accessibility [DIR]", "every screen in every state, three languages and eight ways of using it, with a report; in artifacts/accessibility unless said otherwise", Tests.JudgeAccessibilityAsync),
    new("screenshots [DIR]", "pictures of every screen; in artifacts/screenshots unless said otherwise", Tests.TakeScreenshotsAsync),
    new("site [DIR]", "the project's website, as files that need no server; in artifacts/site unless said otherwise. Makes the guides first if artifacts/guides is not there", Site.MakeAsync,
        new Option("--without-guides", "in seconds, whatever is there")),
];

using var interrupt = Stop.On(PosixSignal.SIGINT);
using var terminate = Stop.On(PosixSignal.SIGTERM);
using var hangUp = Stop.On(PosixSignal.SIGHUP);
try
{
    if (args is [] or ["help" or "-h" or "--help", ..]) return Help();
    var verb = Array.Find(verbs, verb => string.Equals(verb.Name, args[0], StringComparison.Ordinal))
        ?? throw new RefusalException($"There is no verb \"{args[0]}\". `dotnet run dev.cs help` lists what there is.", 2);
    return await verb.Run(Options.Parse(verb, args[1..]));
}
catch (RefusalException refusal)
{
    await Console.Error.WriteLineAsync(refusal.Message);
    return refusal.ExitCode;
}
catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync(problem.Message);
    return 1;
}
catch (OperationCanceledException) when (Stop.Token.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Stopped.");
    return 130;
}

int Help()
{
    Console.WriteLine("dotnet run dev.cs VERB [options]\n");
    foreach (var verb in verbs)
    {
        Console.WriteLine($"  {verb.Usage,-20}{verb.Meaning}");
        foreach (var option in verb.Options) Console.WriteLine($"      {option.Form,-26}{option.Meaning}");
    }
    return 0;
}
