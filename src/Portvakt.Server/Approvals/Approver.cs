using System.Buffers.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Approvals;
using Portvakt.Domain.Audit;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Approvals;

/// <summary>Why a phone is not asked just now.</summary>
public enum AskPause
{
    None,

    /// <summary>The person said "it wasn't me", and the helpdesk has not closed the case.</summary>
    Reported,

    /// <summary>Wrong numbers, or too many requests since the last approval.</summary>
    TooMany,
}

/// <summary>Asks a person's phone. Does not know whether a sign-in or an enrolment wants to know.</summary>
public sealed class Approver(
    PortvaktDb db, Lookups lookups, TimeProvider clock, Signals signals, PushDelivery push, IOptions<PortvaktSettings> settings, IStringLocalizer<Words> words)
{
    // R17: nobody who only knows the password makes a phone ring all night. A success starts the count over.
    private const int MostInTenMinutes = 3;
    private const int MostInADay = 10;

    private static readonly SqlStatement Supersede = new("UPDATE approvals SET state = 'Superseded', version = version + 1 WHERE person_id = @person AND state = 'Pending'", parameters: ("person", typeof(Guid)));

    /// <summary>
    /// What leaves a person's phone in peace: an open case, wrong numbers, and how often it was asked for this purpose. A sign-in counts since the last time that something was approved; a caller
    /// counts whatever was approved, as the phone knows nothing of who calls.
    /// </summary>
    private static readonly SqlStatement Peace = new(
        """
        SELECT
            EXISTS (SELECT 1 FROM helpdesk_cases WHERE person_id = @person AND closed_at IS NULL),
            (SELECT blocked_until FROM failure_counts WHERE key = @key),
            (SELECT count(*) FROM approvals WHERE person_id = @person AND purpose = @purpose AND created_at > @day AND created_at > success.at),
            (SELECT count(*) FROM approvals WHERE person_id = @person AND purpose = @purpose AND created_at > @lately AND created_at > success.at)
        FROM people, (SELECT coalesce((SELECT max(answered_at) FROM approvals WHERE person_id = @person AND state = 'Approved' AND purpose <> 'Caller' AND @purpose <> 'Caller'), @day) AS at) AS success
        WHERE people.id = @person
        """,
        null,
        ("person", typeof(Guid)), ("key", typeof(string)), ("purpose", typeof(string)), ("day", typeof(DateTime)), ("lately", typeof(DateTime)));

    /// <summary>Opens the one live request of a person; an older one is over at once. Null: the phone is not asked for now, see <see cref="PauseAsync"/>.</summary>
    /// <param name="http">The request of whoever asks.</param>
    /// <param name="personId">Whose phone.</param>
    /// <param name="attemptId">The sign-in or enrolment that asks; see <see cref="CallOf"/> for a caller.</param>
    /// <param name="purpose">What for.</param>
    /// <param name="onlyPhoneId">One phone, or all of them.</param>
    /// <param name="application">What the phone shows: the application, or who calls.</param>
    /// <param name="actorId">Who asks, when it is somebody else than the person.</param>
    /// <param name="hasRole">Whether the person administers; null: it is asked here.</param>
    public async Task<ApprovalRequest?> AskAsync(HttpContext http, Guid personId, string attemptId, ApprovalPurpose purpose, Guid? onlyPhoneId, string? application, Guid? actorId = null, bool? hasRole = null)
    {
        if (purpose is ApprovalPurpose.SignIn && await PauseAsync(personId, http.RequestAborted) is not AskPause.None) return null;
        if (purpose is ApprovalPurpose.Caller && await AskedAsync(personId, purpose, clock.GetUtcNow(), http.RequestAborted) is not { IsTooOften: false }) return null;

        var digits = purpose is ApprovalPurpose.Caller || hasRole is false ? settings.Value.ApprovalDigits : await DigitsOfAsync(personId, http.RequestAborted);
        for (var tries = 0; ; tries++)
        {
            var now = clock.GetUtcNow();
            var request = new ApprovalRequest(personId, attemptId, purpose, onlyPhoneId, digits, now, settings.Value.ApprovalLifetime);
            request.Context = JsonSerializer.SerializeToUtf8Bytes(
                new ApprovalContext(
                    1,
                    request.Id,
                    settings.Value.Origin,
                    application ?? settings.Value.Organisation,
                    WordOf(purpose),
                    http.IsNearby() ? words["PlaceNearby"].Value : null,
                    http.CoarseAddress(),
                    http.Browser(),
                    Base64Url.EncodeToString(request.Nonce),
                    now.ToUnixTimeSeconds(),
                    request.ExpiresAt.ToUnixTimeSeconds(),
                    request.Digits),
                PhoneJson.Options);
            try
            {
                await db.InTransactionAsync(
                    async () =>
                    {
                        await Supersede.WriteAsync(db, http.RequestAborted, personId);
                        db.Approvals.Add(request);
                        db.Record(purpose is ApprovalPurpose.Caller ? SecurityEvent.CallerAsked : SecurityEvent.ApprovalRequested, personId, request.Id, http, now, actorId);
                        await db.SaveChangesAsync(http.RequestAborted);
                        return true;
                    },
                    http.RequestAborted);
            }
            catch (DbUpdateException) when (tries < 3)
            {
                // Two browsers asked in the same instant; the database lets one live request stand. Ask again.
                db.ChangeTracker.Clear();
                continue;
            }

            signals.Wake(Signals.OfPerson(personId));
            await push.EnqueueAsync(request, words["PushText"].Value, Localisation.Current, http.RequestAborted);
            return request;
        }
    }

    /// <summary>The newest request of an attempt, answered or not.</summary>
    public Task<ApprovalRequest?> LatestAsync(string attemptId, ApprovalPurpose purpose, CancellationToken cancellationToken) =>
        lookups.LatestRequest(db, attemptId, purpose, cancellationToken);

    /// <summary>How many digits a person carries from one screen to another. Who administers types six, whatever the setting says (R15, R48).</summary>
    public async Task<int> DigitsOfAsync(Guid personId, CancellationToken cancellationToken) =>
        await db.RoleAssignments.AnyAsync(role => role.PersonId == personId, cancellationToken) ? 6 : settings.Value.ApprovalDigits;

    /// <summary>Whether the phone is left in peace for now, and why.</summary>
    public async Task<AskPause> PauseAsync(Guid personId, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return await AskedAsync(personId, ApprovalPurpose.SignIn, now, cancellationToken) switch
        {
            null or { IsReported: true } => AskPause.Reported,
            { IsTooOften: true } => AskPause.TooMany,
            { BlockedUntil: { } until } when until > now.ToUnixTimeMilliseconds() => AskPause.TooMany,
            _ => AskPause.None,
        };
    }

    /// <summary>In place of an attempt: the member of the helpdesk who asks a caller's phone, and nobody else, sees the number and the answer.</summary>
    public static string CallOf(Guid actorId) => $"call-{actorId:N}";

    private ValueTask<Asked?> AskedAsync(Guid personId, ApprovalPurpose purpose, DateTimeOffset now, CancellationToken cancellationToken) => Peace.FirstAsync(
        db,
        static row => new Asked(row.GetBoolean(0), row.IsDBNull(1) ? null : row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
        cancellationToken, personId, NumberKey(personId), purpose.ToString(), (now - TimeSpan.FromDays(1)).UtcDateTime, (now - TimeSpan.FromMinutes(10)).UtcDateTime);

    private static string WordOf(ApprovalPurpose purpose) => purpose switch
    {
        ApprovalPurpose.SignIn => "sign-in",
        ApprovalPurpose.EnrolmentTest => "enrolment-test",
        _ => "caller",
    };

    public static string NumberKey(Guid personId) => $"number:{personId:N}";

    /// <summary>The newest request of an attempt when it was approved, and the method that was: how the phone unlocked decides how strong its answer is.</summary>
    public async Task<(ApprovalRequest Request, SecondFactorMethod Method)?> LatestApprovedAsync(string attemptId, ApprovalPurpose purpose, CancellationToken cancellationToken) =>
        await lookups.LatestAnswered(db, attemptId, purpose, cancellationToken) is { Request.State: ApprovalState.Approved } found
            ? (found.Request, found.WithPin ? SecondFactorMethod.PhoneWithPin : SecondFactorMethod.Phone)
            : null;

    /// <param name="IsReported">There is an open case.</param>
    /// <param name="BlockedUntil">Wrong numbers, in milliseconds since 1970; null: none.</param>
    /// <param name="InADay">How often it was asked, a day ago at most.</param>
    /// <param name="InTenMinutes">The same, ten minutes ago at most.</param>
    private sealed record Asked(bool IsReported, long? BlockedUntil, long InADay, long InTenMinutes)
    {
        public bool IsTooOften => InADay >= MostInADay || InTenMinutes >= MostInTenMinutes;
    }
}
