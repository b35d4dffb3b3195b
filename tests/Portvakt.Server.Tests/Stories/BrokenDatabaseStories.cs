using System.Data.Common;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.People;
using Portvakt.Server.Data;
using Portvakt.Server.Sessions;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

public sealed class BrokenSqlite() : BrokenDatabaseStories(DatabaseKind.Sqlite);

public sealed class BrokenPostgres() : BrokenDatabaseStories(DatabaseKind.Postgres);

/// <summary>R5, R107: whatever breaks, the door stays closed. Each statement and each commit of a step fails once, in turn; and the app is closed at each of them, in turn.</summary>
public abstract class BrokenDatabaseStories(DatabaseKind kind) : IAsyncLifetime
{
    private readonly Turn _turn = new();
    private PortvaktServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        if (!PortvaktServer.Has(kind)) return;
        _server = await PortvaktServer.StartAsync(kind, services: services =>
        {
            services.AddSingleton<IStartupFilter>(new InRequests(_turn));
            if (kind is DatabaseKind.Sqlite) services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(_turn));
            else services.ConfigureDbContext<PostgresPortvaktDb>(options => options.AddInterceptors(_turn));
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task R5_A_fault_while_the_password_is_looked_at_makes_no_wrong_one_right_and_no_right_one_a_session(bool right)
    {
        await InTurnAsync(5, async statement =>
        {
            var kari = await _server.AddPersonAsync();
            using var browser = new Browser(_server);
            await browser.OpenAppAsync();
            var attempt = browser.AttemptId;

            _turn.FailAt(statement);
            await browser.PasswordAsync(kari, right ? null : "FAULT-marked-wrong-password");
            if (!_turn.HasCome) return false;
            Closed(browser);
            Assert.Equal(0, await SessionsAsync(kari));
            var row = await _server.ReadAsync(db => db.SignInAttempts.AsNoTracking().SingleAsync(one => one.Id == attempt));
            if (!right) Assert.Null(row.PasswordVerifiedAt);

            // That it was right, and that it no longer counts as a wrong one, are one thing.
            if (row.PasswordVerifiedAt is not null) Assert.False(await _server.ReadAsync(db => db.FailureCounts.AnyAsync(count => count.Key.EndsWith(kari.UserName) && count.Failures > 0)));

            // Nothing is left half done: she stands where the row says, and can go on.
            await browser.OpenAsync($"/sign-in/{attempt}");
            Assert.Equal((HttpStatusCode.OK, row.PasswordVerifiedAt is null ? "Logg på" : "Mer informasjon kreves"), (browser.Status, browser.Heading));
            return true;
        });
        Assert.DoesNotContain("FAULT-marked-wrong-password", _server.Log.All, StringComparison.Ordinal); // R58: what broke is told without what was typed
        Assert.DoesNotContain(PortvaktServer.Password, _server.Log.All, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R5_A_fault_while_a_phone_is_enrolled_never_makes_it_count_without_its_test()
    {
        await InTurnAsync(40, async statement =>
        {
            var kari = await _server.AddPersonAsync();
            using var browser = new Browser(_server);
            using var phone = new Phone(_server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            await browser.PressAsync("Neste");
            await browser.PressAsync("Konfigurer");
            var code = browser.TypedCode;

            _turn.FailAt(statement);
            foreach (var step in new Func<Task<PhoneAnswer?>>[]
            {
                async () => await phone.BindAsync(code),
                () => PageAsync(browser.ReloadAsync),
                () => PageAsync(() => browser.PressAsync("Neste")),
                async () => await phone.ApproveAsync(browser.MatchingNumber),
                () => PageAsync(() => browser.PressAsync("Jeg har godkjent")),
                () => PageAsync(() => browser.PressAsync("Fullført")),
                () => PageAsync(() => browser.PressAsync("Nei")),
                () => PageAsync(() => browser.PressAsync("Ferdig")),
            })
            {
                PhoneAnswer? answer = null;
                try
                {
                    answer = await step();
                }
                catch (Xunit.Sdk.XunitException) when (_turn.HasCome)
                {
                    // The actor itself expected an answer and got the fault.
                }

                if (!_turn.HasCome) continue;
                if (answer is { Ok: false }) Closed(answer);
                else if (browser.Status >= HttpStatusCode.BadRequest) Closed(browser);
                await WholeAsync(kari);
                Assert.DoesNotContain(code, _server.Log.All, StringComparison.Ordinal);
                return true;
            }

            Assert.Equal("app.test", browser.LeftFor?.Host); // no statement was left to fail: this time she got in, and it was worth trying
            return false;
        }, stride: kind is DatabaseKind.Sqlite ? 7 : 23); // a long way; all of its statements would take minutes

        static async Task<PhoneAnswer?> PageAsync(Func<Task> going)
        {
            await going();
            return null;
        }
    }

    [Fact]
    public async Task R38_A_fault_while_a_phone_is_replaced_leaves_one_of_the_two_working_and_never_none()
    {
        var moved = 0;
        await InTurnAsync(30, async statement =>
        {
            var (kari, old) = await Cast.EnrolledAsync(_server);
            using var fresh = new Phone(_server);
            PhoneAnswer? begun = null, presented = null, seen = null;
            _turn.FailAt(statement);
            foreach (var step in new Func<Task<PhoneAnswer>>[]
            {
                async () => begun = await old.BeginMoveAsync(),
                async () => presented = await fresh.BeginAsync(begun!.Text("code")),
                () => fresh.FinishAsync(begun!.Text("code"), presented!),
                async () => seen = await fresh.MoveAsync(),
                () => old.ConfirmMoveAsync(seen!.Body["move"]!["number"]!.GetValue<string>()),
            })
            {
                PhoneAnswer? answer = null;
                try
                {
                    answer = await step();
                }
                catch (NullReferenceException) when (_turn.HasCome)
                {
                    // The actor itself expected an answer and got the fault.
                }

                if (!_turn.HasCome) continue;
                if (answer is { Ok: false }) Closed(answer);
                _turn.Pause();
                break;
            }

            _turn.Pause();
            var phones = await _server.ReadAsync(db => db.Phones.AsNoTracking().Where(row => row.PersonId == kari.Id).ToListAsync());
            var active = Assert.Single(phones, row => row.State is AuthenticatorState.Active);
            var isMoved = active.KeyId == fresh.KeyId;
            Assert.Equal(isMoved, phones.Exists(row => row.KeyId == old.KeyId && row.State is AuthenticatorState.Revoked));
            Assert.Equal([active.Id], await _server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active).Select(row => row.PhoneId!.Value).ToListAsync()));
            Assert.Equal(isMoved ? 1 : 0, await _server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.PhoneMoved)));
            Assert.Equal(isMoved ? 0 : 1, await _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
            Assert.True((await (isMoved ? fresh : old).GetAsync("/phone/api/pending")).Ok);
            if (isMoved) moved++;
            return _turn.HasCome;
        }, stride: kind is DatabaseKind.Sqlite ? 3 : 11);
        Assert.True(moved > 0, "It never came to anything.");
    }

    [Fact]
    public async Task R5_A_fault_while_the_phone_answers_lets_nobody_in()
    {
        await InTurnAsync(15, async statement =>
        {
            var (kari, phone) = await Cast.EnrolledAsync(_server);
            using var browser = new Browser(_server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            var number = browser.MatchingNumber;
            var (id, context) = (await phone.PendingAsync())!.Value;
            var before = await SessionsAsync(kari);

            _turn.FailAt(statement);
            var answered = await phone.AnswerAsync(id, context, "approve", number);
            if (!answered.Ok)
            {
                Closed(answered);
                _turn.Pause();
                await browser.SubmitAsync(browser.Page.Forms[0]);
                if (await _server.ReadAsync(db => db.Approvals.AnyAsync(row => row.Id == id && row.State == ApprovalState.Approved))) return true; // it was written; only the answer was lost
                Assert.Equal(before, await SessionsAsync(kari));
                return true;
            }

            await browser.SubmitAsync(browser.Page.Forms[0]);
            if (browser.Heading is "Vil du forbli pålogget?") await browser.PressAsync("Nei");
            if (_turn.HasCome)
            {
                Closed(browser);
                await WholeAsync(kari);
                Assert.Null(browser.LeftFor);
                return true;
            }

            Assert.Equal("app.test", browser.LeftFor?.Host);
            Assert.Equal(before + 1, await SessionsAsync(kari));
            return false;
        }, stride: kind is DatabaseKind.Sqlite ? 2 : 7);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task R38_A_fault_while_a_phone_is_bound_anew_leaves_the_old_key_or_the_new_one_and_never_both_or_none(bool synced)
    {
        var brokenBefore = 0;
        await InTurnAsync(8, async statement =>
        {
            var mine = new Phone(_server);
            (mine.Passkey.BackupEligible, mine.Passkey.BackupState) = (synced, synced);
            var (kari, old) = await Cast.EnrolledAsync(_server, mine);
            using var anew = old.AfterEviction(_server);
            var begun = await anew.BeginRebindingAsync();

            _turn.FailAt(statement);
            var answer = await anew.FinishRebindingAsync(begun, PortvaktServer.Password);
            if (_turn.HasCome && !answer.Ok) Closed(answer);
            _turn.Pause();
            var phones = await _server.ReadAsync(db => db.Phones.AsNoTracking().Where(row => row.PersonId == kari.Id).ToListAsync());
            var active = Assert.Single(phones, row => row.State is AuthenticatorState.Active);
            Assert.NotNull(active.CredentialId);
            Assert.Equal(active.Id, await _server.ReadAsync(db => db.Totps.Where(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active).Select(row => row.PhoneId).SingleAsync()));
            var isNew = active.KeyId == anew.KeyId;
            if (!isNew) brokenBefore++;
            Assert.Equal(isNew ? 2 : 1, phones.Count);
            Assert.Equal(isNew ? 1 : 0, await _server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.PhoneBoundAnew)));
            Assert.Equal(isNew ? 0 : 1, await _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
            Assert.Equal((!isNew, isNew), ((await old.GetAsync("/phone/api/pending")).Ok, (await anew.GetAsync("/phone/api/pending")).Ok));

            // Whatever was lost, also only the answer: the next try brings it back.
            using var again = old.AfterEviction(_server);
            Assert.True((await again.RebindAsync(PortvaktServer.Password)).Ok);
            return _turn.HasCome;
        }, stride: kind is DatabaseKind.Sqlite ? 2 : 5);
        Assert.True(brokenBefore > 2, $"{brokenBefore}");
    }

    [Fact]
    public async Task R5_A_fault_while_a_code_is_looked_at_makes_no_wrong_one_right_and_no_right_one_count_twice()
    {
        await InTurnAsync(8, async statement =>
        {
            var (kari, phone) = await Cast.EnrolledAsync(_server);
            _server.Clock.Advance(TimeSpan.FromMinutes(2));
            var failed = false;
            foreach (var code in new[] { phone.Code() is "000000" ? "000001" : "000000", phone.Code() })
            {
                _turn.Pause();
                using var browser = new Browser(_server);
                await browser.OpenAppAsync();
                await browser.PasswordAsync(kari);
                await browser.OpenAsync($"/sign-in/{browser.AttemptId}/code");
                var attempt = browser.AttemptId;
                _turn.FailAt(statement);
                await browser.Fill("Kode", code).PressAsync("Bekreft");
                if (!_turn.HasCome) continue;
                failed = true;
                Closed(browser);
                Assert.Equal(1, await SessionsAsync(kari));
                if (code == phone.Code()) continue;
                Assert.Null(await _server.ReadAsync(db => db.SignInAttempts.Where(row => row.Id == attempt).Select(row => row.SecondFactorVerifiedAt).SingleAsync()));
            }

            _turn.Pause();
            using var thief = new Browser(_server);
            await thief.OpenAppAsync();
            await thief.PasswordAsync(kari);
            await thief.OpenAsync($"/sign-in/{thief.AttemptId}/code");
            await thief.Fill("Kode", phone.Code()).PressAsync("Bekreft");
            var verified = await _server.ReadAsync(db => db.SignInAttempts.CountAsync(row => row.PersonId == kari.Id && row.SecondFactorMethod == Domain.SignIn.SecondFactorMethod.Code));
            Assert.InRange(verified, 0, 1);
            return failed;
        }, stride: kind is DatabaseKind.Sqlite ? 2 : 7);
    }

    [Fact]
    public async Task R18_What_follows_not_me_happens_also_when_the_app_is_closed_in_the_middle()
    {
        var reported = 0;
        await InTurnAsync(8, async statement =>
        {
            var (kari, phone) = await Cast.EnrolledAsync(_server); // has a session from the enrolment
            using var thief = new Browser(_server);
            await thief.OpenAppAsync();
            await thief.PasswordAsync(kari);
            var (id, context) = (await phone.PendingAsync())!.Value;

            using var closing = new CancellationTokenSource();
            phone.Closes = closing.Token;
            _turn.DoAt(statement, closing.Cancel);
            try
            {
                await phone.AnswerAsync(id, context, "not-me", null);
            }
            catch (OperationCanceledException)
            {
                // Closed.
            }

            await _server.IdleAsync();
            _turn.Pause();
            var isReported = await _server.ReadAsync(db => db.Approvals.AnyAsync(row => row.Id == id && row.State == ApprovalState.Reported));
            Assert.Equal(isReported ? 0 : 1, await _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
            Assert.Equal(isReported, await _server.ReadAsync(db => db.Cases.AnyAsync(row => row.PersonId == kari.Id)));
            Assert.Equal(isReported ? 1 : 0, await _server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == SecurityEvent.ApprovalReported)));
            await thief.ReloadAsync();
            Assert.Equal(isReported ? HttpStatusCode.Gone : HttpStatusCode.OK, thief.Status);
            if (isReported) reported++;
            return _turn.HasCome;
        });
        Assert.True(reported > 3, $"{reported}"); // it was closed after the answer had been written, too
    }

    /// <summary>Once for each statement (or each third, …), until none was left; a step that has fewer than it should has not been told.</summary>
    private async Task InTurnAsync(int atLeast, Func<int, Task<bool>> act, int stride = 1)
    {
        Assert.SkipWhen(_server is null, PortvaktServer.NoPostgres);
        var statement = 0;
        bool hasCome;
        do
        {
            statement += stride;
            Assert.True(statement < 500, "Without end.");
            _turn.Pause();
            await _server!.ReadAsync(db => db.FailureCounts.ExecuteDeleteAsync()); // earlier failures are forgotten
            _server.Clock.Advance(TimeSpan.FromMinutes(2));
            hasCome = await act(statement);
        }
        while (hasCome);
        Assert.True(statement > atLeast, $"Only {statement} statements.");
    }

    /// <summary>Refused, and nothing of our inside was told.</summary>
    private void Closed(Browser browser)
    {
        _turn.Pause();
        Assert.True(browser.Status is HttpStatusCode.InternalServerError, $"{browser.Status} {browser.Path}");
        Assert.Null(browser.LeftFor);
        foreach (var inside in new[] { "   at ", "Exception", Turn.Cause }) Assert.DoesNotContain(inside, browser.Page.DocumentElement.OuterHtml, StringComparison.Ordinal);
    }

    private void Closed(PhoneAnswer answer)
    {
        _turn.Pause();
        Assert.Equal((HttpStatusCode.InternalServerError, "unavailable"), (answer.Status, answer.Code));
        foreach (var inside in new[] { "   at ", "Exception", Turn.Cause }) Assert.DoesNotContain(inside, answer.Body.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>Whatever was issued was issued whole: both factors, the attempt finished, the audit row beside it. A phone counts after its test and not before.</summary>
    private async Task WholeAsync(Person person)
    {
        _turn.Pause();
        var issued = await SessionsAsync(person);
        Assert.Equal(issued, await _server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == person.Id && row.What == SecurityEvent.SessionIssued)));
        Assert.Equal(issued, await _server.ReadAsync(db => db.SignInAttempts.CountAsync(row => row.PersonId == person.Id && row.FinishedAt != null && row.SecondFactorVerifiedAt != null)));
        var active = await _server.ReadAsync(db => db.Phones.CountAsync(row => row.PersonId == person.Id && row.State == AuthenticatorState.Active));
        Assert.InRange(active, 0, await _server.ReadAsync(db => db.Approvals.CountAsync(row => row.PersonId == person.Id && row.Purpose == ApprovalPurpose.EnrolmentTest && row.State == ApprovalState.Approved)));
    }

    // ---- What somebody else commits in between

    [Fact]
    public async Task R10_A_lock_that_comes_while_a_phone_binds_its_new_key_or_is_moved_is_not_passed_by()
    {
        // On SQLite nobody else writes while the number is counted, and nothing else comes between question and save of a move.
        foreach (var moves in kind is DatabaseKind.Sqlite ? [false] : (bool[])[false, true])
        {
            using var phone = new Phone(_server);
            (phone.Passkey.BackupEligible, phone.Passkey.BackupState) = (false, false);
            var (kari, old) = await Cast.EnrolledAsync(_server, phone);
            using var fresh = moves ? new Phone(_server) : old.AfterEviction(_server);
            var number = "";
            if (moves)
            {
                Assert.True((await fresh.BindAsync((await old.BeginMoveAsync()).Text("code"))).Ok);
                number = (await fresh.MoveAsync()).Body["move"]!["number"]!.GetValue<string>();
            }

            // After it was asked whether the account is open, before anything is written.
            _turn.DoBefore(moves ? text => text.Contains("INSERT INTO failure_counts", StringComparison.Ordinal) : text => text.StartsWith("SELECT", StringComparison.Ordinal) && text.Contains("sealed_seed", StringComparison.Ordinal),
                () => _server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock()));
            var answer = moves ? await old.ConfirmMoveAsync(number) : await fresh.RebindAsync();
            Assert.True(_turn.HasCome);
            Assert.Equal((moves, moves ? "answered" : "expired"), (moves, answer.Code));
            _turn.Pause();
            Assert.Equal([old.KeyId], await _server.ReadAsync(db => db.Phones.Where(row => row.PersonId == kari.Id && row.State == AuthenticatorState.Active).Select(row => row.KeyId).ToListAsync()));
        }
    }

