using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Portvakt.Domain;
using Portvakt.Server.Data;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>
/// Tells applications that a session is over (OpenID Connect Back-Channel Logout 1.0). Each notice is a row written with the end of the session, so it
/// survives a restart, and is tried until it was heard or a day has passed.
/// </summary>
public sealed class BackChannelLogout(IServiceScopeFactory scopes, IHttpClientFactory http, TokenWriter tokens, RelyingParties relyingParties, TimeProvider clock, ILogger<BackChannelLogout> logger) : BackgroundService
{
    /// <summary>Name of the HTTP client: no redirects, no proxy, no cookies, five seconds.</summary>
    public const string ClientName = "back-channel-logout";

    private const string EventName = "http://schemas.openid.net/event/backchannel-logout";
    private const int AtOnce = 50;
    private static readonly TimeSpan Rhythm = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromHours(24);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2)];

    /// <summary>Delivers everything that is due, and says how many notices were heard.</summary>
    public async Task<int> DeliverDueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = clock.GetUtcNow();
        var due = await db.LogoutNotices.Where(notice => notice.NextTryAt <= now).OrderBy(notice => notice.NextTryAt).Take(AtOnce).ToListAsync(cancellationToken);
        if (due.Count is 0) return 0;

        // Claimed before they are sent: another node leaves them alone, and after a crash they come up again.
        foreach (var notice in due)
        {
            notice.NextTryAt = now + Pauses[Math.Min(notice.Tries, Pauses.Length - 1)];
            notice.Tries++;
        }

        if (!await db.TrySaveAsync(cancellationToken)) return 0;

        var answers = await Task.WhenAll(due.Select(notice => DeliverAsync(notice, cancellationToken)));
        foreach (var (notice, answer) in due.Zip(answers))
        {
            if (answer is null) notice.DeliveredAt = clock.GetUtcNow();
            else if (relyingParties.Find(notice.ClientId)?.BackChannelLogoutUri is null) notice.GivenUpAt = now;
            else if (notice.NextTryAt - notice.CreatedAt > GiveUpAfter)
            {
                notice.GivenUpAt = now;
                logger.LogoutGivenUp(notice.ClientId, notice.Tries);
            }
            else
            {
                logger.LogoutNotHeard(notice.ClientId, notice.Tries, answer, notice.NextTryAt);
            }

            // Out of the index's way.
            if (notice.DeliveredAt is not null || notice.GivenUpAt is not null) notice.NextTryAt = DateTimeOffset.MaxValue;
        }

        await db.TrySaveAsync(cancellationToken);
        return answers.Count(answer => answer is null);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await DeliverDueAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end this for good
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                logger.DeliveryFailed(problem);
            }
        }
    }

    /// <summary>Section 2.5. Null: heard; otherwise what was answered instead.</summary>
    private async Task<string?> DeliverAsync(LogoutNotice notice, CancellationToken cancellationToken)
    {
        if (relyingParties.Find(notice.ClientId)?.BackChannelLogoutUri is not { } address) return "it is not to be told";
        try
        {
            using var client = http.CreateClient(ClientName);
            using var body = new FormUrlEncodedContent([new("logout_token", LogoutToken(notice))]);
            using var answer = await client.PostAsync(address, body, cancellationToken);
            return answer.IsSuccessStatusCode ? null : ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        }
        catch (HttpRequestException problem)
        {
            return problem.HttpRequestError.ToString();
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "no answer in time";
        }
    }

    /// <summary>Section 2.4: like an ID token, but told apart by <c>typ</c>, <c>events</c> and the absence of a nonce.</summary>
    private string LogoutToken(LogoutNotice notice) => Encoding.ASCII.GetString(tokens.Sign(
        "logout+jwt",
        json =>
        {
            json.WriteString(Claims.Audience, notice.ClientId);
            json.WriteString(Claims.Subject, TokenClaims.SubjectOf(notice.PersonId));
            json.WriteString(TokenClaims.SessionId, notice.SessionId);
            json.WriteString(Claims.JwtId, RandomId.New());
            json.WriteStartObject("events");
            json.WriteStartObject(EventName);
            json.WriteEndObject();
            json.WriteEndObject();
        },
        TimeSpan.FromMinutes(2)));
}
