namespace Portvakt.Domain;

/// <summary>RFC 4648 section 6, upper case, without padding: letters and digits that a person can read aloud and a QR code stores densely.</summary>
public static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        for (int i = 0, bits = 0, value = 0, next = 0; next < text.Length;)
        {
            if (bits < 5 && i < bytes.Length) { value = (value << 8) | bytes[i++]; bits += 8; continue; }
            if (bits < 5) { value <<= 5 - bits; bits = 5; }
            text[next++] = Alphabet[(value >> (bits - 5)) & 31];
            bits -= 5;
            value &= (1 << bits) - 1;
        }

        return new string(text);
    }

    /// <summary>Random text of the alphabet: five bits per character, without bias.</summary>
    public static string Random(int characters) => System.Security.Cryptography.RandomNumberGenerator.GetString(Alphabet, characters);

    /// <summary>The bytes of a text without padding. Null when it is none, also when its last letter says more than whole bytes can hold.</summary>
    public static byte[]? Decode(string text)
    {
        var bytes = new byte[text.Length * 5 / 8];
        var (value, bits, next) = (0, 0, 0);
        foreach (var letter in text)
        {
            var five = Alphabet.IndexOf(letter, StringComparison.Ordinal);
            if (five < 0) return null;
            (value, bits) = ((value << 5) | five, bits + 5);
            if (bits < 8) continue;
            bits -= 8;
            bytes[next++] = (byte)(value >> bits);
            value &= (1 << bits) - 1;
        }

        return bits < 5 && value is 0 ? bytes : null;
    }

    /// <summary>What a person typed, as it was meant: upper case, no spaces or dashes. Null when it cannot be Base32 of that length.</summary>
    public static string? Normalise(string? typed, params ReadOnlySpan<int> lengths)
    {
        if (typed is null || typed.Length > 100) return null;
        var letters = typed.Where(character => character is not (' ' or '-' or '\u00a0' or '\u2013')).Select(char.ToUpperInvariant).ToArray();
        return lengths.Contains(letters.Length) && letters.All(Alphabet.Contains) ? new string(letters) : null;
    }
}
