using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class LiveSessions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateIndex(
                name: "ix_sessions_method_expires_at",
                table: "sessions",
                columns: new[] { "method", "expires_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_sessions_method_expires_at",
                table: "sessions");
        }
    }
}
