using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Portvakt.Server.Tests.Actors;

/// <summary>Pictures to upload, and what pretends to be one.</summary>
public static class Pictures
{
    /// <summary>Eight by four pixels of red, as a browser's canvas makes it.</summary>
    public static readonly byte[] Jpeg = Convert.FromBase64String(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/"
        + "wAARCAAEAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAwX/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9oADAMBAAIRAxEAPwCeAJaf/9k=");

    /// <summary>The same.</summary>
    public static readonly byte[] Webp = Convert.FromBase64String("UklGRjQAAABXRUJQVlA4ICgAAABwAQCdASoIAAQABABoJaACdAF1AAD+694SMNbr/5Kf/eV/ru2YAAAA");

    /// <summary>A picture of one colour, with the parts that somebody put in before its end.</summary>
    /// <param name="width">As the header says; more than eight thousand rows are not really there.</param>
    /// <param name="height">Likewise.</param>
    /// <param name="parts">Name and content, right after the header.</param>
    public static byte[] Png(int width = 8, int height = 4, params (string Name, byte[] Content)[] parts)
    {
        var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2); // eight bits of red, green and blue
        Part(file, "IHDR", header);
        foreach (var (name, content) in parts) Part(file, name, content);
        using var pixels = new MemoryStream();
        using (var packed = new ZLibStream(pixels, CompressionLevel.Optimal, leaveOpen: true))
        {
            var row = new byte[1 + (3 * Math.Clamp(width, 0, 8192))];
            for (var at = 1; at < row.Length; at += 3) (row[at], row[at + 1], row[at + 2]) = (0xC8, 0x10, 0x2E);
            for (var y = 0; y < Math.Min(height, 64); y++) packed.Write(row);
        }

        Part(file, "IDAT", pixels.ToArray());
        Part(file, "IEND", []);
        return file.ToArray();
    }

    /// <summary>A WebP file of parts (RFC 9649, section 2.3).</summary>
    public static byte[] WebpOf(params (string Name, byte[] Content)[] parts)
    {
        var file = new MemoryStream();
        file.Write("RIFF\0\0\0\0WEBP"u8);
        foreach (var (name, content) in parts)
        {
            file.Write(Encoding.Latin1.GetBytes(name));
            file.Write(BitConverter.GetBytes(content.Length));
            file.Write(content);
            if (content.Length % 2 is 1) file.WriteByte(0);
        }

        var all = file.ToArray();
        BitConverter.GetBytes(all.Length - 8).CopyTo(all, 4);
        return all;
    }

    /// <summary>The drawing part of <see cref="Webp"/>.</summary>
    public static byte[] Vp8 => Webp[20..];

    private static void Part(MemoryStream file, string name, byte[] content)
    {
        var part = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(part, content.Length);
        Encoding.Latin1.GetBytes(name).CopyTo(part, 4);
        content.CopyTo(part, 8);
        BinaryPrimitives.WriteUInt32BigEndian(part.AsSpan(content.Length + 8), Crc(part.AsSpan(4, content.Length + 4)));
        file.Write(part);
    }

    /// <summary>PNG, annex D.</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) is 1 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
        }

        return ~crc;
    }
}
