using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Portvakt.Bench.Actors;

/// <summary>How quick and how busy the machine is, so that a table taken on another day can be read.</summary>
public static class Machine
{
    private const int Signatures = 5000;

    /// <summary>A sentence for the top and the end of the table.</summary>
    public static string Say()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (data, signature) = (new byte[300], new byte[64]);
        for (var time = 0; time < 200; time++) Sign();
        var before = Environment.CpuUsage.TotalTime;
        for (var time = 0; time < Signatures; time++) Sign();
        var each = (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / Signatures;
        return $"Machine: {Environment.ProcessorCount} cores, load {Load()}, a bare ES256 signature takes {each:0.0} µs (18.5 on the machine of the bounds).";

        void Sign()
        {
            if (!key.TrySignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out _)) throw new InvalidOperationException("Not signed.");
        }
    }

    /// <summary>What all programs together have computed since the machine began; nothing when the kernel does not tell.</summary>
    public static TimeSpan Busy()
    {
        if (!File.Exists("/proc/stat")) return TimeSpan.Zero;
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return TimeSpan.FromSeconds((ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / 100.0); // user, nice, system, interrupts; proc(5)
    }

    /// <summary>
    /// Half of the cores for a server and half for who comes to it, so that neither is measured with the other's work. What this program does and starts from now on runs on <paramref name="cores"/> only.
    /// </summary>
    /// <param name="cores">From and up to; null: all.</param>
    public static void StayOn((int First, int Last)? cores)
    {
        var (first, last) = cores ?? (0, Environment.ProcessorCount - 1);
        using var taskset = Process.Start(new ProcessStartInfo("taskset", ["-a", "-p", "-c", string.Create(CultureInfo.InvariantCulture, $"{first}-{last}"), string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}")]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        taskset.StandardOutput.ReadToEnd();
        taskset.WaitForExit();
        if (taskset.ExitCode is not 0) throw new InvalidOperationException("taskset failed.");
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
}
