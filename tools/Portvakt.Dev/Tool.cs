using System.Diagnostics;
using System.Text;

namespace Portvakt.Dev;

/// <summary>Other programs, run to their end.</summary>
public static class Tool
{
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    /// <summary>Says nothing while all goes well; shows everything the program said when it fails.</summary>
    public static async Task QuietAsync(string program, string[] arguments, string? directory = null, Dictionary<string, string?>? environment = null)
    {
        var result = await RunAsync(program, arguments, directory, environment);
        if (result.ExitCode != 0) throw new RefusalException($"{result.Output.TrimEnd()}\n`{program} {string.Join(' ', arguments)}` failed (exit code {result.ExitCode}).");
    }

    /// <summary>The program speaks for itself. Returns its exit code.</summary>
    public static async Task<int> LoudAsync(string program, string[] arguments, string? directory = null, TimeSpan? limit = null)
    {
        using var process = Process.Start(Info(program, arguments, directory, environment: null))!;
        return await EndAsync(process, limit);
    }

    public static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, string? directory = null, Dictionary<string, string?>? environment = null, string input = "", TimeSpan? limit = null)
    {
        var info = Info(program, arguments, directory, environment);
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        using var process = new Process { StartInfo = info };
        var said = new StringBuilder();
        process.OutputDataReceived += (_, line) => { lock (said) said.AppendLine(line.Data); };
        process.ErrorDataReceived += (_, line) => { lock (said) said.AppendLine(line.Data); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var exitCode = await EndAsync(process, limit);
        return (exitCode, said.ToString());
    }

    public static ProcessStartInfo Info(string program, string[] arguments, string? directory, Dictionary<string, string?>? environment)
    {
        var info = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory ?? Repo.Root, UseShellExecute = false };
        info.Environment["DOTNET_NOLOGO"] = "1";
        info.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        foreach (var (name, value) in environment ?? []) info.Environment[name] = value;
        return info;
    }

    private static async Task<int> EndAsync(Process process, TimeSpan? limit)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop.Token);
        if (limit is { } time) patience.CancelAfter(time);
        try
        {
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Stop.Token.ThrowIfCancellationRequested();
            Console.WriteLine($"Ended after {limit}: it seems to hang.");
            return -1;
        }
    }
}
