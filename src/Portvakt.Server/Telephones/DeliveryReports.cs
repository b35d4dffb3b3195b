using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Telephones;

/// <summary>
/// What a provider tells of a message after it has taken it (<see cref="DeliveryReport"/>): shown to whoever waits for the code, and to the helpdesk. It changes
/// nothing of what the code opens.
/// </summary>
public static class DeliveryReports
{
    private const int Longest = 16 * 1024;
    private const int LongestId = 200;
    private const int LongestWord = 60;
    private const string Reported = "report: ";
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16 };

    public static void MapDeliveryReports(this WebApplication app) =>
        app.MapPost("/telephone/reports/{way}/{key}", TakeAsync).ExcludeFromDescription().WithSummary("A provider of text messages or calls tells what became of one.");

    /// <summary>What the provider calls the message it has just taken; null: it was not asked for, or is not where the setting says.</summary>
    internal static async Task<string?> IdOfAsync(TelephoneGateway gateway, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (gateway.AnswerId.Length is 0) return null;
        await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
        return await ReadAsync(body, cancellationToken) is { } bytes && Parsed(bytes) is { } document && Text(document, gateway.AnswerId) is { } id && IsId(id) ? id : null;
    }

    private static async Task<IResult> TakeAsync(string way, string key, HttpContext http, PortvaktDb db, IOptions<PortvaktSettings> settings, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger(typeof(DeliveryReports));
        var (gateway, method) = way switch { "texts" => (settings.Value.Texts, Methods.Text), "calls" => (settings.Value.Calls, Methods.Call), _ => (null, Methods.None) };
        if (gateway?.Report is not { } report || !CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(report.Key))) return Results.NotFound();
        if (await ReadAsync(http.Request.Body, http.RequestAborted) is not { } body) return Refuse(StatusCodes.Status413PayloadTooLarge, "too long");

        List<(string? Id, string? State)> said;
        if (http.Request.HasFormContentType)
        {
            if (await FieldsAsync(body, http.RequestAborted) is not { } fields) return Refuse(StatusCodes.Status400BadRequest, "neither JSON nor a form");
            said = [(fields.GetValueOrDefault(report.Id), fields.GetValueOrDefault(report.State))];
        }
        else
        {
            if (Parsed(body) is not { } document) return Refuse(StatusCodes.Status400BadRequest, "neither JSON nor a form");
            said = [.. (document.ValueKind is JsonValueKind.Array ? [.. document.EnumerateArray()] : new[] { document }).Select(one => (Text(one, report.Id), Text(one, report.State)))];
        }

        if (said.Count is 0 || said.Exists(one => one.Id is not { Length: > 0 } || !IsId(one.Id) || one.State is not { Length: > 0 })) return Refuse(StatusCodes.Status422UnprocessableEntity, "no id or no state where the settings say");
        var isKnown = true;
        foreach (var (id, state) in said) isKnown &= await NoteAsync(db, gateway, method, id!, state!, log, http.RequestAborted);

        // Quicker than our own note of what it is called: the provider tries again.
        return isKnown ? Results.NoContent() : Results.NotFound();

        IResult Refuse(int status, string reason)
        {
            log.TelephoneReportRefused(reason);
            return Results.StatusCode(status);
        }
    }

    private static async Task<bool> NoteAsync(PortvaktDb db, TelephoneGateway gateway, Methods method, string id, string state, ILogger log, CancellationToken cancellationToken)
    {
        var own = Guid.TryParse(id, out var parsed) ? parsed : Guid.Empty;
        var messages = gateway.AnswerId.Length > 0 ? db.TelephoneMessages.Where(row => row.GatewayId == id && row.Method == method) : db.TelephoneMessages.Where(row => row.Id == own && row.Method == method);
        if (await messages.Select(row => (Guid?)row.Id).FirstOrDefaultAsync(cancellationToken) is not { } messageId) return false;
        if (gateway.Report!.IsDelivered(state) is not { } isDelivered) return true;

        // A later "delivered" corrects a hasty "failed", never the other way round; what failed for a reason of our own stays as it is.
        var word = new string([.. state.Where(letter => !char.IsControl(letter) && char.GetUnicodeCategory(letter) is not UnicodeCategory.Format).Take(LongestWord)]);
        var (next, problem) = isDelivered ? (MessageState.Delivered, (string?)null) : (MessageState.Failed, Reported + word);
        var changed = await db.TelephoneMessages.Where(row => row.Id == messageId && (row.State == MessageState.Sending || row.State == MessageState.Accepted || (isDelivered && row.State == MessageState.Failed && row.Problem!.StartsWith(Reported))))
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.State, next).SetProperty(row => row.Problem, problem).SetProperty(row => row.SealedCode, (byte[]?)null), cancellationToken);
        if (changed > 0 && !isDelivered) log.TelephoneUndelivered(messageId, method, word);
        return true;
    }

    /// <summary>What may be looked for: no database compares with a NUL, and no provider's id has control characters.</summary>
    private static bool IsId(string text) => text.Length <= LongestId && !text.Any(char.IsControl);

    private static async Task<byte[]?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[Longest + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > Longest ? null : buffer[..length];
    }

    private static async Task<Dictionary<string, StringValues>?> FieldsAsync(byte[] body, CancellationToken cancellationToken)
    {
        try
        {
            return await new FormPipeReader(PipeReader.Create(new MemoryStream(body))).ReadFormAsync(cancellationToken);
        }
        catch (Exception wrong) when (wrong is InvalidDataException or InvalidOperationException)
        {
            return null; // too many fields, or what decodes to no text
        }
    }

    private static JsonElement? Parsed(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The text or number at a path of members and indexes; null: there is none, or it is no text of Unicode.</summary>
    private static string? Text(JsonElement element, string path)
    {
        try
        {
            return TextAt(element, path);
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair is JSON, and no text
        }
    }

    private static string? TextAt(JsonElement element, string path)
    {
        foreach (var step in path.Split('.'))
        {
            if (element.ValueKind is JsonValueKind.Object && element.TryGetProperty(step, out var member)) element = member;
            else if (element.ValueKind is JsonValueKind.Array && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < element.GetArrayLength()) element = element[index];
            else return null;
        }

        return element.ValueKind is JsonValueKind.String or JsonValueKind.Number ? element.ToString() : null;
    }
}
