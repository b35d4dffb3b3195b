using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Portvakt.Server.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Moves : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AlterColumn<string>(
                name: "attempt_id",
                table: "binding_codes",
                type: "TEXT",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "TEXT");

            migrationBuilder.AddColumn<byte[]>(
                name: "luggage",
                table: "binding_codes",
                type: "BLOB",
                nullable: true);

            migrationBuilder.AddColumn<int>(
                name: "matching_number",
                table: "binding_codes",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "replaces_phone_id",
                table: "binding_codes",
                type: "TEXT",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_binding_codes_one_move",
                table: "binding_codes",
                column: "replaces_phone_id",
                unique: true,
                filter: "state IN ('Waiting', 'Claimed', 'Bound')");

            migrationBuilder.CreateIndex(
                name: "ix_binding_codes_person_id",
                table: "binding_codes",
                column: "person_id");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_binding_codes_one_move",
                table: "binding_codes");

            migrationBuilder.DropIndex(
                name: "ix_binding_codes_person_id",
                table: "binding_codes");

            migrationBuilder.DropColumn(
                name: "luggage",
                table: "binding_codes");

            migrationBuilder.DropColumn(
                name: "matching_number",
                table: "binding_codes");

            migrationBuilder.DropColumn(
                name: "replaces_phone_id",
                table: "binding_codes");

            migrationBuilder.AlterColumn<string>(
                name: "attempt_id",
                table: "binding_codes",
                type: "TEXT",
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "TEXT",
                oldNullable: true);
        }
    }
}
