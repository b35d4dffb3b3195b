using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Portvakt.EndToEnd.Tests.Actors;
using Portvakt.Testing;
using QRCoder;
using static Microsoft.Playwright.Assertions;

namespace Portvakt.EndToEnd.Tests;

/// <summary>Accounts of other services in the phone app: added, found, kept so that a copy of the phone says nothing, and moved.</summary>
public sealed partial class OtherAccountsTests(Running running)
{
    private const string Password = "riktig hest batteri stift";

    /// <summary>Everything the app keeps in the browser, as text: what is bytes stands there as letters, hexadecimal and base64.</summary>
    private const string Dump = """
        async () => {
          const wait = request => new Promise((yes, no) => { request.onsuccess = () => yes(request.result); request.onerror = () => no(request.error); });
          const out = [];
          const show = value => {
            if (value instanceof CryptoKey) out.push(`key ${value.type} ${value.algorithm.name} ${value.extractable ? 'extractable' : 'fixed'}`);
            else if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
              const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
              const letters = String.fromCharCode(...bytes);
              out.push(letters, btoa(letters), [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(''));
            } else if (typeof value === 'object' && value !== null) for (const [name, inner] of Object.entries(value)) { out.push(name); show(inner); }
            else out.push(String(value));
          };
          for (const { name } of await indexedDB.databases()) {
            const database = await wait(indexedDB.open(name));
            for (const store of database.objectStoreNames) show(await wait(database.transaction(store).objectStore(store).getAll()));
            database.close();
          }
          show({ ...localStorage });
          for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) out.push(request.url);
          return out.join('\n');
        }
        """;

