using System.Globalization;
using Npgsql;

namespace Portvakt.Bench.Load;

/// <summary>What PostgreSQL has computed, all its processes together, when it runs on this machine and the kernel tells.</summary>
internal sealed class DatabaseTime
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on

    private readonly int? _postmaster;

    private DatabaseTime(int? postmaster) => _postmaster = postmaster;

    /// <param name="server">How to reach it; null: SQLite, whose work is the server's own.</param>
    public static async Task<DatabaseTime> OfAsync(string? server)
    {
        if (server is null || !Directory.Exists("/proc")) return new DatabaseTime(null);
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT pg_backend_pid()", connection);
        var backend = (int)(await command.ExecuteScalarAsync())!;
        return new DatabaseTime(Read(backend) is { } found && connection.Host is "127.0.0.1" or "localhost" ? found.Parent : null);
    }

    /// <summary>Since it began; nothing when it cannot be told.</summary>
    public TimeSpan Now
    {
        get
        {
            if (_postmaster is not { } postmaster) return TimeSpan.Zero;
            var ticks = Read(postmaster) is { } own ? own.Own + own.Ended : 0;
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var process) && Read(process) is { } child && child.Parent == postmaster) ticks += child.Own;
            }

            return TimeSpan.FromSeconds(ticks / TicksPerSecond);
        }
    }

    /// <summary>proc(5): parent, time in user and kernel mode, and that of children that have ended. Null: it has just ended.</summary>
    private static (int Parent, long Own, long Ended)? Read(int process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' '); // the third field is the first one here
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), Ticks(11) + Ticks(12), Ticks(13) + Ticks(14));

            long Ticks(int at) => long.Parse(fields[at], CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
