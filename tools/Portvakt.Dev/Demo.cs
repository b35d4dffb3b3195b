using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portvakt.Dev;

/// <summary>A whole Portvakt on this machine: an organisation amid its rollout, two applications, and a phone in a second window.</summary>
public static class Demo
{
    private const string SampleId = "sample-app";
    private const string SecondId = "second-app";

    public static async Task<int> RunAsync(Options options)
    {
        var port = options.Port("--port", 5080);
        var appPort = options.Port("--app-port", 5090);
        var secondPort = options.Port("--second-app-port", 5091);
        if (port == appPort || port == secondPort || appPort == secondPort) throw new RefusalException("--port, --app-port and --second-app-port must differ.", 2);
        var database = options["--database"];
        if (database is not null && !(database.StartsWith("postgres://", StringComparison.Ordinal) || database.StartsWith("postgresql://", StringComparison.Ordinal)))
            throw new RefusalException("--database takes an address like postgres://user:password@host/database.", 2);
        var moreRelyingParties = ReadRelyingParties(options["--relying-parties"]);
        RefuseTaken(port, "--port");
        RefuseTaken(appPort, "--app-port");
        RefuseTaken(secondPort, "--second-app-port");

        // A database outlives the run, and so must the key that protects it: a directory of its own, unless --data says where.
        var data = options["--data"] ?? (database is null ? null : Repo.Path($"data/demo-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)))[..8]}"));
        var keepData = data is not null;
        data = data is null ? Directory.CreateTempSubdirectory("portvakt-demo-").FullName : Files.PrivateDirectory(data);
        try
        {
            var (password, isKnown) = PasswordFor(data, options["--password"]);

            await Npm.InstallAndBuildAsync();
            var server = await PublishAsync("server", "src/Portvakt.Server");
            var sampleApp = await PublishAsync("sample application", "samples/Portvakt.SampleApp");

            var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
            var relyingPartiesFile = Path.Combine(data, "relying-parties.json");
            Files.WritePrivate(relyingPartiesFile, RelyingParties(appPort, secondPort, secret, moreRelyingParties).ToJsonString(new() { WriteIndented = true }));

            var issuer = $"http://localhost:{port}";
            var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["ASPNETCORE_URLS"] = issuer, // "localhost" is 127.0.0.1 and ::1, and nothing else
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["Portvakt__Demo"] = "true",
                ["Portvakt__PublicAddress"] = issuer,
                ["Portvakt__Organisation"] = "Eksempel kommune",
                ["Portvakt__Helpdesk"] = "Brukerstøtte, telefon 55 50 00 00",
                ["Portvakt__DefaultLanguage"] = "nb",
                ["Portvakt__DataDirectory"] = data,
                ["Portvakt__Database"] = database,
                ["Portvakt__RelyingPartiesFile"] = relyingPartiesFile,
                ["Portvakt__AllowPinUnlock"] = "true", // a desktop without an unlock of its own can walk to the end as well
                ["Portvakt__AllowLoopbackPush"] = options.Has("--allow-loopback-push") ? "true" : "false",
                ["Portvakt__Texts__Address"] = $"{issuer}/demo/telephone",
                ["Portvakt__Texts__Body"] = """{"how":"SMS","number":"{number}","text":"{text}"}""",
                ["Portvakt__Calls__Address"] = $"{issuer}/demo/telephone",
                ["Portvakt__Calls__Body"] = """{"how":"Call","number":"{number}","text":"{text}"}""",
                ["Portvakt__PushContact"] = "mailto:it@eksempel.kommune.no",
            };

            await Step.DoAsync("Preparing the database", () => Tool.QuietAsync("dotnet", ["portvakt.dll", "migrate"], server, settings));
            var isNew = await AddPeopleAsync();

            await using var serverProcess = Background.Start("The server", "dotnet", ["portvakt.dll", "serve"], server, settings, Path.Combine(data, "server.log"));
            await using var appProcess = StartApp("The sample application", SampleId, "timeliste", appPort);
            await using var secondProcess = StartApp("The second application", SecondId, "reiseregning", secondPort);
            await Step.DoAsync("Starting all three", async () =>
            {
                await serverProcess.AnswersAsync($"{issuer}/health/ready");
                await appProcess.AnswersAsync($"http://localhost:{appPort}/");
                await secondProcess.AnswersAsync($"http://localhost:{secondPort}/");
            });

            var passwordLine = isNew || isKnown ? password : "the one of their first run";
            Console.WriteLine($"""

                Portvakt is running. Open  http://localhost:{appPort}  and sign in:

                  user name   kari  (Kari Nordmann: must enrol now)
                              ola   (Ola Nordmann: may postpone, "Ikke nå")
                              admin (administers; must enrol as well)
                  password    {passwordLine}

                Administration, with 500 people amid a rollout:  {issuer}/administration  as admin.
                Sign out everywhere: as ola, open also  http://localhost:{secondPort} , then  {issuer}/activate .

                On the computer: "Neste", "Mobilapp", "Motta varslinger for bekreftelse", "Konfigurer".
                To play the phone, open  {issuer}/phone  in a second window: "Jeg er enig", then "Skann en QR-kode"
                (the camera) or "Skriv inn koden" (the code under "Får du ikke skannet bildet?"), then "Tillat".
                Type the computer's number on the phone, "Godkjenn"; on the computer "Fullført", "Ja" or "Nei", "Ferdig".

                Codes as text messages and calls ("Godkjenningstelefon") reach nobody here; read them at  {issuer}/demo/telephone .

                {(keepData ? $"The data stay in {data}." : "The data go when the demo ends.")} Ctrl-C ends everything.
                """);

            var died = await Background.FirstToEndAsync(serverProcess, appProcess, secondProcess);
            return died is null ? 0 : throw new RefusalException($"{died.Name} ended by itself:\n{died.LastWords}");

            async Task<bool> AddPeopleAsync()
            {
                const int existsAlready = 3;
                var result = await Tool.RunAsync("dotnet", ["portvakt.dll", "demo-people", "--password-stdin"], server, settings, password + "\n");
                return result.ExitCode is 0 or existsAlready ? result.ExitCode is 0 : throw new RefusalException($"The demo's people could not be added:\n{result.Output}");
            }

            Background StartApp(string name, string id, string kind, int at) => Background.Start(name, "dotnet", ["portvakt-sample-app.dll"], sampleApp, new(StringComparer.Ordinal)
            {
                ["ASPNETCORE_URLS"] = $"http://localhost:{at}",
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["Authority"] = issuer,
                ["ClientId"] = id,
                ["ClientSecret"] = secret,
                ["App"] = kind,
            }, Path.Combine(data, $"{id}.log"));
        }
        finally
        {
            if (!keepData) Directory.Delete(data, recursive: true);
        }
    }

    // Published, not only built: what runs is what an operator installs, compressed files and all.
    private static async Task<string> PublishAsync(string what, string project)
    {
        var directory = Repo.Path($"artifacts/demo/{Path.GetFileName(project)}");
        await Step.DoAsync($"Building the {what}", () => Tool.QuietAsync("dotnet", ["publish", project, "-c", "Debug", "-o", directory, "--nologo", "-v", "quiet"]));
        return directory;
    }

    private static void RefuseTaken(int port, string option)
    {
        foreach (var address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            using var listener = new TcpListener(address, port);
            try
            {
                listener.Start();
            }
            catch (SocketException taken) when (taken.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                throw new RefusalException($"Port {port} is in use on this machine. Stop what listens there, or choose another with {option}.");
            }
            catch (SocketException)
            {
                // No IPv6 here: then nobody can hold the port either.
            }
        }
    }

    // The demo's people keep the password of their first run; it lies beside their data, for the eyes of this user only.
    private static (string Password, bool IsKnown) PasswordFor(string data, string? wanted)
    {
        var file = Path.Combine(data, "demo-password");
        if (File.Exists(file))
        {
            var first = File.ReadAllText(file).Trim();
            return wanted is null || string.Equals(wanted, first, StringComparison.Ordinal) ? (first, true) : throw new RefusalException($"The people in {data} have another password already. Leave --password out, or choose another --data.", 2);
        }
        var password = wanted ?? string.Join('-', Enumerable.Range(0, 4).Select(_ => RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 5)));
        Files.WritePrivate(file, password + "\n");
        return (password, false);
    }

    private static JsonArray ReadRelyingParties(string? file)
    {
        if (file is null) return [];
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(file), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return (json is JsonObject ? json["relying_parties"] : json) as JsonArray
                ?? throw new RefusalException($"{file} has no list of relying parties; see docs/operating/relying-parties.md.", 2);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new RefusalException($"--relying-parties: {problem.Message}", 2);
        }
    }

    private static JsonObject RelyingParties(int appPort, int secondPort, string secret, JsonArray more) => new()
    {
        ["relying_parties"] = new JsonArray([Sample(SampleId, "Timeliste", appPort, secret), Sample(SecondId, "Reiseregning", secondPort, secret), .. more.Select(client => client?.DeepClone())]),
    };

    private static JsonObject Sample(string id, string name, int port, string secret) => new()
    {
        ["client_id"] = id,
        ["client_secret"] = secret,
        ["client_name"] = name,
        ["redirect_uris"] = new JsonArray($"http://localhost:{port}/signin-oidc"),
        ["post_logout_redirect_uris"] = new JsonArray($"http://localhost:{port}/signout-callback-oidc"),
        ["backchannel_logout_uri"] = $"http://localhost:{port}/backchannel-logout",
    };
}
