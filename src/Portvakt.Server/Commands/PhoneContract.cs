using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Portvakt.Server.Hosting;

namespace Portvakt.Server.Commands;

/// <summary>Writes the phone app's types from the wire records, so that C# stays the one place where a message is described. A test refuses a file that differs.</summary>
public static class PhoneContract
{
    /// <summary>Where the file lies in the sources.</summary>
    public const string Path = "src/phone/src/generated/contract.ts";

    public static string Write()
    {
        var types = typeof(PhoneContract).Assembly.GetTypes().Where(type => type.GetCustomAttribute<WireTypeAttribute>() is not null).OrderBy(NameOf, StringComparer.Ordinal).ToList();
        var unions = types.SelectMany(type => Members(type)).Select(member => member.GetCustomAttribute<WireValuesAttribute>()).Where(values => values is { Name.Length: > 0 })
            .DistinctBy(values => values!.Name, StringComparer.Ordinal).OrderBy(values => values!.Name, StringComparer.Ordinal);

        var text = new StringBuilder("// Generated from the wire records of the server by `portvakt phone-contract`. See docs/protocol.md.\n");
        foreach (var union in unions) text.Append(CultureInfo.InvariantCulture, $"\nexport type {union!.Name} = {Union(union)};");
        text.Append('\n');
        foreach (var type in types)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nexport type {NameOf(type)} = {{\n");
            foreach (var member in Members(type)) text.Append(CultureInfo.InvariantCulture, $"  {WireName(type, member)}{(member.IsDefined(typeof(MayBeMissingAttribute)) ? "?" : "")}: {TypeOf(member)};\n");
            text.Append("};\n");
        }

        return text.ToString();
    }

    private static string NameOf(Type type) => type.GetCustomAttribute<WireTypeAttribute>()!.Name;

    private static ParameterInfo[] Members(Type type) => type.GetConstructors().Single(constructor => constructor.GetParameters() is not [{ } only] || only.ParameterType != type).GetParameters();

    private static string WireName(Type type, ParameterInfo member) =>
        type.GetProperty(member.Name!)?.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name!);

    private static string Union(WireValuesAttribute values) => string.Join(" | ", values.Values.Select(value => int.TryParse(value, CultureInfo.InvariantCulture, out _) ? value : $"'{value}'"));

    private static string TypeOf(ParameterInfo member)
    {
        var type = Nullable.GetUnderlyingType(member.ParameterType) ?? member.ParameterType;
        var isList = type.IsArray;
        if (isList) type = type.GetElementType()!;
        var name = member.GetCustomAttribute<WireValuesAttribute>() is { } values ? (values.Name.Length > 0 ? values.Name : Union(values))
            : type == typeof(string) ? "string"
            : type == typeof(bool) ? "boolean"
            : type == typeof(int) || type == typeof(long) ? "number"
            : NameOf(type);
        return (isList ? $"{name}[]" : name) + (member.IsDefined(typeof(MayBeNullAttribute)) ? " | null" : "");
    }
}
