using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Portvakt.Domain.Audit;
using Portvakt.Server.Data;

namespace Portvakt.Server.Audit;

/// <summary>
/// HMAC-SHA-256 under <see cref="Hosting.Vault.AuditKey"/>. Every part has its length before it and each kind of message a label, so that no two messages are the same bytes.
/// </summary>
public static class AuditHash
{
    /// <summary>The hash of a row: over the row before, its place, and all of it that is never erased. Address and reason are in by their commitment.</summary>
    public static byte[] Of(byte[] key, byte[] previous, long number, AuditEvent row)
    {
        var message = new Message(key, "portvakt/audit/row/v1");
        message.Add(previous);
        message.Add(number);
        message.Add(row.Id);
        message.Add((long)row.What);
        message.Add(row.At.UtcTicks);
        message.Add(row.PersonId?.ToByteArray());
        message.Add(row.ActorId?.ToByteArray());
        message.Add(row.Subject is null ? null : Encoding.UTF8.GetBytes(row.Subject));
        message.Add(row.Commitment);
        return message.Hash();
    }

    public static byte[] SealOf(byte[] key, AuditCheckpoint checkpoint)
    {
        var message = new Message(key, "portvakt/audit/checkpoint/v1");
        message.Add(checkpoint.Id);
        message.Add(checkpoint.Number);
        message.Add(checkpoint.Hash);
        message.Add(checkpoint.At.UtcTicks);
        message.Add(checkpoint.FirstNumber);
        message.Add(checkpoint.FirstHash);
        return message.Hash();
    }

    public static bool HasItsSeal(byte[] key, AuditCheckpoint checkpoint) => CryptographicOperations.FixedTimeEquals(SealOf(key, checkpoint), checkpoint.Seal);

    public static bool HasItsHash(byte[] key, byte[] previous, long number, AuditEvent row) => CryptographicOperations.FixedTimeEquals(Of(key, previous, number, row), row.ChainHash);

    /// <summary>Whether address and reason are those that were written. Erased ones cannot be told, and are judged elsewhere.</summary>
    public static bool HasItsCommitment(AuditEvent row) =>
        row.Blind is null ? row.Address is null && row.Reason is null : CryptographicOperations.FixedTimeEquals(AuditEvent.CommitmentOf(row.Blind, row.Address, row.Reason), row.Commitment);

    private sealed class Message
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(256);
        private readonly byte[] _key;

        public Message(byte[] key, string label)
        {
            _key = key;
            Add(Encoding.ASCII.GetBytes(label));
        }

        public void Add(long value)
        {
            BinaryPrimitives.WriteInt64BigEndian(_bytes.GetSpan(8), value);
            _bytes.Advance(8);
        }

        public void Add(byte[]? value)
        {
            Add(value?.Length ?? -1L);
            if (value is not null) _bytes.Write(value);
        }

        public byte[] Hash() => HMACSHA256.HashData(_key, _bytes.WrittenSpan);
    }
}
