namespace Portvakt.Bench.Load;

/// <summary>The command was wrong; the message says how.</summary>
internal sealed class UsageException(string sentence) : Exception(sentence);
