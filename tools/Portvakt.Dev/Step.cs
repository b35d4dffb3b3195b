using System.Diagnostics;

namespace Portvakt.Dev;

/// <summary>One line of progress, with its time.</summary>
public static class Step
{
    public static async Task DoAsync(string what, Func<Task> work)
    {
        var clock = Stopwatch.StartNew();
        Console.Write($"{what} … ");
        try
        {
            await work();
        }
        catch
        {
            Console.WriteLine();
            throw;
        }
        Console.WriteLine($"{clock.Elapsed.TotalSeconds:0.0} s");
    }
}
