using System.Buffers;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.IdentityModel.Tokens;
using Portvakt.Domain.Audit;
using Portvakt.Server.Audit;
using Portvakt.Server.Data;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.OpenIdConnect;

/// <summary>A P-256 key that signs tokens; <c>kid</c> is its RFC 7638 thumbprint.</summary>
/// <param name="Id"><c>kid</c>.</param>
/// <param name="Key">As the engine takes it, to check what was signed.</param>
/// <param name="Public">Its public half.</param>
/// <param name="CreatedAt">When it was made.</param>
public sealed record SigningKey(string Id, ECDsaSecurityKey Key, ECParameters Public, DateTimeOffset CreatedAt)
{
    private const int SignatureLength = 64;

    /// <summary>Headers by <c>typ</c>, encoded: there are three or four, and they are always the same.</summary>
    private readonly ConcurrentDictionary<string, byte[]> _heads = new(StringComparer.Ordinal);

    /// <summary>Signs claims (RFC 7515 section 7.1, RFC 7518 section 3.4).</summary>
    /// <param name="type"><c>typ</c>.</param>
    /// <param name="claims">A JSON object.</param>
    /// <returns>The token in its compact form, ASCII.</returns>
    public byte[] Sign(string type, ReadOnlySpan<byte> claims)
    {
        var head = _heads.GetOrAdd(type, HeadOf);
        var signedLength = head.Length + Base64Url.GetEncodedLength(claims.Length);
        var token = ArrayPool<byte>.Shared.Rent(signedLength + 1 + Base64Url.GetEncodedLength(SignatureLength));
        try
        {
            head.CopyTo(token, 0);
            Base64Url.EncodeToUtf8(claims, token.AsSpan(head.Length));
            Span<byte> signature = stackalloc byte[SignatureLength];
            if (!Key.ECDsa.TrySignData(token.AsSpan(0, signedLength), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation, out var written) || written is not SignatureLength)
                throw new CryptographicException("The token could not be signed.");
            token[signedLength] = (byte)'.';
            return token[..(signedLength + 1 + Base64Url.EncodeToUtf8(signature, token.AsSpan(signedLength + 1)))];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(token);
        }
    }

    private byte[] HeadOf(string type) => Encoding.ASCII.GetBytes(Base64Url.EncodeToString(Encoding.ASCII.GetBytes($$"""{"alg":"ES256","kid":"{{Id}}","typ":"{{type}}"}""")) + ".");
}

/// <summary>
/// The keys that sign tokens (ES256), sealed in the database and warm in memory. Every key that is not retired is published; the newest that
/// has been published for 24 hours signs (R77), so that no relying party meets a key it could not have fetched.
/// </summary>
public sealed class SigningKeys(IServiceScopeFactory scopes, Vault vault, TimeProvider clock)
{
    /// <summary>How long a key is published before it signs, and after its successor has begun to.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    private const string Purpose = "signing";
    private const string Column = "server_keys.sealed";
    private ImmutableArray<SigningKey> _published = [];

    /// <summary>What JWKS shows, oldest first. A new array whenever something changed.</summary>
    /// <exception cref="InvalidOperationException">Asked before the server started.</exception>
    public ImmutableArray<SigningKey> Published => _published is { IsEmpty: false } keys ? keys : throw new InvalidOperationException("The signing keys are not loaded yet; they are when the server has started.");

    /// <summary>The key that signs now.</summary>
    public SigningKey Current => ChooseSigner(Published, clock.GetUtcNow());

    public SigningKey? Find(string? id) => Published.FirstOrDefault(key => key.Id == id);

