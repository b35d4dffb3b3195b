using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <summary>
    /// The numbers of the board, kept by the database itself whoever changes people: counted anew at each look they cost seventeen times as much for a hundred thousand people as for a
    /// thousand. A migration that has SQLite build the table of people anew loses the triggers and must make them again; the board's stories see that.
    /// </summary>
    public partial class KeptCounts : Migration
    {
        private const string Place = "ifnull({0}.wave_id, ''), ifnull({0}.unit, ''), {0}.enrolled_at IS NOT NULL";
        private const string Hour = "{0}.wave_id, substr({0}.enrolled_at, 1, 13)";
        private const string HasHour = "{0}.wave_id IS NOT NULL AND {0}.enrolled_at IS NOT NULL";

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("CREATE TABLE people_counts (wave_id TEXT NOT NULL, unit TEXT NOT NULL, is_enrolled INTEGER NOT NULL, people INTEGER NOT NULL, PRIMARY KEY (wave_id, unit, is_enrolled)) WITHOUT ROWID");
            migrationBuilder.Sql("CREATE TABLE enrolment_hours (wave_id TEXT NOT NULL, hour TEXT NOT NULL, people INTEGER NOT NULL, PRIMARY KEY (wave_id, hour)) WITHOUT ROWID");
            migrationBuilder.Sql($"INSERT INTO people_counts SELECT {string.Format(Place, "p")}, count(*) FROM people AS p GROUP BY 1, 2, 3");
            migrationBuilder.Sql($"INSERT INTO enrolment_hours SELECT {string.Format(Hour, "p")}, count(*) FROM people AS p WHERE {string.Format(HasHour, "p")} GROUP BY 1, 2");
            migrationBuilder.Sql($"CREATE TRIGGER people_come AFTER INSERT ON people BEGIN {Count("NEW", 1)} END");
            migrationBuilder.Sql($"CREATE TRIGGER people_go AFTER DELETE ON people BEGIN {Count("OLD", -1)} END");
            migrationBuilder.Sql($"""
                CREATE TRIGGER people_change AFTER UPDATE OF wave_id, unit, enrolled_at ON people
                WHEN OLD.wave_id IS NOT NEW.wave_id OR OLD.unit IS NOT NEW.unit OR OLD.enrolled_at IS NOT NEW.enrolled_at
                BEGIN {Count("OLD", -1)} {Count("NEW", 1)} END
                """);
            migrationBuilder.Sql("CREATE INDEX ix_people_begun ON people (wave_id, unit, enrolment_step, enrolment_trouble, enrolment_step_at) WHERE enrolled_at IS NULL AND enrolment_step IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_people_begun");
            migrationBuilder.Sql("DROP TRIGGER people_change");
            migrationBuilder.Sql("DROP TRIGGER people_go");
            migrationBuilder.Sql("DROP TRIGGER people_come");
            migrationBuilder.Sql("DROP TABLE enrolment_hours");
            migrationBuilder.Sql("DROP TABLE people_counts");
        }

        private static string Count(string row, int people) => $"""
            INSERT INTO people_counts SELECT {string.Format(Place, row)}, {people} WHERE true ON CONFLICT DO UPDATE SET people = people + excluded.people;
            INSERT INTO enrolment_hours SELECT {string.Format(Hour, row)}, {people} WHERE {string.Format(HasHour, row)} ON CONFLICT DO UPDATE SET people = people + excluded.people;
            """;
    }
}
