using System.Buffers.Text;
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Portvakt.Server.Approvals;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;
using Portvakt.Server.OpenIdConnect;

namespace Portvakt.Server.Commands;

/// <summary><c>portvakt audit verify | checkpoint</c>.</summary>
public static class AuditCommands
{
    /// <summary><c>typ</c> of a checkpoint: it is taken for no other token, and no other token for it.</summary>
    public const string CheckpointType = "portvakt-audit-checkpoint+jwt";

    public static Command Audit(string[] settings)
    {
        var kept = new Option<FileInfo?>("--checkpoint") { Description = "A file with a checkpoint of before: the log must still contain it." };
        var verify = new Command("verify", "Verify the audit log and name the first row that is wrong.") { kept };
        verify.SetAction(async (parsed, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await Database.CheckAsync(app.Services, cancellationToken);
            var text = parsed.GetValue(kept) is { } file ? await File.ReadAllTextAsync(file.FullName, cancellationToken) : null;
            return await VerifyAsync(app.Services, text, Console.Out, Console.Error, cancellationToken);
        });

        var checkpoint = new Command("checkpoint", "Print a signed checkpoint of the audit log, to be kept elsewhere.");
        checkpoint.SetAction(async (_, cancellationToken) =>
        {
            await using var app = PortvaktHost.Build(settings);
            await Database.CheckAsync(app.Services, cancellationToken);
            await Console.Out.WriteLineAsync(await CheckpointAsync(app.Services, cancellationToken));
            return 0;
        });
        return new Command("audit", "The log of what happened.") { verify, checkpoint };
    }

    /// <param name="services">Of a server that was built; it need not run.</param>
    /// <param name="kept">A signed checkpoint of before.</param>
    /// <param name="output">For the sentence that all is well.</param>
    /// <param name="errors">For what is not.</param>
    /// <param name="cancellationToken">Stops the walk.</param>
    /// <returns>0: whole. 1: not. 2: what is in the file is no checkpoint of this server.</returns>
    public static async Task<int> VerifyAsync(IServiceProvider services, string? kept, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        AuditAnchor? anchor = null;
        if (kept is not null)
        {
            anchor = await ReadAsync(services, kept.Trim(), cancellationToken);
            if (anchor is null)
            {
                await errors.WriteLineAsync("That is no checkpoint that this server has signed.");
                return 2;
            }
        }

        var verdict = await services.GetRequiredService<AuditChain>().VerifyAsync(anchor, cancellationToken);
        foreach (var fault in verdict.Faults) await errors.WriteLineAsync($"Not whole: {fault.Sentence}.");
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{verdict.Rows} rows verified, up to number {verdict.Number}; {verdict.Waiting} not chained yet."));
        return verdict.IsWhole ? 0 : 1;
    }

    /// <summary>Where the chain stands, as a compact JWS (RFC 7515, ES256) by the key that signs tokens. Its public half is in the header, so that it can be read where it is kept.</summary>
    public static async Task<string> CheckpointAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await services.GetRequiredService<AuditChain>().ChainAsync(cancellationToken);
        var keys = services.GetRequiredService<SigningKeys>();
        await keys.LoadAsync(cancellationToken);
        await using var scope = services.CreateAsyncScope();
        var checkpoint = await scope.ServiceProvider.GetRequiredService<PortvaktDb>().AuditCheckpoints.AsNoTracking().SingleOrDefaultAsync(row => row.Id == 1, cancellationToken);
        var key = keys.Current;
        var header = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["alg"] = "ES256",
            ["typ"] = CheckpointType,
            ["kid"] = key.Id,
            ["jwk"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["x"] = Base64Url.EncodeToString(key.Public.Q.X),
                ["y"] = Base64Url.EncodeToString(key.Public.Q.Y),
            },
        };
        var payload = new Checkpoint(
            services.GetRequiredService<IOptions<PortvaktSettings>>().Value.Origin, services.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeSeconds(),
            checkpoint?.Number ?? 0, Base64Url.EncodeToString(checkpoint?.Hash ?? []));
        var signed = $"{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(header))}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(payload))}";
        var signature = key.Key.ECDsa.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    private static async Task<AuditAnchor?> ReadAsync(IServiceProvider services, string text, CancellationToken cancellationToken)
    {
        if (Jws.Read(text, CheckpointType) is not { } jws || jws.HeaderText("kid") is not { } id || jws.Message<Checkpoint>() is not { Hash: not null } payload) return null;
        if (payload.Issuer != services.GetRequiredService<IOptions<PortvaktSettings>>().Value.Origin) return null;

        // The name of a key is its thumbprint: a key of another name, or another key under this name, is not this server's.
        using var key = DeviceKey.FromJwk(jws.Header);
        if (key is null || DeviceKey.Thumbprint(key) != id || !jws.Verify(key) || !await services.GetRequiredService<SigningKeys>().WasEverOursAsync(id, cancellationToken)) return null;
        try
        {
            return new AuditAnchor(payload.Number, Base64Url.DecodeFromChars(payload.Hash));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private sealed record Checkpoint(
        [property: JsonPropertyName("iss")] string Issuer,
        [property: JsonPropertyName("iat")] long IssuedAt,
        [property: JsonPropertyName("number")] long Number,
        [property: JsonPropertyName("hash")] string Hash);
}
