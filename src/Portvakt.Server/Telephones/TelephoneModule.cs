using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Telephones;

/// <summary>What codes over the telephone network need, and in the demo a provider that only shows them.</summary>
public static class TelephoneModule
{
    /// <summary>Where <c>dev.cs demo</c> lets both gateways point. Does not exist anywhere else.</summary>
    public const string DemoAddress = "/demo/telephone";

    private const int Shown = 50;

    public static void AddTelephones(this IServiceCollection services)
    {
        services.AddScoped<TelephoneCodes>();
        services.AddSingleton<TelephoneSender>();
        services.AddHostedService(provider => provider.GetRequiredService<TelephoneSender>());
        services.AddHttpClient(TelephoneSender.ClientName, client => client.Timeout = TimeSpan.FromSeconds(10))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
            .RemoveAllLoggers();
    }

    /// <summary>Every message of the demo in turn, the newest first. Kept in memory: the demo has nobody's real number.</summary>
    public static void MapDemoTelephone(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<PortvaktSettings>>().Value.Demo) return;
        var messages = new ConcurrentQueue<string>();
        app.MapPost(DemoAddress, (DemoMessage message, TimeProvider clock, IOptions<PortvaktSettings> settings) =>
        {
            messages.Enqueue($"{Localisation.DateAndTime(clock.GetUtcNow(), settings.Value.Zone)}  {message.How}  {message.Number}\n    {message.Text}\n");
            while (messages.Count > Shown) messages.TryDequeue(out _);
            return Results.NoContent();
        }).ExcludeFromDescription().WithSummary("The demo's provider of text messages and calls.");
        app.MapGet(DemoAddress, () => Results.Text(messages.IsEmpty ? "No message yet. Reload this page after \"Send kode\".\n" : string.Join('\n', messages.Reverse()), "text/plain; charset=utf-8"))
            .ExcludeFromDescription().WithSummary("What the demo's provider was given.");
    }

    private sealed record DemoMessage(string How, string Number, string Text);
}
