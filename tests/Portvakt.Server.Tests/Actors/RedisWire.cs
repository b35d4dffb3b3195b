using System.Globalization;

namespace Portvakt.Server.Tests.Actors;

/// <summary>The wire between the servers and the tests' Redis.</summary>
/// <param name="cut">Nothing listens at the other end until it is mended.</param>
public sealed class RedisWire(bool cut = false) : TcpWire(cut)
{
    public const string NoRedis = "No Redis is configured (PORTVAKT_TEST_REDIS, like 127.0.0.1:6379,password=…); `dotnet run dev.cs test` starts one.";

    /// <summary>The tests' Redis itself, as the setting takes it; null when none is configured, which CI does not accept.</summary>
    public static string? RedisItself
    {
        get
        {
            if (Environment.GetEnvironmentVariable("PORTVAKT_TEST_REDIS") is { Length: > 0 } text) return text;
            return Environment.GetEnvironmentVariable("CI") is not "true" ? null : throw new InvalidOperationException("PORTVAKT_TEST_REDIS is not set.");
        }
    }

    /// <summary>Redis at the end of this wire, as the setting takes it.</summary>
    public string Configuration => string.Join(',', RedisItself!.Split(',').Select((part, index) => index is 0 ? $"127.0.0.1:{Port}" : part));

    protected override (string Host, int Port) Far =>
        RedisItself!.Split(',')[0].Split(':') is [var name, var number] ? (name, int.Parse(number, CultureInfo.InvariantCulture)) : throw new InvalidOperationException(NoRedis);
}
