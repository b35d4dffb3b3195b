using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Server.Hosting;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.Attacks;

public sealed class AttackReplaysOnSqlite(SqliteStage stage) : AttackReplays(stage), IClassFixture<SqliteStage>;

public sealed class AttackReplaysOnPostgres(PostgresStage stage) : AttackReplays(stage), IClassFixture<PostgresStage>;

/// <summary>
/// Attacks that have happened to others, replayed against the whole server. <c>dotnet run dev.cs attack</c> runs them in full size and prints what came of them; among
/// the tests they run in a small one. No bound on time is held here: how long something took is printed.
/// </summary>
public abstract class AttackReplays(Stage stage)
{
    private static readonly bool IsFull = Environment.GetEnvironmentVariable("PORTVAKT_ATTACK_FIGURES") is not null;

    private PortvaktServer Server => stage.Server;

    private string Where => GetType().Name[^6..] is "Sqlite" ? "SQLite" : "PostgreSQL";

    /// <summary>
    /// G9, after "AuthQuake" (Oasis Security, 2024): who knows the password opens session after session and guesses the six digits in all of them at once. The
    /// attacker is patient as well and waits out every pause.
    /// </summary>
    [Fact]
    public async Task G9_A_million_guesses_in_parallel_sessions_get_a_hundred_looks_and_no_entry()
    {
        var (guesses, sessions, addresses) = IsFull ? (1_000_000, 200, 50) : (1_500, 12, 6);
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var right = phone.Code();
        var (made, let) = (0, 0);
        await Parallel.ForAsync(0, sessions, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (session, _) =>
        {
            Browser? browser = null;
            var (idle, attempt) = (0, "");
            for (int guess; (guess = Interlocked.Increment(ref made)) <= guesses;)
            {
                // A session that was ended is good for nothing; now and then the attacker takes the time for a new one, and lets the pause go by.
                if (browser is null || (browser.Status is HttpStatusCode.Gone && ++idle % 100 == 0))
                {
                    await WaitOutThePauseAsync(kari.Id);
                    browser?.Dispose();
                    browser = new Browser(Server, address: $"198.51.100.{session % addresses}");
                    await browser.OpenAppAsync();
                    await browser.PasswordAsync(kari);
                    attempt = browser.AttemptId;
                    await browser.OpenAsync($"/sign-in/{attempt}/code");
                }

                var digits = (guess % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
                if (digits == right) continue; // luck is not what is measured; with it the odds are a hundred in a million
                if (browser.Page.QuerySelector("#code") is null)
                {
                    await browser.KnockAsync($"/sign-in/{attempt}/code", ("code", digits)); // the attempt is over: there is nothing to look at
                    continue;
                }

                await browser.Fill("Kode", digits).PressAsync("Bekreft");
                if (browser.Heading is "Vil du forbli pålogget?" || browser.LeftFor is not null) Interlocked.Increment(ref let);
            }

            browser?.Dispose();
        });

        var looks = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == kari.Id && row.What == SecurityEvent.SecondFactorRejected).OrderBy(row => row.At).Select(row => row.At).ToListAsync());
        var told = await Server.ReadAsync(db => db.AuditEvents.Where(row => row.PersonId == kari.Id && row.What == SecurityEvent.CodesPaused).OrderBy(row => row.At).Select(row => row.At).ToListAsync());
        var mailed = await Server.ReadAsync(db => db.Mails.CountAsync(mail => mail.PersonId == kari.Id && mail.Text.Contains("fem gale koder")));
        await FigureAsync($"G9 AuthQuake replay, {Where}: {guesses:N0} guesses in {sessions} sessions from {addresses} addresses: {looks.Count} looked at (bound 100), {let} let in (bound 0), owner told {(told[0] - looks[4]).TotalSeconds:0} s after the 5th (bound 5)");
        Assert.Equal(0, let);
        Assert.InRange(looks.Count, 5, 100);
        Assert.True(told[0] - looks[4] <= TimeSpan.FromSeconds(5));
        Assert.True(mailed >= 1);
    }

    [Fact]
    public async Task R50_At_the_hundredth_wrong_code_codes_are_off_until_they_are_set_up_anew_and_the_phone_still_works()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        for (var guess = 0; guess < 100; guess++)
        {
            await WrongCodeAsync(kari, phone);
            await WaitOutThePauseAsync(kari.Id);
        }

        // The right one is one too many, and time does not heal it; neither does the password.
        using (var late = await AtTheCodeAsync(kari))
        {
            await late.Fill("Kode", phone.Code()).PressAsync("Bekreft");
            Assert.Equal(HttpStatusCode.TooManyRequests, late.Status);
            Assert.Contains("åpner ikke koder denne kontoen lenger", late.Text, StringComparison.Ordinal);
        }

        Assert.Equal(1, await Server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.CodesSwitchedOff)));

        // What cannot be guessed goes on; the requests that were never answered rest a day.
        await Server.ChangeAsync(db => db.Approvals.Where(row => row.PersonId == kari.Id).ExecuteDeleteAsync());
        using var owner = new Browser(Server);
        await owner.OpenAppAsync();
        await owner.PasswordAsync(kari);
        await phone.ApproveAsync(owner.MatchingNumber);
        await owner.PressAsync("Jeg har godkjent");
        Assert.Equal("Vil du forbli pålogget?", owner.Heading);
    }

    [Fact]
    public async Task R50_However_slowly_a_hundred_wrong_codes_are_a_hundred()
    {
        var (kari, phone) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await WrongCodeAsync(kari, phone);
        var key = $"second-factor-ever:{kari.Id:N}";
        Assert.Equal(1, await Server.ReadAsync(db => db.FailureCounts.Where(count => count.Key == key).ExecuteUpdateAsync(set => set.SetProperty(count => count.Failures, 99)))); // ninety-eight more of the kind
        for (var days = 0; days < 3; days++)
        {
            Server.Clock.Advance(TimeSpan.FromHours(49));
            await ActivatorUtilities.CreateInstance<Cleanup>(Server.Services).SweepAsync(TestContext.Current.CancellationToken);
        }

        await WrongCodeAsync(kari, phone);
        await WaitOutThePauseAsync(kari.Id);
        using var late = await AtTheCodeAsync(kari);
        await late.Fill("Kode", phone.Code()).PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.TooManyRequests, late.Status);
        Assert.Contains("åpner ikke koder denne kontoen lenger", late.Text, StringComparison.Ordinal);
    }

    /// <summary>G10: "MFA fatigue". Who knows the password begins sign-in after sign-in, for a day, until the owner of the phone gives in.</summary>
    [Fact]
    public async Task G10_A_thousand_sign_ins_ring_the_phone_three_times_in_ten_minutes_and_ten_times_a_day()
    {
        var starts = IsFull ? 1_000 : 60;
        var (kari, _) = await Cast.EnrolledAsync(Server);
        Server.Clock.Advance(TimeSpan.FromMinutes(11));
        var begun = Server.Clock.GetUtcNow();
        var mostAtOnce = 0;
        for (var start = 0; start < starts; start++)
        {
            using var browser = new Browser(Server, address: $"198.51.100.{start % 50}");
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            mostAtOnce = Math.Max(mostAtOnce, await Server.ReadAsync(db => db.Approvals.CountAsync(row => row.PersonId == kari.Id && row.State == ApprovalState.Pending)));
            Server.Clock.Advance(TimeSpan.FromHours(24) / starts - TimeSpan.FromMilliseconds(1));
        }

        var rung = await Server.ReadAsync(db => db.Approvals.Where(row => row.PersonId == kari.Id && row.Purpose == ApprovalPurpose.SignIn && row.CreatedAt >= begun).OrderBy(row => row.CreatedAt).Select(row => row.CreatedAt).ToListAsync());
        var inTenMinutes = rung.Max(first => rung.Count(at => at >= first && at < first + TimeSpan.FromMinutes(10)));
        await FigureAsync($"G10 push bombing, {Where}: {starts:N0} sign-ins with the right password in 24 h: {rung.Count} requests (bound 10), {inTenMinutes} in ten minutes (bound 3), {mostAtOnce} at once (bound 1)");
        Assert.InRange(rung.Count, 3, 10);
        Assert.InRange(inTenMinutes, 1, 3);
        Assert.Equal(1, mostAtOnce);
    }

    /// <summary>G11: lockout as a weapon. A thousand sources fail on one name; its owner, in a browser that has signed in before, must not notice.</summary>
    [Fact]
    public async Task G11_Whatever_strangers_fail_at_the_owner_signs_in_from_a_browser_that_is_known()
    {
        var (sources, failures, signIns) = IsFull ? (1_000, 10_000, 40) : (60, 240, 4);
        var kari = await Server.AddPersonAsync();
        using var owner = new Browser(Server, address: "192.0.2.77");
        await owner.OpenAppAsync();
        await owner.PasswordAsync(kari);
        var phone = await owner.EnrolPhoneAsync(Server);
        await owner.FinishAsync(stay: false);

        using var over = new CancellationTokenSource();
        var failed = 0;
        var storm = Parallel.ForAsync(0, failures, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (failure, _) =>
        {
            using var stranger = new Browser(Server, address: $"203.0.{failure % sources / 250}.{failure % 250}");
            await stranger.OpenAsync("/sign-in");
            await stranger.PasswordAsync(kari, $"wrong {failure}");
            Interlocked.Increment(ref failed);
        });
        var (succeeded, slowest) = (0, TimeSpan.Zero);
        for (var time = 0; time < signIns; time++)
        {
            // Spread over the storm: a part of the ten minutes goes by between one sign-in and the next.
            while (!storm.IsCompleted && Volatile.Read(ref failed) < failures * time / signIns) await Task.Yield();
            Server.Clock.Advance(TimeSpan.FromMinutes(10) / signIns);
            await owner.OpenAsync("/sign-out");
            if (owner.Has("Logg av")) await owner.PressAsync("Logg av");
            await owner.OpenAppAsync();
            var clock = Stopwatch.StartNew();
            await owner.PasswordAsync(kari);
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
            if (owner.Path.EndsWith("/second-factor", StringComparison.Ordinal)) succeeded++;
            await Server.ChangeAsync(db => db.Approvals.Where(row => row.PersonId == kari.Id).ExecuteDeleteAsync()); // how often the phone rings is another story
        }

        await storm;
        await FigureAsync($"G11 lockout as a weapon, {Where}: {failed:N0} failures from {sources:N0} sources: the owner signed in {succeeded} of {signIns} times (bound all), slowest password {slowest.TotalSeconds:0.0} s (bound 3)");
        Assert.Equal(signIns, succeeded);
        if (IsFull) Assert.True(slowest <= TimeSpan.FromSeconds(3), $"{slowest}");
    }

    private async Task<Browser> AtTheCodeAsync(Person kari)
    {
        var browser = new Browser(Server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        return await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
    }

    private async Task WrongCodeAsync(Person kari, Phone phone)
    {
        using var browser = await AtTheCodeAsync(kari);
        await browser.Fill("Kode", phone.Code() is "000000" ? "000001" : "000000").PressAsync("Bekreft");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, browser.Status);
    }

    /// <summary>The attacker has time: for the count it is as if the pause had gone by.</summary>
    private Task WaitOutThePauseAsync(Guid personId)
    {
        var key = $"second-factor:{personId:N}";
        return Server.ChangeAsync(db => db.FailureCounts.Where(count => count.Key == key).ExecuteUpdateAsync(set => set.SetProperty(count => count.BlockedUntil, 0L)));
    }

    private static async Task FigureAsync(FormattableString line)
    {
        var text = line.ToString(CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        if (Environment.GetEnvironmentVariable("PORTVAKT_ATTACK_FIGURES") is { } file) await File.AppendAllTextAsync(file, text + Environment.NewLine);
    }
}