    /// <summary>Whether a key of this name signs or has signed: also retired ones, since what they signed may be kept elsewhere for years. It must open under the master key.</summary>
    public async Task<bool> WasEverOursAsync(string id, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var row = await scope.ServiceProvider.GetRequiredService<PortvaktDb>().ServerKeys.AsNoTracking().SingleOrDefaultAsync(key => key.Purpose == Purpose && key.Id == id, cancellationToken);
        if (row is null) return false;
        try
        {
            CryptographicOperations.ZeroMemory(vault.Open(row.Sealed, Column, row.Id));
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>Reads the keys, retires outgrown ones, and makes the first one where none exists.</summary>
    /// <exception cref="InvalidOperationException">A key cannot be opened. The server must not start: a new key would hide the loss.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
        var now = clock.GetUtcNow();
        var rows = await db.ServerKeys.Where(key => key.Purpose == Purpose).OrderBy(key => key.CreatedAt).ToListAsync(cancellationToken);
        if (rows.Count is 0) rows.Add(Add(db, now));

        var keys = rows.Where(row => row.RetiredAt is null).Select(Open).ToImmutableArray();
        if (keys.IsEmpty) throw new InvalidOperationException("Every signing key in the database is retired. Make one with `portvakt keys rotate`.");

        var signer = ChooseSigner(keys, now);
        if (signer.CreatedAt + (2 * Overlap) <= now)
        {
            foreach (var outgrown in rows.Where(row => row.RetiredAt is null && row.CreatedAt < signer.CreatedAt)) outgrown.RetiredAt = now;
            keys = [.. keys.Where(key => key.CreatedAt >= signer.CreatedAt)];
        }

        await db.SaveChangesAsync(cancellationToken);
        if (_published.IsDefaultOrEmpty || !keys.Select(key => key.Id).SequenceEqual(_published.Select(key => key.Id), StringComparer.Ordinal)) _published = keys;
    }

    /// <summary>Publishes a new key, which signs in 24 hours (at once, where there is no other); the old one is retired 24 hours later. Servers that run find it within the hour.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> RotateAsync(CancellationToken cancellationToken)
    {
        string id;
        await using (var scope = scopes.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<PortvaktDb>();
            var now = clock.GetUtcNow();
            id = Add(db, now).Id;
            db.Record(SecurityEvent.SigningKeyMade, null, id, http: null, now);
            await db.SaveChangesAsync(cancellationToken);
        }

        await LoadAsync(cancellationToken);
        return id;
    }

    private static SigningKey ChooseSigner(ImmutableArray<SigningKey> oldestFirst, DateTimeOffset now)
    {
        for (var index = oldestFirst.Length - 1; index > 0; index--)
        {
            if (oldestFirst[index].CreatedAt + Overlap <= now) return oldestFirst[index];
        }

        return oldestFirst[0];
    }

    private ServerKey Add(PortvaktDb db, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var id = Thumbprint(key.ExportParameters(includePrivateParameters: false));
        var pkcs8 = key.ExportPkcs8PrivateKey();
        var row = new ServerKey { Id = id, Purpose = Purpose, Sealed = vault.Seal(pkcs8, Column, id), CreatedAt = now };
        CryptographicOperations.ZeroMemory(pkcs8);
        db.ServerKeys.Add(row);
        return row;
    }

    private SigningKey Open(ServerKey row)
    {
        if (_published.FirstOrDefault(key => key.Id == row.Id) is { } warm) return warm;
        var key = ECDsa.Create();
        try
        {
            var pkcs8 = vault.Open(row.Sealed, Column, row.Id);
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            CryptographicOperations.ZeroMemory(pkcs8);
        }
        catch (CryptographicException problem)
        {
            key.Dispose();
            throw new InvalidOperationException($"The signing key {row.Id} in the database cannot be opened: it is damaged, or the master key is another one than when it was made. Restore the master key from the backup.", problem);
        }

        var open = key.ExportParameters(includePrivateParameters: false);
        return new SigningKey(row.Id, new ECDsaSecurityKey(key) { KeyId = row.Id }, open, row.CreatedAt);
    }

    /// <summary>RFC 7638: SHA-256 over the required members in the order of the alphabet.</summary>
    private static string Thumbprint(ECParameters key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(
        $$"""{"crv":"P-256","kty":"EC","x":"{{Base64Url.EncodeToString(key.Q.X)}}","y":"{{Base64Url.EncodeToString(key.Q.Y)}}"}""")));
}