    /// <summary>The end of a sign-in trusts what its request was told at the beginning, and the save under the person's version is what holds that.</summary>
    [Fact]
    public async Task R10_A_lock_that_comes_between_the_last_answer_and_the_session_leaves_no_session()
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        var before = await SessionsAsync(kari);
        using var browser = new Browser(_server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);

        _turn.DoBefore(
            text => text.StartsWith("SELECT", StringComparison.Ordinal) && text.Contains("familiar_browsers", StringComparison.Ordinal),
            () => _server.ChangeAsync(async db => (await db.People.SingleAsync(row => row.Id == kari.Id)).Lock()));
        await browser.PressAsync("Nei");
        Assert.True(_turn.HasCome);
        Assert.Null(browser.LeftFor);
        Assert.Equal(before, await SessionsAsync(kari));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task R62_A_sign_in_that_comes_to_its_end_while_all_of_them_are_ended_is_ended_too(bool everywhere)
    {
        var (kari, phone) = await Cast.EnrolledAsync(_server);
        using var browser = new Browser(_server);
        await browser.OpenAppAsync();
        await browser.PasswordAsync(kari);
        await phone.ApproveAsync(browser.MatchingNumber);
        await browser.PressAsync("Jeg har godkjent");
        Assert.Equal("Vil du forbli pålogget?", browser.Heading);

        await using var scope = _server.Services.CreateAsyncScope();
        var (sessions, http) = (scope.ServiceProvider.GetRequiredService<SessionStore>(), new DefaultHttpContext { RequestServices = scope.ServiceProvider });
        var person = await scope.ServiceProvider.GetRequiredService<PortvaktDb>().People.SingleAsync(row => row.Id == kari.Id);
        var came = false;

        // SQLite lets nobody else write from where the transaction begins.
        _turn.DoBefore(everywhere && kind is DatabaseKind.Postgres ? text => text.StartsWith("UPDATE", StringComparison.Ordinal) && text.Contains("sign_in_attempts", StringComparison.Ordinal) : text => text is Turn.Begin, async () =>
        {
            await browser.PressAsync("Nei");
            came = true;
        });
        _turn.InRequest.Value = true;
        if (everywhere) await sessions.EndEverywhereAsync(http, person, activates: false);
        else await sessions.EndAllAsync(kari.Id, http);
        _turn.InRequest.Value = false;
        Assert.True(came);
        _turn.Pause();
        Assert.Equal(0, await _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == kari.Id && row.EndedAt == null)));
    }

    private Task<int> SessionsAsync(Person person)
    {
        _turn.Pause();
        return _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == person.Id));
    }

    /// <summary>Counts statements and commits, and at one of them something happens.</summary>
    private sealed class Turn : DbCommandInterceptor, IDbTransactionInterceptor
    {
        public const string Cause = "the database is away";

        /// <summary>In place of a statement: a transaction begins.</summary>
        public const string Begin = "BEGIN";

        private (Func<string, bool> Matches, Func<Task> Happening)? _before;
        private Action _happening = Nothing;
        private int _left;
        private volatile bool _paused = true;

        public bool HasCome { get; private set; }

        /// <summary>What the server does by itself meanwhile (sweeping, sending) is not counted.</summary>
        public AsyncLocal<bool> InRequest { get; } = new();

        public void FailAt(int statement) => DoAt(statement, () => throw new InvalidOperationException(Cause));

        public void DoAt(int statement, Action happening)
        {
            (_happening, _left, HasCome) = (happening, statement, false);
            _paused = false;
        }

        /// <summary>Once, before the next statement of a request that matches.</summary>
        public void DoBefore(Func<string, bool> matches, Func<Task> happening) => (_before, HasCome) = ((matches, happening), false);

        public void Pause() => _paused = true;

        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            await BeforeAsync(command.CommandText);
            Pass();
            return result;
        }

        public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            await BeforeAsync(command.CommandText);
            Pass();
            return result;
        }

        public async ValueTask<InterceptionResult<DbTransaction>> TransactionStartingAsync(DbConnection connection, TransactionStartingEventData eventData, InterceptionResult<DbTransaction> result, CancellationToken cancellationToken = default)
        {
            await BeforeAsync(Begin);
            return result;
        }

        public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
        {
            Pass();
            return ValueTask.FromResult(result);
        }

        public ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            Pass();
            return ValueTask.FromResult(result);
        }

        public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            Pass(); // written, and then it breaks: whoever asked is not told
            return Task.CompletedTask;
        }

        private static void Nothing()
        {
            // Before the first turn.
        }

        private async Task BeforeAsync(string statement)
        {
            if (!InRequest.Value || _before is not { } before || !before.Matches(statement)) return;
            (_before, HasCome) = (null, true);
            await before.Happening();
        }

        private void Pass()
        {
            if (_paused || !InRequest.Value || Interlocked.Decrement(ref _left) != 0) return;
            HasCome = true;
            _happening();
        }
    }

    private sealed class InRequests(Turn turn) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(rest => http =>
            {
                turn.InRequest.Value = true;
                return rest(http);
            });
            next(app);
        };
    }
}
