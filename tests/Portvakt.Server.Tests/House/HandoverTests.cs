using Portvakt.Server.Hosting;

namespace Portvakt.Server.Tests.House;

/// <summary>What requests hand to the threads that hash and write: each thing once, in its order, and nothing is left behind.</summary>
public sealed class HandoverTests
{
    [Fact]
    public void What_is_handed_over_is_taken_once_and_in_order_by_as_many_threads_as_there_are()
    {
        const int Many = 20_000;
        var handover = new Handover<int>();
        var taken = new List<int>[3];
        var threads = Enumerable.Range(0, taken.Length).Select(number => new Thread(() =>
        {
            List<int> all = [], some = [];
            for (; handover.Take(some, most: 7); some.Clear())
            {
                if (some.Count is 0 or > 7) return; // what it took is then missing below
                all.AddRange(some);
            }

            taken[number] = all;
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        for (var number = 0; number < Many; number++) handover.Add(number);
        handover.End();
        foreach (var thread in threads) Assert.True(thread.Join(TimeSpan.FromMinutes(1)));

        Assert.Equal(Enumerable.Range(0, Many), taken.SelectMany(all => all).Order());
        Assert.All(taken, all => Assert.Equal(all.Order(), all));
    }

    [Fact]
    public void What_waits_when_it_ends_is_still_taken_and_nothing_comes_after()
    {
        var handover = new Handover<string>();
        handover.Add("one");
        handover.Add("two");
        handover.End();
        List<string> taken = [];
        Assert.True(handover.Take(taken, most: 10));
        Assert.Equal(["one", "two"], taken);
        taken.Clear();
        Assert.False(handover.Take(taken, most: 10));
        Assert.Throws<InvalidOperationException>(() => handover.Add("three"));
    }
}
