using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Audit;
using Portvakt.Domain.Authenticators;
using Portvakt.Domain.SignIn;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Telephones;

/// <summary>What came of the wish for a code.</summary>
/// <param name="Problem">Why this number is not called.</param>
/// <param name="FreeAt">When the next one may be asked for; there were too many.</param>
/// <param name="CountryFull">So many messages went to this country today that something is wrong.</param>
public readonly record struct CodeRequest(DialProblem Problem = DialProblem.None, DateTimeOffset? FreeAt = null, bool CountryFull = false)
{
    public bool IsOnItsWay => Problem is DialProblem.None && FreeAt is null && !CountryFull;
}

/// <summary>
/// Codes over the telephone network: asked for, counted and written down in one transaction, handed to the gateway by <see cref="TelephoneSender"/>. Counting in
/// the same transaction means that a hundred requests at once gain nothing over one after the other.
/// </summary>
public sealed class TelephoneCodes(PortvaktDb db, Vault vault, TimeProvider clock, IOptions<PortvaktSettings> settings)
{
    public const string Column = "telephone_messages.code";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly (int Most, TimeSpan Within)[] ForPerson = [(3, TimeSpan.FromMinutes(10)), (10, Day)];
    private static readonly (int Most, TimeSpan Within)[] ForNumber = [(5, TimeSpan.FromHours(1)), (10, Day)];

    /// <summary>Has a code sent, and saves whatever else the caller has changed. A code that was sent before in this attempt no longer counts.</summary>
    /// <param name="to">The number.</param>
    /// <param name="method"><see cref="Methods.Text"/> or <see cref="Methods.Call"/>.</param>
    /// <param name="attemptId">The only attempt in which it counts.</param>
    /// <param name="http">Who asks.</param>
    public async Task<CodeRequest> RequestAsync(TelephoneNumber to, Methods method, string attemptId, HttpContext http)
    {
        // Asked again although it was asked when the number was set up: what may be called can have changed since.
        if (Dialling.Read(to.Number, method, settings.Value.CountriesToCall, out _) is not DialProblem.None and var problem) return new(problem);

        var now = clock.GetUtcNow();
        var cancellationToken = http.RequestAborted;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await QueueUpAsync($"telephone:person:{to.PersonId:N}", now, cancellationToken);
        await QueueUpAsync($"telephone:number:{Convert.ToHexStringLower(vault.Hash("telephone.number", to.Number))}", now, cancellationToken);
        var toPerson = await LatestAsync(db.TelephoneMessages.Where(row => row.PersonId == to.PersonId), now, cancellationToken);
        var toNumber = await LatestAsync(db.TelephoneMessages.Where(row => row.Number == to.Number), now, cancellationToken);
        if (new[] { FreeAt(toPerson, ForPerson, now), FreeAt(toNumber, ForNumber, now) }.Max() is { } freeAt) return new(FreeAt: freeAt);

        var country = string.Create(CultureInfo.InvariantCulture, $"telephone:country:{Dialling.CountryOf(to.Number)}:{now:yyyyMMdd}");
        if (await new FailureCounter(db, clock).RaiseAsync(country, new Throttle(settings.Value.TelephoneDailyLimit, Day, Day, Day * 2), cancellationToken) is not null) return new(CountryFull: true);

        await db.TelephoneMessages.Where(row => row.AttemptId == attemptId && row.State == MessageState.Waiting).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, MessageState.Failed).SetProperty(row => row.SealedCode, (byte[]?)null).SetProperty(row => row.Problem, "A newer code took its place."),
            cancellationToken);
        var code = RandomNumberGenerator.GetString("0123456789", TelephoneMessage.Digits);
        var message = new TelephoneMessage(to.PersonId, to.Id, to.Number, method, attemptId, HashOf(attemptId, to.Id, code), Localisation.Current, now);
        message.SealedCode = vault.Seal(Encoding.ASCII.GetBytes(code), Column, message.Id.ToString("N"));
        db.TelephoneMessages.Add(message);
        db.Record(SecurityEvent.TelephoneCodeSent, to.PersonId, message.Id.ToString("N"), http, now);
        if (!await db.TrySaveAsync(cancellationToken)) return default; // another window of this attempt was first, and its code is on its way
        await transaction.CommitAsync(cancellationToken);
        return default;
    }

    /// <summary>The one that counts in this attempt: the newest, as long as it holds. Null: none was asked for, or it is over.</summary>
    /// <param name="attemptId">The attempt.</param>
    /// <param name="method">How it was sent; null: either way.</param>
    /// <param name="cancellationToken">The caller gave up.</param>
    public async Task<TelephoneMessage?> NewestAsync(string attemptId, Methods? method, CancellationToken cancellationToken)
    {
        var newest = await db.TelephoneMessages.Where(row => row.AttemptId == attemptId).OrderByDescending(row => row.CreatedAt).ThenByDescending(row => row.Id).FirstOrDefaultAsync(cancellationToken);
        return newest is { UsedAt: null } && clock.GetUtcNow() < newest.ExpiresAt && (method is null || newest.Method == method) ? newest : null;
    }

    /// <summary>True when this is the code; it is then spent. The caller saves, and only one save can win.</summary>
    public bool Use(TelephoneMessage message, string? typed) =>
        message.Use(HashOf(message.AttemptId, message.NumberId, string.Concat((typed ?? "").Where(char.IsAsciiDigit))), clock.GetUtcNow());

    /// <summary>Keyed, and for this attempt and number only: the same six digits elsewhere are another code.</summary>
    private byte[] HashOf(string attemptId, Guid numberId, string code) => vault.Hash($"telephone.code/{attemptId}/{numberId:N}", code);

    /// <summary>Whoever asks for the same thing at the same time waits here until this transaction is over, and then counts what it has written.</summary>
    private Task<int> QueueUpAsync(string key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var at = now.ToUnixTimeMilliseconds();
        return db.Database.ExecuteSqlAsync($"""
            INSERT INTO failure_counts (key, failures, last_failure_at, blocked_until) VALUES ({key}, 0, {at}, 0)
            ON CONFLICT (key) DO UPDATE SET last_failure_at = {at}
            """, cancellationToken);
    }

    private static Task<List<DateTimeOffset>> LatestAsync(IQueryable<TelephoneMessage> messages, DateTimeOffset now, CancellationToken cancellationToken) =>
        messages.Where(row => row.CreatedAt > now - Day).OrderByDescending(row => row.CreatedAt).Select(row => row.CreatedAt).Take(ForPerson.Concat(ForNumber).Max(limit => limit.Most)).ToListAsync(cancellationToken);

    /// <param name="sent">Of the last day, the newest first.</param>
    /// <param name="limits">How many within which time.</param>
    /// <param name="now">The instant.</param>
    private static DateTimeOffset? FreeAt(List<DateTimeOffset> sent, (int Most, TimeSpan Within)[] limits, DateTimeOffset now) =>
        limits.Where(limit => sent.Count >= limit.Most).Select(limit => (DateTimeOffset?)(sent[limit.Most - 1] + limit.Within)).Where(free => free > now).Max();
}
