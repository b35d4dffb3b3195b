using System.Net;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Telephones;

/// <summary>
/// Hands codes to the organisation's gateways. Each is claimed in the database before it is handed over, so that of two servers one sends it; what the
/// gateway did not take is tried again until the code is over. The code stands in no log line and, once it is taken, in no row. The row's version is left
/// alone: it says whose try of a code won, and a person may be quicker than a gateway's answer.
/// </summary>
public sealed class TelephoneSender(IServiceScopeFactory scopes, IHttpClientFactory http, Vault vault, IOptions<PortvaktSettings> settings, TimeProvider clock, ILogger<TelephoneSender> log) : BackgroundService
{
    /// <summary>Name of the HTTP client: no redirects, no cookies, ten seconds, nothing logged (an address may hold a code).</summary>
    public const string ClientName = "telephone";

    private const int AtOnce = 20;
    private static readonly TimeSpan Rhythm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Claim = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(1)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.Value.Telephone is Methods.None) return;
        while (true)
        {
            await Task.Delay(Rhythm, clock, stoppingToken);
            try
            {
                await SendDueAsync(stoppingToken);
            }
#pragma warning disable CA1031 // a database that is away for a minute must not end the sending; it is logged and tried again
            catch (Exception problem) when (problem is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                log.TelephoneBroke(problem);
            }
        }
    }

    /// <summary>Sends what is due, at most twenty at once, and says how many the gateways took.</summary>
    public async Task<int> SendDueAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = clock.GetUtcNow();
        var over = await db.TelephoneMessages.Where(row => (row.State == MessageState.Waiting || row.State == MessageState.Sending) && row.UsedAt == null && row.ExpiresAt <= now).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, MessageState.Failed).SetProperty(row => row.SealedCode, (byte[]?)null), cancellationToken);
        if (over > 0) log.TelephoneGivenUp(over);

        // A claim that has run out belongs to a program that is no more; the same code a second time harms nobody.
        var due = await db.TelephoneMessages.AsNoTracking().Where(row => (row.State == MessageState.Waiting || row.State == MessageState.Sending) && row.NextTryAt <= now && row.SealedCode != null)
            .OrderBy(row => row.NextTryAt).ThenBy(row => row.Id).Take(AtOnce).ToListAsync(cancellationToken);
        var claimed = new List<TelephoneMessage>();
        foreach (var message in due)
        {
            var (until, tries) = (now + Claim, message.Tries + 1);
            if (await db.TelephoneMessages.Where(row => row.Id == message.Id && row.State == message.State && row.Tries == message.Tries).ExecuteUpdateAsync(
                set => set.SetProperty(row => row.State, MessageState.Sending).SetProperty(row => row.NextTryAt, until).SetProperty(row => row.Tries, tries), cancellationToken) is 1) claimed.Add(message);
        }

        // One gateway that is slow must not hold up the others' sign-ins.
        var answers = await Task.WhenAll(claimed.Select(message => HandOverAsync(message, cancellationToken)));
        foreach (var (message, answer) in claimed.Zip(answers)) await NoteAsync(db, message, answer);
        return answers.Count(answer => answer.IsTaken);
    }

    private async Task<Answer> HandOverAsync(TelephoneMessage message, CancellationToken cancellationToken)
    {
        if (GatewayOf(message) is not { } gateway) return new(false, true, "no gateway");
        var code = Encoding.ASCII.GetString(vault.Open(message.SealedCode!, TelephoneCodes.Column, message.Id.ToString("N")));
        try
        {
            using var client = http.CreateClient(ClientName);
            using var request = gateway.RequestFor(new TelephoneValues(message.Number, TextOf(message, code), message.Language, message.Id.ToString("N")));
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)answer.StatusCode;

            // What the gateway says of the request itself will not change by saying it again.
            var isFinal = status is >= 300 and < 500 && answer.StatusCode is not (HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests);
            return new(answer.IsSuccessStatusCode, isFinal, $"status {status}", answer.IsSuccessStatusCode ? await DeliveryReports.IdOfAsync(gateway, answer, cancellationToken) : null);
        }
        catch (HttpRequestException problem)
        {
            return new(false, false, problem.HttpRequestError.ToString());
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(false, false, "no answer in time");
        }
    }

    private TelephoneGateway? GatewayOf(TelephoneMessage message) => message.Method is Methods.Text ? settings.Value.Texts : settings.Value.Calls;

    /// <summary>Read out, each digit stands for itself, and is heard twice.</summary>
    private string TextOf(TelephoneMessage message, string code) => message.Method is Methods.Text
        ? Words("TelephoneText", message.Language, code)
        : Words("TelephoneCall", message.Language, string.Join(", ", code.AsEnumerable()));

    private string Words(string key, string language, string code) =>
        MailWords.Of(key, language).Replace("{organisation}", settings.Value.Organisation, StringComparison.Ordinal).Replace("{code}", code, StringComparison.Ordinal);

    private async Task NoteAsync(PortvaktDb db, TelephoneMessage message, Answer answer)
    {
        var next = clock.GetUtcNow() + Pauses[Math.Min(message.Tries, Pauses.Length - 1)];
        var isOver = answer.IsTaken || answer.IsFinal;
        var state = answer.IsTaken ? MessageState.Accepted : answer.IsFinal ? MessageState.Failed : MessageState.Waiting;
        var problem = answer.IsTaken ? null : answer.Said;
        var tries = message.Tries + 1;
        await db.TelephoneMessages.Where(row => row.Id == message.Id && row.State == MessageState.Sending && row.Tries == tries).ExecuteUpdateAsync(
            set => set.SetProperty(row => row.State, state).SetProperty(row => row.NextTryAt, next).SetProperty(row => row.SealedCode, row => isOver ? null : row.SealedCode).SetProperty(row => row.Problem, problem).SetProperty(row => row.GatewayId, answer.Id),
            CancellationToken.None);
        if (answer is { IsTaken: true, Id: null } && GatewayOf(message)?.AnswerId.Length > 0) log.TelephoneAnswerWithoutId();
        if (answer.IsTaken) log.TelephoneTaken(message.Id, message.Method);
        else if (answer.IsFinal) log.TelephoneRefused(message.Id, message.Method, answer.Said);
        else log.TelephoneDelayed(message.Id, message.Method, answer.Said);
    }

    private readonly record struct Answer(bool IsTaken, bool IsFinal, string Said, string? Id = null);
}

