using System.Diagnostics;
using System.Globalization;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Somebody else's authenticator app: Debian's <c>oathtool</c> (RFC 6238).</summary>
public static class OathTool
{
    /// <param name="secret">Base32.</param>
    /// <param name="later">How far ahead of now.</param>
    public static async Task<string> CodeAsync(string secret, TimeSpan later = default)
    {
        var at = (TimeProvider.System.GetUtcNow() + later).ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        using var process = Process.Start(new ProcessStartInfo("oathtool", ["--totp", "--base32", "--now", at, "-"])
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
