using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Localization;
using Portvakt.Domain.Audit;
using Portvakt.Domain.People;
using Portvakt.Domain.Rollout;
using Portvakt.Server.Resources;

namespace Portvakt.Server.Administration;

/// <summary>The waves of the rollout in their order: a person belongs to the first one whose rule includes them.</summary>
public sealed class WavesModel(Reception reception, IStringLocalizer<AdminWords> admin) : AdministrationPage(reception, Act.ManageWaves)
{
    public IReadOnlyList<(Wave Wave, int People)> Waves { get; private set; } = [];

    /// <summary>A wave has no unit of its own: whose role counts in one unit only looks at them.</summary>
    public bool MayChange => Desk.AllowsEverywhere(Act.ManageWaves);

    public DateTimeOffset Moment => Now;

    public async Task OnGetAsync()
    {
        var counts = await PeopleInScope(Act.ManageWaves).Where(person => person.WaveId != null).GroupBy(person => person.WaveId).Select(group => new { group.Key, People = group.Count() }).ToListAsync(Aborted);
        var waves = await Ordered().AsNoTracking().ToListAsync(Aborted);
        Waves = [.. waves.Select(wave => (wave, counts.SingleOrDefault(count => count.Key == wave.Id)?.People ?? 0))];
    }

    public async Task<IActionResult> OnPostMoveAsync(Guid id, bool up)
    {
        if (!MayChange) return Forbidden();
        await using var transaction = await Db.Database.BeginTransactionAsync(Aborted);
        var waves = await Ordered().ToListAsync(Aborted);
        var from = waves.FindIndex(wave => wave.Id == id);
        var to = from + (up ? -1 : 1);
        if (from < 0 || to < 0 || to >= waves.Count) return Done(admin["WaveNotMoved"]);
        (waves[from], waves[to]) = (waves[to], waves[from]);
        for (var place = 0; place < waves.Count; place++) waves[place].Position = place + 1;
        Record(SecurityEvent.WaveChanged, null, id.ToString("N"), $"position {from + 1} → {to + 1}");
        if (!await Db.TrySaveAsync(Aborted)) return Done(admin["WaveChangedMeanwhile"]);
        var moved = await WaveRules.AssignAsync(Db, Aborted);
        await transaction.CommitAsync(Aborted);
        return Done(admin["WaveMoved", moved]);
    }

    private IQueryable<Wave> Ordered() => Db.Waves.OrderBy(wave => wave.Position).ThenBy(wave => wave.StartsAt);

    private StatusCodeResult Forbidden() => StatusCode(StatusCodes.Status403Forbidden);
}
