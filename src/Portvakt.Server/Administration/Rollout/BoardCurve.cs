using System.Globalization;
using Portvakt.Domain.Rollout;

namespace Portvakt.Server.Administration;

/// <summary>The curve of a wave: people enrolled day by day against its deadline, ready to be drawn on a sheet of <see cref="Width"/> by <see cref="Height"/>.</summary>
public sealed record BoardCurve(Wave Wave, IReadOnlyList<BoardDay> Days, int People, DateOnly First, DateOnly LastDay, string Line, double? DeadlineX, double? TodayX)
{
    public const int Width = 320;
    public const int Height = 120;

    /// <param name="wave">The wave.</param>
    /// <param name="days">Days on which somebody enrolled, in order.</param>
    /// <param name="people">How many people it has: the height of the sheet.</param>
    /// <param name="zone">Whose days they are.</param>
    /// <param name="now">Where the line ends.</param>
    public static BoardCurve Of(Wave wave, IReadOnlyList<BoardDay> days, int people, TimeZoneInfo zone, DateTimeOffset now)
    {
        var today = DateOf(now);
        var lastDay = EnrolmentRule.LastDay(wave.DeadlineAt, zone);
        var first = DateOf(wave.StartsAt) is var start && days.Count > 0 && days[0].Day < start ? days[0].Day : start;
        var end = today > lastDay ? today : lastDay;
        var span = Math.Max(end.DayNumber - first.DayNumber + 1, 1);

        // A step at the end of each day, from nothing to where it stands today.
        var points = new List<string>();
        if (today >= first)
        {
            Point(first.DayNumber, 0);
            var before = 0;
            foreach (var day in days)
            {
                Point(day.Day.DayNumber, before);
                Point(day.Day.DayNumber + 1, day.Enrolled);
                before = day.Enrolled;
            }

            Point(today.DayNumber + 1, before);
        }

        return new BoardCurve(wave, days, people, first, lastDay, string.Join(' ', points), X(lastDay.DayNumber + 1), today >= first ? X(today.DayNumber + 1) : null);

        double X(int day) => Math.Round((double)(day - first.DayNumber) / span * Width, 1);
        void Point(int day, int enrolled) => points.Add(string.Create(CultureInfo.InvariantCulture, $"{X(day)},{Math.Round(Height - ((double)enrolled / Math.Max(people, 1) * Height), 1)}"));
        DateOnly DateOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, zone).DateTime);
    }

    public string DeadlineAtX => (DeadlineX ?? 0).ToString(CultureInfo.InvariantCulture);

    public double Share(int enrolled) => People is 0 ? 0 : (double)enrolled / People;
}
