using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>Sees everything a browser complains of: errors on the console, violations of the content policy, requests to strangers.</summary>
public sealed class Witness
{
    // The browser's own line on the console has no directive and no address when a report endpoint is set; the event has both.
    private const string Listener = """
        addEventListener('securitypolicyviolation', event =>
          console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`));
        """;

    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentBag<string> _expected = [];

    private Witness()
    {
    }

    /// <summary>What was seen and was not expected.</summary>
    public IReadOnlyList<string> Complaints => [.. _complaints.Where(complaint => !_expected.Any(part => complaint.Contains(part, StringComparison.Ordinal)))];

    /// <summary>What was asked and has no answer yet: method and address.</summary>
    public IReadOnlyList<string> Unanswered => [.. Requests.Where(request => request.Timing.ResponseStart < 0 && request.Failure is null).Select(request => $"{request.Method} {request.Url}")];

    /// <summary>How many requests left the browser, and to where: path only.</summary>
    public ConcurrentQueue<IRequest> Requests { get; } = new();

    /// <param name="context">The browser to watch, before its first page is opened.</param>
    /// <param name="origins">Where it may go.</param>
    public static async Task<Witness> WatchAsync(IBrowserContext context, params string[] origins)
    {
        var witness = new Witness();
        await context.AddInitScriptAsync(Listener);
        context.Console += (_, message) =>
        {
            if (message.Type is "error") witness._complaints.Enqueue($"console: {message.Text} ({message.Location})");
        };
        context.WebError += (_, error) => witness._complaints.Enqueue($"script: {error.Error}");
        context.Request += (_, request) =>
        {
            witness.Requests.Enqueue(request);
            if (!request.Url.StartsWith("http", StringComparison.Ordinal)) return; // data:, blob:, about:
            if (!origins.Contains(new Uri(request.Url).GetLeftPart(UriPartial.Authority), StringComparer.Ordinal)) witness._complaints.Enqueue($"a request to a stranger: {request.Url}");
        };
        return witness;
    }

    /// <summary>A complaint that belongs to the test: the browser writes every refusal on its console.</summary>
    public void Expect(string part) => _expected.Add(part);
}
