using System.Text.Json;
using Microsoft.Playwright;

namespace Portvakt.EndToEnd.Tests;

/// <summary>The page as the browser hands it to a screen reader (DevTools protocol, <c>Accessibility.getFullAXTree</c>).</summary>
internal static class AccessibilityTree
{
    private static readonly HashSet<string> Named = new(StringComparer.Ordinal)
    {
        "button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "spinbutton", "switch", "slider", "Date", "DateTime", "InputTime", "DisclosureTriangle", "DisclosureTriangleGrouped",
        "heading", "image", "region", "navigation", "progressbar", "dialog", "table",
    };

    /// <param name="Id">Of the element in the document: the same as long as it is the same element.</param>
    /// <param name="Role">As the browser names it.</param>
    /// <param name="Name">What is read.</param>
    /// <param name="Level">Of a heading.</param>
    /// <param name="Live"><c>polite</c> or <c>assertive</c> where changes are read out.</param>
    /// <param name="Text">All that is read within it.</param>
    public sealed record Node(int Id, string Role, string Name, int? Level, string? Live, string Text)
    {
        public bool MustHaveName => Named.Contains(Role);
    }

    /// <summary>Everything that is not hidden from it.</summary>
    public static async Task<IReadOnlyList<Node>> ReadAsync(ICDPSession tools)
    {
        var answer = await tools.SendAsync("Accessibility.getFullAXTree");
        // The lines of one text may stand there twice, under one id.
        var all = answer!.Value.GetProperty("nodes").EnumerateArray().DistinctBy(node => node.GetProperty("nodeId").GetString()).ToDictionary(node => node.GetProperty("nodeId").GetString()!, StringComparer.Ordinal);
        return [.. all.Values.Where(node => !IsIgnored(node)).Select(node => new Node(
            node.TryGetProperty("backendDOMNodeId", out var id) ? id.GetInt32() : 0, Value(node, "role"), Value(node, "name"),
            Property(node, "level") is { ValueKind: JsonValueKind.Number } level ? level.GetInt32() : null,
            Property(node, "live") is { ValueKind: JsonValueKind.String } live && live.GetString() is not "off" ? live.GetString() : null,
            TextOf(node, all)))];
    }

    private static string TextOf(JsonElement node, Dictionary<string, JsonElement> all)
    {
        if (!IsIgnored(node) && Value(node, "role") is "StaticText") return Value(node, "name");
        return !node.TryGetProperty("childIds", out var children) ? ""
            : string.Join(' ', children.EnumerateArray().Select(child => all.TryGetValue(child.GetString()!, out var found) ? TextOf(found, all) : "").Where(text => text.Length > 0));
    }

    private static bool IsIgnored(JsonElement node) => node.GetProperty("ignored").GetBoolean();

    private static string Value(JsonElement node, string name) => node.TryGetProperty(name, out var part) && part.TryGetProperty("value", out var value) ? value.ToString() : "";

    private static JsonElement? Property(JsonElement node, string name) =>
        !node.TryGetProperty("properties", out var properties) ? null
        : properties.EnumerateArray().Where(property => property.GetProperty("name").ValueEquals(name)).Select(property => (JsonElement?)property.GetProperty("value").GetProperty("value")).FirstOrDefault();
}
