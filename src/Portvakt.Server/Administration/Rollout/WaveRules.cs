using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>Puts people into waves: the first wave whose rule includes them, unless they were named for one.</summary>
public static class WaveRules
{
    /// <summary>The waves in order, with their rules read. One that cannot be read has no members.</summary>
    public static async Task<IReadOnlyList<(Guid Id, WaveRule Rule)>> LoadAsync(PortvaktDb db, CancellationToken cancellationToken)
    {
        var waves = await db.Waves.AsNoTracking().OrderBy(wave => wave.Position).ThenBy(wave => wave.StartsAt).ToListAsync(cancellationToken);
        return [.. waves.Select(wave => WaveRule.TryParse(wave.Rule, out var rule, out _) ? (wave.Id, rule) : (wave.Id, null!)).Where(pair => pair.Item2 is not null)];
    }

    public static Guid? WaveOf(PersonAttributes person, IReadOnlyList<(Guid Id, WaveRule Rule)> waves)
    {
        foreach (var (id, rule) in waves)
        {
            if (rule.Includes(person)) return id;
        }

        return null;
    }

    /// <summary>After a wave has changed: everybody's wave anew, set by set, in one transaction with the change. Answers with how many people moved.</summary>
    public static async Task<int> AssignAsync(PortvaktDb db, CancellationToken cancellationToken)
    {
        var waves = await LoadAsync(db, cancellationToken);
        var moved = new List<(Guid? To, Guid Person)>();
        await foreach (var row in db.People.AsNoTracking().Where(person => !person.WaveIsFixed)
            .Select(person => new { person.Id, person.WaveId, person.UserName, person.Email, person.Unit, person.Manager, person.Language }).AsAsyncEnumerable().WithCancellation(cancellationToken))
        {
            var wave = WaveOf(new PersonAttributes(row.UserName, row.Email, row.Unit, row.Manager, row.Language), waves);
            if (wave != row.WaveId) moved.Add((wave, row.Id));
        }

        foreach (var (to, people) in moved.GroupBy(pair => pair.To).Select(group => (group.Key, group.Select(pair => pair.Person).ToList())))
        {
            foreach (var some in people.Chunk(1000))
            {
                await db.People.Where(person => some.Contains(person.Id)).ExecuteUpdateAsync(set => set.SetProperty(person => person.WaveId, to), cancellationToken);
            }
        }

        return moved.Count;
    }
}
