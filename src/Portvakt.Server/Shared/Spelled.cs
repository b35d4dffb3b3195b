namespace Portvakt.Server.Shared;

/// <summary>Numbers and codes for the ear: sign by sign, so that a screen reader says "four two" and not "forty-two".</summary>
public static class Spelled
{
    /// <summary>"42" as "4 2", "AB-C1" as "A B, C 1".</summary>
    public static string Out(string code) => string.Join(", ", code.Split('-', ' ').Select(group => string.Join(' ', group.AsEnumerable())));
}
