using System.Security.Cryptography;
using System.Text;

namespace Portvakt.Server.Hosting;

/// <summary>
/// Seals what the database must hold but a copy of the database must not tell (R91): AES-256-GCM under keys derived from a
/// master key that lives outside the database. Table, column and row are associated data, so a ciphertext
/// moved to another row does not open.
/// </summary>
public sealed class Vault
{
    private const byte Format = 1;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly byte[] _sealingKey;
    private readonly byte[] _hashingKey;

    public Vault(byte[] masterKey)
    {
        if (masterKey.Length is not 32) throw new ArgumentException("The master key has 32 bytes.", nameof(masterKey));
        _sealingKey = Derive(masterKey, "portvakt/seal/v1");
        _hashingKey = Derive(masterKey, "portvakt/hash/v1");
        PasswordPepper = Derive(masterKey, "portvakt/pepper/v1");
        NonceKey = Derive(masterKey, "portvakt/nonce/v1");
        AuditKey = Derive(masterKey, "portvakt/audit/v1");
    }

    /// <summary>Mixed into every password before it is hashed.</summary>
    public byte[] PasswordPepper { get; }

    /// <summary>Authenticates the nonces that phones bring back.</summary>
    public byte[] NonceKey { get; }

    /// <summary>Chains the audit log: whoever has the database alone cannot compute a hash that fits.</summary>
    public byte[] AuditKey { get; }

    /// <summary>Reads the key file; makes it when <paramref name="mayCreate"/> (the database is new), so that a lost key is never silently replaced.</summary>
    public static Vault Open(string path, bool mayCreate)
    {
        if (!File.Exists(path))
        {
            if (!mayCreate) throw new InvalidOperationException($"The master key {path} is missing. Without it nothing that was sealed can be read; restore it from the backup.");
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, options);
            file.Write(RandomNumberGenerator.GetBytes(32));
        }

        var key = File.ReadAllBytes(path);
        return key.Length is 32 ? new Vault(key) : throw new InvalidOperationException($"The master key {path} must have exactly 32 bytes.");
    }

    /// <param name="plaintext">What to seal.</param>
    /// <param name="column">Table and column, for instance <c>totps.seed</c>.</param>
    /// <param name="row">Id of the row.</param>
    public byte[] Seal(ReadOnlySpan<byte> plaintext, string column, string row)
    {
        var box = new byte[1 + NonceLength + plaintext.Length + TagLength];
        box[0] = Format;
        var nonce = box.AsSpan(1, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_sealingKey, TagLength);
        aes.Encrypt(nonce, plaintext, box.AsSpan(1 + NonceLength, plaintext.Length), box.AsSpan(box.Length - TagLength), Label(column, row));
        return box;
    }

    /// <exception cref="CryptographicException">The box is damaged, from another row, or from another master key.</exception>
    public byte[] Open(ReadOnlySpan<byte> box, string column, string row)
    {
        if (box.Length < 1 + NonceLength + TagLength || box[0] is not Format) throw new CryptographicException("Not a sealed value.");
        var plaintext = new byte[box.Length - 1 - NonceLength - TagLength];
        using var aes = new AesGcm(_sealingKey, TagLength);
        aes.Decrypt(box.Slice(1, NonceLength), box[(1 + NonceLength)..^TagLength], box[^TagLength..], plaintext, Label(column, row));
        return plaintext;
    }

    /// <summary>A keyed hash for secrets short enough that a plain one could be guessed from a copy of the database.</summary>
    public byte[] Hash(string label, string secret) => HMACSHA256.HashData(_hashingKey, Encoding.UTF8.GetBytes($"{label}\0{secret}"));

    private static byte[] Label(string column, string row) => Encoding.UTF8.GetBytes($"{column}\0{row}");

    private static byte[] Derive(byte[] masterKey, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, masterKey, 32, info: Encoding.ASCII.GetBytes(purpose));
}
