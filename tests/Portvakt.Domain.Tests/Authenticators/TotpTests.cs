using System.Diagnostics;
using System.Security.Cryptography;
using Portvakt.Domain.Authenticators;

namespace Portvakt.Domain.Tests.Authenticators;

public sealed class TotpTests
{
    private static readonly byte[] Seed = "12345678901234567890"u8.ToArray();

    /// <summary>RFC 6238 appendix B. Its codes have eight digits; the last six of them are the six-digit code. The rows for SHA-256 and SHA-512 are not ours.</summary>
    [Theory]
    [InlineData(59, "94287082")]
    [InlineData(1111111109, "07081804")]
    [InlineData(1111111111, "14050471")]
    [InlineData(1234567890, "89005924")]
    [InlineData(2000000000, "69279037")]
    [InlineData(20000000000, "65353130")]
    public void The_codes_are_those_of_RFC_6238(long time, string code) =>
        Assert.Equal(code[2..], Totp.CodeFor(Seed, Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(time))));

    [Fact]
    public void The_codes_are_those_of_RFC_4226_appendix_D()
    {
        string[] expected = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        Assert.Equal(expected, Enumerable.Range(0, 10).Select(counter => Totp.CodeFor(Seed, counter)));
    }

    [Fact]
    public void Oathtool_agrees_on_a_hundred_codes()
    {
        if (!File.Exists("/usr/bin/oathtool"))
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") is "true", "oathtool is not installed; `dotnet run dev.cs test` installs it.");
            Assert.Fail("oathtool is not installed, and CI does without nothing.");
        }

        var seed = RandomNumberGenerator.GetBytes(Totp.SeedLength);
        const long first = 59_000_000;
        using var oathtool = Process.Start(new ProcessStartInfo("/usr/bin/oathtool", ["--window=99", $"--counter={first}", Convert.ToHexString(seed)]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var theirs = oathtool.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        oathtool.WaitForExit();
        Assert.Equal(100, theirs.Length);
        Assert.Equal(theirs, Enumerable.Range(0, 100).Select(step => Totp.CodeFor(seed, first + step)));
    }

    [Fact]
    public void A_step_begins_on_the_second()
    {
        var begins = DateTimeOffset.FromUnixTimeSeconds(30 * 1000);
        Assert.Equal(999, Totp.StepAt(begins - TimeSpan.FromMilliseconds(1)));
        Assert.Equal(1000, Totp.StepAt(begins));
        Assert.Equal(1000, Totp.StepAt(begins + TimeSpan.FromSeconds(30) - TimeSpan.FromMilliseconds(1)));
    }

    [Fact]
    public void A_clock_may_be_one_step_off_and_no_more()
    {
        var now = At(1000);
        foreach (var step in Enumerable.Range(990, 21))
        {
            var expected = step is >= 999 and <= 1001 ? step : (long?)null;
            Assert.Equal(expected, Totp.Match(Seed, Totp.CodeFor(Seed, step), 0, now));
        }

        Assert.Null(Totp.Match(Seed, Totp.CodeFor(Seed, 999), 0, now, window: 0));
        Assert.Equal(1000, Totp.Match(Seed, Totp.CodeFor(Seed, 1000), 0, now, window: 0));
    }

    [Fact]
    public void A_code_counts_once_in_its_own_the_previous_and_the_next_step()
    {
        foreach (var shift in new[] { -1, 0, 1 })
        {
            var totp = New();
            var code = Totp.CodeFor(Seed, 1000);
            Assert.True(totp.Verify(Seed, code, At(1000 + shift)));
            foreach (var again in new[] { -1, 0, 1, 2 }) Assert.False(totp.Verify(Seed, code, At(1000 + again)));
            Assert.Equal(1000, totp.LastAcceptedStep);
        }
    }

    [Fact]
    public void The_accepted_step_never_goes_backwards()
    {
        var totp = New();
        Assert.True(totp.Verify(Seed, Totp.CodeFor(Seed, 1001), At(1000)));
        Assert.False(totp.Verify(Seed, Totp.CodeFor(Seed, 1000), At(1000)));
        Assert.False(totp.Verify(Seed, Totp.CodeFor(Seed, 999), At(1000)));
        Assert.Equal(1001, totp.LastAcceptedStep);
        Assert.True(totp.Verify(Seed, Totp.CodeFor(Seed, 1002), At(1001)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234")]
    [InlineData("0000000")]
    [InlineData("abcdef")]
    [InlineData("١٢٣٤٥٦")]
    public void What_is_no_code_matches_nothing(string typed) => Assert.Null(Totp.Match(Seed, typed, 0, At(1000)));

    [Fact]
    public void A_revoked_generator_opens_nothing()
    {
        var totp = New();
        totp.Activate();
        totp.Revoke();
        Assert.False(totp.Verify(Seed, Totp.CodeFor(Seed, 1000), At(1000)));
    }

    [Fact]
    public void A_recovery_code_counts_once()
    {
        var code = new RecoveryCode(Guid.Empty, new byte[32], At(1000));
        Assert.True(code.Use(At(1000)));
        Assert.False(code.Use(At(1001)));
        Assert.Equal(At(1000), code.UsedAt);
        Assert.Equal("ABCDE-FGHIJ-KLMN", RecoveryCode.Format("ABCDEFGHIJKLMN"));
    }

    private static TotpAuthenticator New() => new(Guid.Empty, null, null, At(1000));

    private static DateTimeOffset At(long step) => DateTimeOffset.FromUnixTimeSeconds(step * Totp.PeriodSeconds);
}
