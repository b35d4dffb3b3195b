using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;
using Portvakt.Domain.Authenticators;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Approvals;

/// <summary>
/// Says which phone is calling (docs/protocol.md section 3): a signature by its device key over method, address, time, a
/// server nonce and the body. No bearer token exists that could be stolen.
/// </summary>
public sealed class PhoneProof(PortvaktDb db, Lookups lookups, PhoneNonces nonces, TimeProvider clock, IOptions<PortvaktSettings> settings, ILogger<PhoneProof> log)
{
    public const string HeaderName = "Portvakt-Proof";
    public const string NonceHeader = "Portvakt-Nonce";
    public const int MaximumBody = 64 * 1024;

    private const string Type = "portvakt-proof+jws";
    private static readonly SqlStatement Seen = new("UPDATE phones SET last_seen_at = @now WHERE id = @id", null, ("now", typeof(DateTime)), ("id", typeof(Guid)));
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(2);

    /// <summary>A calling phone and the body it signed for.</summary>
    public sealed record Call(PhoneAuthenticator Phone, byte[] Body);

    /// <summary>Whoever calls, or why not.</summary>
    public async Task<(Call? Call, PhoneProblem? Problem)> VerifyAsync(HttpContext http)
    {
        if (await ReadBodyAsync(http) is not { } body) return Refuse(StatusCodes.Status413PayloadTooLarge, "malformed", "body too large");
        if (http.Request.Headers[HeaderName] is not [{ } header] || Jws.Read(header, Type) is not { } jws || jws.HeaderText("kid") is not { Length: 43 } keyId || jws.Message<ProofMessage>() is not { } proof)
            return Refuse(StatusCodes.Status401Unauthorized, "proof", "no proof");

        // What is known without the database first: it is not asked for whoever just makes noise, nor for a nonce that has grown old over night.
        if (proof.Htm != http.Request.Method || proof.Htu != settings.Value.Origin + http.Request.Path) return Refuse(StatusCodes.Status401Unauthorized, "proof", "method or address");
        if (!BodyMatches(proof.Bh, body)) return Refuse(StatusCodes.Status401Unauthorized, "proof", "body");
        if (!nonces.IsFresh(proof.Nonce)) return Refuse(StatusCodes.Status401Unauthorized, "nonce", "nonce");
        var now = clock.GetUtcNow();
        if (proof.Iat is not { } issued || Math.Abs(now.ToUnixTimeSeconds() - issued) > Tolerance.TotalSeconds) return Refuse(StatusCodes.Status401Unauthorized, "nonce", "time");
        if (proof.Jti is not { Length: >= 16 and <= 64 } jti) return Refuse(StatusCodes.Status401Unauthorized, "proof", "no jti");

        var phone = await lookups.Phone(db, keyId, http.RequestAborted);
        if (phone is null || phone.RemovedOnPhoneAt is not null) return Refuse(StatusCodes.Status401Unauthorized, "unknown-phone", "no phone has this key");
        if (!DeviceKey.HasSigned(phone.PublicKey, jws)) return Refuse(StatusCodes.Status401Unauthorized, "proof", "signature");

        // Both in one transaction, where there are two.
        var isFirst = now < phone.LastSeenAt + PhoneAuthenticator.SeenInterval
            ? await UseOnceAsync(keyId, jti, now, http.RequestAborted)
            : await db.InTransactionAsync(
                async () => await UseOnceAsync(keyId, jti, now, http.RequestAborted)
                    && await Seen.WriteAsync(db, http.RequestAborted, now.UtcDateTime, phone.Id) >= 0,
                http.RequestAborted);
        return isFirst ? (new Call(phone, body), null) : Refuse(StatusCodes.Status401Unauthorized, "proof", "used before");
    }

    /// <summary>Whether a statement of this phone, made for this purpose, is fresh, and comes for the first time.</summary>
    public async Task<bool> UseStatementOnceAsync(PhoneAuthenticator phone, string purpose, string? nonce, string? jti, CancellationToken cancellationToken) =>
        nonces.IsFresh(nonce) && jti is { Length: >= 16 and <= 64 } && await UseOnceAsync(phone.KeyId, $"{purpose}:{jti}", clock.GetUtcNow(), cancellationToken);

    /// <summary>The body, at most 64 KiB; null when it is larger.</summary>
    public static async Task<byte[]?> ReadBodyAsync(HttpContext http)
    {
        if (http.Request.ContentLength > MaximumBody) return null;
        using var body = new MemoryStream();
        var buffer = new byte[8192];
        int read;
        while ((read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            if (body.Length + read > MaximumBody) return null;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private (Call?, PhoneProblem?) Refuse(int status, string code, string reason)
    {
        log.ProofRefused(code, reason);
        return (null, new PhoneProblem(status, code));
    }

    private static bool BodyMatches(string? hash, byte[] body)
    {
        if (body.Length is 0) return hash is null;
        return hash is not null && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(hash), Encoding.ASCII.GetBytes(Base64Url.EncodeToString(SHA256.HashData(body))));
    }

    private Task<bool> UseOnceAsync(string keyId, string jti, DateTimeOffset now, CancellationToken cancellationToken) =>
        db.UseOnceAsync(SHA256.HashData(Encoding.UTF8.GetBytes($"{keyId}.{jti}")), now + PhoneNonces.Lifetime + Tolerance, cancellationToken);
}