    [Fact]
    public async Task Kari_keeps_other_accounts_under_the_unlock_of_the_phone_and_moves_them()
    {
        await using var scene = await Scene.SetAsync(running);
        var (phone, words) = (scene.Phone, scene.Words);
        await phone.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await scene.Walk.ToReadyAsync(scene.Employee);

        // A picture, as GitHub shows it.
        var github = NewSecret();
        await ToMethodAsync(phone, words);
        await ScanAsync(scene, $"otpauth://totp/GitHub:kari-n?secret={github}&issuer=GitHub");
        await Expect(phone.Page.Locator("dl")).ToContainTextAsync("kari-n");
        await phone.TapAsync(words.YesAdd);
        await Expect(Card(phone, "GitHub")).ToBeVisibleAsync();
        await ShowsCodesOfAsync(phone, "GitHub", github);
        await Expect(phone.Page.Locator(".account").First).ToContainTextAsync(House.Organisation); // work first

        // The same once more changes nothing.
        await ToMethodAsync(phone, words);
        await ScanAsync(scene, $"otpauth://totp/Other%20name?secret={github}");
        await phone.TapAsync(words.YesAdd);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Denne kontoen er her fra før. Ingenting er endret.");
        await phone.TapAsync("Nei, avbryt");

        // A key by hand, as it is printed: in groups, with small letters. First with a slip.
        var bank = NewSecret();
        await ToMethodAsync(phone, words);
        await phone.TapAsync(words.TypeKey);
        await phone.Page.Locator("#issuer").FillAsync("Banken");
        await phone.Page.Locator("#secret").FillAsync("0189 abcd");
        await phone.TapAsync(words.AddIt);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Dette er ikke en hemmelig nøkkel.");
        await Expect(phone.Page.Locator("#secret")).ToHaveAttributeAsync("aria-invalid", "true");
        await phone.Page.Locator("#secret").FillAsync(Groups().Replace(bank.ToLowerInvariant(), "$0 "));
        await phone.TapAsync(words.AddIt);
        await ShowsCodesOfAsync(phone, "Banken", bank);

        // A file of Aegis: five that are new, one that is here already, and one that makes other codes.
        string[] more = ["Alfa", "Beta", "Gamma", "Delta", "Ærlig talt"];
        await FetchAsync(phone, words, "aegis.json", Aegis([.. more.Select(name => (name, "totp", NewSecret())), ("GitHub", "totp", github), ("Steam", "steam", NewSecret())]));
        await phone.TapAsync(words.FetchAccounts);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync(new Regex("Kom inn: 5\\s*Hoppet over: 2", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await Expect(phone.Page.Locator("main li")).ToHaveTextAsync([Steam(), AlreadyHere()]);
        await phone.TapAsync(words.Done);

        // Order, by keyboard: the third goes up, and the button keeps the focus.
        string[] order = ["GitHub", "Banken", "Alfa", "Beta", "Gamma", "Delta", "Ærlig talt"];
        await Expect(OtherNames(phone)).ToHaveTextAsync(order);
        await phone.TapAsync(words.ManageOthers);
        await phone.TapAsync(words.ChangeOrder);
        await phone.Button("Flytt Alfa · kari opp").FocusAsync();
        await phone.Page.Keyboard.PressAsync("Enter");
        await Expect(phone.Page.Locator(".order li span")).ToHaveTextAsync(["GitHub · kari-n", "Alfa · kari", "Banken", "Beta · kari", "Gamma · kari", "Delta · kari", "Ærlig talt · kari"]);
        await Expect(phone.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Alfa · kari er nå nummer 2 av 7.");
        await Expect(phone.Button("Flytt Alfa · kari opp")).ToBeFocusedAsync();
        await phone.Page.Keyboard.PressAsync("Enter");
        await Expect(phone.Page.Locator(".order li span").First).ToHaveTextAsync("Alfa · kari");
        await Expect(phone.Button("Flytt Alfa · kari ned")).ToBeFocusedAsync(); // it cannot go further up
        order = ["Alfa", "GitHub", "Banken", "Beta", "Gamma", "Delta", "Ærlig talt"];
        await phone.OpenAsync(); // a new opening asks for the unlock, once
        await phone.TapAsync(words.UnlockOthers);
        await Expect(OtherNames(phone)).ToHaveTextAsync(order);

        // Another name.
        await Card(phone, "Banken").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Valg for Banken" }).ClickAsync();
        await phone.Page.Locator("#account").FillAsync("felles konto");
        await phone.Page.Locator("form button").ClickAsync();
        await Expect(Card(phone, "Banken")).ToContainTextAsync("felles konto");

        // Search, by either name.
        await phone.Page.Locator("#search").FillAsync("FELLES");
        await Expect(OtherNames(phone)).ToHaveTextAsync(["Banken"]);
        await Expect(phone.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Treff: 1");
        await phone.Page.Locator("#search").FillAsync("finnes ikke");
        await Expect(phone.Page.GetByText("Ingen konto heter dette.")).ToBeVisibleAsync();
        await phone.Page.Locator("#search").FillAsync("");

        // Copied, and said.
        await Card(phone, "GitHub").Locator("button.code").ClickAsync();
        await Expect(phone.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Kopiert");
        Assert.Contains(await phone.Page.EvaluateAsync<string>("navigator.clipboard.readText()"), await CodesOfAsync(github));

        // Whoever looks into what the browser keeps finds the work account's name, and nothing of the others.
        var kept = await phone.Page.EvaluateAsync<string>(Dump);
        Assert.Contains(House.Organisation, kept, StringComparison.Ordinal); // the dump shows what can be read
        Assert.Contains("unlock", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("extractable", kept, StringComparison.Ordinal);
        foreach (var (what, needle) in Needles([github, bank], ["GitHub", "kari-n", "Banken", "felles konto", "Ærlig talt"])) Assert.False(kept.Contains(needle, StringComparison.OrdinalIgnoreCase), $"{what} can be read in the browser's store.");

        // Without a network, and opened anew: one unlock, and the codes are there.
        await phone.Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");
        phone.Witness.Expect("net::ERR_INTERNET_DISCONNECTED");
        await phone.Page.Context.SetOfflineAsync(true);
        await phone.Page.ReloadAsync();
        await Expect(phone.Page.Locator(".digits")).ToHaveCountAsync(1); // the work account's
        await phone.TapAsync(words.UnlockOthers);
        await ShowsCodesOfAsync(phone, "GitHub", github);
        await phone.Page.Context.SetOfflineAsync(false);

        // After a while the app's own lock: its unlock opens the others as well.
        await phone.OpenLongAfterAsync();
        await phone.TapAsync(words.Unlock);
        await ShowsCodesOfAsync(phone, "GitHub", github);

        // Saved to a file, all of it removed, and fetched again.
        await phone.TapAsync(words.ManageOthers);
        await Expect(phone.Page.GetByText("bare telefonens egen opplåsing åpner dem")).ToBeVisibleAsync();
        await phone.TapAsync(words.SaveToFile);
        await phone.Page.Locator("#password").FillAsync("kort");
        await phone.TapAsync(words.MakeFile);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("minst 12 tegn");
        await phone.Page.Locator("#password").FillAsync(Password);
        await phone.Page.Locator("#password2").FillAsync(Password);
        await phone.TapAsync(words.MakeFile);
        var download = await phone.Page.RunAndWaitForDownloadAsync(() => phone.Page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = words.SaveFile }).ClickAsync());
        Assert.Matches(@"^portvakt-kontoer-\d{4}-\d\d-\d\d\.json$", download.SuggestedFilename);
        var file = await File.ReadAllTextAsync(await download.PathAsync());
        Assert.Contains("\"iterations\": 600000", file, StringComparison.Ordinal);
        foreach (var (what, needle) in Needles([github, bank], ["GitHub", "Banken"])) Assert.False(file.Contains(needle, StringComparison.OrdinalIgnoreCase), $"{what} can be read in the file.");
        await phone.TapAsync(words.Done);

        await phone.TapAsync(words.ManageOthers);
        await phone.TapAsync(words.RemoveAll);
        await phone.TapAsync(words.RemoveAllYes);
        await Expect(phone.Heading(words.Accounts)).ToBeVisibleAsync();
        await Expect(phone.Page.Locator(".account")).ToHaveCountAsync(1);
        Assert.DoesNotContain("sealed", (await phone.Page.EvaluateAsync<string>(Dump)).Split('\n'), StringComparer.Ordinal);

        await FetchAsync(phone, words, download.SuggestedFilename, file);
        await phone.Page.Locator("#password").FillAsync("et annet passord");
        await phone.TapAsync(words.FetchAccounts);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Passordet er feil, eller filen er endret. Ingenting kom inn.");
        await phone.Page.Locator("#password").FillAsync(Password);
        await phone.TapAsync(words.FetchAccounts);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Kom inn: 7");
        await phone.TapAsync(words.Done);
        await Expect(OtherNames(phone)).ToHaveTextAsync(order);
        await ShowsCodesOfAsync(phone, "GitHub", github);
        await ShowsCodesOfAsync(phone, "Banken", bank);

        // What lies on the phone's disk when it is off: the same, all of it, also what the browser has not cleared away.
        await phone.CloseAppAsync();
        var files = Directory.EnumerateFiles(Path.Combine(phone.Profile, "Default"), "*", SearchOption.AllDirectories)
            .Where(path => path.Contains("IndexedDB", StringComparison.Ordinal) || path.Contains("Local Storage", StringComparison.Ordinal)).Select(ReadShared).ToList();
        Assert.NotEmpty(files);
        foreach (var (what, needle) in Needles([github, bank], [])) Assert.False(files.Exists(content => content.Contains(needle, StringComparison.OrdinalIgnoreCase)), $"{what} can be read on the disk.");
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Where_the_unlock_releases_no_key_the_app_says_so_and_still_shows_no_secret()
    {
        await using var scene = await Scene.SetAsync(running, phone: new PhoneOptions { ReleasesKeys = false });
        var (phone, words) = (scene.Phone, scene.Words);
        await scene.Walk.ToReadyAsync(scene.Employee);
        var secret = NewSecret();
        await ToMethodAsync(phone, words);
        await phone.TapAsync(words.TypeKey);
        await phone.Page.Locator("#issuer").FillAsync("GitHub");
        await phone.Page.Locator("#secret").FillAsync(secret);
        await phone.TapAsync(words.AddIt);
        await ShowsCodesOfAsync(phone, "GitHub", secret);

        await phone.TapAsync(words.Settings);
        await Expect(phone.Page.GetByText("De er kryptert med en nøkkel som nettleseren har.")).ToBeVisibleAsync();
        await phone.TapAsync(words.Protect);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("Telefonen kan ikke det.");

        var kept = await phone.Page.EvaluateAsync<string>(Dump);
        Assert.Contains("key secret AES-GCM fixed", kept, StringComparison.Ordinal);
        Assert.DoesNotContain("extractable", kept, StringComparison.Ordinal);
        foreach (var (what, needle) in Needles([secret], ["GitHub"])) Assert.False(kept.Contains(needle, StringComparison.OrdinalIgnoreCase), $"{what} can be read in the browser's store.");
        await phone.OpenAsync();
        await ShowsCodesOfAsync(phone, "GitHub", secret); // nobody is asked

        // Removed after a question; the last one leaves nothing behind.
        await Card(phone, "GitHub").GetByRole(AriaRole.Button, new LocatorGetByRoleOptions { Name = "Valg for GitHub" }).ClickAsync();
        await phone.TapAsync("Fjern kontoen");
        await phone.TapAsync("Ja, fjern");
        await Expect(phone.Heading(words.Accounts)).ToBeVisibleAsync();
        await Expect(phone.Page.Locator(".account")).ToHaveCountAsync(1);
        Assert.DoesNotContain("key secret AES-GCM fixed", await phone.Page.EvaluateAsync<string>(Dump), StringComparison.Ordinal);
        scene.NobodyComplained();
    }

    [Fact]
    public async Task Accounts_that_were_here_before_the_work_account_come_under_the_unlock_when_it_is_asked_for()
    {
        await using var scene = await Scene.SetAsync(running);
        var (phone, words) = (scene.Phone, scene.Words);
        await scene.Walk.GetTheAppAsync();
        await phone.TapAsync(words.OtherAccount);

        // Two pictures of Google Authenticator, the second first.
        var secrets = Enumerable.Range(0, 3).Select(_ => RandomNumberGenerator.GetBytes(20)).ToArray();
        await ScanAsync(scene, Migration(1, 2, ("Gamma", secrets[2])));
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync(new Regex("1 av 2 QR-koder er lest\\.\\s*Mangler: nummer 1\\.", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await ShowAsync(scene.Computer, Migration(0, 2, ("Alfa", secrets[0]), ("Beta", secrets[1])));
        await phone.PointCameraAtAsync(scene.Computer, "img");
        await phone.TapAsync(words.ScanNext);
        await phone.TapAsync(words.FetchAccounts);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Kom inn: 3");
        await phone.TapAsync(words.Done);
        await Expect(OtherNames(phone)).ToHaveTextAsync(["Alfa", "Beta", "Gamma"]);
        await ShowsCodesOfAsync(phone, "Beta", Base32(secrets[1]));

        // The camera that was turned on for another account sees the picture of the workplace, and goes there.
        await scene.Walk.ToSetUpAsync(scene.Employee);
        await ToMethodAsync(phone, words);
        await scene.Walk.ScanAsync();
        await scene.Walk.AcceptAsync();
        await phone.TapAsync(words.Allow);
        await Expect(phone.Page.Locator(".account").First).ToContainTextAsync(House.Organisation);

        await phone.TapAsync(words.ManageOthers);
        await Expect(phone.Page.GetByText("De er kryptert med en nøkkel som nettleseren har.")).ToBeVisibleAsync();
        await phone.TapAsync(words.Protect);
        await Expect(phone.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Nå åpner bare telefonens egen opplåsing kontoene.");
        Assert.DoesNotContain("key secret AES-GCM fixed", await phone.Page.EvaluateAsync<string>(Dump), StringComparison.Ordinal);
        await phone.OpenAsync();
        await phone.TapAsync(words.UnlockOthers);
        await ShowsCodesOfAsync(phone, "Beta", Base32(secrets[1]));

        // And the camera that was turned on for a work account sees one of another service.
        await phone.TapAsync(words.AddAccount);
        await phone.TapAsync(words.WorkAccount);
        var counted = NewSecret();
        await ScanAsync(scene, $"otpauth://hotp/Teller?secret={counted}&counter=5");
        await phone.TapAsync(words.YesAdd);
        foreach (var counter in new[] { 5, 6 })
        {
            await phone.Button("Ny kode for Teller").ClickAsync();
            await Expect(Card(phone, "Teller").Locator(".digits")).ToHaveTextAsync(Spaced(await OathTool.CountedCodeAsync(counted, counter)));
        }

        scene.NobodyComplained();
    }

    private static async Task ToMethodAsync(PhoneInBrowser phone, Labels words)
    {
        await phone.TapAsync(words.AddAccount);
        await phone.TapAsync(words.OtherAccount);
    }

    /// <summary>Shows the picture on the computer and holds the camera before it.</summary>
    private static async Task ScanAsync(Scene scene, string text)
    {
        await ShowAsync(scene.Computer, text);
        await scene.Phone.TapAsync(scene.Words.ScanQr);
        await scene.Phone.PointCameraAtAsync(scene.Computer, "img");
        await scene.Phone.TapAsync(scene.Words.CameraOn);
        await Expect(scene.Phone.Page.Locator("video")).ToHaveCountAsync(0);
    }

    /// <summary>Another service's page with its picture.</summary>
    internal static async Task ShowAsync(Computer computer, string text)
    {
        using var data = QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.M);
        using var picture = new PngByteQRCode(data);
        await computer.Page.GotoAsync("about:blank");
        var png = Convert.ToBase64String(picture.GetGraphic(400 / data.ModuleMatrix.Count));
        await computer.Page.SetContentAsync($"<body style='display: grid; place-items: center; height: 90vh'><img alt='' src='data:image/png;base64,{png}'>");
    }

    /// <summary>To the page that takes files in, with this file.</summary>
    private static async Task FetchAsync(PhoneInBrowser phone, Labels words, string name, string content)
    {
        await ToMethodAsync(phone, words);
        await phone.TapAsync(words.FromAnotherApp);
        await phone.Page.Locator("#file").SetInputFilesAsync(new FilePayload { Name = name, MimeType = "application/json", Buffer = Encoding.UTF8.GetBytes(content) });
    }

    private static ILocator Card(PhoneInBrowser phone, string name) =>
        phone.Page.Locator(".account", new PageLocatorOptions { Has = phone.Page.GetByRole(AriaRole.Heading, new PageGetByRoleOptions { Name = name, Exact = true }) });

    private static ILocator OtherNames(PhoneInBrowser phone) => phone.Page.Locator(".account h3");

    /// <summary>What oathtool says it is now, was a moment ago, or will be in a moment.</summary>
    private static async Task<string[]> CodesOfAsync(string secret) =>
        [await OathTool.CodeAsync(secret, TimeSpan.FromSeconds(-30)), await OathTool.CodeAsync(secret), await OathTool.CodeAsync(secret, TimeSpan.FromSeconds(30))];

    private static async Task ShowsCodesOfAsync(PhoneInBrowser phone, string name, string secret)
    {
        var digits = Card(phone, name).Locator(".digits");
        await Expect(digits).ToHaveTextAsync(SixDigits());
        Assert.Contains((await digits.InnerTextAsync()).Replace(" ", "", StringComparison.Ordinal), await CodesOfAsync(secret));
    }

    private static string Spaced(string code) => code.Insert(3, " ");

    internal static string NewSecret() => Base32(RandomNumberGenerator.GetBytes(20));

    /// <summary>Each secret in every form that a program may have left it in, and each name.</summary>
    private static IEnumerable<(string What, string Needle)> Needles(string[] secrets, string[] names)
    {
        foreach (var secret in secrets)
        {
            var bytes = FromBase32(secret);
            yield return ("A secret in base32", secret);
            yield return ("A secret in hexadecimal", Convert.ToHexStringLower(bytes));
            yield return ("A secret in base64", Convert.ToBase64String(bytes).TrimEnd('='));
            yield return ("A secret in base64url", Base64Url.EncodeToString(bytes));
            yield return ("A secret as it is", Encoding.Latin1.GetString(bytes));
        }

        foreach (var name in names) yield return ("A name", name);
    }

    private static string ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private static string Aegis(params (string Issuer, string Type, string Secret)[] accounts) => JsonSerializer.Serialize(new
    {
        version = 1,
        header = new { slots = (object?)null, @params = (object?)null },
        db = new
        {
            version = 3,
            entries = accounts.Select(account => new { type = account.Type, name = "kari", issuer = account.Issuer, info = new { secret = account.Secret, algo = "SHA1", digits = 6, period = 30 } }),
        },
    });

    /// <summary>Google Authenticator's own message: Protocol Buffers, written by hand. Every length here is below 128.</summary>
    private static string Migration(int index, int size, params (string Name, byte[] Secret)[] accounts)
    {
        var message = accounts.SelectMany(account =>
        {
            var name = Encoding.UTF8.GetBytes(account.Name);
            byte[] parameters = [0x0a, (byte)account.Secret.Length, .. account.Secret, 0x12, 0, 0x1a, (byte)name.Length, .. name, 0x20, 1, 0x28, 1, 0x30, 2];
            return (byte[])[0x0a, (byte)parameters.Length, .. parameters];
        });
        byte[] all = [.. message, 0x10, 1, 0x18, (byte)size, 0x20, (byte)index, 0x28, 77];
        return "otpauth-migration://offline?data=" + Uri.EscapeDataString(Convert.ToBase64String(all));
    }

    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    private static string Base32(byte[] bytes) =>
        string.Concat(Enumerable.Range(0, bytes.Length / 5).SelectMany(five => Enumerable.Range(0, 8).Select(at =>
            Alphabet[(int)(bytes.AsSpan(five * 5, 5).ToArray().Aggregate(0UL, (bits, one) => (bits << 8) | one) >> (35 - at * 5)) & 31])));

    private static byte[] FromBase32(string text) =>
        [.. Enumerable.Range(0, text.Length / 8).SelectMany(eight =>
        {
            var bits = text.AsSpan(eight * 8, 8).ToArray().Aggregate(0UL, (value, letter) => (value << 5) | (uint)Alphabet.IndexOf(letter, StringComparison.Ordinal));
            return Enumerable.Range(0, 5).Select(at => (byte)(bits >> (32 - at * 8)));
        })];

    [GeneratedRegex(".{4}")]
    private static partial Regex Groups();

    [GeneratedRegex("^[0-9]{3} [0-9]{3}$")]
    private static partial Regex SixDigits();

    [GeneratedRegex("Steam · kari.*Den lager koder på en måte appen ikke har", RegexOptions.Singleline)]
    private static partial Regex Steam();

    [GeneratedRegex("GitHub · kari.*Den er her fra før", RegexOptions.Singleline)]
    private static partial Regex AlreadyHere();
}
