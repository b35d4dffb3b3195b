using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Portvakt.Domain.Authenticators;

/// <summary>RFC 6238 with SHA-1, six digits and 30 seconds: what every authenticator app understands.</summary>
public static class Totp
{
    public const int Digits = 6;
    public const int PeriodSeconds = 30;

    /// <summary>160 bits, the length RFC 4226 section 4 recommends.</summary>
    public const int SeedLength = 20;

    public static long StepAt(DateTimeOffset now, int period = PeriodSeconds) => now.ToUnixTimeSeconds() / period;

    public static string CodeFor(ReadOnlySpan<byte> seed, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // RFC 6238's default and the only algorithm that every app supports; HMAC does not need collision resistance
        HMACSHA1.HashData(seed, counter, mac);
#pragma warning restore CA5350
        var truncated = BinaryPrimitives.ReadInt32BigEndian(mac[(mac[^1] & 15)..]) & int.MaxValue;
        return (truncated % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The step that a code belongs to: the present one or a neighbour (a clock that is half a minute off), and never one at or
    /// before <paramref name="lastAcceptedStep"/>. Null when there is none. Every candidate is computed, found or not.
    /// </summary>
    /// <param name="seed">The secret.</param>
    /// <param name="code">As typed.</param>
    /// <param name="lastAcceptedStep">Nothing up to it counts again.</param>
    /// <param name="now">The instant.</param>
    /// <param name="period">Seconds of a step.</param>
    /// <param name="window">How many steps on either side are looked at.</param>
    /// <param name="drift">By how many steps the generator's clock is known to be off (RFC 6238 section 6); the window lies around that.</param>
    public static long? Match(ReadOnlySpan<byte> seed, string code, long lastAcceptedStep, DateTimeOffset now, int period = PeriodSeconds, int window = 1, int drift = 0)
    {
        var typed = System.Text.Encoding.UTF8.GetBytes(code);
        var present = StepAt(now, period) + drift;
        long? found = null;
        for (var step = present - window; step <= present + window; step++)
        {
            var matches = CryptographicOperations.FixedTimeEquals(System.Text.Encoding.ASCII.GetBytes(CodeFor(seed, step)), typed);
            if (matches && step > lastAcceptedStep) found = step;
        }

        return found;
    }
}
