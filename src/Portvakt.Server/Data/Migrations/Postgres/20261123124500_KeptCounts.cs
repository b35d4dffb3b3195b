using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Postgres
{
    /// <summary>
    /// The numbers of the board, kept by the database itself whoever changes people: counted anew at each look they cost eight times as much for a hundred thousand people as for a thousand.
    /// Each change adds rows that nobody else waits for, so that two who enrol at once do not meet; <see cref="Portvakt.Server.Data.KeptCounts"/> adds them up.
    /// </summary>
    public partial class KeptCounts : Migration
    {
        private const string Place = "wave_id, unit, enrolled_at IS NOT NULL";
        private const string Hour = "wave_id, to_char(enrolled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')";
        private const string HasHour = "wave_id IS NOT NULL AND enrolled_at IS NOT NULL";

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("CREATE TABLE people_counts (wave_id uuid, unit text, is_enrolled boolean NOT NULL, people integer NOT NULL)");
            migrationBuilder.Sql("CREATE TABLE enrolment_hours (wave_id uuid NOT NULL, hour text NOT NULL, people integer NOT NULL)");
            migrationBuilder.Sql($"INSERT INTO people_counts SELECT {Place}, count(*) FROM people GROUP BY 1, 2, 3");
            migrationBuilder.Sql($"INSERT INTO enrolment_hours SELECT {Hour}, count(*) FROM people WHERE {HasHour} GROUP BY 1, 2");
            migrationBuilder.Sql(Function("people_come", Many("come", "")));
            migrationBuilder.Sql(Function("people_go", Many("gone", "-")));
            migrationBuilder.Sql(Function("people_change", One("OLD", -1) + One("NEW", 1)));
            migrationBuilder.Sql("CREATE TRIGGER people_come AFTER INSERT ON people REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION people_come()");
            migrationBuilder.Sql("CREATE TRIGGER people_go AFTER DELETE ON people REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION people_go()");
            migrationBuilder.Sql("""
                CREATE TRIGGER people_change AFTER UPDATE OF wave_id, unit, enrolled_at ON people FOR EACH ROW
                WHEN (OLD.wave_id IS DISTINCT FROM NEW.wave_id OR OLD.unit IS DISTINCT FROM NEW.unit OR OLD.enrolled_at IS DISTINCT FROM NEW.enrolled_at)
                EXECUTE FUNCTION people_change()
                """);
            migrationBuilder.Sql("CREATE INDEX ix_people_begun ON people (wave_id, unit, enrolment_step, enrolment_trouble, enrolment_step_at) WHERE enrolled_at IS NULL AND enrolment_step IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_people_begun");
            migrationBuilder.Sql("DROP TRIGGER people_change ON people");
            migrationBuilder.Sql("DROP TRIGGER people_go ON people");
            migrationBuilder.Sql("DROP TRIGGER people_come ON people");
            migrationBuilder.Sql("DROP FUNCTION people_change()");
            migrationBuilder.Sql("DROP FUNCTION people_go()");
            migrationBuilder.Sql("DROP FUNCTION people_come()");
            migrationBuilder.Sql("DROP TABLE enrolment_hours");
            migrationBuilder.Sql("DROP TABLE people_counts");
        }

        private static string Function(string name, string body) => $"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$";

        private static string Many(string rows, string sign) =>
            $"INSERT INTO people_counts SELECT {Place}, {sign}count(*) FROM {rows} GROUP BY 1, 2, 3; INSERT INTO enrolment_hours SELECT {Hour}, {sign}count(*) FROM {rows} WHERE {HasHour} GROUP BY 1, 2;";

        private static string One(string row, int people) => $"""
            INSERT INTO people_counts VALUES ({row}.wave_id, {row}.unit, {row}.enrolled_at IS NOT NULL, {people});
            IF {row}.wave_id IS NOT NULL AND {row}.enrolled_at IS NOT NULL THEN
                INSERT INTO enrolment_hours VALUES ({row}.wave_id, to_char({row}.enrolled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24'), {people});
            END IF;
            """;
    }
}
