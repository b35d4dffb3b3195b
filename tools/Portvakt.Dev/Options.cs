using System.Globalization;

namespace Portvakt.Dev;

/// <summary>What was said after the verb, held against what the verb knows.</summary>
public sealed class Options
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <summary>What does not begin with a dash.</summary>
    public List<string> Words { get; } = [];

    public string? this[string name] => _values.GetValueOrDefault(name);

    public bool Has(string name) => _values.ContainsKey(name);

    public int Port(string name, int otherwise) => this[name] is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and < 65536 ? port
        : throw new RefusalException($"{name} takes a port from 1 to 65535, not \"{text}\".", 2);

    public static Options Parse(Verb verb, string[] arguments)
    {
        var takesAll = verb.Word?.EndsWith("...", StringComparison.Ordinal) is true;
        var options = new Options();
        for (var at = 0; at < arguments.Length; at++)
        {
            if (takesAll || !arguments[at].StartsWith('-'))
            {
                options.Words.Add(arguments[at]);
                continue;
            }
            var parts = arguments[at].Split('=', 2);
            var option = verb.Options.FirstOrDefault(option => string.Equals(option.Name, parts[0], StringComparison.Ordinal)) ?? throw Wrong($"does not know {parts[0]}");
            if (!option.TakesValue && parts.Length == 2) throw Wrong($"takes no value for {option.Name}");
            var value = !option.TakesValue ? "" : parts.Length == 2 ? parts[1] : ++at < arguments.Length ? arguments[at] : "";
            if (option.TakesValue && value is "") throw Wrong($"needs a value: {option.Form}");
            if (!options._values.TryAdd(option.Name, value)) throw Wrong($"takes {option.Name} once");
        }
        if (options.Words.Count == 0 && verb.Word is not null && !verb.Word.StartsWith('[')) throw Wrong($"needs its word: {verb.Usage}");
        if (!takesAll && options.Words.Count > (verb.Word is null ? 0 : 1)) throw Wrong($"does not know \"{options.Words[^1]}\"");
        return options;

        RefusalException Wrong(string what) => new($"{verb.Name} {what}. `dotnet run dev.cs help` lists what there is.", 2);
    }
}