internal static partial class Log
{
    [LoggerMessage(5001, LogLevel.Information, "The gateway has taken message {MessageId} ({Method})")]
    public static partial void TelephoneTaken(this ILogger logger, Guid messageId, Methods method);

    [LoggerMessage(5002, LogLevel.Warning, "The gateway did not take message {MessageId} ({Method}): {Answer}; it is tried again")]
    public static partial void TelephoneDelayed(this ILogger logger, Guid messageId, Methods method, string answer);

    // Error: either our settings are wrong or the provider no longer knows us, and neither heals by itself.
    [LoggerMessage(5003, LogLevel.Error, "The gateway refuses message {MessageId} ({Method}): {Answer}. Check Portvakt:Texts and Portvakt:Calls")]
    public static partial void TelephoneRefused(this ILogger logger, Guid messageId, Methods method, string answer);

    [LoggerMessage(5004, LogLevel.Error, "{Count} codes were over before a gateway took them")]
    public static partial void TelephoneGivenUp(this ILogger logger, int count);

    [LoggerMessage(5006, LogLevel.Warning, "The gateway's answer has no id where Portvakt:…:AnswerId says; its report will not be understood")]
    public static partial void TelephoneAnswerWithoutId(this ILogger logger);

    [LoggerMessage(5007, LogLevel.Warning, "Message {MessageId} ({Method}) did not arrive: {Said}")]
    public static partial void TelephoneUndelivered(this ILogger logger, Guid messageId, Methods method, string said);

    [LoggerMessage(5008, LogLevel.Warning, "A delivery report was refused: {Reason}. Check Portvakt:Texts:Report and Portvakt:Calls:Report")]
    public static partial void TelephoneReportRefused(this ILogger logger, string reason);

    [LoggerMessage(5005, LogLevel.Error, "Sending codes failed; it is tried again")]
    public static partial void TelephoneBroke(this ILogger logger, Exception exception);
}
