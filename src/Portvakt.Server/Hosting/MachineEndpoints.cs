using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Server.Data;

namespace Portvakt.Server.Hosting;

/// <summary>Endpoints for machines that belong to no journey.</summary>
public static class MachineEndpoints
{
    /// <summary>How long the balancer is kept waiting for a database that does not answer.</summary>
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(3);

    public static void MapMachines(this WebApplication app)
    {
        app.MapGet("/", () => Results.Redirect("/account")).ExcludeFromDescription().WithSummary("The start page.");
        app.MapGet("/health/live", () => Results.Text("ok")).ExcludeFromDescription().WithSummary("The process answers.");
        app.MapGet("/health/ready", ReadyAsync).ExcludeFromDescription().WithSummary("The database answers.");
        app.MapGet("/.well-known/passkey-endpoints", (IOptions<PortvaktSettings> settings) => Results.Json(new { enroll = $"{settings.Value.Origin}/account/security", manage = $"{settings.Value.Origin}/account/security" }))
            .ExcludeFromDescription().WithSummary("Tells password managers where passkeys are made and looked after (W3C: A Well-Known URL for Relying Party Passkey Endpoints).");
        app.MapPost("/csp-report", ReportAsync).ExcludeFromDescription().WithSummary("A browser reports a violation of the content policy.");
    }

    /// <summary>
    /// Asks on a line that is there already, as a request of a person would. A line that broke while nobody used it is thrown away by that, with all others to the same server;
    /// the second question is on a new one. So the balancer's question mends the node, and not the first person's.
    /// </summary>
    private static async Task<IResult> ReadyAsync(PortvaktDb db, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(ReadyWithin, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        for (var tries = 0; tries < 2; tries++)
        {
            try
            {
                await db.Database.ExecuteSqlRawAsync("SELECT 1", either.Token);
                return Results.Text("ok");
            }
#pragma warning disable CA1031 // whatever keeps the database from answering, the node is not ready
            catch (Exception away) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                loggers.CreateLogger(typeof(MachineEndpoints)).NotReady(away.Message);
            }
        }

        return Results.Text("database", statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<IResult> ReportAsync(HttpContext http, ILoggerFactory loggers)
    {
        var buffer = new byte[4096];
        var length = await http.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, http.RequestAborted);

        // Whatever a browser claims is text of a stranger: one line, no control characters.
        var text = new string([.. Encoding.UTF8.GetString(buffer, 0, length).Where(character => !char.IsControl(character) && char.GetUnicodeCategory(character) is not System.Globalization.UnicodeCategory.Format).Take(500)]);
        loggers.CreateLogger(typeof(MachineEndpoints)).PolicyViolated(text);
        return Results.NoContent();
    }
}
