namespace Portvakt.Bench.Phone;

/// <summary>One time, once.</summary>
/// <param name="OnTheClock">As it was.</param>
/// <param name="AtReference">As it would have been on the machine that the gates were set on: see <see cref="Yardstick"/>.</param>
internal sealed record Figure(double OnTheClock, double AtReference)
{
    /// <summary>What is the same on every machine, or must hold on every one.</summary>
    public static implicit operator Figure(double plain) => new(plain, plain);
}
