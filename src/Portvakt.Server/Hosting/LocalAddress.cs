namespace Portvakt.Server.Hosting;

/// <summary>Addresses inside the product (R74). Stricter than the framework's own rule: only what we write ourselves passes.</summary>
public static class LocalAddress
{
    /// <summary>A path that begins with exactly one slash and has no character that some browser reads as one, or drops.</summary>
    public static bool IsLocal(string? address) =>
        address is ['/', ..] and not ['/', '/' or '\\', ..] && !address.Any(character => character is '\\' || char.IsControl(character) || char.IsWhiteSpace(character) || character > '~');
}
