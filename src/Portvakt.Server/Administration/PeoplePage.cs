using Microsoft.EntityFrameworkCore;
using Portvakt.Domain.People;
using Portvakt.Server.Data;

namespace Portvakt.Server.Administration;

/// <summary>Fifty people of a list. Two questions to the database, whatever the number of people.</summary>
/// <param name="Lines">In the order of their user names.</param>
/// <param name="Total">How many the whole list has.</param>
/// <param name="Number">Which page it is, from 1.</param>
public sealed record PeoplePage(IReadOnlyList<PersonLine> Lines, int Total, int Number)
{
    private const int Size = 50;

    public static readonly PeoplePage Empty = new([], 0, 1);

    /// <summary>How many pages there are; at least one.</summary>
    public int Pages => PagesOf(Total);

    /// <param name="db">The database.</param>
    /// <param name="people">Whom the reader may see.</param>
    /// <param name="filter">Whom the reader wants to see.</param>
    /// <param name="number">Which page; the nearest there is.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static async Task<PeoplePage> LoadAsync(PortvaktDb db, IQueryable<Person> people, PeopleFilter filter, int number, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var found = filter.Of(people, db, now);
        var total = await found.CountAsync(cancellationToken);
        number = Math.Clamp(number, 1, PagesOf(total));

        // The page is cut out first, by the index of user names: what belongs to a line is looked up for fifty people and not for all.
        var lines = await PersonLine.Of(found.OrderBy(person => person.UserName).Skip((number - 1) * Size).Take(Size), db).OrderBy(line => line.UserName).ToListAsync(cancellationToken);
        return new PeoplePage(lines, total, number);
    }

    private static int PagesOf(int total) => Math.Max(1, (total + Size - 1) / Size);
}
