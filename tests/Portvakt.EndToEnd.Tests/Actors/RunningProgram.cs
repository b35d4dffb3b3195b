using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portvakt.EndToEnd.Tests.Actors;

/// <summary>Another program that runs beside the test and ends with it. What it said is shown when it fails.</summary>
public sealed class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private RunningProgram(string assembly, string[] arguments, IReadOnlyDictionary<string, string> environment)
    {
        var info = new ProcessStartInfo(Path.GetExtension(assembly) is ".mjs" ? "node" : "dotnet", [assembly, .. arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(assembly)!,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment) info.Environment[name] = value;
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += Listen;
        _process.ErrorDataReceived += Listen;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Everything it has said so far.</summary>
    public string Said
    {
        get
        {
            lock (_said) return _said.ToString();
        }
    }

    /// <summary>From its start to its first good answer, to 10 ms.</summary>
    public TimeSpan StartedIn { get; private set; }

    /// <summary>What it has computed since it began, on all cores together; to 10 ms.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory in bytes.</summary>
    public long Memory
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The processor time of each kind of thread until now, by the thread's name (Linux cuts it at fifteen letters). Of threads that are still there.</summary>
    public IReadOnlyDictionary<string, TimeSpan> ProcessorTimeByThread
    {
        get
        {
            var sums = new Dictionary<string, TimeSpan>(StringComparer.Ordinal);
            foreach (var thread in Directory.EnumerateDirectories($"/proc/{_process.Id}/task"))
            {
                try
                {
                    var name = File.ReadAllText(Path.Combine(thread, "comm")).Trim();
                    var nanoseconds = long.Parse(File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0], CultureInfo.InvariantCulture);
                    sums[name] = sums.GetValueOrDefault(name) + TimeSpan.FromMicroseconds(nanoseconds / 1000.0);
                }
                catch (IOException)
                {
                    // It ended between the list and the look.
                }
            }

            return sums;
        }
    }

    /// <summary>Starts it (a .NET assembly, or a script of Node's) and waits until it answers with success at <paramref name="address"/>.</summary>
    public static async Task<RunningProgram> StartAsync(string assembly, string[] arguments, IReadOnlyDictionary<string, string> environment, string address)
    {
        var clock = Stopwatch.StartNew();
        var program = new RunningProgram(assembly, arguments, environment);
        using var http = new HttpClient();
        while (!await AnswersAsync(http, address))
        {
            if (program._process.HasExited || clock.Elapsed > Patience)
            {
                await program.DisposeAsync();
                throw new InvalidOperationException($"{Path.GetFileName(assembly)} does not answer at {address}. It said:\n{program.Said}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, CancellationToken.None);
        }

        program.StartedIn = clock.Elapsed;
        return program;
    }

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it said.</exception>
    public static async Task RunAsync(string assembly, string[] arguments, IReadOnlyDictionary<string, string> environment, string input = "")
    {
        await using var program = new RunningProgram(assembly, arguments, environment);
        await program._process.StandardInput.WriteAsync(input);
        program._process.StandardInput.Close();
        await program._process.WaitForExitAsync().WaitAsync(Patience);
        if (program._process.ExitCode != 0) throw new InvalidOperationException($"{Path.GetFileName(assembly)} {string.Join(' ', arguments)} failed:\n{program.Said}");
    }

    /// <summary>The folder of the repository.</summary>
    public static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Portvakt.slnx"))) return folder.FullName;
            }

            throw new InvalidOperationException("Portvakt.slnx is not above the program's own folder.");
        }
    }

    /// <summary>The server as an operator installs it, where it was published for this run, and else as it was built.</summary>
    public static string Server => Environment.GetEnvironmentVariable("PORTVAKT_PUBLISHED") ?? FileOf("src/Portvakt.Server", "portvakt.dll");

    /// <summary>What the build made of a project, in the same configuration as this program.</summary>
    public static string FileOf(string project, string assembly)
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var file = Path.Combine(Root, project, "bin", own.Parent!.Name, own.Name, assembly);
        return File.Exists(file) ? file : throw new InvalidOperationException($"{file} has not been built.");
    }

    /// <summary>A port that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task<bool> AnswersAsync(HttpClient http, string address)
    {
        try
        {
            using var answer = await http.GetAsync(address);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not yet
        }
    }

    private void Listen(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (_said) _said.AppendLine(line.Data);
    }
}
