using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Portvakt.Domain;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Approvals;
using Portvakt.Server.Hosting;
using Portvakt.Server.Shared;
using Portvakt.Server.Tests.Actors;
using Portvakt.Server.Tests.Stories;

namespace Portvakt.Server.Tests.House;

/// <summary><c>tests/vectors/protocol.json</c> from the server's side: the phone app's tests read the same file, so neither can drift alone.</summary>
public sealed class VectorTests
{
    private static readonly JsonElement Vectors = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(PortvaktServer.Repository(), "tests", "vectors", "protocol.json"))).RootElement;

    [Fact]
    public void Every_kind_of_vector_is_held_here() =>
        Assert.Equal(["codeHash", "decisionChallenge", "enrolChallenge", "h", "jws", "kid", "moveChallenge", "qrText", "rebindChallenge", "seed", "totp", "typedCode"], Vectors.EnumerateObject().Select(kind => kind.Name).Order(StringComparer.Ordinal));

    [Fact]
    public void Labelled_hashes() => Each("h", v => Assert.Equal(Text(v, "outputB64u"), Hash(Text(v, "label"), Bytes(v, "inputB64u"))));

    [Fact]
    public void Thumbprints() => Each("kid", v =>
    {
        using var key = DeviceKey.FromJwk(v)!;
        Assert.Equal(Text(v, "kid"), DeviceKey.Thumbprint(key));
    });

    [Fact]
    public void Codes_of_the_kind_we_make()
    {
        // Ours are SHA-1 with six digits; an eight-digit code of RFC 6238 ends in ours. Other algorithms are for other people's accounts in the app.
        var ours = 0;
        Each("totp", v =>
        {
            if (Text(v, "algorithm") is not "SHA1" || v.GetProperty("period").GetInt32() is not Totp.PeriodSeconds) return;
            var step = Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(v.GetProperty("time").GetInt64()));
            Assert.Equal(Text(v, "code")[^6..], Totp.CodeFor(Decode(Text(v, "secretB32")), step));
            ours++;
        });
        Assert.True(ours >= 7);
    }

    [Fact]
    public void Challenges()
    {
        Each("enrolChallenge", v => Assert.Equal(Text(v, "out"), Hash("portvakt/enrol/v1", Bytes(v, "challenge"), Encoding.ASCII.GetBytes(Text(v, "kid")))));
        Each("rebindChallenge", v => Assert.Equal(Text(v, "out"), Hash("portvakt/rebind/v1", Bytes(v, "challenge"), Encoding.ASCII.GetBytes(Text(v, "kid")))));
        Each("decisionChallenge", v => Assert.Equal(Text(v, "out"), Hash("portvakt/decision/v1", Encoding.UTF8.GetBytes(Text(v, "statement")))));
        Each("moveChallenge", v => Assert.Equal(Text(v, "out"), Hash("portvakt/move/v1", Encoding.UTF8.GetBytes(Text(v, "statement")))));
    }

    [Fact]
    public void Code_hashes() => Each("codeHash", v => Assert.Equal(Text(v, "out"), Base64Url.EncodeToString(BindingCode.HashOf(Text(v, "code")))));

    [Fact]
    public void Typed_codes() => Each("typedCode", v => Assert.Equal(v.GetProperty("code").GetString(), Base32.Normalise(Text(v, "typed"), BindingCode.Length, BindingCode.TypedLength)));

    [Fact]
    public async Task The_picture_on_the_page_holds_a_text_of_the_form_that_the_vectors_give()
    {
        await using var server = await PortvaktServer.StartAsync(DatabaseKind.Sqlite);
        var kari = await server.AddPersonAsync();
        using var browser = new Browser(server);
        await browser.OpenAsync("/sign-in");
        await browser.PasswordAsync(kari);
        await browser.PressAsync("Neste");
        await browser.PressAsync("Konfigurer");

        var binding = await server.ReadAsync(db => db.BindingCodes.AsNoTracking().SingleAsync());
        var code = Encoding.ASCII.GetString(server.Services.GetRequiredService<Vault>().Open(binding.SealedCodes, "binding_codes.codes", binding.Id.ToString("N"))).Split('.')[0];
        var example = Vectors.GetProperty("qrText")[0];
        var text = Text(example, "text").Replace("ID.EXAMPLE.NO", "ID.TEST", StringComparison.Ordinal).Replace(Text(example, "code"), code, StringComparison.Ordinal);

        using var expected = new StringWriter();
        QrPicture.Draw(text, "").WriteTo(expected, System.Text.Encodings.Web.HtmlEncoder.Default);
        var drawn = browser.Page.QuerySelectorAll("svg.pv-qr path").Single().GetAttribute("d")!;
        Assert.Contains($"d=\"{drawn}\"", expected.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_open_with_the_key_they_were_made_for_and_no_other_name() => Each("seed", v =>
    {
        using var mine = ECDiffieHellman.Create();
        mine.ImportPkcs8PrivateKey(Bytes(v, "privateKeyPkcs8B64u"), out _);
        var point = Bytes(v, "serverPublicB64u");
        using var theirs = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = point[1..33], Y = point[33..] } });
        var shared = mine.DeriveRawSecretAgreement(theirs.PublicKey);
        var box = Bytes(v, "ciphertext");
        Assert.Equal(Text(v, "secretB32"), Base32.Encode(Open(Text(v, "kid"))));
        Assert.ThrowsAny<CryptographicException>(() => Open(Text(v, "kid") + "x"));

        byte[] Open(string kid)
        {
            byte[] info = [.. "portvakt/seed/v1"u8, 0, .. Encoding.ASCII.GetBytes(kid)];
            using var aes = new AesGcm(HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, Bytes(v, "challenge"), info), 16);
            var seed = new byte[box.Length - 16];
            aes.Decrypt(Bytes(v, "iv"), box.AsSpan(0, seed.Length), box.AsSpan(seed.Length), seed);
            return seed;
        }
    });

    [Fact]
    public void Signatures_hold_over_exactly_what_came() => Each("jws", v =>
    {
        var (text, type) = (Text(v, "jws"), Text(v.GetProperty("header"), "typ"));
        var jws = Jws.Read(text, type)!;
        using var key = DeviceKey.FromJwk(v)!;
        Assert.True(jws.Verify(key));
        Assert.Equal(Text(v, "payload"), Encoding.UTF8.GetString(jws.Payload));
        Assert.Equal(Text(v.GetProperty("header"), "kid"), jws.HeaderText("kid"));

        var parts = text.Split('.');
        var other = Base64Url.EncodeToString([.. jws.Payload, (byte)' ']);
        Assert.False(Jws.Read($"{parts[0]}.{other}.{parts[2]}", type)!.Verify(key));
        Assert.Null(Jws.Read(text, "portvakt-proof+jws"));
        Assert.Null(Jws.Read($"{parts[0]}.{parts[1]}.", type));
        Assert.Null(Jws.Read($"{parts[0]}.{parts[1]}", type));
    });

    private static void Each(string kind, Action<JsonElement> holds)
    {
        Assert.NotEqual(0, Vectors.GetProperty(kind).GetArrayLength());
        foreach (var vector in Vectors.GetProperty(kind).EnumerateArray()) holds(vector);
    }

    private static string Text(JsonElement vector, string name) => vector.GetProperty(name).GetString()!;

    private static byte[] Bytes(JsonElement vector, string name) => Base64Url.DecodeFromChars(Text(vector, name));

    private static string Hash(string label, params byte[][] parts) => Base64Url.EncodeToString(LabelledHash.Of(label, parts));

    private static byte[] Decode(string base32)
    {
        var bits = string.Concat(base32.Select(letter => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }
}
