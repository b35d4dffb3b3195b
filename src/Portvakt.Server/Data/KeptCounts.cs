using Microsoft.EntityFrameworkCore;

namespace Portvakt.Server.Data;

/// <summary>How many people of a wave and a unit have enrolled, or have not.</summary>
public sealed record PlaceCount(Guid? WaveId, string? Unit, bool IsEnrolled, int People);

/// <summary>How many people of a wave enrolled within an hour.</summary>
/// <param name="WaveId">The wave.</param>
/// <param name="Hour">Of UTC, such as <c>2026-11-23 08</c>.</param>
/// <param name="People">How many.</param>
public sealed record HourCount(Guid WaveId, string Hour, int People);

/// <summary>
/// What the database keeps of its people by triggers (migration <c>KeptCounts</c>), in the same transaction as the change: whoever changes people need not know of it, and a look at the board
/// costs the same for a thousand as for a million. Not in the model of EF Core, which neither reads nor writes it.
/// </summary>
public static class KeptCounts
{
    public static Task<List<PlaceCount>> PlacesAsync(PortvaktDb db, CancellationToken cancellationToken) => db.Database.IsNpgsql()
        ? db.Database.SqlQuery<PlaceCount>($"SELECT wave_id, unit, is_enrolled, CAST(sum(people) AS integer) AS people FROM people_counts GROUP BY wave_id, unit, is_enrolled HAVING sum(people) > 0").ToListAsync(cancellationToken)
        : db.Database.SqlQuery<PlaceCount>($"SELECT nullif(wave_id, '') AS wave_id, nullif(unit, '') AS unit, is_enrolled, people FROM people_counts WHERE people > 0").ToListAsync(cancellationToken);

    public static Task<List<HourCount>> HoursAsync(PortvaktDb db, CancellationToken cancellationToken) => db.Database.IsNpgsql()
        ? db.Database.SqlQuery<HourCount>($"SELECT wave_id, hour, CAST(sum(people) AS integer) AS people FROM enrolment_hours GROUP BY wave_id, hour HAVING sum(people) > 0").ToListAsync(cancellationToken)
        : db.Database.SqlQuery<HourCount>($"SELECT wave_id, hour, people FROM enrolment_hours WHERE people > 0").ToListAsync(cancellationToken);

    /// <summary>
    /// On PostgreSQL each change adds rows, so that two who enrol at once do not wait for each other; here they become one again. Two nodes may do it at once: what one has taken the other
    /// does not find, and a row that comes meanwhile stays. SQLite, with its one writer, keeps one row from the beginning.
    /// </summary>
    public static async Task FoldAsync(PortvaktDb db, CancellationToken cancellationToken)
    {
        if (!db.Database.IsNpgsql()) return;
        await db.Database.ExecuteSqlAsync(
            $"""
            WITH taken AS (
                DELETE FROM people_counts WHERE EXISTS (SELECT FROM people_counts GROUP BY wave_id, unit, is_enrolled HAVING count(*) > 1)
                RETURNING wave_id, unit, is_enrolled, people)
            INSERT INTO people_counts SELECT wave_id, unit, is_enrolled, sum(people) FROM taken GROUP BY wave_id, unit, is_enrolled HAVING sum(people) <> 0
            """,
            cancellationToken);
        await db.Database.ExecuteSqlAsync(
            $"""
            WITH taken AS (
                DELETE FROM enrolment_hours WHERE EXISTS (SELECT FROM enrolment_hours GROUP BY wave_id, hour HAVING count(*) > 1)
                RETURNING wave_id, hour, people)
            INSERT INTO enrolment_hours SELECT wave_id, hour, sum(people) FROM taken GROUP BY wave_id, hour HAVING sum(people) <> 0
            """,
            cancellationToken);
    }
}
