using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;

namespace Portvakt.Testing;

/// <summary>The browser's half of a subscription: the keys, and the messages that could be decrypted with them (RFC 8291).</summary>
public sealed class FakePushSubscription : IDisposable
{
    /// <summary>How long a waiting test believes that something will still come, by the wall clock.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ECDiffieHellman _key;
    private readonly byte[] _auth;
    private readonly ConcurrentQueue<ReceivedPush> _messages = new();
    private readonly Channel<ReceivedPush> _waiting = Channel.CreateUnbounded<ReceivedPush>();

    /// <param name="endpoint">Where messages for it go.</param>
    /// <param name="applicationServerKey">The only VAPID key that may send, in base64url; null lets every key send.</param>
    /// <param name="key">The key of a subscription that was made before, on P-256; otherwise a new one. Disposed with the subscription.</param>
    /// <param name="auth">Its secret of 16 bytes; otherwise a new one.</param>
    public FakePushSubscription(Uri endpoint, string? applicationServerKey = null, ECDiffieHellman? key = null, byte[]? auth = null)
    {
        _key = key ?? ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        _auth = auth ?? RandomNumberGenerator.GetBytes(16);
        Endpoint = endpoint;
        ApplicationServerKey = applicationServerKey;
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        P256dh = Base64Url.EncodeToString([0x04, .. point.X!, .. point.Y!]);
    }

    public Uri Endpoint { get; }

    /// <summary>Public key in base64url, as <c>PushSubscription.toJSON()</c> has it.</summary>
    public string P256dh { get; }

    /// <summary>Authentication secret in base64url.</summary>
    public string Auth => Base64Url.EncodeToString(_auth);

    public string? ApplicationServerKey { get; }

    /// <summary>All messages so far, oldest first.</summary>
    public IReadOnlyList<ReceivedPush> Messages => [.. _messages];

    /// <summary>The private key in PKCS #8, for decrypting with another implementation.</summary>
    public byte[] ExportPkcs8() => _key.ExportPkcs8PrivateKey();

    /// <summary>The oldest message that was not waited for before; waits for it if need be.</summary>
    public Task<ReceivedPush> NextMessageAsync() => _waiting.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    /// <summary>As the browser's <c>PushSubscription.toJSON()</c>.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new { endpoint = Endpoint.ToString(), expirationTime = (long?)null, keys = new { p256dh = P256dh, auth = Auth } });

    /// <summary>RFC 8291, section 3.4 and RFC 8188, section 2, from the reader's side.</summary>
    public bool TryDecrypt(ReadOnlySpan<byte> body, out byte[] plaintext)
    {
        plaintext = [];
        const int header = 16 + 4 + 1 + 65;
        const int tag = 16;
        if (body.Length <= header + tag || body[20] != 65)
            return false;

        var recordSize = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(body[16..]);
        var record = body[header..];
        if (record.Length > recordSize)
            return false; // RFC 8291, section 4: one record only

        var theirPoint = body[21..header];
        byte[] inputKey;
        try
        {
            using var theirs = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = theirPoint[1..33].ToArray(), Y = theirPoint[33..].ToArray() },
            });
            inputKey = HKDF.DeriveKey(
                HashAlgorithmName.SHA256, _key.DeriveRawSecretAgreement(theirs.PublicKey), 32, _auth,
                [.. "WebPush: info\0"u8, .. Base64Url.DecodeFromChars(P256dh), .. theirPoint]);
        }
        catch (CryptographicException)
        {
            return false;
        }

        var salt = body[..16].ToArray();
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, 16, salt, "Content-Encoding: aes128gcm\0"u8.ToArray());
        var nonce = HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, 12, salt, "Content-Encoding: nonce\0"u8.ToArray());
        var padded = new byte[record.Length - tag];
        using var aes = new AesGcm(key, tag);
        try
        {
            aes.Decrypt(nonce, record[..^tag], record[^tag..], padded);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        var end = padded.AsSpan().TrimEnd((byte)0);
        if (end.Length == 0 || end[^1] != 0x02)
            return false; // not the last record
        plaintext = end[..^1].ToArray();
        return true;
    }

    /// <summary>The secret of the agreement with the sender's key in <paramref name="body"/>; for tests about its leading zeros.</summary>
    public byte[] SharedSecret(ReadOnlySpan<byte> body)
    {
        using var theirs = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = body[22..54].ToArray(), Y = body[54..86].ToArray() },
        });
        return _key.DeriveRawSecretAgreement(theirs.PublicKey);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    internal void Add(ReceivedPush message)
    {
        _messages.Enqueue(message);
        _waiting.Writer.TryWrite(message);
    }
}
