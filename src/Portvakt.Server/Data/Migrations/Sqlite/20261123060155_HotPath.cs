using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class HotPath : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_authorization_codes_session_id",
                table: "authorization_codes",
                column: "session_id");

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
                name: "ix_approvals_person_id_created_at",
                table: "approvals");
        }
    }
}
