namespace Portvakt.Dev;

/// <summary>Something a developer can ask for.</summary>
/// <param name="Usage">Its name and its words: <c>NAME</c> must be given, <c>[DIR]</c> may, <c>WHAT...</c> takes all that follows.</param>
/// <param name="Meaning">One line for the list of verbs.</param>
/// <param name="Run">Returns the exit code.</param>
/// <param name="Options">The list is the grammar, too.</param>
public sealed record Verb(string Usage, string Meaning, Func<Options, Task<int>> Run, params Option[] Options)
{
    public string Name => Usage.Split(' ')[0];
    public string? Word => Usage.Split(' ').ElementAtOrDefault(1);
}

/// <param name="Form"><c>--port 5080</c> takes a value, <c>--no-browser</c> does not.</param>
/// <param name="Meaning">A few words for the list of verbs.</param>
public sealed record Option(string Form, string Meaning)
{
    public string Name => Form.Split(' ')[0];
    public bool TakesValue => Form.Contains(' ', StringComparison.Ordinal);
}
