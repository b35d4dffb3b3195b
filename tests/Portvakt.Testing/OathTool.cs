using System.Diagnostics;
using System.Globalization;

namespace Portvakt.Testing;

/// <summary>Somebody else's authenticator app: Debian's <c>oathtool</c> (RFC 6238).</summary>
public static class OathTool
{
    public static bool IsInstalled => File.Exists("/usr/bin/oathtool");

    /// <param name="secret">Base32.</param>
    /// <param name="later">How far ahead of now.</param>
    public static Task<string> CodeAsync(string secret, TimeSpan later = default) => CodeAsync(secret, TimeProvider.System.GetUtcNow() + later);

    /// <param name="secret">Base32.</param>
    /// <param name="at">When.</param>
    /// <param name="period">Seconds of a step.</param>
    public static Task<string> CodeAsync(string secret, DateTimeOffset at, int period = 30) => RunAsync(
        secret, "--totp", "--base32", string.Create(CultureInfo.InvariantCulture, $"--time-step-size={period}s"), "--now", at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture), "-");

    /// <summary>The code of a count (RFC 4226).</summary>
    public static Task<string> CountedCodeAsync(string secret, int counter) =>
        RunAsync(secret, "--hotp", "--base32", string.Create(CultureInfo.InvariantCulture, $"--counter={counter}"), "-");

    private static async Task<string> RunAsync(string secret, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("oathtool", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        await process.StandardInput.WriteLineAsync(secret.Replace(" ", "", StringComparison.Ordinal));
        process.StandardInput.Close();
        var code = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        return process.ExitCode is 0 ? code : throw new InvalidOperationException("oathtool failed.");
    }
}
