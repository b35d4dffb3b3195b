using System.Data.Common;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Portvakt.Server.Data;
using Portvakt.Server.Tests.Actors;

namespace Portvakt.Server.Tests.House;

/// <summary>What the server does by itself, and what it writes into its log.</summary>
public sealed partial class BackgroundTests
{
    [Fact]
    public async Task A_statement_that_is_given_up_ends_one_round_and_not_the_server()
    {
        var database = new GivesUp();
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite, services: services => services.ConfigureDbContext<SqlitePortvaktDb>(options => options.AddInterceptors(database)));
        database.IsArmed = true;
        string[] rounds = ["The signing keys could not be read anew", "Sweeping failed", "The audit log could not be chained this time"];
        await PortvaktServer.UntilAsync(() =>
        {
            server.Clock.Advance(TimeSpan.FromHours(1)); // each time: the host does not wait until a worker has set its clock, and an hour before that is nobody's
            return Task.FromResult(rounds.All(round => server.Log.All.Contains(round, StringComparison.Ordinal)));
        });
        database.IsArmed = false;
        Assert.False(server.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public void Whoever_works_in_the_background_passes_a_cancellation_on_only_when_the_server_stops()
    {
        var filters = from file in Directory.EnumerateFiles(Path.Combine(PortvaktServer.Repository(), "src", "Portvakt.Server"), "*.cs", SearchOption.AllDirectories)
                      from Match filter in PassedOn().Matches(File.ReadAllText(file))
                      select (File: Path.GetFileName(file), Only: filter.Groups[1].Value);
        Assert.True(filters.Count() > 8);
        Assert.All(filters, filter => Assert.True(filter.Only.Trim() is "|| !stoppingToken.IsCancellationRequested", filter.File));
    }

    [Fact]
    public void Each_line_of_the_log_has_an_id_of_its_own()
    {
        var lines = from type in typeof(PortvaktHost).Assembly.GetTypes()
                    from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                    let line = method.GetCustomAttribute<LoggerMessageAttribute>()
                    where line is not null
                    group $"{type.Namespace}: {method.Name}" by line.EventId;
        Assert.True(lines.Count() > 40);
        Assert.All(lines, line => Assert.True(line.Count() is 1, $"{line.Key} is {string.Join(" and ", line)}"));
    }

    [GeneratedRegex(@"catch \(Exception \w+\) when \(\w+ is not OperationCanceledException([^)]*)\)")]
    private static partial Regex PassedOn();

    /// <summary>A database whose driver gives up, and says so as drivers do: by the exception of a cancellation that nobody asked for.</summary>
    private sealed class GivesUp : DbCommandInterceptor
    {
        public bool IsArmed { get; set; }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default) =>
            IsArmed ? throw new TaskCanceledException("the driver gave up") : ValueTask.FromResult(result);

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default) =>
            IsArmed ? throw new TaskCanceledException("the driver gave up") : ValueTask.FromResult(result);
    }
}
