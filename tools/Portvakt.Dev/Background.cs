using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Portvakt.Dev;

/// <summary>Another program that runs beside us and ends with us. What it says goes to a file.</summary>
public sealed class Background : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _log;
    private readonly StreamWriter _writer;
    private readonly PosixSignal _farewell;

    private Background(string name, ProcessStartInfo info, string log, PosixSignal farewell)
    {
        Name = name;
        _log = log;
        _farewell = farewell;
        _writer = new StreamWriter(new FileStream(log, FileMode.Create, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += Write;
        _process.ErrorDataReceived += Write;
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public string LastWords
    {
        get
        {
            using var reader = new StreamReader(new FileStream(_log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return string.Join('\n', reader.ReadToEnd().TrimEnd().Split('\n').TakeLast(25));
        }
    }

    public static Background Start(string name, string program, string[] arguments, string directory, Dictionary<string, string?> environment, string log, PosixSignal farewell = PosixSignal.SIGTERM) =>
        new(name, Tool.Info(program, arguments, directory, environment), log, farewell);

    /// <summary>A port of this machine that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async Task AnswersAsync(string address)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        await UntilAsync($"answer at {address}", async () =>
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(address), Stop.Token);
                return answer.IsSuccessStatusCode;
            }
            catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException && !Stop.Token.IsCancellationRequested)
            {
                return false;
            }
        });
    }

    public async Task UntilAsync(string what, Func<Task<bool>> isSo)
    {
        var patience = Stopwatch.StartNew();
        while (!await isSo())
        {
            Stop.Token.ThrowIfCancellationRequested();
            if (_process.HasExited) throw new RefusalException($"{Name} ended before it could {what}:\n{LastWords}");
            if (patience.Elapsed > TimeSpan.FromMinutes(1)) throw new RefusalException($"{Name} did not {what} within a minute:\n{LastWords}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Stop.Token);
        }
    }

    /// <summary>Which of them ended without being asked; null when we were asked to stop.</summary>
    public static async Task<Background?> FirstToEndAsync(params Background[] all)
    {
        try
        {
            var ended = await await Task.WhenAny(all.Select(async one =>
            {
                await one._process.WaitForExitAsync(Stop.Token);
                return one;
            }));
            // Ctrl-C reaches the whole terminal: a child may hear it a moment before we do.
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, Stop.Token);
            return ended;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            SendFarewell();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }
        _process.Dispose();
        await _writer.DisposeAsync();
    }

    private void SendFarewell()
    {
        if (OperatingSystem.IsWindows()) _process.Kill(entireProcessTree: true);
        else _ = Kill(_process.Id, _farewell is PosixSignal.SIGINT ? 2 : 15);
    }

    private void Write(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_writer) _writer.WriteLine(line.Data);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
