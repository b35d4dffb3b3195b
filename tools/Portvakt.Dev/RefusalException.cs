namespace Portvakt.Dev;

/// <summary>A sentence for the person at the desk, and the exit code: 2 when the command was wrong, 1 otherwise.</summary>
public sealed class RefusalException(string sentence, int exitCode = 1) : Exception(sentence)
{
    public int ExitCode => exitCode;
}
