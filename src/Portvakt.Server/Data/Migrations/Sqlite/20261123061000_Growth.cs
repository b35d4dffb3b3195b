using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Growth : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_audit_events_actor_id",
                table: "audit_events");

            migrationBuilder.CreateIndex(
                name: "ix_authorization_codes_session_id",
                table: "authorization_codes",
                column: "session_id");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_actor_id",
                table: "audit_events",
                column: "actor_id",
                filter: "actor_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_what_at",
                table: "audit_events",
                columns: new[] { "what", "at" });

            migrationBuilder.CreateIndex(
                name: "ix_approvals_person_id_created_at",
                table: "approvals",
                columns: new[] { "person_id", "created_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_authorization_codes_session_id",
                table: "authorization_codes");

            migrationBuilder.DropIndex(
                name: "ix_audit_events_actor_id",
                table: "audit_events");

            migrationBuilder.DropIndex(
                name: "ix_audit_events_what_at",
                table: "audit_events");

            migrationBuilder.DropIndex(
                name: "ix_approvals_person_id_created_at",
                table: "approvals");

            migrationBuilder.CreateIndex(
                name: "ix_audit_events_actor_id",
                table: "audit_events",
                column: "actor_id");
        }
    }
}
