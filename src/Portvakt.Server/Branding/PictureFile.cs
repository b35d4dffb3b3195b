using System.Buffers.Binary;

namespace Portvakt.Server.Branding;

/// <summary>Kinds of pictures that are taken. SVG is none of them: it is a document that can hold scripts.</summary>
public enum PictureKind
{
    Png,
    Jpeg,
    Webp,
}

/// <summary>Why a file is not taken.</summary>
public enum PictureTrouble
{
    None,

    /// <summary>By its bytes it is neither PNG, JPEG nor WebP, whatever its name says.</summary>
    OtherKind,

    /// <summary>It begins like a picture and does not go on like one.</summary>
    Broken,
    TooManyBytes,
    TooManyPixels,

    /// <summary>It moves, which nobody can stop who is disturbed by it (WCAG 2.2, 2.2.2).</summary>
    Moves,
}

/// <summary>
/// A picture that somebody uploaded, told by its bytes and put together anew from the parts that draw it. What else stood in the file is left out: where it was taken, who drew it,
/// thumbnails, and whatever follows its end. PNG: W3C Recommendation, 3rd edition. JPEG: ITU-T T.81. WebP: RFC 9649.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Width">In pixels.</param>
/// <param name="Height">In pixels.</param>
/// <param name="Content">The file.</param>
public sealed record PictureFile(PictureKind Kind, int Width, int Height, byte[] Content)
{
    private static readonly string[] PngParts = ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "bKGD", "pHYs"];
    private static readonly string[] WebpParts = ["VP8 ", "VP8L", "VP8X", "ALPH", "ICCP"];

    public string MediaType => Kind switch { PictureKind.Png => "image/png", PictureKind.Jpeg => "image/jpeg", _ => "image/webp" };

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>Reads a file of a stranger.</summary>
    /// <param name="file">All of it.</param>
    /// <param name="mostBytes">As it comes.</param>
    /// <param name="mostPixels">Of width or height: a few bytes can unfold to a picture that fills a telephone's memory.</param>
    /// <param name="picture">Null where there is trouble.</param>
    public static PictureTrouble Read(ReadOnlySpan<byte> file, int mostBytes, int mostPixels, out PictureFile? picture)
    {
        picture = null;
        if (file.Length > mostBytes) return PictureTrouble.TooManyBytes;
        var result = new MemoryStream(file.Length);
        PictureKind kind;
        PictureTrouble trouble;
        (int Width, int Height) size;
        if (file.StartsWith(PngSignature)) (kind, trouble) = (PictureKind.Png, ReadPng(file, result, out size));
        else if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])) (kind, trouble) = (PictureKind.Jpeg, ReadJpeg(file, result, out size));
        else if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8)) (kind, trouble) = (PictureKind.Webp, ReadWebp(file, result, out size));
        else return PictureTrouble.OtherKind;

        if (trouble is not PictureTrouble.None) return trouble;
        if (size.Width <= 0 || size.Height <= 0) return PictureTrouble.Broken;
        if (size.Width > mostPixels || size.Height > mostPixels) return PictureTrouble.TooManyPixels;
        picture = new PictureFile(kind, size.Width, size.Height, result.ToArray());
        return PictureTrouble.None;
    }

    private static PictureTrouble ReadPng(ReadOnlySpan<byte> file, MemoryStream result, out (int Width, int Height) size)
    {
        size = default;
        result.Write(PngSignature);
        for (var at = PngSignature.Length; at + 12 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            if (length > file.Length - at - 12) return PictureTrouble.Broken;
            var name = System.Text.Encoding.Latin1.GetString(file.Slice(at + 4, 4));
            var part = file.Slice(at, (int)length + 12);
            if ((at == PngSignature.Length) != (name is "IHDR")) return PictureTrouble.Broken;
            if (name is "acTL") return PictureTrouble.Moves;
            if (name is "IHDR")
            {
                if (length is not 13) return PictureTrouble.Broken;
                size = (BinaryPrimitives.ReadInt32BigEndian(part[8..]), BinaryPrimitives.ReadInt32BigEndian(part[12..]));
            }

            if (PngParts.Contains(name, StringComparer.Ordinal)) result.Write(part);
            if (name is "IEND") return PictureTrouble.None;
            at += part.Length;
        }

        return PictureTrouble.Broken;
    }

    private static PictureTrouble ReadJpeg(ReadOnlySpan<byte> file, MemoryStream result, out (int Width, int Height) size)
    {
        size = default;
        result.Write(file[..2]);
        for (var at = 2; at + 4 <= file.Length;)
        {
            var marker = file[at + 1];
            if (file[at] is not 0xFF) return PictureTrouble.Broken;
            if (marker is 0xFF)
            {
                at++; // one may be filled up with any number of these
                continue;
            }

            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length) return PictureTrouble.Broken;
            var part = file.Slice(at, length + 2);
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2: // how large, and how it is coded: the three ways that browsers know
                    if (length < 8) return PictureTrouble.Broken;
                    size = (BinaryPrimitives.ReadUInt16BigEndian(part[7..]), BinaryPrimitives.ReadUInt16BigEndian(part[5..]));
                    result.Write(part);
                    break;
                case 0xC4 or 0xDB or 0xDD or 0xE0 or 0xE2 or 0xEE: // tables, JFIF, the colour profile, Adobe's word on colours
                    result.Write(part);
                    break;
                case 0xDA:
                    result.Write(part);
                    at += part.Length;
                    var end = EndOfScan(file, at);
                    if (end < 0) return PictureTrouble.Broken;
                    result.Write(file[at..end]);
                    at = end;
                    if (file[at + 1] is not 0xD9) continue;
                    result.Write(file.Slice(at, 2));
                    return PictureTrouble.None;
                case >= 0xE0 or (>= 0xC3 and not 0xC8 and not 0xCC):
                    break; // what others have added; what no browser draws ends without a size
                default:
                    return PictureTrouble.Broken;
            }

            at += part.Length;
        }

        return PictureTrouble.Broken;
    }

    /// <summary>Where the next marker stands that is none of the scan's own (section B.1.1.5: stuffed zeroes and restarts); below zero: nowhere.</summary>
    private static int EndOfScan(ReadOnlySpan<byte> file, int at)
    {
        for (; at + 1 < file.Length; at++)
        {
            if (file[at] is 0xFF && file[at + 1] is not (0x00 or 0xFF or (>= 0xD0 and <= 0xD7))) return at;
        }

        return -1;
    }

    private static PictureTrouble ReadWebp(ReadOnlySpan<byte> file, MemoryStream result, out (int Width, int Height) size)
    {
        size = default;
        var total = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]);
        if (total < 4 || total > file.Length - 8) return PictureTrouble.Broken;
        file = file[..((int)total + 8)];
        result.Write(file[..12]);
        var hasPicture = false;
        for (var at = 12; at + 8 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            if (length > file.Length - at - 8) return PictureTrouble.Broken;
            var name = System.Text.Encoding.Latin1.GetString(file.Slice(at, 4));
            var data = file.Slice(at + 8, (int)length);
            if (name is "ANIM" or "ANMF") return PictureTrouble.Moves;
            if (WebpParts.Contains(name, StringComparer.Ordinal))
            {
                var head = file.Slice(at, 8);
                if (name is "VP8X")
                {
                    if (length is not 10) return PictureTrouble.Broken;
                    size = (Three(data[4..]) + 1, Three(data[7..]) + 1);
                    result.Write(head);
                    result.WriteByte((byte)(data[0] & 0x30)); // a colour profile and transparency; the other parts it speaks of are left out
                    result.Write(data[1..]);
                }
                else
                {
                    result.Write(head);
                    result.Write(data);
                    if (length % 2 is 1) result.WriteByte(0);
                    if (name is "VP8 " or "VP8L")
                    {
                        hasPicture = true;
                        if (Canvas(name, data) is not { } own) return PictureTrouble.Broken;
                        if (size is (0, 0)) size = own;
                        else if (size != own) return PictureTrouble.Broken; // only a picture that moves is smaller than its canvas
                    }
                }
            }

            at += 8 + (int)length + (int)(length % 2);
        }

        if (!hasPicture) return PictureTrouble.Broken;
        BinaryPrimitives.WriteUInt32LittleEndian(result.GetBuffer().AsSpan(4), (uint)result.Length - 8);
        return PictureTrouble.None;
    }

    /// <summary>RFC 9649, sections 2.5 and 3.4; RFC 6386, section 9.1.</summary>
    private static (int Width, int Height)? Canvas(string name, ReadOnlySpan<byte> data)
    {
        if (name is "VP8L")
        {
            if (data.Length < 5 || data[0] is not 0x2F) return null;
            var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
            return ((int)(bits & 0x3FFF) + 1, (int)((bits >> 14) & 0x3FFF) + 1);
        }

        return data.Length >= 10 && data[3..].StartsWith((ReadOnlySpan<byte>)[0x9D, 0x01, 0x2A])
            ? (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF)
            : null;
    }

    private static int Three(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
}
