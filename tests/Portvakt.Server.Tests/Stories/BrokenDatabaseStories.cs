using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.Stories;

/// <summary>R5, R107: whatever breaks, the door stays closed. Each statement of the last steps fails once, in turn.</summary>
public sealed class BrokenDatabaseStories : IAsyncLifetime
{
    private readonly FailingStatement _fault = new();
    private PortvaktServer _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, services: services => services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(_fault)));

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task R5_A_failing_statement_never_lets_anybody_in_and_never_shows_a_stack()
    {
        var failures = 0;
        for (var statement = 1; ; statement++)
        {
            _server.Clock.Advance(TimeSpan.FromHours(30)); // earlier failures are forgotten
            var (kari, phone) = await Cast.EnrolledAsync(_server);
            using var browser = new Browser(_server);
            await browser.OpenAppAsync();
            await browser.PasswordAsync(kari);
            var number = browser.MatchingNumber;
            var (id, context) = (await phone.PendingAsync())!.Value;
            var before = await SessionsAsync(kari.Id);

            _fault.FailAt(statement);
            var answered = await phone.AnswerAsync(id, context, "approve", number);
            if (!answered.Ok)
            {
                failures++;
                _fault.FailAt(0);
                Assert.True((int)answered.Status is 500 or 409 or 401, answered.Status.ToString());
                Assert.DoesNotContain("   at ", answered.Body.ToJsonString(), StringComparison.Ordinal);
                await browser.SubmitAsync(browser.Page.Forms[0]);
                if (await _server.ReadAsync(db => db.Approvals.AnyAsync(row => row.Id == id && row.State == Domain.Approvals.ApprovalState.Approved))) continue; // it was written; only the answer was lost
                Assert.Equal(before, await SessionsAsync(kari.Id));
                continue;
            }

            await browser.SubmitAsync(browser.Page.Forms[0]);
            if (browser.Heading is "Vil du forbli pålogget?") await browser.PressAsync("Nei");
            if (_fault.HasFailed)
            {
                failures++;

                // Whatever was issued was issued whole: both factors, the attempt finished, the audit row beside it.
                var issued = await SessionsAsync(kari.Id) - before;
                Assert.Equal(issued, await _server.ReadAsync(db => db.AuditEvents.CountAsync(row => row.PersonId == kari.Id && row.What == Domain.Audit.SecurityEvent.SessionIssued)) - before);
                Assert.Equal(issued, await _server.ReadAsync(db => db.SignInAttempts.CountAsync(row => row.PersonId == kari.Id && row.FinishedAt != null && row.SecondFactorVerifiedAt != null)) - before);
                Assert.DoesNotContain("   at ", browser.Page.DocumentElement.OuterHtml, StringComparison.Ordinal);
                Assert.Null(browser.LeftFor);
                continue;
            }

            // No statement was left to fail: this time she gets in, and it was worth trying.
            _fault.FailAt(0);
            Assert.Equal("app.test", browser.LeftFor?.Host);
            Assert.Equal(before + 1, await SessionsAsync(kari.Id));
            break;
        }

        Assert.InRange(failures, 15, 200);
    }

    private Task<int> SessionsAsync(Guid personId)
    {
        _fault.Pause();
        return _server.ReadAsync(db => db.Sessions.CountAsync(row => row.PersonId == personId));
    }

    /// <summary>Counts statements and breaks one.</summary>
    private sealed class FailingStatement : DbCommandInterceptor
    {
        private int _left;
        private bool _paused = true;

        public bool HasFailed { get; private set; }

        public void FailAt(int statement) => (_left, HasFailed, _paused) = (statement, false, statement is 0);

        public void Pause() => _paused = true;

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            MayFail();
            return ValueTask.FromResult(result);
        }

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            MayFail();
            return ValueTask.FromResult(result);
        }

        public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
        {
            MayFail();
            return ValueTask.FromResult(result);
        }

        private void MayFail()
        {
            if (_paused || --_left != 0) return;
            HasFailed = true;
            throw new InvalidOperationException("the database is away");
        }
    }
}
