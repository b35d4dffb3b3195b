using System.Globalization;

namespace Portvakt.Bench.Load;

/// <summary>What was said on the command line, held against what the measurement knows.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <param name="said">The words after the measurement's name.</param>
    /// <param name="known">Each with its value's name when it takes one: <c>--people N</c>.</param>
    public Arguments(string[] said, params string[] known)
    {
        for (var at = 0; at < said.Length; at++)
        {
            var parts = said[at].Split('=', 2);
            var form = Array.Find(known, form => form.Split(' ')[0] == parts[0]) ?? throw new UsageException($"{said[at]} is not known here; known are {string.Join(", ", known)}.");
            if (!form.Contains(' ', StringComparison.Ordinal)) _values[parts[0]] = "";
            else _values[parts[0]] = parts.Length is 2 ? parts[1] : ++at < said.Length ? said[at] : throw new UsageException($"{form} needs its value.");
        }

        if (this["--database"] is not (null or "sqlite" or "postgres")) throw new UsageException("--database is sqlite or postgres.");
    }

    public string? this[string name] => _values.GetValueOrDefault(name);

    public bool Has(string name) => _values.ContainsKey(name);

    /// <exception cref="UsageException">Not a number, or not above nothing.</exception>
    public double Number(string name, double otherwise) => this[name] is not { } text ? otherwise
        : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new UsageException($"{name} takes a number above nothing, not {text}.");

    public int Count(string name, int otherwise) => (int)Number(name, otherwise);
}
