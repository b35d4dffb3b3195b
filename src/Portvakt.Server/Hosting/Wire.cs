namespace Portvakt.Server.Hosting;

/// <summary>A message between phone and server. The phone app's types are generated from what is marked so (<c>portvakt phone-contract</c>).</summary>
/// <param name="name">What the app calls it.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class WireTypeAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>The texts (or the one number) that a member can have.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class WireValuesAttribute(string name, params string[] values) : Attribute
{
    /// <summary>Name of the type that lists them; empty for a list that needs none.</summary>
    public string Name { get; } = name;

    public IReadOnlyList<string> Values { get; } = values;
}

/// <summary>The member may be null on the wire. Without it, null here only means that a stranger may have left it out.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class MayBeNullAttribute : Attribute;

/// <summary>The member may be missing on the wire.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class MayBeMissingAttribute : Attribute;
