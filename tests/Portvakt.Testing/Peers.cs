using System.Diagnostics;
using System.Text.Json;

namespace Portvakt.Testing;

/// <summary>Other people's implementations of the same standards, in <c>tests/peers</c>: needs Node with npm.</summary>
public static class Peers
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3); // the first call may have to fetch the packages

    /// <summary>Runs a script of <c>tests/peers</c>, which reads JSON from its input and writes JSON to its output.</summary>
    /// <exception cref="InvalidOperationException">The script or npm failed; the message is what it complained of.</exception>
    public static async Task<JsonElement> AskAsync(string script, object question)
    {
        var folder = Folder();
        await InstallAsync(folder);
        var answer = await RunAsync(folder, "node", [script], JsonSerializer.Serialize(question, JsonSerializerOptions.Web));
        using var document = JsonDocument.Parse(answer);
        return document.RootElement.Clone();
    }

    // Test projects run side by side, and only one may install. The file is npm's own mark that it has finished.
    private static async Task InstallAsync(string folder)
    {
        var finished = Path.Combine(folder, "node_modules", ".package-lock.json");
        while (!File.Exists(finished))
        {
            try
            {
                using var turn = new FileStream(Path.Combine(Path.GetTempPath(), "portvakt-peers.lock"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
                if (!File.Exists(finished))
                    await RunAsync(folder, "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], "");
            }
            catch (IOException) // somebody else's turn
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
        }
    }

    private static async Task<string> RunAsync(string folder, string program, string[] arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var complaint = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {arguments[0]}: {await complaint}");
    }

    private static string Folder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "tests", "peers", "package.json")))
                return Path.Combine(folder.FullName, "tests", "peers");
        }

        throw new InvalidOperationException("tests/peers is not above the test's own folder.");
    }
}
