namespace Portvakt.Bench.Cost;

/// <summary>How much is done for a figure.</summary>
/// <param name="Rounds">How many figures a median is of.</param>
/// <param name="Round">How long one operation is repeated in a round, on either side.</param>
/// <param name="WarmUp">How long each operation is repeated before the first round of all: until the runtime has compiled what is hot.</param>
/// <param name="Hashes">Password hashes in a round, of each kind.</param>
/// <param name="Residents">Sign-ins in a round: a step of a millisecond must be long against the clock's 10 ms.</param>
/// <param name="WarmSignIns">Sign-ins of each resident before the first that counts: a method is compiled for good after sixty calls and two quiet moments.</param>
/// <param name="Starts">How often the server is started.</param>
internal sealed record Scale(int Rounds, TimeSpan Round, TimeSpan WarmUp, int Hashes, int Residents, int WarmSignIns, int Starts)
{
    public static Scale Full { get; } = new(7, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), 30, 40, 60, 5);
    public static Scale Short { get; } = new(3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), 15, 24, 60, 3);

    /// <summary>What is held is compared in many short turns: a stranger on the machine then spoils a few of them, and not the median.</summary>
    public static Scale Gate { get; } = Short with { Rounds = 25, Round = TimeSpan.FromMilliseconds(300) };
}
